"""`reproduce` runs what was recorded and nothing else, wherever git, the cache and the environment stand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from remotes import md5_of, pushed
from small_project import MAKE, git, lay_down

from governance.config import read_config
from governance.digest import file_digest, sha256
from governance.dvc.files import cached_file
from governance.dvc.locks import alive
from governance.project import Project, brought
from governance.project.brought import Contents
from governance.project.found import Finder
from governance.project.scratch import UnableError, checked_out
from governance.records import FileRef, Result

TABLE = "artifacts/data/made.parquet"


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def told(report, stage: str) -> tuple[str, str]:
    return next((one["outcome"], one["says"]) for one in report.data["reproductions"] if one["stage"] == stage)


# -- code of the working tree ------------------------------------------------------------------------------------------


def with_source(root: Path, first_line: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose first stage imports a module of src/, recorded and committed with K = 2 in it."""
    lay_down(root)
    (root / "src").mkdir()
    (root / "src/factor.py").write_text("K = 2\n")
    source = first_line + "from factor import K\n" + MAKE.replace('run.params["rows"]', 'run.params["rows"] * K')
    (root / "pipelines/make.py").write_text(source)
    monkeypatch.setenv("SOURCES", str(root / "src"))
    assert int(Project.init(root).exit_code) == 0
    assert int(Project.find(root).repro().exit_code) == 0
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


@pytest.mark.parametrize("text", ["K = 3\n", "K = 2  # other\n"], ids=["other result", "same result"])
def test_a_module_that_comes_from_the_working_tree_makes_it_unable(tmp_path, monkeypatch, text):
    """As with an editable install: whether the outputs agree or not, the recorded code did not run."""
    installed = 'import os, sys\nsys.path.insert(0, os.environ["SOURCES"])\n'
    root = with_source(tmp_path / "project", installed, monkeypatch)
    (root / "src/factor.py").write_text(text)
    report = Project.find(root).reproduce("make")
    outcome, says = told(report, "make")
    assert outcome == "unable"
    assert "module src/factor.py was not taken from the recorded commit" in says
    assert int(report.exit_code) == 4


def test_a_folder_of_the_project_on_the_path_is_that_of_the_recorded_commit(tmp_path, monkeypatch):
    """PYTHONPATH names the working tree by its full name, and what lies there by now is not what ran."""
    root = tmp_path / "project"
    given = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(root / "src"), given])))
    with_source(root, "", monkeypatch)
    (root / "src/factor.py").write_text("K = 3\n")
    assert told(Project.find(root).reproduce("make"), "make")[0] == "identical"


# -- contents ----------------------------------------------------------------------------------------------------------


def test_a_spoiled_entry_of_the_cache_is_passed_over_and_fetched(project, tmp_path):
    """The remote holds the right bytes; the entry may be somebody's only copy and stays."""
    pushed(project, str(tmp_path / "remote"))
    entry = cached_file(project, md5_of(project, TABLE))
    entry.chmod(0o644)
    entry.write_bytes(b"spoiled")
    (project / TABLE).unlink()
    said: list[str] = []
    report = Project.find(project).reproduce("count", say=said.append)
    assert told(report, "count")[0] == "identical"
    assert f"fetches {TABLE}: DVC's cache holds other bytes under MD5 {md5_of(project, TABLE)}" in said
    assert entry.read_bytes() == b"spoiled"
    (tmp_path / "remote").rename(tmp_path / "gone")
    outcome, says = told(Project.find(project).reproduce("count"), "count")
    assert outcome == "unable"
    assert f"DVC's cache holds other bytes under MD5 {md5_of(project, TABLE)}" in says
    assert "DVC's remote does not hold it" in says


def test_fetching_leaves_nothing_where_dvc_keeps_what_concerns_the_machine(project, tmp_path, monkeypatch):
    """Each scratch folder would get a folder of its own there, for good."""
    site = tmp_path / "site"
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(site))
    pushed(project, str(tmp_path / "remote"))
    shutil.rmtree(project / ".dvc/cache")
    (project / TABLE).unlink()
    before = sorted(path.name for path in site.glob("repo/*"))
    assert told(Project.find(project).reproduce("count"), "count")[0] == "identical"
    assert sorted(path.name for path in site.glob("repo/*")) == before


def test_a_link_in_the_cache_that_leads_nowhere_stops_nothing(project):
    """A cache on another disk that is not mounted, or an entry collected meanwhile."""
    link = project / ".dvc/cache/files/md5/00/link"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(project / "nowhere")
    with Finder(read_config(project)) as finder:
        assert finder.file(FileRef.model_validate({"path": "x", "sha256": sha256(b"x"), "bytes": 1})) is None


def test_an_input_that_is_replaced_while_it_is_copied_is_not_used(project, tmp_path, monkeypatch):
    """Found, and something else by the time it is read: unable, and said so."""
    ref = FileRef.model_validate({"path": TABLE, "sha256": file_digest(project / TABLE), "bytes": 1})
    ref = ref.model_copy(update={"bytes": (project / TABLE).stat().st_size})
    config = read_config(project)

    def replaced(source: Path, target: Path) -> None:
        target.write_bytes(b"another version")

    monkeypatch.setattr(brought.shutil, "copyfile", replaced)
    with Finder(config) as finder, pytest.raises(UnableError, match="was replaced while it was copied"):
        Contents(config, finder, "HEAD", lambda _: None).bring(tmp_path / "scratch", ref)


# -- git ---------------------------------------------------------------------------------------------------------------


def test_without_git_a_run_cannot_be_reproduced_and_a_difference_is_told(project, monkeypatch):
    """No git at all: the outcome is unable, and no sentence about owners and rights."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    governed = Project.find(project)
    assert int(governed.repro().exit_code) == 0
    monkeypatch.setenv("PATH", str(project.parent))
    report = governed.reproduce("count")
    assert told(report, "count")[0] == "unable"
    assert int(report.exit_code) == 4
    assert "rows" in governed.diff("make").to_markdown()


def test_a_project_in_a_folder_of_a_larger_repository_is_taken_out_alone(tmp_path):
    """Thirty thousand files of others are no part of a recipe; no hook of theirs runs either."""
    root = tmp_path / "repository/project"
    lay_down(root)
    (root.parent / "others").mkdir()
    (root.parent / "others/file.txt").write_text("theirs")
    git(root.parent, "init", "-q")
    hook = root.parent / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-q", "-m", "first")
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook_ran\n")
    hook.chmod(0o755)
    (root / ".labeltrail").mkdir()
    with checked_out(read_config(root), "HEAD") as scratch:
        assert (scratch / "pipelines/make.py").read_text() == (root / "pipelines/make.py").read_text()
        assert not (scratch.parent / "others").exists()
    assert not (tmp_path / "hook_ran").exists()


# -- an end ------------------------------------------------------------------------------------------------------------


def test_what_a_reproduced_stage_started_ends_with_a_killed_reproduction(project):
    """A process of the stage would go on in a folder that nobody knows any more."""
    pid = project.parent / "pid"
    child = f'    import subprocess, sys, time, pathlib\n    own = pathlib.Path("{pid}")\n'
    child += '    if own.with_name("armed").exists():\n'
    child += '        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])\n'
    child += '        own.with_name("half").write_text(str(child.pid))\n        own.with_name("half").rename(own)\n'
    child += "        time.sleep(600)\n"
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', child + '    rows = run.params["rows"]')
    governed = Project.find(project)
    assert int(governed.repro().exit_code) == 0
    git(project, "commit", "-q", "-a", "-m", "it may wait")
    (project.parent / "armed").touch()
    result = [one for one in governed.facts().of(Result) if one.stage == "make"][-1]
    command = [sys.executable, "-m", "governance", "-C", str(project), "reproduce", result.name]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until(pid.exists)
        child_pid = int(pid.read_text())
        assert alive(child_pid)
        os.kill(running.pid, signal.SIGKILL)
    until(lambda: not alive(child_pid))


def until(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come about in a minute"
        time.sleep(0.02)
