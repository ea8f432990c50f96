"""Which files of the project does a stage open while it runs?

Python's audit hook hears of every file that Python code opens, moves or links in this process. inotify, on Linux, sees
every file that anybody opens: polars, pyarrow and subprocesses, and a stranger who opens a file at the same time. What
neither could see is unknown, and never a failed run.
"""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import governance
from governance.config import CONFIG_NAME, find_root
from governance.errors import GovernanceError
from governance.readers import others_read
from governance.records.events import Watcher
from governance.runs.inotify import Inotify, Opened, UnwatchableError

_LIBRARY = str(Path(governance.__file__).parent)
_CACHE = "__pycache__"
#: what tools of development read and write beside everything else
_OF_TOOLS = re.compile(r"\.git(ignore|attributes|modules)?|\.dvcignore|\.coverage(\.[^.]+(\.[^.]+)*\.\d+\.\w+)?")
_CROOKED = re.compile(r"//|/\.\.?/")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Seen:
    """Files by their paths relative to the project, each with who saw it."""

    #: read before the stage had written them
    reads: dict[str, tuple[Watcher, ...]] = field(default_factory=dict)
    #: written, and there when the stage ended
    writes: dict[str, tuple[Watcher, ...]] = field(default_factory=dict)
    #: who watched from the beginning to the end
    watchers: tuple[Watcher, ...] = ()
    #: why this may not be all; empty where it is
    unseen: str = "nothing watched it"
    #: whether LabelTrail itself read in the project meanwhile, so that nobody can tell who opened what inotify alone saw
    others: bool = False


class Observer:
    """Watches a project until `stop`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process = os.getpid()
        self._began = time.time_ns()
        self._below = f"{root}/"
        self._read: set[str] = set()
        self._written: set[str] = set()
        self._known: dict[str, bool] = {}
        self._others = others_read(root, since=self._began)
        self._inotify: Inotify | None = None
        self._unseen = ""
        try:
            self._inotify = Inotify(str(root), left_out=self.left_out, heartbeat=CONFIG_NAME)
        except (UnwatchableError, OSError, RuntimeError) as error:
            self._unseen = str(error)

    @property
    def folders(self) -> int:
        """How many folders inotify watches."""
        return self._inotify.folders if self._inotify else 0

    def left_out(self, folder: str) -> bool:
        """Whether a folder holds nothing that a stage would declare: hidden, installed packages, the library itself."""
        name = folder.rpartition("/")[2]
        if name.startswith(".") or name == "site-packages" or name.endswith((".egg-info", ".dist-info")):
            return True
        return self._below + folder in (_LIBRARY, sys.prefix)

    def heard(self, event: str, given: tuple[Any, ...]) -> None:
        """Takes one event of the audit hook."""
        if event == "open":
            path, _, flags = given
            if flags & _WRITES:
                # Opened to be read and written: whatever was there has been read, unless it was cut off at once.
                if flags & os.O_RDWR and not flags & os.O_TRUNC:
                    self._reads(path)
                self._writes(path)
            else:
                self._reads(path)
        elif event == "os.rename":
            _, target, source_folder, target_folder = given
            if source_folder == target_folder == -1:
                self._writes(target)
        elif event == "sqlite3.connect":
            self._reads(given[0])
        elif given[-1] == -1:  # os.link, os.symlink
            self._writes(given[1])

    def _reads(self, path: Any) -> None:
        name = self._name(path)
        if name and name not in self._read and name not in self._written:
            # What is not there is not read, a folder is only listed, and native code may have made a file just now.
            try:
                status = os.stat(name)
            except OSError:
                return
            if stat.S_ISREG(status.st_mode) and status.st_mtime_ns < self._began:
                self._read.add(name)

    def _writes(self, path: Any) -> None:
        if name := self._name(path):
            self._written.add(name)

    def _name(self, path: Any) -> str:
        """The absolute name of a path below the project, or nothing."""
        if path is None or isinstance(path, int):
            return ""
        name = os.fsdecode(path)
        if not name.startswith("/"):
            name = f"{os.getcwd()}/{name}"  # noqa: PTH109 - this runs at every opening
        return name if name.startswith(self._below) else ""

    def stop(self, *, becoming: Mapping[Path, Path] | None = None) -> Seen:
        """Ends the watch: 1. what both saw, by name  2. who read before writing  3. what of the written stays

        `becoming` maps files to the names that they are about to take.
        """
        if os.getpid() != self._process:
            return Seen()  # a fork of the stage sees nothing of its own, and takes nothing from its parent
        names = {str(one): str(other) for one, other in (becoming or {}).items()}
        # 1.
        kernel = self._inotify.stop() if self._inotify else Opened(unseen=self._unseen)
        made = {self._below + path for path in kernel.made}
        changed = made | {self._below + path for path in kernel.written}
        opened = {self._below + path for path in kernel.read}
        # 2. inotify knows what native code wrote, and the hook that a file which is still open is being written.
        fresh = tuple(f"{self._below}{folder}/" for folder in kernel.folders)
        heard = {path for path in self._read - made if not path.startswith(fresh)}
        reads = {"audit hook": heard, "inotify": opened - (self._written - self._read)}
        # 3.
        writes = {"audit hook": set(filter(_stays, self._written)), "inotify": set(filter(_stays, changed))}
        watchers: tuple[Watcher, ...] = ("audit hook",) if kernel.unseen else ("audit hook", "inotify")
        return Seen(
            self._told({who: map(_source, paths) for who, paths in reads.items()}),
            self._told({who: (names.get(path, path) for path in paths) for who, paths in writes.items()}),
            watchers,
            kernel.unseen,
            others=self._others or others_read(self.root, since=self._began),
        )

    def _told(self, seen: dict[Any, Iterable[str]]) -> dict[str, tuple[Watcher, ...]]:
        found: dict[str, tuple[Watcher, ...]] = {}
        for who, paths in seen.items():
            for path in {os.path.normpath(path) if _CROOKED.search(path) else path for path in paths}:
                if path.startswith(self._below) and self._counts(name := path[len(self._below) :]):
                    found[name] = (*found.get(name, ()), who)
        return dict(sorted(found.items()))

    def _counts(self, name: str) -> bool:
        folder, _, file = name.rpartition("/")
        return not _OF_TOOLS.fullmatch(file) and self._looked_into(folder)

    def _looked_into(self, folder: str) -> bool:
        known = self._known.get(folder)
        if known is None:
            above, _, name = folder.rpartition("/")
            known = not folder or (name != _CACHE and not self.left_out(folder) and self._looked_into(above))
            self._known[folder] = known
        return known


def _stays(path: str) -> bool:
    """A folder is never written itself, and what is gone in the end was the stage's own business."""
    return os.path.islink(path) or os.path.isfile(path)  # noqa: PTH113, PTH114


def _source(path: str) -> str:
    """The module whose byte code a path holds; any other path as it is."""
    if f"/{_CACHE}/" in path:
        try:
            return importlib.util.source_from_cache(path)
        except ValueError:
            return path
    return path


# -- the one observer of this process: an audit hook can never be taken away again ------------------------------------

_EVENTS = frozenset({"open", "os.rename", "os.link", "os.symlink", "sqlite3.connect"})
_current: list[Observer] = []
_hooked: list[bool] = []


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if event in _EVENTS and _current:
        try:
            _current[0].heard(event, given)
        except (OSError, ValueError, TypeError):
            return  # a name that is none, which whoever opens it is told about


def begin(root: Path) -> None:
    """Begins to watch a project, unless it is being watched already."""
    if _current and _current[0].root == root:
        return
    end()
    observer = Observer(root)
    _current.append(observer)
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hook)


def begin_here() -> None:
    """Begins to watch the project around the working folder, if there is one; workers of a stage do not."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        return
    try:
        begin(find_root(Path.cwd()))
    except (GovernanceError, OSError):
        return


def end(*, becoming: Mapping[Path, Path] | None = None) -> Seen:
    """Ends the watch and answers what was seen; nothing where nobody watched."""
    return _current.pop().stop(becoming=becoming) if _current else Seen()
