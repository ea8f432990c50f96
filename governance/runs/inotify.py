"""Which files below a folder does anybody open? Asked of Linux, so that native readers and other processes count too.

The kernel tells what was opened and written, and not by whom. Folders that are there at the start are watched; whatever
lies in one that appears later was made meanwhile, so that a look at it in the end is enough.
"""

from __future__ import annotations

import ctypes
import os
import select
import stat
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

# linux/inotify.h
_MODIFY, _CLOSE_WRITE, _OPEN, _MOVED_FROM, _MOVED_TO, _CREATE = 0x2, 0x8, 0x20, 0x40, 0x80, 0x100
_OVERFLOW, _FOLDER = 0x4000, 0x40000000
# Closing after reading is not asked for: opening says as much, and the queue holds twice as many files without it.
_ASKED = _MODIFY | _CLOSE_WRITE | _OPEN | _MOVED_FROM | _MOVED_TO | _CREATE
_EVENT = struct.Struct("iIII")
_BLOCK = 1 << 18
#: beyond this, looking for folders would take longer than a stage should wait
_MOST_FOLDERS, _MOST_ENTRIES = 20_000, 1_000_000
#: how long events gather before they are read together: far less than any program needs to fill the kernel's queue
_GATHER_SECONDS = 0.01

UNSUPPORTED = "only Linux tells which files native code and other processes open"


class UnwatchableError(Exception):
    """Why a folder cannot be watched, in a few words."""


@dataclass
class Opened:
    """Files by their paths relative to the root: read before anybody wrote them, written, and made meanwhile."""

    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    #: folders that appeared meanwhile: nothing in them was there before
    folders: set[str] = field(default_factory=set)
    #: why this is not all; empty where it is
    unseen: str = ""


class Inotify:
    """Watches every folder below `root` until `stop`, but those that `left_out` names by their paths relative to it."""

    def __init__(self, root: str, *, left_out: Callable[[str], bool], heartbeat: str) -> None:
        """`heartbeat` is a file in `root` that is opened at once, so that silence is told from nothing to tell.

        Raises UnwatchableError.
        """
        self._root = root
        self._left_out = left_out
        self._heartbeat = heartbeat
        self._seen = Opened()
        self._named: dict[int, str] = {}
        self._files: dict[int, str] = {}
        self._descriptor, self._add = _instance()
        try:
            self._watch()
        except BaseException:
            os.close(self._descriptor)
            raise
        self._ending, self._end = os.pipe()
        os.close(os.open(_joined(root, heartbeat), os.O_RDONLY | os.O_CLOEXEC))
        self._thread = threading.Thread(target=self._listen, name="labeltrail-inotify", daemon=True)
        self._thread.start()

    @property
    def folders(self) -> int:
        """How many folders are watched."""
        return len(self._named)

    def stop(self) -> Opened:
        """Reads what is left in the queue, lets the watches go and answers what was seen."""
        os.close(self._end)
        self._thread.join()
        self._drain()
        os.close(self._ending)
        os.close(self._descriptor)
        seen = self._seen
        if self._heartbeat not in seen.read and not seen.unseen:
            seen.unseen = "inotify is there and tells nothing of this file system"
        for folder in seen.folders:
            seen.made.update(_files_below(self._root, folder))
        return seen

    def _watch(self) -> None:
        """Looks for all folders first and watches them afterwards, or looking would be the first thing seen."""
        look = _Look(self._root, self._left_out)
        look.around()
        for name in look.folders:
            watch = self._add(_joined(self._root, name))
            if watch is not None:
                self._named.setdefault(watch, name)
        for name in look.links_elsewhere():
            # The kernel tells of a file where it lies, and DVC's cache, where links may lead, is left out.
            watch = self._add(_joined(self._root, name))
            if watch is not None and watch not in self._named:
                self._files.setdefault(watch, name)

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._ending, select.POLLIN)
        ending = threading.Event()
        while not any(descriptor == self._ending for descriptor, _ in poll.poll()):
            self._drain()
            ending.wait(_GATHER_SECONDS)

    def _drain(self) -> None:
        while True:
            try:
                block = os.read(self._descriptor, _BLOCK)
            except BlockingIOError:
                return
            except OSError as error:
                self._seen.unseen = f"inotify ended early: {error.strerror}"
                return
            self._take(block)

    def _take(self, block: bytes) -> None:
        position = 0
        while position < len(block):
            watch, mask, _, length = _EVENT.unpack_from(block, position)
            position += _EVENT.size
            raw = block[position : position + length]
            position += length
            if mask & _OVERFLOW:
                self._seen.unseen = "more files were opened at once than inotify's queue holds"
            elif watch in self._files:
                self._note(self._files[watch], mask)
            elif raw and watch in self._named:
                folder, name = self._named[watch], os.fsdecode(raw.rstrip(b"\0"))
                path = f"{folder}/{name}" if folder else name
                if not mask & _FOLDER:
                    self._note(path, mask)
                elif mask & (_CREATE | _MOVED_TO) and not self._left_out(path):
                    self._seen.folders.add(path)

    def _note(self, path: str, mask: int) -> None:
        seen = self._seen
        if mask & (_CREATE | _MOVED_TO):
            seen.made.add(path)
        elif path in seen.made or path in seen.written:
            return
        elif mask & (_OPEN | _MOVED_FROM):
            seen.read.add(path)
        elif path in seen.read:
            # Opened only to be written. What was open before we began, a shell's redirection for one, does not count.
            seen.read.discard(path)
            seen.written.add(path)


def _instance() -> tuple[int, Callable[[str], int | None]]:
    """A new instance of inotify and what adds a watch to it. Raises UnwatchableError."""
    if not sys.platform.startswith("linux"):
        raise UnwatchableError(UNSUPPORTED)
    library: Any = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "inotify_init1"):
        raise UnwatchableError("this system's C library has no inotify")
    descriptor = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    if descriptor < 0:
        raise UnwatchableError(f"inotify could not be started: {os.strerror(ctypes.get_errno())}")

    def add(path: str) -> int | None:
        watch = library.inotify_add_watch(descriptor, os.fsencode(path), _ASKED)
        if watch >= 0:
            return watch
        error = ctypes.get_errno()
        # What went away in between, and what nobody here may enter, no stage opens either.
        if not os.access(path, os.X_OK if os.path.isdir(path) else os.R_OK):  # noqa: PTH112 - names are text here
            return None
        raise UnwatchableError(f"{path} could not be watched: {os.strerror(error)} (see fs.inotify.max_user_watches)")

    return descriptor, add


@dataclass
class _Look:
    """The folders below a root, "" itself among them, and the links to files that lie in none of them."""

    root: str
    left_out: Callable[[str], bool]
    folders: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    _linked: list[str] = field(default_factory=list)
    _known: set[tuple[int, int]] = field(default_factory=set)
    _entries: int = 0

    def around(self) -> None:
        """Raises UnwatchableError where there is too much to look at."""
        waiting = [""]
        while waiting or self._linked:
            # Links to folders come last, so that a folder goes by its own name wherever it has one.
            waiting += self._into(waiting.pop() if waiting else self._linked.pop(0))
            if len(self.folders) > _MOST_FOLDERS or self._entries > _MOST_ENTRIES:
                limits = f"{_MOST_FOLDERS:,} folders or {_MOST_ENTRIES:,} files"
                raise UnwatchableError(f"the project has more than {limits}")

    def _into(self, name: str) -> list[str]:
        """The folders in a folder."""
        inside: list[str] = []
        found: list[str] = []
        try:
            status = os.stat(_joined(self.root, name))
            if (status.st_dev, status.st_ino) in self._known:
                return []
            self._known.add((status.st_dev, status.st_ino))
            with os.scandir(_joined(self.root, name)) as listed:
                for entry in listed:
                    self._entries += 1
                    below = f"{name}/{entry.name}" if name else entry.name
                    if entry.is_symlink():
                        found.append(below)
                    elif entry.is_dir():
                        if not self.left_out(below):
                            inside.append(below)
                    elif entry.name == "pyvenv.cfg" and name:
                        return []  # an environment kept inside the project
        except OSError:
            pass  # watching it will tell whether that matters
        self.folders.append(name)
        for link in found:
            self._follow(link)
        return inside

    def _follow(self, link: str) -> None:
        path = _joined(self.root, link)
        try:
            is_folder, target = stat.S_ISDIR(os.stat(path).st_mode), os.readlink(path)  # noqa: PTH115
        except OSError:
            return  # it leads nowhere
        if not is_folder:
            self.links.append((link, target))
        elif not self.left_out(link):
            self._linked.append(link)

    def links_elsewhere(self) -> Iterator[str]:
        """Links to files in folders that are not watched themselves."""
        watched = {_joined(self.root, name) for name in self.folders}
        for link, target in self.links:
            folder = _joined(self.root, link.rpartition("/")[0])
            if os.path.normpath(os.path.join(folder, target)).rpartition("/")[0] not in watched:  # noqa: PTH118
                yield link


def _joined(root: str, name: str) -> str:
    return f"{root}/{name}" if name else root


def _files_below(root: str, folder: str) -> Iterator[str]:
    """Everything in a folder but folders, by its path relative to the root."""
    for path, _, files in os.walk(_joined(root, folder)):
        for name in files:
            yield f"{path[len(root) + 1 :]}/{name}"
