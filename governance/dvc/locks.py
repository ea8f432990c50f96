"""Does a lock that DVC left behind still belong to anybody?"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from governance.digest import write_atomically

try:
    import fcntl
except ImportError:  # Windows has none; there DVC's own judgement stands
    fcntl = None


def clear_dead_locks(root: Path) -> int:
    """Takes entries of processes that are gone out of DVC's read-write lock and answers how many there were.

    DVC asks only whether a process id exists, so that one that was killed and not yet buried would block for ever; and it
    refuses for ever what a process left half-written that was killed while writing. JSON that is not of the known form is
    left alone, for DVC to judge, and so is every file while another DVC is changing it.
    """
    folder = root / ".dvc" / "tmp"
    path = folder / "rwlock"
    with _guarded(folder / "rwlock.lock") as ours:
        try:
            held = json.loads(path.read_bytes()) if ours else {}
        except ValueError:
            # Whoever writes holds the guard until it is done: this one was killed.
            path.unlink(missing_ok=True)
            return 1
        except OSError:
            return 0
        try:
            kept, dead = _without_the_dead(held)
        except (ValueError, KeyError, TypeError, AttributeError):
            return 0
        if dead:
            write_atomically(path, json.dumps(kept).encode())
        return dead


def is_dvc_at_work(root: Path) -> bool:
    """Whether a living DVC holds the project, or a file of it."""
    folder = root / ".dvc" / "tmp"
    if (folder / "lock").is_file():
        with _guarded(folder / "lock") as ours:
            if not ours and fcntl is not None:
                return True
    try:
        held = json.loads((folder / "rwlock").read_bytes())
        holders = [*(holder for held_by in held["read"].values() for holder in held_by), *held["write"].values()]
        return any(alive(int(holder["pid"])) for holder in holders)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _without_the_dead(held: dict[str, Any]) -> tuple[dict[str, Any], int]:
    readers, writers = held.get("read", {}), held.get("write", {})
    pids = {int(holder["pid"]) for holder in (*(h for held_by in readers.values() for h in held_by), *writers.values())}
    dead = {pid for pid in pids if not alive(pid)}
    still = {name: [h for h in held_by if int(h["pid"]) not in dead] for name, held_by in readers.items()}
    kept = {
        "read": {name: held_by for name, held_by in still.items() if held_by},
        "write": {name: holder for name, holder in writers.items() if int(holder["pid"]) not in dead},
    }
    return kept, len(dead)


@contextlib.contextmanager
def _guarded(path: Path) -> Iterator[bool]:
    """DVC's own lock around its changes, and whether it is ours; the kernel lets go of it for whoever dies."""
    with contextlib.ExitStack() as opened:
        ours = False
        if fcntl is not None:
            with contextlib.suppress(OSError):
                stream = opened.enter_context(open(path, "ab"))
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = True
        yield ours


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
