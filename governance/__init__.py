"""LabelTrail: the audit trail for weak labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.project import Project

__version__ = "0.1.0"
__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    """`governance.Project` without its imports for those who only ask for the version."""
    if name == "Project":
        from governance.project import Project

        return Project
    raise AttributeError(f"module 'governance' has no attribute {name!r}")
