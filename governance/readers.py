"""Does LabelTrail itself read in the project while a stage runs?

The kernel tells which file was opened and not by whom, so that `labeltrail status` beside a stage would look like the
stage's own doing. A reader therefore holds a shared lock while it reads, which ends with its process however that ends,
and marks when it began.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from governance.config import STATE_FOLDER

P = ParamSpec("P")
R = TypeVar("R")

#: set by `labeltrail repro` for its stages: the folder for notes of executions
EXECUTIONS = "LABELTRAIL_EXECUTIONS"
_MARK = "readers"
#: whoever looks for readers holds the lock for an instant; a reader tries again, and waits for nobody
_TRIES, _PAUSE_SECONDS = 20, 0.0005


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Lets stages that run meanwhile know that this process reads in the project.

    Nothing is told where nothing may be written, nor by a stage: what a stage reads through the library is its own.
    """
    mark = None if os.environ.get(EXECUTIONS) else _opened(root)
    if mark is None:
        yield
        return
    try:
        # The lock first: between a mark and a lock a stage could begin and see neither.
        _hold(mark)
        now = time.time_ns()
        with suppress(OSError):
            os.utime(mark, ns=(now, now))
        yield
    finally:
        os.close(mark)


def reads(verb: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method of a project (which has a `config`) that reads in it."""

    @wraps(verb)
    def told(self: Any, *given: P.args, **named: P.kwargs) -> R:
        with reading(self.config.root):
            return verb(self, *given, **named)

    return told


def others_read(root: Path, *, since: int) -> bool:
    """Whether somebody of ours reads in the project, or began to since a time in nanoseconds."""
    try:
        mark = os.open(root / STATE_FOLDER / _MARK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(mark).st_mtime_ns >= since:
            return True
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: the mark alone has to do
    finally:
        os.close(mark)
    return False


def _opened(root: Path) -> int | None:
    """The mark, made where there is none yet; None where neither can be done."""
    mark = f"{root}/{STATE_FOLDER}/{_MARK}"
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        with suppress(OSError):
            return os.open(mark, flags | os.O_CLOEXEC, 0o666)
    return None


def _hold(mark: int) -> None:
    for _ in range(_TRIES):
        try:
            return fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        except OSError:
            return None
    return None
