"""A commit is named without `dirty` only where the code that ran is that commit's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from small_project import git

from governance.project import Project
from governance.project import git as ours
from governance.project.tree import UNTOLD, changes, dirty_digest, look_at
from governance.records import Execution


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def forced(project: Path) -> list[Execution]:
    """The executions of a forced run."""
    assert int(Project.find(project).repro(force=True).exit_code) == 0
    return Project.find(project).facts().of(Execution)[-2:]


def test_a_dependency_outside_the_repository_hides_no_change(project, tmp_path):
    """Git refuses to compare where one path lies outside; the others are compared all the same."""
    (tmp_path / "outside.txt").write_text("words\n")
    edit(project, "dvc.yaml", "pipelines/helper.py]", f"pipelines/helper.py, {tmp_path}/outside.txt]")
    git(project, "commit", "-q", "-a", "-m", "a file from elsewhere")
    assert {e.dirty for e in forced(project)} == {None}
    edit(project, "pipelines/helper.py", "a text", "another text")
    (dirty,) = {e.dirty for e in forced(project)}
    assert dirty not in (None, UNTOLD)


def test_an_edited_module_that_no_stage_lists_makes_the_tree_dirty(project):
    """It was imported and so it decided the run, whatever dvc.yaml says."""
    edit(project, "dvc.yaml", "deps: [pipelines/make.py, pipelines/helper.py]", "deps: [pipelines/make.py]")
    git(project, "commit", "-q", "-a", "-m", "not listed")
    assert {e.dirty for e in forced(project)} == {None}
    edit(project, "pipelines/helper.py", "a text", "another text")
    assert None not in {e.dirty for e in forced(project)}


def test_where_git_gives_no_answer_the_tree_is_not_called_clean(project, monkeypatch):
    """A git that is killed by its time limit has compared nothing."""
    asked = ours.run_git

    def silent(root: Path, *words: str, index: Path | None = None) -> str | None:
        return None if words[0] == "diff" else asked(root, *words, index=index)

    monkeypatch.setattr(ours, "run_git", silent)
    tree = look_at(project, ["pipelines/make.py"])
    assert tree.revision is not None
    assert tree.changed is None
    assert dirty_digest(project, tree, []) == UNTOLD


def test_outside_any_repository_there_is_neither_revision_nor_dirt(tmp_path):
    """What is compared with no commit differs from none."""
    tree = look_at(tmp_path, [])
    assert tree.revision is None
    assert dirty_digest(tmp_path, tree, []) is None


@pytest.fixture
def below(tmp_path: Path) -> Path:
    """A project in a folder below the root of its repository, and code beside it."""
    root = tmp_path / "repository" / "project"
    root.mkdir(parents=True)
    (root.parent / "beside").mkdir()
    for path in ("project/params.yaml", "beside/words.txt", "project/code.py"):
        (root.parent / path).write_text("one\n")
    git(root.parent, "init", "-q")
    git(root.parent, "add", "-A")
    git(root.parent, "commit", "-q", "-m", "one")
    return root


def test_paths_are_told_from_the_project_wherever_its_repository_begins(below):
    """Also a changed file beside the project, a new one and one that is gone."""
    (below.parent / "beside/words.txt").write_text("two\n")
    (below.parent / "beside/new.txt").write_text("new\n")
    (below / "code.py").unlink()
    depended_on = ["../beside/words.txt", "../beside/new.txt", "code.py", "/elsewhere/x", "../../y"]
    changed = look_at(below, depended_on).changed
    assert changed is not None
    assert set(changed) == {"../beside/words.txt", "../beside/new.txt", "code.py"}
    assert changed["code.py"] is None


def test_git_answers_for_the_folder_that_is_asked_about_also_in_a_hook(below, tmp_path, monkeypatch):
    """Git sets GIT_DIR and GIT_INDEX_FILE for its hooks, and other programs may have been asked about other places."""
    other = tmp_path / "other"
    git(below, "init", "-q", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    revision = ours.revision(below)
    assert revision is not None
    assert ours.blob(below, revision, "code.py") == b"one\n"
    assert changes(below, revision, ["code.py"]) == {}


def test_a_commit_gives_a_file_as_a_checkout_lays_it_down(below):
    """Line ends are changed by .gitattributes; the recipe holds what was there to be run."""
    (below.parent / ".gitattributes").write_text("*.py text eol=crlf\n")
    (below / "code.py").unlink()
    git(below, "checkout", "-q", "--", "code.py")
    revision = ours.revision(below)
    assert revision is not None
    assert (below / "code.py").read_bytes() == b"one\r\n"
    assert ours.blob(below, revision, "code.py") == b"one\r\n"
    assert ours.blob(below, revision, "nothing.py") is None


def test_asking_runs_no_hook_and_writes_no_index(below):
    """Whoever looks at a repository leaves it as it was."""
    hook = below.parent / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {below}/hook_ran\n")
    hook.chmod(0o755)
    # Long ago: where a file is as young as the index, git leaves the index alone by itself.
    os.utime(below / "code.py", (1_000_000_000, 1_000_000_000))
    index = below.parent / ".git/index"
    before = index.read_bytes()
    assert look_at(below, ["code.py"]).changed == {}
    assert ours.ask_git(below, "read-tree", "HEAD", index=below / "scratch_index")[0] == 0
    assert index.read_bytes() == before
    assert not (below / "hook_ran").exists()


def test_a_file_edited_within_the_instant_of_its_commit_is_seen_as_changed(below):
    """Neither its size nor its time tells it; git reads such files, as long as it knows the time of the index."""
    code = below / "code.py"
    code.write_text("two\n")
    then = (1_000_000_000, 1_000_000_000)
    os.utime(code, then)
    # The time of the last change of a file's metadata, which git compares too, cannot be set back.
    git(below, "config", "core.trustctime", "false")
    git(below, "commit", "-q", "-a", "-m", "two")
    os.utime(below.parent / ".git/index", then)
    code.write_text("six\n")
    os.utime(code, then)
    assert set(look_at(below, ["code.py"]).changed or {}) == {"code.py"}


def test_an_index_in_two_halves_stays_as_it_is(below):
    """Git would write the second half of a copy into the repository."""
    git(below, "config", "core.splitIndex", "true")
    os.utime(below / "code.py", (1_000_000_000, 1_000_000_000))
    before = {path: path.read_bytes() for path in (below.parent / ".git").glob("*index*")}
    for _ in range(2):
        assert look_at(below, ["code.py"]).changed == {}
        assert {path: path.read_bytes() for path in (below.parent / ".git").glob("*index*")} == before
    git(below, "update-index", "--split-index")
    assert list((below.parent / ".git").glob("sharedindex.*"))
    (below / "code.py").write_text("two\n")
    assert set(look_at(below, ["code.py"]).changed or {}) == {"code.py"}


def test_where_nothing_can_be_copied_git_is_asked_all_the_same(below, monkeypatch):
    """An answer matters more than the times in an index."""
    monkeypatch.setattr(tempfile, "tempdir", str(below / "nowhere"))
    assert look_at(below, ["code.py"]).changed == {}
    (below / "code.py").write_text("two\n")
    assert set(look_at(below, ["code.py"]).changed or {}) == {"code.py"}


def test_a_worktree_of_a_repository_whose_name_is_no_unicode_is_as_clean_as_any(tmp_path):
    """Where git keeps a worktree's index is told in bytes."""
    home = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    home.mkdir()
    (home / "code.py").write_text("one\n")
    git(home, "init", "-q")
    git(home, "add", "-A")
    git(home, "commit", "-q", "-m", "one")
    git(home, "worktree", "add", "-q", str(tmp_path / "beside"), "HEAD")
    tree = look_at(tmp_path / "beside", ["code.py"])
    assert tree.revision is not None
    assert tree.changed == {}
