"""What a killed repro leaves in between is rolled back by whoever comes next, and nothing else is touched."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil

import pytest
from small_project import dvc, flip, git

from governance.config import read_config
from governance.digest import file_digest
from governance.dvc.files import read_stages
from governance.errors import Busy
from governance.project import Project
from governance.project.kept import Kept
from governance.project.repro import project_lock

MADE = ("artifacts/data/made.parquet", "artifacts/facts/make.jsonl", "artifacts/runs/make.json")


def keep(project):
    """The state of a project whose repro was killed before anything ended."""
    config = read_config(project)
    return Kept.before_run(config, read_stages(project).values())


def digests(project):
    return {path: file_digest(project / path) for path in (*MADE, "artifacts/count.json", "dvc.lock")}


def rewrite(path, data):
    """New bytes under an old name, as a stage puts them there."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(data)
    fresh.replace(path)


@pytest.mark.parametrize("gone", [MADE[:1], MADE[:2], MADE])
@pytest.mark.parametrize("how", ["removed", "rewritten"])
def test_a_stage_that_dvc_has_not_committed_gets_all_its_former_outputs_back(project, gone, how):
    """Removed by DVC or put there anew by the stage: verify puts back what the records know, says so, and is content."""
    before = digests(project)
    keep(project)
    for path in gone:
        if how == "removed":
            (project / path).unlink()
        else:
            rewrite(project / path, b"of the killed run")
    report = Project.find(project).verify()
    assert report.data["rolled_back"] == ["make"]
    assert "make" in report.to_markdown()
    assert int(report.exit_code) == 0
    assert digests(project) == before
    assert Project.find(project).verify().data["rolled_back"] == []


def test_a_stage_that_dvc_has_committed_stays_as_it_is(project):
    """A repro that was killed after one stage ended keeps that stage, also where a file of it is removed since."""
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    keep(project)
    other = project.parent / "other"
    shutil.copytree(project, other, symlinks=True)
    assert int(Project.find(other).repro(targets=["make"]).exit_code) == 0
    for path in (*MADE, "dvc.lock"):
        rewrite(project / path, (other / path).read_bytes())
    after = digests(project)
    (project / MADE[1]).unlink()
    assert Project.find(project).verify().data["rolled_back"] == []
    assert not (project / MADE[1]).exists()
    shutil.copyfile(other / MADE[1], project / MADE[1])
    assert Project.find(project).sync().data["stages"]["make"] == "taken in"
    assert digests(project) == after


@pytest.mark.parametrize(
    "torn", [b"", b"schema: '2.0'\nstages:\n  make:\n    cmd: pyth", b"schema: '2.0'\nstages:\n  count:\n    cmd"]
)
def test_a_lock_that_dvc_did_not_finish_writing_is_the_former_one_again(project, torn):
    """Killed while it writes dvc.lock, DVC leaves half of it, which it then refuses."""
    before = digests(project)
    keep(project)
    (project / "dvc.lock").write_bytes(torn)
    assert int(Project.find(project).verify().exit_code) == 0
    assert digests(project) == before


def test_what_was_changed_before_the_run_is_not_put_right_by_a_roll_back(project):
    """Tampering stays what it is: rolling back is for what a run did."""
    flip(project / MADE[0], 40)
    keep(project)
    changed = digests(project)
    report = Project.find(project).verify()
    assert report.data["rolled_back"] == []
    assert int(report.exit_code) == 3
    assert digests(project) == changed


def test_a_folder_of_kept_outputs_that_is_not_whole_is_not_used(project):
    """Killed while it keeps outputs, nothing had been touched yet; killed while it lets go, everything was done."""
    kept = keep(project)
    (kept.folder / "index.json").unlink()
    rewrite(project / MADE[0], b"by hand")
    assert Project.find(project).verify().data["rolled_back"] == []
    assert (project / MADE[0]).read_bytes() == b"by hand"
    assert not kept.folder.exists()


def test_status_tells_of_a_killed_repro_until_somebody_has_rolled_it_back(project):
    """Said with the way out, and not of a repro that is still at work; to ask changes nothing."""
    governed = Project.find(project)
    assert not governed.status().data["killed"]
    kept = keep(project)
    (project / MADE[0]).unlink()
    for _ in range(2):
        report = governed.status()
        assert report.data["killed"]
        assert "an earlier repro was killed: `labeltrail verify`" in report.to_markdown()
    with project_lock(governed.config, wait_seconds=0.0):
        assert not governed.status().data["killed"]
    (project / ".labeltrail/repro.lock").unlink(missing_ok=True)
    assert governed.status().data["killed"]
    assert (kept.folder / "index.json").is_file()
    governed.verify()
    report = governed.status()
    assert not report.data["killed"]
    assert "killed" not in report.to_markdown()


def test_where_another_commit_was_checked_out_since_nothing_is_rolled_back(project):
    """Whoever took out an older revision chose its files; the killed run is of no account any more."""
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    assert int(Project.find(project).repro().exit_code) == 0
    git(project, "commit", "-q", "-a", "-m", "second")
    keep(project)
    git(project, "checkout", "-q", "HEAD~1")
    dvc(project, "checkout", "--force")
    older = digests(project)
    report = Project.find(project).verify()
    assert report.data["rolled_back"] == []
    assert digests(project) == older
    assert int(report.exit_code) == 0


def test_in_another_commit_what_a_killed_run_left_is_not_rolled_back(project):
    """Also where that commit has the same lock: what lies there then is told, and not taken back unasked."""
    (project / "NOTES.md").write_text("second")
    git(project, "add", "NOTES.md")
    git(project, "commit", "-q", "-m", "second")
    keep(project)
    rewrite(project / MADE[0], b"half")
    git(project, "checkout", "-q", "HEAD~1")
    report = Project.find(project).verify()
    assert report.data["rolled_back"] == []
    assert (project / MADE[0]).read_bytes() == b"half"
    assert int(report.exit_code) == 3


@pytest.mark.parametrize("how", ["holds the project", "runs a stage"])
def test_while_a_dvc_is_at_work_nothing_is_rolled_back(project, how):
    """What lies there in between may be of its making: verify says busy, and tries again later."""
    before = digests(project)
    keep(project)
    rewrite(project / MADE[0], b"of the other DVC")
    with contextlib.ExitStack() as held:
        if how == "holds the project":
            lock = held.enter_context(open(project / ".dvc/tmp/lock", "ab"))
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        else:
            holder = {"pid": os.getpid(), "cmd": "dvc repro"}
            (project / ".dvc/tmp/rwlock").write_text(json.dumps({"read": {}, "write": {str(project): holder}}))
            held.callback((project / ".dvc/tmp/rwlock").unlink)
        with pytest.raises(Busy):
            Project.find(project).verify()
        with pytest.raises(Busy):
            Project.find(project).repro()
        assert (project / MADE[0]).read_bytes() == b"of the other DVC"
    assert Project.find(project).verify().data["rolled_back"] == ["make"]
    assert digests(project) == before


def test_an_output_outside_the_project_is_kept_apart_from_the_users_own_files(project):
    """`../../data/x.csv` as an output must not be taken for a file of that name beside the kept ones."""
    (project / "data").mkdir()
    (project / "data/x.csv").write_text("precious")
    (project.parent.parent / "data").mkdir(exist_ok=True)
    outside = project.parent.parent / "data/x.csv"
    outside.write_text("an output")
    stage = next(iter(read_stages(project).values()))
    odd = type(stage)(stage.name, stage.command, (), ("../../data/x.csv", str(outside)), ())
    for _ in range(2):
        kept = Kept.before_run(read_config(project), [odd])
        rewrite(outside, b"half of another")
        assert kept.roll_back([odd]) == [stage.name]
        assert outside.read_text() == "an output"
    assert (project / "data/x.csv").read_text() == "precious"


def test_where_a_folder_stands_in_the_place_of_an_output_it_is_left_alone(project):
    """Somebody else's files may be in it; the output is told as lost and not as back."""
    kept = keep(project)
    (project / MADE[0]).unlink()
    (project / MADE[0]).mkdir()
    (project / MADE[0] / "mine.txt").write_text("mine")
    kept.roll_back(read_stages(project).values())
    assert (project / MADE[0] / "mine.txt").read_text() == "mine"
    assert MADE[0] not in kept.restored
