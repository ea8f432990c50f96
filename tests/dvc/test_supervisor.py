"""Nothing that `labeltrail` started outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from governance.digest import file_digest
from governance.dvc.locks import alive, clear_dead_locks
from governance.project import Project

#: `make soak` asks for many more
ROUNDS = int(os.environ.get("LABELTRAIL_SOAK_ROUNDS", "4"))
SLOW = '    rows = run.params["rows"]'


def processes(marker: str) -> dict[str, int]:
    """The processes of one repro by role, found by the project's folder in which they stand."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            standing = str((folder / "cwd").readlink())
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if standing != marker:
            continue
        told = " ".join(words)
        for role, part in {
            "supervisor": "governance.dvc.supervisor",
            "dvc": "-m dvc repro",
            "stage": "-m pipelines.",
            "labeltrail": "-m governance repro",
        }.items():
            if part in told and role not in found:
                found[role] = int(folder.name)
                break
    return found


def start(project: Path) -> tuple[subprocess.Popen[bytes], dict[str, int]]:
    """A repro whose first stage sleeps, and its four processes."""
    began = project / "began"
    code = project / "pipelines/make.py"
    slow = f"    import time, pathlib\n    pathlib.Path({str(began)!r}).touch()\n    time.sleep(30)\n"
    code.write_text(code.read_text().replace(SLOW, slow + SLOW))
    command = [sys.executable, "-m", "governance", "repro"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not began.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = processes(str(project.resolve()))
    assert set(found) == {"labeltrail", "supervisor", "dvc", "stage"}
    return process, found


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are looked up in /proc, which Linux alone has"
)
@pytest.mark.parametrize("victim", ["labeltrail", "supervisor", "dvc", "stage"])
def test_whoever_is_killed_no_process_is_left_and_the_next_run_completes(project, victim):
    """After SIGKILL to any of the four none survives two seconds, nothing half-written is recorded, and all goes on."""
    before = file_digest(project / "artifacts/data/made.parquet")
    process, found = start(project)
    os.kill(found[victim], signal.SIGKILL)
    deadline = time.monotonic() + 2.0
    while any(alive(pid) for role, pid in found.items() if role != "labeltrail") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [role for role, pid in found.items() if role != "labeltrail" and alive(pid)] == []
    process.wait(20)
    code = project / "pipelines/make.py"
    text = code.read_text()
    code.write_text(text[: text.index("    import time, pathlib")] + text[text.index(SLOW) :])
    governed = Project.find(project)
    assert int(governed.verify().exit_code) in (0, 1, 4)  # nothing contradicts a record; outputs may be gone
    report = governed.repro()
    assert int(report.exit_code) == 0
    assert file_digest(project / "artifacts/data/made.parquet") == before
    assert int(Project.find(project).verify().exit_code) == 0


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are looked up in /proc, which Linux alone has"
)
def test_killed_at_any_moment_the_project_recovers(project):
    """SIGKILL to one of the processes at a random moment: none is left, nothing contradicts a record, the next run ends."""
    draw = random.Random(20140601)  # noqa: S311 - moments need no secrecy
    command = [sys.executable, "-m", "governance", "repro", "--force"]
    struck: Counter[str] = Counter()
    for _ in range(ROUNDS):
        with subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(draw.uniform(0.1, 2.5))
            found = processes(str(project.resolve()))
            if found:
                victim = draw.choice(sorted(found))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found[victim], signal.SIGKILL)
                struck[victim] += 1
            deadline = time.monotonic() + 2.0
            while (
                any(alive(pid) for role, pid in found.items() if role != "labeltrail") and time.monotonic() < deadline
            ):
                time.sleep(0.02)
            left = [role for role, pid in found.items() if role != "labeltrail" and alive(pid)]
            assert left == [], left
            process.wait(30)
        broken = [c for c in Project.find(project).verify().data["checks"] if c["state"] == "broken"]
        assert broken == [], broken
        assert int(Project.find(project).repro().exit_code) == 0
        assert int(Project.find(project).verify().exit_code) == 0
    assert struck.total() > 0
    print(f"{ROUNDS} rounds, struck: {dict(sorted(struck.items()))}")  # noqa: T201 - what `make soak` shows


def test_an_interrupt_ends_everything_and_says_so(project):
    """Ctrl-C: exit 130, one word, no process left."""
    process, found = start(project)
    os.kill(found["labeltrail"], signal.SIGINT)
    assert process.wait(20) == 130
    time.sleep(0.2)
    assert [role for role, pid in found.items() if alive(pid)] == []


def test_the_exit_status_of_the_command_comes_through():
    """A supervised command's status is its own; a signal reads as a shell tells it."""
    for code, status in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)):
        lifeline, ours = os.pipe()
        command = [sys.executable, "-m", "governance.dvc.supervisor", str(lifeline), sys.executable, "-c", code]
        done = subprocess.run(command, pass_fds=(lifeline,), check=False)
        os.close(lifeline)
        os.close(ours)
        assert done.returncode == status


def test_a_lock_of_a_dead_process_is_cleared_and_a_living_ones_is_kept(tmp_path):
    """Entries of the dead go, those of the living stay, and what is of no known form is left alone."""
    path = tmp_path / ".dvc/tmp/rwlock"
    path.parent.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    dead, living = {"pid": gone.pid, "cmd": "dvc repro"}, {"pid": os.getpid(), "cmd": "dvc repro"}
    path.write_text(json.dumps({"read": {"b": [dead, living], "d": [dead]}, "write": {"a": dead, "c": living}}))
    assert clear_dead_locks(tmp_path) == 1
    assert json.loads(path.read_text()) == {"read": {"b": [living]}, "write": {"c": living}}
    assert clear_dead_locks(tmp_path) == 0
    for text in ("{", "[]", '{"write": {"a": {}}}', '{"read": 5}'):
        path.write_text(text)
        assert clear_dead_locks(tmp_path) == 0
        assert path.read_text() == text
