"""How does the watch begin in the process of a script, and what is left of it when the process ends?

What runs in that process imports nothing that the script did not import itself, beside the standard library and this room:
notes are written there, and records are made of them by whoever started it.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from governance.watching import estimators, files, session, snorkel

if TYPE_CHECKING:
    from governance.watching.notes import Told

#: what the command wrote down for the processes that it starts, and what they leave for it
PLAN, SEEN, CLAIM, NOTES = "plan.json", "seen.json", "claimed", "notes"


def watch(*, root: str, id_column: str) -> session.Session:
    """Begins to watch this process."""
    files.listen(root)
    begun = session.begin(id_column=id_column)
    snorkel.watch()
    estimators.watch()
    return begun


def begin(folder: str) -> None:
    """Begins to watch this process for the command that started it, and leaves notes of what was seen when it ends."""
    plan = json.loads((Path(folder) / PLAN).read_text(encoding="utf-8"))
    watch(root=plan["root"], id_column=plan["id_column"])
    # First of all handlers, and so the last to be called: what the script does at its end is seen too.
    atexit.register(_end, Path(folder), Path(plan["root"]), os.getpid(), time.time_ns() // 1000)


def _end(folder: Path, root: Path, process: int, started: int) -> None:
    """1. the watch is over  2. a whole run is told, of one process  3. the command knows how it ended"""
    # 1.
    seen = session.end()
    files.stop()
    if seen is None or os.getpid() != process or not _is_awaited(folder):
        return
    # 2. A script that ended in an error leaves what an earlier run left.
    failed = getattr(sys, "last_value", None) is not None
    if seen.applications and not failed and _claim(folder, seen):
        from governance.process import imported_modules

        imported = imported_modules()
        with seen.watching("the run"):
            from governance.watching.notes import write_notes

            write_notes(look_back(seen, root=root, started=started, imported=imported), folder / NOTES)
    # 3.
    told = {"faults": seen.faults, "unknown": seen.unknown, "applications": len(seen.applications), "failed": failed}
    (folder / f"{os.getpid()}.{SEEN}").write_text(json.dumps(told), encoding="utf-8")


def _is_awaited(folder: Path) -> bool:
    """Whether the command is there still that will read the notes, and remove them; its number begins the folder's name."""
    from governance.dvc.locks import alive

    who = folder.name.partition("-")[0]
    return folder.is_dir() and (not who.isdigit() or alive(int(who)))


def look_back(seen: session.Session, *, root: Path, started: int, imported: frozenset[str]) -> Told:
    """Asks the script's own objects what can be asked only now that it has ended, and the process what it is made of."""
    from governance.process import look
    from governance.watching.aligned import align
    from governance.watching.held import held_by
    from governance.watching.notes import Told

    for one in seen.applications:
        with seen.watching("votes"):
            one.alignment = align(one)
    for one in seen.trained:
        with seen.watching("a trained model"):
            one.held = held_by(one.estimator)
    torch = sys.modules.get("torch")
    return Told(
        seen,
        look(root=root, started=started, imported=imported),
        threads=torch.get_num_threads() if torch is not None else os.cpu_count() or 1,
        executed=files.executed,
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
