"""Who ends DVC and its stages when whoever started them is gone?

`python -m governance.dvc.supervisor LIFELINE TOLD COMMAND …` runs a command in a session of its own. LIFELINE and TOLD are
numbers of open file descriptors. The first is the reading end of a pipe whose writing end only the parent holds: when the
parent dies, however it dies, the pipe ends, and so does everything in that session. Into the second goes the number of the
session, so that the parent can end it where the supervisor itself is the one that died. When the command ends first, what
it left running ends with it.
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

#: linux/prctl.h; the signal that a process gets when its parent dies
_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 1.0


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies; Linux alone can, elsewhere nothing happens."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def supervise(lifeline: int, told: int, command: list[str]) -> int:
    """Runs `command` and answers its exit status, 128 + signal where a signal ended it, as a shell would."""
    # Whoever started us decides what an interrupt means, and tells by letting go of the lifeline.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent)  # noqa: PLW1509 - no threads yet
    os.write(told, str(child.pid).encode())
    os.close(told)
    threading.Thread(target=_watch, args=(lifeline, child.pid), daemon=True).start()
    status = child.wait()
    end_session(child.pid, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _watch(lifeline: int, group: int) -> None:
    while os.read(lifeline, 1):
        pass
    end_session(group, signal.SIGTERM)
    time.sleep(_PATIENCE_SECONDS)
    end_session(group, signal.SIGKILL)


def end_session(group: int, how: signal.Signals) -> None:
    """Sends a signal to everything in a session; one that is over already is none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


if __name__ == "__main__":
    raise SystemExit(supervise(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
