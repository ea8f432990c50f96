"""Which things stand on a shelf? A shelf is a package in which each module is one thing that nothing else lists."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from governance.errors import UnknownName


def names(package: str) -> list[str]:
    """The names of the modules on a shelf, sorted; those that begin with an underscore are its furniture."""
    shelf = import_module(package)
    return sorted(info.name for info in pkgutil.iter_modules(shelf.__path__) if not info.name.startswith("_"))


def take(package: str, name: str) -> ModuleType:
    """The module `name` from a shelf. Raises UnknownName."""
    known = names(package)
    if name not in known:
        raise UnknownName(package.rpartition(".")[2].rstrip("s"), name, known)
    return import_module(f"{package}.{name}")


def walk(package: str) -> Iterator[tuple[str, ModuleType]]:
    """Everything on a shelf, by name."""
    for name in names(package):
        yield name, import_module(f"{package}.{name}")
