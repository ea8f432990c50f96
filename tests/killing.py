"""One SIGKILL at a random moment of a repro, and everything that has to hold afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from governance.digest import file_digest
from governance.dvc.locks import alive
from governance.project import Project

OUTPUTS = (
    "artifacts/data/made.parquet",
    "artifacts/count.json",
    "artifacts/runs/make.json",
    "artifacts/runs/count.json",
)
#: far above what it takes on a machine of its own; `make soak` waits as long as is claimed
PATIENCE_SECONDS, CLAIMED_SECONDS = 15.0, 2.0
#: how many rows the first stage makes; between two of them both stages have to run
SIZES = (12, 13, 5000)


@dataclass(frozen=True)
class Strike:
    """Who was killed, how many seconds after the start, and what was wrong afterwards; nothing where it is empty."""

    victim: str
    after: float
    wrong: tuple[str, ...]


def processes(project: Path) -> dict[str, int]:
    """The living processes of one repro by role, found by the project's folder in which they stand."""
    parts = {
        "/bin/sh -c": "shell",
        "governance.dvc.supervisor": "supervisor",
        "-m dvc repro": "dvc",
        "-m pipelines.": "stage",
        "-m governance repro": "labeltrail",
    }
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            standing = (folder / "cwd").readlink()
            told = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if standing == project.resolve() and alive(int(folder.name)):
            role = next((role for part, role in parts.items() if part in told), told)
            found[role] = int(folder.name)
    return found


def survivors(project: Path, *, within: float = PATIENCE_SECONDS) -> list[str]:
    """Which processes other than `labeltrail` itself still stand in the project after so many seconds; they are ended
    then."""
    deadline = time.monotonic() + within
    while (left := processes(project)).keys() - {"labeltrail"} and time.monotonic() < deadline:
        time.sleep(0.02)
    left.pop("labeltrail", None)
    for pid in left.values():
        kill(pid)
    return sorted(left)


def kill(pid: int) -> bool:
    """Whether there was still somebody to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Killer:
    """Strikes again and again at one project; equal seeds draw equal sizes, moments and victims."""

    def __init__(self, project: Path, *, seed: int, within: float = PATIENCE_SECONDS) -> None:
        self.project, self.within = project, within
        self._draw = random.Random(seed)  # noqa: S311 - moments need no secrecy
        self._made: dict[int, dict[str, str]] = {}
        started = time.monotonic()
        self._repro(force=True)
        self._takes = time.monotonic() - started

    def strike(self) -> Strike | None:
        """1. a repro that has something to do, or is forced  2. SIGKILL to one of its processes  3. nobody is left
        4. nothing contradicts a record  5. the next repro completes  6. the outputs are those of an undisturbed run

        None where the repro ended before anybody was struck.
        """
        # 1.
        rows, force = self._draw.choice(SIZES), self._draw.random() < 0.5
        self._ask_for(rows)
        command = [sys.executable, "-m", "governance", "repro", *(["--force"] if force else [])]
        moment = self._draw.uniform(0, self._takes)
        with subprocess.Popen(
            command, cwd=self.project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(moment)
            # 2.
            found = processes(self.project)
            victim = self._draw.choice(sorted(found)) if found else ""
            struck = bool(found) and kill(found[victim])
            # 3.
            wrong = [f"{role} survived" for role in survivors(self.project, within=self.within)] if struck else []
            process.wait(60)
        # 4.
        checks = Project.find(self.project).verify().data["checks"]
        wrong += [f"after the kill: {check}" for check in checks if check["state"] == "broken"]
        # 5.
        wrong += self._repro(force=False)
        # 6.
        now = {path: file_digest(self.project / path) for path in OUTPUTS}
        if now != self._made.setdefault(rows, now):
            wrong.append(f"other outputs for {rows} rows: {now}, were {self._made[rows]}")
        return Strike(victim, round(moment, 3), tuple(wrong)) if struck else None

    def _ask_for(self, rows: int) -> None:
        (self.project / "params.yaml").write_text(f"seed: 3\nthreads: 1\nmake: {{rows: {rows}}}\n")

    def _repro(self, *, force: bool) -> list[str]:
        report = Project.find(self.project).repro(force=force)
        wrong = [f"repro ended with {report.data}"] if int(report.exit_code) else []
        verified = Project.find(self.project).verify()
        return wrong + ([f"verify said {verified.data['checks']}"] if int(verified.exit_code) else [])
