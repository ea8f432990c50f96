"""LabelTrail: the audit trail for weak labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.labelmodels.training import train_soft
    from governance.project import Project
    from governance.project.doors import autolog, capture

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "autolog", "capture", "train_soft"]


def __getattr__(name: str) -> Any:
    """`governance.Project` and its like, without their imports for those who only ask for the version."""
    if name == "Project":
        from governance.project import Project

        return Project
    if name in ("autolog", "capture"):
        from governance.project import doors

        return getattr(doors, name)
    if name == "train_soft":
        from governance.labelmodels.training import train_soft

        return train_soft
    raise AttributeError(f"module 'governance' has no attribute {name!r}")
