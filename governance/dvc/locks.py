"""Does a lock that DVC left behind still belong to anybody?"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from governance.digest import write_atomically


def clear_dead_locks(root: Path) -> int:
    """Takes entries of processes that are gone out of DVC's read-write lock and answers how many there were.

    DVC asks only whether a process id exists, so that one that was killed and not yet buried would block for ever. A file
    that is not of the known form is left alone, for DVC to judge.
    """
    path = root / ".dvc" / "tmp" / "rwlock"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        readers, writers = held.get("read", {}), held.get("write", {})
        pids = {
            int(holder["pid"]) for holder in (*(h for held_by in readers.values() for h in held_by), *writers.values())
        }
        dead = {pid for pid in pids if not alive(pid)}
        if not dead:
            return 0
        still = {name: [h for h in held_by if int(h["pid"]) not in dead] for name, held_by in readers.items()}
        kept = {
            "read": {name: held_by for name, held_by in still.items() if held_by},
            "write": {name: holder for name, holder in writers.items() if int(holder["pid"]) not in dead},
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0
    write_atomically(path, json.dumps(kept).encode())
    return len(dead)


def alive(pid: int) -> bool:
    """Whether a process still does something; one that only waits to be buried does not."""
    with contextlib.suppress(OSError, IndexError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not Path("/proc/self").exists()
