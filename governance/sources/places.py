"""Which descriptions of sources lie in a project, and which function does each describe?

The code is read and not run: whoever checks a description need not have what the source stands on.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, UnknownName

_MARKED = re.compile(r"^\s*@(\w+\.)*source\(", re.MULTILINE)
_ELSEWHERE = frozenset({"__pycache__", "node_modules", "site-packages"})


def described_in(root: Path, *, without: str = "") -> tuple[dict[str, Path], list[GovernanceError]]:
    """The description of every source that code in a project marks, by name; and each one that is missing, that no code
    answers to, or that two functions claim. `without` is a folder of the project that holds no code."""
    found: dict[str, Path] = {}
    faults: list[GovernanceError] = []
    for folder, files in _folders(root, without):
        marked: dict[str, Path] = {}
        for path in files:
            try:
                names = marks(path)
            except GovernanceError as error:
                faults.append(error)
                continue
            for name in names:
                if name in marked or name in found:
                    wanted = "a name that one function only claims"
                    faults.append(InvalidRecord("source", name, wanted, where=_shown(path, root)))
                marked[name] = path
        lying = {path.stem: path for path in sorted(folder.glob("*.yaml"))} if marked else {}
        for name, path in marked.items():
            if name in lying:
                found[name] = lying[name]
                continue
            told = _shown(folder / f"{name}.yaml", root)
            hint = f"{_shown(path, root)} marks the source; say in {told} what its code cannot say of itself"
            faults.append(ConfigurationError(f"{told}: no such file", hint=hint))
        for name, path in lying.items():
            if name not in marked:
                hint = f"{_shown(path, root)} describes it; mark its function with @source({name!r})"
                faults.append(UnknownName("source", name, marked, hint=hint))
    return found, faults


def marks(path: Path) -> list[str]:
    """The names in `@source("NAME")` of a Python file. Raises InvalidRecord for a file that cannot be read as Python."""
    try:
        text = path.read_text(encoding="utf-8")
        if not _MARKED.search(text):
            return []
        tree = ast.parse(text)
    except (UnicodeDecodeError, SyntaxError, ValueError) as error:
        raise InvalidRecord("file", str(error), "Python in UTF-8", where=str(path)) from None
    decorators = [item for node in ast.walk(tree) for item in getattr(node, "decorator_list", [])]
    return [name for name in map(_marked_name, decorators) if name]


def _marked_name(decorator: ast.expr) -> str:
    if not isinstance(decorator, ast.Call) or not decorator.args or not isinstance(decorator.args[0], ast.Constant):
        return ""
    called = decorator.func.attr if isinstance(decorator.func, ast.Attribute) else getattr(decorator.func, "id", "")
    name = decorator.args[0].value
    return name if called == "source" and isinstance(name, str) else ""


def _folders(root: Path, without: str) -> Iterator[tuple[Path, list[Path]]]:
    for place, folders, files in os.walk(root):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _ELSEWHERE
            and not (here / name / "pyvenv.cfg").exists()
            and (here / name).relative_to(root).as_posix() != without
        )
        python = [here / name for name in sorted(files) if name.endswith(".py")]
        if python:
            yield here, python


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
