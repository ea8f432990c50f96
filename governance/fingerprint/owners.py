"""Whose code is a module: Python's own, a distribution's or the project's?"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import governance
from governance.installed import installed


@dataclass(frozen=True)
class Owner:
    """Python's own code and distributions are known by their version, the project's code by what it says."""

    kind: Literal["python", "package", "project", "missing"]
    packages: tuple[tuple[str, str], ...] = ()


def owner_of(module: str) -> Owner:
    """The owner of a module by its dotted name; the module is found, and not run."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return Owner("python")
    if top == governance.__name__:
        # The same library counts as one thing whether it came as a wheel or is a checkout.
        return Owner("package", (("labeltrail", governance.__version__),))
    if top == "__main__":
        return Owner("project")
    places = _places(top)
    if places is None:
        return Owner("missing")
    if any(part in ("site-packages", "dist-packages") for place in places for part in Path(place).parts):
        return Owner("package", _packages(top))
    return Owner("project")


def _places(top: str) -> list[str] | None:
    """Where a top-level module lies; None where it cannot be found."""
    spec = getattr(sys.modules.get(top), "__spec__", None)
    if spec is None:
        loaded = sys.modules.get(top)
        if loaded is not None:
            return [getattr(loaded, "__file__", None) or ""]
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        return None
    return list(spec.submodule_search_locations or []) or [spec.origin or ""]


def folders_of(package: str) -> list[Path]:
    """Where a package of the project lies, also one inside another; nowhere for any other text or module."""
    if not package or not all(part.isidentifier() for part in package.split(".")):
        return []
    if owner_of(package).kind != "project":
        return []
    top, *inner = package.split(".")
    return [Path(place, *inner) for place in _places(top) or [] if Path(place, *inner).is_dir()]


def _packages(top: str) -> tuple[tuple[str, str], ...]:
    known = installed()
    found = known.owners.get(top)
    if not found:
        return ((top, "unknown"),)
    return tuple((name, known.versions[name.lower()]) for name in found)
