"""A bundle is asked for where it cannot be made: one error, nothing half-written, and the trail stays whole."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing

import pytest

from governance.digest import file_digest
from governance.errors import Busy, ConfigurationError
from governance.facts import Facts
from governance.project import Project
from governance.project import bundle as bundling
from governance.proof.archive import read_archive
from governance.records import Document, Recipe, Result


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_is_full_or_read_only_leaves_no_half_of_a_bundle(project, monkeypatch, fault):
    """One error with the way out; what lay there before still lies there, and the log is whole."""
    governed = Project.find(project)
    target = project / "evidence.zip"
    target.write_bytes(b"an older one")

    def refusing(path, data, **more):
        raise OSError(fault, os.strerror(fault), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(bundling, "write_atomically", refusing)
        with pytest.raises(ConfigurationError, match=os.strerror(fault)) as told:
            governed.bundle(target, force=True)
    assert "bundle again" in (told.value.hint or "")
    assert target.read_bytes() == b"an older one"
    assert int(Project.find(project).verify().exit_code) == 0
    assert int(Project.find(project).bundle(target, force=True).exit_code) == 0


def test_a_folder_that_may_not_be_written_is_refused_before_the_log_speaks_of_a_bundle(project, monkeypatch):
    """Whoever may not write there is told so, and no entry was made."""
    governed = Project.find(project)
    before = governed.trail.size()
    with monkeypatch.context() as patch:
        patch.setattr(bundling.os, "access", lambda path, mode: False)
        with pytest.raises(ConfigurationError, match="cannot be written"):
            governed.bundle(project / "evidence.zip")
    assert governed.trail.size() == before


def test_two_documents_of_one_name_are_refused_and_none_is_left_out(project, tmp_path):
    """Two folders may hold a card each; a bundle has room for one file of a name, and does not drop the other silently."""
    governed = Project.find(project)
    outputs, records = [], []
    for folder in ("train", "test"):
        (project / folder).mkdir()
        (project / folder / "Card.md").write_text(f"# {folder}\n")
        sha = file_digest(project / folder / "Card.md")
        outputs.append({"path": f"{folder}/Card.md", "sha256": sha, "bytes": len(f"# {folder}\n")})
        told = {"about": [], "cites": [], "claims": 1, "not_recorded": 0}
        records.append(Document.make(title=folder, document_kind="model_card", sha256=sha, **told))
    recipe = governed.trail.facts().of(Recipe)[0].name
    result = Result.make(stage="count", recipe=recipe, outputs=outputs, generated=[], used=[])
    size = governed.trail.size()
    with pytest.raises(ConfigurationError, match=r"test/Card\.md and another file would both be documents/card\.md"):
        bundling.bundle(governed.config, governed.trail, Facts([*records, result]), target=tmp_path / "e.zip")
    assert (governed.trail.size(), (tmp_path / "e.zip").exists()) == (size, False)


def test_a_locked_store_is_busy_and_no_bundle_is_made(project):
    """Somebody else is writing: exit 5, no file, no entry; when he is done it works."""
    governed = Project.find(project)
    before = governed.trail.size()
    governed.trail.database.close()
    with closing(sqlite3.connect(project / ".labeltrail/trail.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            Project.find(project).bundle(project / "evidence.zip")
        other.execute("ROLLBACK")
    assert not (project / "evidence.zip").exists()
    assert Project.find(project).trail.size() == before
    assert int(Project.find(project).bundle(project / "evidence.zip").exit_code) == 0


def test_the_start_page_names_key_commitments_documents_and_how_to_check(reference):
    """Whoever opens it in a browser sees what is in the bundle, what is open, and the commands; no script runs in it."""
    governed = Project.find(reference)
    told = governed.bundle(reference / "page.zip").data
    page = read_archive((reference / "page.zip").read_bytes(), where="test")["index.html"].decode()
    assert told["public_key"] in page
    assert told["log"] in page
    roots = [entry.record.root for _, entry in governed.trail.entries() if entry.record.kind == "commitment"]
    assert roots
    assert all(root in page for root in roots)
    assert all(path in page for path in told["files"] if path.startswith("documents/"))
    assert all(line in page for line in told["open"])
    assert "python -I -S verify.py FILE.zip --checkpoint FILE" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
