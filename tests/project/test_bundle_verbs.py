"""`checkpoint`, `verify --since` and `bundle`: evidence that leaves the house."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord
from governance.project import Project
from governance.proof.archive import read_archive


def test_a_checkpoint_outside_the_store_shows_a_log_that_ran_backwards(project, own_home, monkeypatch):
    """On a machine that never saw the log, only the checkpoint that git carries tells that the store was taken back."""
    governed = Project.find(project)
    shutil.copyfile(project / ".labeltrail/trail.db", project / "older.db")
    governed.repro()
    report = governed.checkpoint()
    place = project / report.data["file"]
    assert place.read_text() == report.data["note"]
    assert int(Project.find(project).verify().exit_code) == 0
    shutil.move(project / "older.db", project / ".labeltrail/trail.db")
    # A machine that never saw this log remembers nothing.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own_home))
    broken = Project.find(project).verify()
    assert int(broken.exit_code) == 3
    assert any("ran backwards" in check["says"] for check in broken.data["checks"])
    with pytest.raises(BrokenEvidence, match="ran backwards"):
        Project.find(project).checkpoint()
    away = project / "elsewhere"
    shutil.move(place, away)
    assert int(Project.find(project).verify().exit_code) == 0
    assert int(Project.find(project).verify(since=away).exit_code) == 3


@pytest.mark.parametrize("text", ["", "no checkpoint", "log\n3\nAAAA\n\n"])
def test_what_is_no_checkpoint_of_this_log_is_refused(project, text):
    """Not readable, not a checkpoint, or another log's: one error, exit 2."""
    place = project / "note"
    with pytest.raises(ConfigurationError):
        Project.find(project).verify(since=place)
    place.write_text(text)
    with pytest.raises(ConfigurationError, match="note"):
        Project.find(project).verify(since=place)
    note = Project.find(project).checkpoint().data["note"]
    place.write_text("0" * 32 + note[32:])
    with pytest.raises(ConfigurationError, match="of the log 0000"):
        Project.find(project).verify(since=place)


def test_an_auditor_checks_a_bundle_without_this_software(reference):
    """Log, checkpoint and documents in one file: whole by verify.py and by the library, until a bit is changed."""
    governed = Project.find(reference)
    report = governed.bundle(reference / "evidence.zip", verifier=reference / "verify.py")
    assert int(report.exit_code) == 0
    note = reference / Project.find(reference).checkpoint().data["file"]
    files = read_archive((reference / "evidence.zip").read_bytes(), where="test")
    assert {path for path in files if path.startswith("documents/")} == {
        "documents/audit_report.html",
        "documents/audit_report.md",
        "documents/dataset_card.md",
        "documents/model_card.md",
    }
    for path, data in files.items():
        if path.startswith("documents/"):
            assert data == (reference / "artifacts" / path).read_bytes()
    page = files["index.html"].decode()
    assert "<script" not in page
    assert all(path in page for path in files if path.startswith("documents/"))
    # No text of an example, and no id of one, leaves with it.
    example = governed.explainer().examples[0]
    assert example.encode() not in files["entries.jsonl"]

    def auditor(*more: str) -> int:
        command = [sys.executable, "-I", "-S", "verify.py", "evidence.zip", *more]
        return subprocess.run(command, cwd=reference, capture_output=True, check=False).returncode

    assert auditor("--checkpoint", str(note)) == 0
    assert auditor("--key", report.data["public_key"]) == 0
    assert auditor() == 4
    assert int(Project.verify_bundle(reference / "evidence.zip", since=note).exit_code) == 0
    assert int(Project.verify_bundle(reference / "evidence.zip").exit_code) == 4
    data = bytearray((reference / "evidence.zip").read_bytes())
    data[len(data) // 3] ^= 4
    (reference / "evidence.zip").write_bytes(data)
    assert auditor("--checkpoint", str(note)) == 3
    assert int(Project.verify_bundle(reference / "evidence.zip", since=note).exit_code) == 3


def test_a_bundle_that_cannot_be_made_leaves_no_entry_that_speaks_of_one(project):
    """No folder, or a key that is none: one error each, and the log is as long as before."""
    governed = Project.find(project)
    before = governed.trail.size()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        governed.bundle(project / "nowhere" / "e.zip")
    with pytest.raises(ConfigurationError, match="such file"):
        Project.verify_bundle(project / "e.zip")
    assert governed.trail.size() == before
    governed.bundle(project / "e.zip")
    for key in ("abc", "zz" * 32):
        with pytest.raises(InvalidRecord, match="key"):
            Project.verify_bundle(project / "e.zip", key=key)
