"""How does the watch begin in the process of a script, and what is left of it when the process ends?"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from pathlib import Path

from governance.capture import estimators, files, session, snorkel

#: what the command wrote down for the processes that it starts, and what they leave for it
PLAN, SEEN, CLAIM, OWNERS = "plan.json", "seen.json", "claimed", "owners.json"


def watch(*, root: str, id_column: str) -> session.Session:
    """Begins to watch this process."""
    files.listen(root)
    begun = session.begin(id_column=id_column)
    snorkel.watch()
    estimators.watch()
    return begun


def begin(folder: str) -> None:
    """Begins to watch this process for the command that started it, and records what was seen when it ends."""
    plan = json.loads((Path(folder) / PLAN).read_text(encoding="utf-8"))
    begun = watch(root=plan["root"], id_column=plan["id_column"])
    begun.prepare = lambda: _borrow(Path(folder), versions=False)
    # First of all handlers, and so the last to be called: what the script does at its end is seen too.
    atexit.register(_end, Path(folder), plan, os.getpid(), time.time_ns() // 1000)


def _end(folder: Path, plan: dict[str, str], process: int, started: int) -> None:
    """1. the watch is over  2. a whole run is recorded, of one process  3. the command is told"""
    # 1.
    seen = session.end()
    files.stop()
    if seen is None or os.getpid() != process:
        return
    imported = frozenset(name.partition(".")[0] for name in sys.modules)
    # 2. A script that ended in an error leaves what an earlier run left.
    failed = getattr(sys, "last_value", None) is not None
    if seen.applications and not failed and _claim(folder, seen):
        with seen.watching("the run"):
            record(seen, plan, notes=folder, argv=sys.orig_argv[1:], started=started, imported=imported)
    # 3.
    told = {"faults": seen.faults, "unknown": seen.unknown, "applications": len(seen.applications), "failed": failed}
    (folder / f"{os.getpid()}.{SEEN}").write_text(json.dumps(told), encoding="utf-8")


def record(
    seen: session.Session,
    plan: dict[str, str],
    *,
    notes: Path,
    argv: list[str],
    started: int,
    imported: frozenset[str],
) -> None:
    """Writes tables, facts and run file of what was seen. Raises GovernanceError."""
    _borrow(notes, versions=True)
    from governance.capture.finish import finish

    finish(
        seen,
        root=Path(plan["root"]),
        name=plan["name"],
        notes=notes,
        argv=argv,
        started=started,
        imported=imported,
        modules=files.executed,
        read=files.read(),
    )


def _claim(folder: Path, seen: session.Session) -> bool:
    """One process of a command is recorded: the first that voted and came to its end."""
    try:
        os.close(os.open(folder / CLAIM, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        seen.fault("another process of this command voted too; the first one to end is what is recorded")
        return False
    return True


def _borrow(folder: Path, *, versions: bool) -> None:
    """Takes over which distributions there are, where the command asked the same environment meanwhile."""
    from governance.fingerprint import owners

    place = folder / OWNERS
    if not place.is_file():
        return
    told = json.loads(place.read_text(encoding="utf-8"))
    if told["prefix"] == sys.prefix:
        owners.borrow(told["owners"])
        if versions:
            from governance.runs.environment import borrow_versions

            borrow_versions(told["versions"])
