"""Who ends DVC and its stages when whoever started them is gone?

`python -m governance.dvc.supervisor LIFELINE TOLD COMMAND …` runs a command in a session of its own. LIFELINE and TOLD are
numbers of open file descriptors. The first is the reading end of a pipe whose writing end only the parent holds: when the
parent dies, however it dies, the pipe ends, and so does everything in that session. Into the second goes the number of the
session, so that the parent can end it where the supervisor itself is the one that died. When the command ends first, what
it left running ends with it. Processes that took a group or a session of their own, as under `timeout` or `setsid`, are
found by a mark in their environment, which Linux alone shows.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

#: linux/prctl.h; the signal that a process gets when its parent dies
_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 1.0
_ROUNDS = 100
#: tells the processes of one call from all others
MARK = "LABELTRAIL_SESSION"


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies; Linux alone can, elsewhere nothing happens."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def supervise(lifeline: int, told: int, command: list[str]) -> int:
    """Runs `command` and answers its exit status, 128 + signal where a signal ended it, as a shell would."""
    # Whoever started us decides what an interrupt means, and tells by letting go of the lifeline.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mark = os.environ.get(MARK, "")
    child = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent)  # noqa: PLW1509 - no threads yet
    os.write(told, str(child.pid).encode())
    os.close(told)
    threading.Thread(target=_watch, args=(lifeline, child.pid, mark), daemon=True).start()
    status = child.wait()
    end_everything(child.pid, mark)
    return status if status >= 0 else 128 - status


def _watch(lifeline: int, group: int, mark: str) -> None:
    while os.read(lifeline, 1):
        pass
    _signal(group, mark, signal.SIGTERM)
    time.sleep(_PATIENCE_SECONDS)
    end_everything(group, mark)


def end_everything(group: int, mark: str) -> None:
    """Kills a session and everything that carries the mark, until nothing of it is left."""
    for _ in range(_ROUNDS):
        _signal(group, mark, signal.SIGKILL)
        if not _marked(mark):
            return
        time.sleep(0.01)


def _signal(group: int, mark: str, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)


def _marked(mark: str) -> list[int]:
    """The living processes that were started with the mark, without this one."""
    found: list[int] = []
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*") if mark else ():
        # A process that ended in between, or is another user's, cannot be asked.
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    raise SystemExit(supervise(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
