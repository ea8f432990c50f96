"""How is DVC, or a stage, run? By its command line, supervised, with everything pinned that changes results."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from governance.dvc.supervisor import MARK, end_everything
from governance.errors import Busy, ConfigurationError

#: numeric libraries read these when they are loaded; one thread each makes sums come out in one order
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def pinned_environment(*, threads: int) -> dict[str, str]:
    """The environment in which stages run: this interpreter first, one hash seed, so many threads, no telemetry."""
    environment = dict(os.environ)
    # Stages sign nothing; what they do not need they are not given.
    environment.pop("LABELTRAIL_SIGNING_KEY", None)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    environment["PYTHONHASHSEED"] = "0"
    environment["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    environment["DVC_NO_ANALYTICS"] = "1"
    # DVC hands commands to whatever shell its user likes; the same words have to mean the same everywhere.
    if os.name == "posix":
        environment["SHELL"] = "/bin/sh"
    # `python -m pipelines.vote` needs the project's folder on the path, and nobody else's before it.
    for variable in ("PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE"):
        environment.pop(variable, None)
    return environment


def run_dvc(
    arguments: Sequence[str],
    *,
    root: Path,
    environment: dict[str, str],
    heard: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[int, list[str]]:
    """Runs DVC as `supervised` does. Raises Busy where another DVC holds the lock."""
    command = [sys.executable, "-m", "dvc", *arguments]
    status, lines = supervised(command, root=root, environment=environment, heard=heard, meanwhile=meanwhile)
    if status and is_busy(lines):
        raise Busy("another DVC is at work in this project", hint="try again when it is done")
    return status, lines


def supervised(
    command: Sequence[str],
    *,
    root: Path,
    environment: dict[str, str],
    heard: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[int, list[str]]:
    """Runs a command to its end and answers (exit status, its lines); it and what it started end when this process does.

    `meanwhile` is called once it has started; where it raises, the command and everything it started ends. `heard` is
    called with every line as it comes. Raises ConfigurationError where nothing can be started.
    """
    # The writing end stays with this process alone: it is what tells the supervisor that we are still here.
    lifeline, ours = os.pipe()
    session, told = os.pipe()
    supervisor = [sys.executable, "-m", "governance.dvc.supervisor", str(lifeline), str(told)]
    mark = secrets.token_hex(16)
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            [*supervisor, *command],
            cwd=root,
            env={**environment, MARK: mark},
            pass_fds=(lifeline, told),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        os.close(ours)
        os.close(session)
        hint = "`labeltrail doctor` says what is missing"
        raise ConfigurationError(f"{' '.join(command[1:3])} could not be started: {error}", hint=hint) from None
    finally:
        os.close(lifeline)
        os.close(told)
    with process:
        threading.Thread(target=_outlive, args=(process, session, mark), daemon=True).start()
        try:
            meanwhile()
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                if heard:
                    heard(lines[-1])
        finally:
            os.close(ours)
            # Whoever puts outputs back after an interrupt must be alone with them.
            process.wait()
    return process.returncode, lines


def is_busy(lines: Sequence[str]) -> bool:
    """Whether DVC itself, before any stage began, said that another DVC is in its way."""
    if any(line.startswith("Running stage ") for line in lines):
        return False
    # The first while DVC looks at the project, the second where one of the stages is at work.
    words = ("Unable to acquire lock", "is busy, it is being blocked")
    return any(line.startswith("ERROR:") and any(word in line for word in words) for line in lines)


def _outlive(supervisor: subprocess.Popen[str], session: int, mark: str) -> None:
    """Ends the session of a supervisor that was killed: a shell between DVC and a stage would let the stage go on."""
    with os.fdopen(session, "rb") as told:
        group = told.read()
    if supervisor.wait() < 0 and group:
        end_everything(int(group), mark)
