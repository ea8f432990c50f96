"""How does a process record itself: before anything votes, around a block, or a function?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from governance.config import Config, find_root, read_config
from governance.errors import BrokenEvidence
from governance.limits import TimeLimit
from governance.process import imported_modules
from governance.project.report import Report
from governance.project.run import run_name
from governance.project.tree import look_at
from governance.watching import child


@contextmanager
def capture(
    name: str | None = None, *, root: str | Path | None = None, time_limit: float | None = None
) -> Iterator[None]:
    """Records what the block (or, as a decorator, the function) does with votes, as `labeltrail run` records a script.

    What is captured stays the very object that it was. With `time_limit`, in seconds, a function that takes longer on a row
    raises TimeoutError, and its vote is an error; without, nothing that the block computes is other than it was.
    Raises BrokenEvidence at the end where votes stand beside other rows than their own, InvalidRecord for a limit that is
    none; any other fault is one line on stderr. A block that raises is not recorded.
    """
    from governance.watching import session

    known = session.current()
    former = known.limit if known is not None else None
    watched = _begin(name, root, time_limit)
    if watched is None:
        try:
            yield
        finally:
            # Under `labeltrail run` the watch goes on, and the block's limit is the block's.
            if known is not None:
                known.limit = former
        return
    try:
        yield
    except BaseException:
        session.end()
        raise
    report = watched.end()
    if report is not None and report.data["misaligned"]:
        raise BrokenEvidence(
            "votes cast again",
            expected="the votes that stand beside their rows",
            actual=report.data["misaligned"][0],
            hint="apply the functions with PandasLFApplier, or sort the frame by its index first",
        )


def autolog(name: str | None = None, *, root: str | Path | None = None, time_limit: float | None = None) -> None:
    """Records, when this process ends, what it did with votes; call it before anything is voted on.

    `time_limit` is that of `capture`. Under `labeltrail run` the command records, and this sets the limit alone. No fault
    of it reaches the caller, but for a limit that is none.
    """
    import atexit

    watched = _begin(name, root, time_limit)
    if watched is None:
        return

    def end() -> None:
        if getattr(sys, "last_value", None) is None:
            watched.end()

    atexit.register(end)


class _Here:
    """A watch over this very process."""

    def __init__(self, config: Config, name: str, limit: TimeLimit | None) -> None:
        self.config, self.name = config, name
        self.before = look_at(config.root, ())
        self.started = time.time_ns() // 1000
        self.process = os.getpid()
        self.seen = child.watch(root=str(config.root), id_column=config.id_column)
        self.seen.limit = limit

    def end(self) -> Report | None:
        """Records what was seen, and tells it on stderr."""
        from governance.watching import files, session

        if session.current() is not self.seen or os.getpid() != self.process:
            return None
        session.end()
        files.stop()
        imported = imported_modules()
        from governance.project.run_told import nothing_of, record, run_report

        seen, taken = self.seen, None
        problem = nothing_of([{"applications": len(seen.applications), "failed": False}], 0)
        if problem is None:
            with seen.watching("the run"):
                told = child.look_back(seen, root=self.config.root, started=self.started, imported=imported)
                taken = record(self.config, self._trail, self.name, told, before=self.before, status=0)
        report = run_report(self.name, taken, seen.faults, problem, status=0)
        for block in report.blocks:
            print(f"labeltrail: {block}", file=sys.stderr)  # noqa: T201 - the one place where this process is told
        return report

    def _trail(self) -> Any:
        from governance.store.trail import Trail

        return Trail.open(self.config.store, root=self.config.root, project=self.config.name, create=True)


def _begin(name: str | None, root: str | Path | None, time_limit: float | None) -> _Here | None:
    """A watch over this process; None where it is being watched, or where one cannot begin, which is told.

    Raises InvalidRecord for a limit that is none.
    """
    from governance.watching import session

    limit = TimeLimit(time_limit) if time_limit is not None else None
    known = session.current()
    if known is not None:
        known.limit = limit or known.limit
        return None
    try:
        config = read_config(find_root(Path(root or Path.cwd())))
        script = sys.argv[0] if sys.argv and sys.argv[0] else "session"
        return _Here(config, run_name([script], name), limit)
    except Exception as error:
        print(f"labeltrail: nothing is captured: {error}", file=sys.stderr)  # noqa: T201
        return None
