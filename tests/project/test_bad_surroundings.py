"""A full disk, a folder that may not be written, another interpreter: one error each, and the store stays whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_project import copy_of, git

from governance.digest import file_digest
from governance.errors import ConfigurationError, GovernanceError
from governance.project import Project
from governance.records import Recipe, Result
from governance.store.trail import Trail

OUTPUTS = [
    "artifacts/data/made.parquet",
    "artifacts/count.json",
    "artifacts/facts/make.jsonl",
    "artifacts/runs/make.json",
]


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def digests(root: Path) -> dict[str, str]:
    return {path: file_digest(root / path) for path in OUTPUTS}


def results(project: Path) -> set[str]:
    return {result.name for result in Project.find(project).facts().of(Result)}


@pytest.fixture
def small_disk(project: Path, tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB of its own with a copy of the small project."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk; the portable tests beside this one cover the same faults")
    try:
        yield copy_of(project, disk / "project")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize(("left", "rows"), [(300, 20_000), (100, 200_000), (0, 20_000)])
def test_a_full_disk_is_named_and_the_next_repro_completes(small_disk, left, rows):
    """Whatever it is that no longer fits: exit 2, the disk is named, no result is recorded, nothing is broken."""
    before = results(small_disk)
    edit(small_disk, "params.yaml", "rows: 12", f"rows: {rows}")
    ballast = small_disk.parent / "ballast"
    ballast.write_bytes(b"x" * max(0, shutil.disk_usage(small_disk).free - left * 1024))
    command = [sys.executable, "-m", "governance", "-C", str(small_disk), "repro"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "disk is full" in done.stdout + done.stderr
    assert "free some space" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    ballast.unlink()
    assert results(small_disk) == before
    assert not [check for check in Project.find(small_disk).verify().data["checks"] if check["state"] == "broken"]
    edit(small_disk, "params.yaml", f"rows: {rows}", "rows: 13")
    assert int(Project.find(small_disk).repro().exit_code) == 0
    assert int(Project.find(small_disk).verify().exit_code) == 0


def test_a_folder_that_may_not_be_written_can_be_read_and_verified(small_disk):
    """Reading verbs answer; those that record say what cannot be written, exit 2."""
    disk = str(small_disk.parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        governed = Project.find(small_disk)
        assert int(governed.status().exit_code) == 0
        assert int(governed.verify().exit_code) == 0
        assert governed.trace("made").data["down"]
        for verb in (governed.repro, governed.sync, governed.reproduce):
            with pytest.raises(ConfigurationError, match="cannot be written"):
                verb()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


@pytest.mark.parametrize(
    "fault",
    [
        'raise OSError(28, "No space left on device", "made.parquet")',
        'raise RuntimeError("IO error: No space left on device (os error 28)")',
    ],
    ids=["the_system_says_it", "a_library_says_it"],
)
def test_a_stage_that_finds_the_disk_full_leaves_the_former_outputs(project, fault):
    """The same without a disk of its own: a stage that ends as it does where nothing more fits."""
    before, recorded = digests(project), results(project)
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', f'    {fault}\n    rows = run.params["rows"]')
    report = Project.find(project).repro()
    assert int(report.exit_code) == 2
    assert report.data["error"]["message"].startswith("the disk is full: ")
    assert "free some space" in report.data["error"]["hint"]
    assert digests(project) == before
    assert results(project) == recorded
    git(project, "checkout", "-q", "--", "pipelines/make.py")
    assert int(Project.find(project).repro().exit_code) == 0
    assert int(Project.find(project).verify().exit_code) == 0


def test_a_store_that_does_not_fit_records_nothing_and_stays_whole(project, monkeypatch):
    """SQLite at the end of its space: the error names the store, and the next repro records the run."""
    from sqlalchemy import event

    edit(project, "params.yaml", "rows: 12", "rows: 2000")
    honest = Trail.open.__func__

    def cramped(cls, *arguments, **options):
        trail = honest(cls, *arguments, **options)
        trail.database.engine.dispose()

        @event.listens_for(trail.database.engine, "connect")
        def few_pages(connection, _):
            connection.execute("PRAGMA max_page_count = 1")  # SQLite takes as many as there are already

        return trail

    recorded = results(project)
    with monkeypatch.context() as patch:
        patch.setattr(Trail, "open", classmethod(cramped))
        with pytest.raises(GovernanceError, match="disk is full; nothing was recorded") as caught:
            Project.find(project).repro()
    assert int(caught.value.exit_code) == 2
    assert results(project) == recorded
    assert not [check for check in Project.find(project).verify().data["checks"] if check["state"] == "broken"]
    assert int(Project.find(project).repro().exit_code) == 0
    assert len(results(project)) > len(recorded)
    assert int(Project.find(project).verify().exit_code) == 0


def test_another_interpreter_than_the_recorded_one_is_named(project, tmp_path):
    """A run whose recipe names another Python is reproduced all the same, and the answer says so."""
    site = tmp_path / "site"
    site.mkdir()
    # The stages of one repro believe to run on another Python; everything else about them is as ever.
    (site / "sitecustomize.py").write_text("import platform\nplatform.python_version = lambda: '3.11.99'\n")
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "governance", "-C", str(project), "repro", "--force"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    governed = Project.find(project)
    assert {recipe.python for recipe in governed.current_facts().of(Recipe)} == {"3.11.99"}
    report = governed.reproduce("make")
    told = report.data["reproductions"][0]
    here = ".".join(map(str, sys.version_info[:3]))
    assert told["environment"] == [f"Python was 3.11.99, is {here}"]
    assert told["outcome"] == "identical"
    # And a repro on this one again is another recipe with the same outputs, not a contradiction.
    again = governed.repro(force=True)
    assert int(again.exit_code) == 0
    assert {recipe.python for recipe in governed.current_facts().of(Recipe)} == {here}
    assert int(governed.verify().exit_code) == 0
