"""Contents are found by digest, wherever they lie, and never handed out otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_project import git

from governance.config import Config, read_config
from governance.digest import file_digest, file_md5, sha256, tree_digest
from governance.project.found import Finder, commits
from governance.records import FileRef


@pytest.fixture
def below(tmp_path: Path) -> Config:
    """A project in a folder below the root of its repository, with two versions of everything committed."""
    root = tmp_path / "repository" / "project"
    (root / "code/inner").mkdir(parents=True)
    (root / "labeltrail.toml").write_text('[project]\nname = "below"\n')
    git(root.parent, "init", "-q")
    for version in ("one", "two"):
        (root / "code/a.py").write_text(f"A = '{version}'\n")
        (root / "code/inner/b.py").write_text(f"B = '{version}'\n")
        (root / "code/inner.txt").write_text(version)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", version)
    return read_config(root)


def ref(path: str, content: bytes) -> FileRef:
    return FileRef.model_validate({"path": path, "sha256": sha256(content), "bytes": len(content)})


def test_a_text_comes_from_the_folder_or_from_a_commit(below):
    """Also where the project lies below the root of its repository."""
    with Finder(below) as finder:
        assert finder.text(ref("code/a.py", b"A = 'two'\n")) == b"A = 'two'\n"
        assert finder.text(ref("code/a.py", b"A = 'one'\n")) == b"A = 'one'\n"
        assert finder.text(ref("code/a.py", b"A = 'six'\n")) is None
        found = finder.file(ref("code/a.py", b"A = 'one'\n"))
        assert found is not None
        assert (found.read_bytes(), found.suffix) == (b"A = 'one'\n", ".py")
    assert not found.exists()


def test_a_commit_that_no_branch_names_is_looked_at_while_it_is_checked_out(below):
    """As on a machine that builds."""
    git(below.root, "checkout", "-q", "--detach")
    (below.root / "code/a.py").write_text("A = 'three'\n")
    git(below.root, "commit", "-q", "-a", "-m", "three")
    (below.root / "code/a.py").write_text("A = 'four'\n")
    with Finder(below) as finder:
        assert finder.text(ref("code/a.py", b"A = 'three'\n")) == b"A = 'three'\n"
    assert len(commits(below.root)) == 3
    assert len(commits(below.root, "code/inner.txt")) == 2


def test_a_folder_is_found_as_its_digest_names_it(below):
    """From a commit the files are those that the digest of the folder covered, in whichever order git lists them."""
    now = FileRef.model_validate({"path": "code", "sha256": tree_digest(below.root / "code"), "bytes": 0})
    git(below.root, "checkout", "-q", "HEAD~1")
    then = FileRef.model_validate({"path": "code", "sha256": tree_digest(below.root / "code"), "bytes": 0})
    git(below.root, "checkout", "-q", "-")
    (below.root / "code/__pycache__").mkdir()
    (below.root / "code/__pycache__/a.pyc").write_bytes(b"cached")
    with Finder(below) as finder:
        one, two = finder.folder(then), finder.folder(now)
        assert one is not None
        assert two is not None
        assert set(one) == set(two) == {"a.py", "inner/b.py", "inner.txt"}
        assert one["a.py"] == sha256(b"A = 'one'\n")
        assert two["inner/b.py"] == file_digest(below.root / "code/inner/b.py")
        assert finder.folder(then.model_copy(update={"sha256": "0" * 64})) is None


def test_the_cache_is_searched_by_size_and_trusted_by_digest_alone(below):
    """What no dvc.lock names is found all the same; another content of that size is never handed out."""
    for content in (b"wanted", b"others"):
        (below.root / "made").write_bytes(content)
        md5 = file_md5(below.root / "made")
        place = below.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        place.parent.mkdir(parents=True)
        (below.root / "made").rename(place)
    with Finder(below) as finder:
        found = finder.file(ref("made", b"wanted"))
        assert found is not None
        assert found.read_bytes() == b"wanted"
        assert finder.file(ref("made", b"absent")) is None


def test_a_folder_without_a_repository_has_what_lies_in_it(tmp_path):
    """No git, no commits, no error."""
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "plain"\n')
    (tmp_path / "a.txt").write_text("here")
    with Finder(read_config(tmp_path)) as finder:
        assert finder.text(ref("a.txt", b"here")) == b"here"
        assert finder.file(ref("a.txt", b"gone")) is None
    assert commits(tmp_path) == []
