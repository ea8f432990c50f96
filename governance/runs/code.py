"""Which of the project's modules does this process run, and were they edited after it imported them?

A recipe names the code that decided its outputs. The file on disk says what that was only as long as nobody edits it:
whoever goes on working while a stage of an hour runs would have the next version recorded for what this one gave. So a
module is digested when Python executes it, and once more at the end. What was imported before anybody listened is digested
when the stage begins, and must be older than the process.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import CodeType
from typing import Any

import governance
from governance.digest import file_digest
from governance.errors import ConfigurationError
from governance.records import FileRef
from governance.runs.environment import file_ref, project_modules

#: code that is known by a version, and is much more than a project's own
_NOT_OURS = (f"{Path(governance.__file__).parent}/", f"{Path(os.__file__).parent}/", "<")
_imported: dict[str, set[str]] = {}
_hooked: list[bool] = []


def listen() -> None:
    """Digests modules as they are executed from here on; an audit hook can never be taken away again."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hook)


def begin(root: Path) -> None:
    """Digests what was imported of the project so far. Raises ConfigurationError where that was edited since."""
    listen()
    modules = {name: path for name, path in project_modules(root).items() if str(path) not in _imported}
    started = _process_started() if _runs_the_project(root) else None
    if started is not None:
        _refuse(name for name, path in modules.items() if path.stat().st_ctime > started)
    for path in modules.values():
        _imported[str(path)] = {file_digest(path)}


def end(root: Path) -> tuple[FileRef, ...]:
    """The project's modules as this process ran them, sorted by path.

    Raises ConfigurationError where one of them says something else by now.
    """
    refs = {name: (path, file_ref(path, name)) for name, path in project_modules(root).items()}
    _refuse(name for name, (path, ref) in refs.items() if _imported.get(str(path), {ref.sha256}) != {ref.sha256})
    return tuple(ref for _, ref in refs.values())


def _refuse(edited: Iterable[str]) -> None:
    if names := ", ".join(edited):
        raise ConfigurationError(f"code {names} was edited while the stage ran", hint="run it again")


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if event != "exec" or not isinstance(code := given[0], CodeType) or code.co_name != "<module>":
        return
    if code.co_filename.startswith(_NOT_OURS) or "/site-packages/" in code.co_filename:
        return
    try:
        path = os.path.abspath(code.co_filename)  # noqa: PTH100 - a link is imported by its own name
        _imported.setdefault(path, set()).add(file_digest(Path(path)))
    except (OSError, ValueError):
        return  # code of no file


def _runs_the_project(root: Path) -> bool:
    """Whether this process was started for a module of the project; a notebook imports what was written long after."""
    origin = getattr(sys.modules.get("__main__"), "__file__", None)
    return bool(origin) and Path(root, origin).is_relative_to(root)


def _process_started() -> float | None:
    """When this process began, in seconds since 1970; None where the system does not tell."""
    try:
        told = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        ticks = int(told.rpartition(")")[2].split()[19])
        # Ticks are cut off: a tick later nothing of Python has been read yet, and what was saved just before is older.
        running = time.clock_gettime(time.CLOCK_BOOTTIME) - (ticks + 1) / os.sysconf("SC_CLK_TCK")
        return time.time() - running
    except (OSError, ValueError, IndexError, AttributeError):
        return None
