"""Who is told when a module has been imported? Nothing is imported for it, and modules keep their own loaders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Told = Callable[[ModuleType], None]

_waiting: dict[str, Told] = {}


class _Finder(MetaPathFinder):
    """Finds nothing itself: of a module that somebody waits for, it asks the others and listens to its loader."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        told = _waiting.pop(fullname, None)
        if told is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        loader: Any = spec.loader
        execute = loader.exec_module

        def executed(module: ModuleType) -> None:
            execute(module)
            told(module)

        # On this loader alone, which stays what it is for everybody who asks it for resources.
        loader.exec_module = executed
        return spec


def when_imported(name: str, told: Told) -> None:
    """Calls `told` with the module once it has been executed; at once where it has been already."""
    module = sys.modules.get(name)
    if module is not None:
        told(module)
        return
    _waiting[name] = told
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
