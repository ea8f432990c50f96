"""Notes of a watched process hold people: none of them stays behind, however the command ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watching.scripts import HEAD, captured, facts, project_with

from governance.config import read_config
from governance.errors import Busy
from governance.project import Project
from governance.project.kept import recover
from governance.project.subject.erase import alone
from governance.project.watched import FOLDER, clear_stale, notes_folder
from governance.records import Votes

#: votes, says who it is, and waits for whoever ends it
_WAITS = (
    HEAD
    + """
import os, pathlib, signal, time
if "heeds" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
PandasLFApplier(functions[:2]).apply(frame, progress_bar=False)
print(os.getpid(), flush=True)
ended = pathlib.Path("ended")
for _ in range(600):
    if ended.exists():
        break
    time.sleep(0.1)
"""
)


class Running:
    """`labeltrail run` of that script, once it has voted."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        # Whoever runs the tests may ignore SIGHUP (`nohup` does), and a process begins with what its parent ignores.
        heeding = "import os, signal as s, sys; s.signal(s.SIGHUP, s.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
        watched = [sys.executable, "-m", "governance", "run", "--", sys.executable, "waits.py", *arguments]
        command = [sys.executable, "-c", heeding, *watched]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdout is not None
        self.script = int(self.process.stdout.readline())
        (self.place,) = (folder / ".labeltrail" / FOLDER).iterdir()

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def wait_for_script(self) -> None:
        """It is no child of ours."""
        for _ in range(600):
            try:
                os.kill(self.script, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
        raise AssertionError("the script goes on")


@pytest.fixture
def project(tmp_path) -> Path:
    return project_with(tmp_path / "project", waits=_WAITS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_ends_the_command_ends_the_script_and_no_note_stays(project, number):
    """The script is ended as if it ran alone; its notes lay in the project, for their owner alone."""
    running = Running(project)
    assert running.place.stat().st_mode & 0o777 == 0o700
    status, said = running.end(number)
    assert status == 128 + number
    assert "nothing was captured" in said
    running.wait_for_script()
    assert list(running.place.parent.iterdir()) == []


def test_a_script_that_heeds_the_end_is_recorded_with_its_own_exit_code(project):
    """It came to its end well."""
    running = Running(project, "heeds")
    status, said = running.end(signal.SIGTERM)
    assert status == 0, said
    assert "recorded captured/waits" in said
    assert facts(project).one(Votes).rows == 300
    assert list(running.place.parent.iterdir()) == []


def test_a_script_whose_command_was_killed_writes_no_note(project):
    """Nobody would remove it; the empty folder goes with the next run."""
    running = Running(project)
    running.process.kill()
    running.process.wait()
    (project / "ended").touch()
    running.process.communicate(timeout=60)
    running.wait_for_script()
    assert [path.name for path in running.place.iterdir()] == ["plan.json"]
    (project / "short.py").write_text("pass")
    assert captured(project, "short.py").returncode == 0
    assert list(running.place.parent.iterdir()) == []


def _stale(project: Path) -> Path:
    """What a command left that is no more."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = project / ".labeltrail" / FOLDER / f"{gone.pid}-left" / "notes"
    left.mkdir(parents=True)
    (left / "votes0.ids.json").write_text('["author-anna"]')
    return left


@pytest.mark.parametrize("door", ["run", "recover", "erase"])
def test_what_a_killed_command_left_is_cleared(project, door):
    """By whoever comes next."""
    left, config = _stale(project), read_config(project)
    if door == "run":
        with notes_folder(config) as own:
            assert not left.exists()
            assert own.exists()
    elif door == "recover":
        recover(config)
    else:
        with alone(config):
            pass
    assert list((project / ".labeltrail" / FOLDER).iterdir()) == []


def test_notes_of_a_command_that_is_at_work_stay_and_nobody_is_erased_meanwhile(project):
    """What it will record holds people too."""
    config = read_config(project)
    with notes_folder(config) as own:
        recover(config)
        assert clear_stale(config)
        with pytest.raises(Busy, match="labeltrail run"), alone(config):
            pass
        assert own.is_dir()
    with alone(config):
        assert not own.exists()


def test_a_person_in_notes_that_were_left_is_found(project):
    """`subject find` looks there, and changes nothing."""
    left = _stale(project)
    report = Project.find(project).subject_find("author-anna")
    assert f".labeltrail/{FOLDER}/" in report.to_markdown()
    assert left.exists()
