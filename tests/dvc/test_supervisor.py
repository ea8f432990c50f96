"""Nothing that `labeltrail` started outlives it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killing import Killer, processes, survivors

from governance.digest import file_digest
from governance.dvc.locks import clear_dead_locks
from governance.project import Project

#: random kills, in tests that can run beside each other; `make soak` does ten times as many
ROUNDS, ROUNDS_A_TEST = 50, 10
_ROLES = {"labeltrail", "supervisor", "dvc", "stage"}
SLOW = '    rows = run.params["rows"]'


def start(project: Path) -> tuple[subprocess.Popen[bytes], dict[str, int]]:
    """A repro whose first stage sleeps, and its four processes."""
    began = project / "began"
    code = project / "pipelines/make.py"
    slow = f"    import time, pathlib\n    pathlib.Path({str(began)!r}).touch()\n    time.sleep(30)\n"
    code.write_text(code.read_text().replace(SLOW, slow + SLOW))
    command = [sys.executable, "-m", "governance", "repro"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    # Some shells make way for what they start, others stay between DVC and the stage; git may still be asked something.
    while not began.exists() or set(found := processes(project)) - {"shell"} != _ROLES:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, found


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are looked up in /proc, which Linux alone has"
)
@pytest.mark.parametrize("victim", ["labeltrail", "supervisor", "dvc", "stage"])
def test_whoever_is_killed_no_process_is_left_and_the_next_run_completes(project, victim):
    """After SIGKILL to any of the four none survives, nothing half-written is recorded, and all goes on."""
    before = file_digest(project / "artifacts/data/made.parquet")
    process, found = start(project)
    with process:
        os.kill(found[victim], signal.SIGKILL)
        assert survivors(project) == []
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
@pytest.mark.parametrize("seed", range(ROUNDS // ROUNDS_A_TEST))
def test_killed_at_any_moment_the_project_recovers(project, seed):
    """SIGKILL to one of the processes at a random moment: none is left, nothing contradicts a record, the next run ends."""
    killer = Killer(project, seed=seed)
    strikes = 0
    while strikes < ROUNDS_A_TEST:
        strike = killer.strike()
        if strike:
            strikes += 1
            assert strike.wrong == (), strike


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone shows the environment of a process")
@pytest.mark.skipif(
    shutil.which("setsid") is None or shutil.which("timeout") is None, reason="needs setsid and timeout"
)
@pytest.mark.parametrize("wrapper", ["timeout 600", "setsid --wait"])
@pytest.mark.parametrize("victim", ["labeltrail", "supervisor", "dvc"])
def test_a_stage_in_a_group_of_its_own_does_not_outlive_them(project, wrapper, victim):
    """`timeout` and `setsid` take their command out of DVC's process group; it ends all the same."""
    path = project / "dvc.yaml"
    path.write_text(
        path.read_text().replace("cmd: python -m pipelines.make", f"cmd: {wrapper} python -m pipelines.make")
    )
    process, found = start(project)
    with process:
        os.kill(found[victim], signal.SIGKILL)
        assert survivors(project) == []
        process.wait(20)


def test_an_interrupt_ends_everything_and_says_so(project):
    """Ctrl-C: exit 130, one word, no process left."""
    process, found = start(project)
    os.kill(found["labeltrail"], signal.SIGINT)
    assert process.wait(20) == 130
    assert survivors(project) == []


def test_the_exit_status_of_the_command_comes_through():
    """A supervised command's status is its own; a signal reads as a shell tells it."""
    for code, status in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)):
        lifeline, ours = os.pipe()
        session, told = os.pipe()
        supervisor = [sys.executable, "-m", "governance.dvc.supervisor", str(lifeline), str(told)]
        done = subprocess.run([*supervisor, sys.executable, "-c", code], pass_fds=(lifeline, told), check=False)
        assert int(os.read(session, 20)) > 1
        for end in (lifeline, ours, session, told):
            os.close(end)
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
    for text in ("[]", '{"write": {"a": {}}}', '{"read": 5}'):
        path.write_text(text)
        assert clear_dead_locks(tmp_path) == 0
        assert path.read_text() == text


def test_a_lock_that_a_killed_process_left_half_written_blocks_nobody(project):
    """DVC refuses such a file for ever; while somebody else is still writing it is left alone."""
    path = project / ".dvc/tmp/rwlock"
    for torn in ("", '{"write": {"artifacts/count.js'):
        path.write_text(torn)
        with open(project / ".dvc/tmp/rwlock.lock", "ab") as guard:
            fcntl.flock(guard.fileno(), fcntl.LOCK_EX)
            assert clear_dead_locks(project) == 0
            assert path.read_text() == torn
        assert int(Project.find(project).repro(force=True).exit_code) == 0
