"""`checkpoint`, `verify --since` and `bundle`: evidence that leaves the house."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord, MissingEvidence, UnknownName
from governance.project import Project
from governance.proof.archive import read_archive
from governance.proof.bundle import check_bundle, make_bundle
from governance.proof.published import verifier
from governance.records import Bundle, Disclosure
from governance.store import merkle
from governance.store.checkpoint import Checkpoint


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


def test_a_log_that_was_rolled_back_is_not_signed_and_not_handed_out(project):
    """Two signed histories of one log would vouch for nothing; this machine remembers which one it saw."""
    shutil.copyfile(project / ".labeltrail/trail.db", project / "older.db")
    Project.find(project).repro()
    seen = Project.find(project).trail.size()
    shutil.move(project / "older.db", project / ".labeltrail/trail.db")
    back = Project.find(project)
    size = back.trail.size()
    with pytest.raises(BrokenEvidence, match="rolled back"):
        back.bundle(project / "e.zip")
    assert (back.trail.size(), (project / "e.zip").exists()) == (size, False)
    # What runs is recorded all the same, however long that goes on, and never signed.
    for _ in range(3):
        assert "unsigned" in Project.find(project).repro().to_markdown()
    assert Project.find(project).trail.size() > seen
    assert int(Project.find(project).verify().exit_code) == 3
    with pytest.raises(BrokenEvidence, match="rolled back"):
        Project.find(project).bundle(project / "e.zip")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_checkpoint_with_other_line_ends_is_none_to_the_log_as_to_the_published_verifier(project, end):
    """Read byte by byte: a note that another system's editor wrote anew is refused by everybody alike."""
    governed = Project.find(project)
    note = governed.checkpoint().data["note"]
    (project / "kept").write_bytes(note.replace("\n", end).encode())
    with pytest.raises(ConfigurationError, match="checkpoint note"):
        governed.verify(since=project / "kept")
    governed.bundle(project / "e.zip")
    assert int(Project.verify_bundle(project / "e.zip", since=project / "kept").exit_code) == 3
    (project / "verify.py").write_bytes(verifier())
    command = [sys.executable, "-I", "-S", "verify.py", "e.zip", "--checkpoint", "kept"]
    assert subprocess.run(command, cwd=project, capture_output=True, check=False).returncode == 3


def folder(place: Path) -> None:
    place.mkdir(parents=True)


def link_to_nowhere(place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.symlink_to(place.with_name("nowhere"))


@pytest.mark.parametrize(("put", "says"), [(folder, "is a folder"), (link_to_nowhere, "No such file")])
def test_something_else_in_the_place_of_the_tracked_checkpoint_is_named(project, put, says):
    """It is neither passed over by verify, as if nothing had been kept, nor stumbled over by checkpoint."""
    log = Project.find(project).trail.log
    put(project / "checkpoints" / log)
    for verb in ("verify", "checkpoint"):
        with pytest.raises(ConfigurationError, match=says) as error:
            getattr(Project.find(project), verb)()
        assert log in error.value.message


def test_a_file_in_the_place_of_the_folder_of_checkpoints_is_named(project):
    """What cannot be written is told as everywhere: with the path, and without a traceback."""
    (project / "checkpoints").write_text("mine\n")
    with pytest.raises(ConfigurationError, match="checkpoints"):
        Project.find(project).checkpoint()


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
    place.write_text(Checkpoint(note[:32], 0, merkle.EMPTY_ROOT).to_note())
    with pytest.raises(ConfigurationError, match="empty log"):
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


def test_rows_leave_only_by_a_decision_that_the_log_keeps(reference, tmp_path):
    """A table that is asked for by name goes out as it was recorded, and the entry before says who decided it and why."""
    governed = Project.find(reference)
    report = governed.bundle(
        tmp_path / "e.zip", verifier=tmp_path / "verify.py", rows=["labels"], reason="audit of May"
    )
    assert int(report.exit_code) == 0
    data = (tmp_path / "e.zip").read_bytes()
    files = read_archive(data, where="test")
    assert files["rows/labels.parquet"] == (reference / "artifacts/labels/labels.parquet").read_bytes()
    entries = [entry.record for _, entry in governed.trail.entries()]
    decided, bundled = entries[-2:]
    assert isinstance(decided, Disclosure)
    assert isinstance(bundled, Bundle)
    (labels,) = [record for record in governed.current_facts() if record.kind == "labels"]
    assert decided.tables == (labels.name,)
    assert (decided.rows, decided.reason) == (labels.rows, "audit of May")
    assert report.data["rows"] == {labels.name: labels.rows}
    key = report.data["public_key"]
    command = [sys.executable, "-I", "-S", "verify.py", "e.zip", "--key", key]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert int(Project.verify_bundle(tmp_path / "e.zip", key=key).exit_code) == 0
    # The next one holds no rows again.
    governed.bundle(tmp_path / "e.zip", force=True)
    assert not [
        path for path in read_archive((tmp_path / "e.zip").read_bytes(), where="test") if path.startswith("rows/")
    ]


def test_rows_that_leave_again_need_a_reason_of_their_own(reference, tmp_path):
    """The log has a decision once: the same words again would let rows out without one, and nothing is entered."""
    governed = Project.find(reference)
    governed.bundle(tmp_path / "e.zip", rows=["labels"], reason="audit of May")
    size = governed.trail.size()
    with pytest.raises(ConfigurationError, match=f"entry {size - 2} says already"):
        governed.bundle(tmp_path / "again.zip", rows=["labels"], reason="audit of May ")
    assert (governed.trail.size(), (tmp_path / "again.zip").exists()) == (size, False)
    report = governed.bundle(tmp_path / "again.zip", rows=["labels"], reason="audit of May, since the mail was lost")
    assert int(report.exit_code) == 0


@pytest.mark.parametrize("place", ["rows/labels.parquet", "notes/labels.parquet", "documents/labels.parquet"])
def test_rows_without_a_decision_are_refused_by_both_verifiers(reference, tmp_path, place):
    """Whoever puts a recorded table into a bundle of their own making cannot leave out who decided it, wherever it lies."""
    governed = Project.find(reference)
    table = (reference / "artifacts/labels/labels.parquet").read_bytes()
    page = b"<!DOCTYPE html>"
    data, newest = make_bundle(governed.trail, {"index.html": page, place: table})
    assert "who decided" in check_bundle(data, anchor=newest.to_note()).checks[0].says
    for name, content in (("e.zip", data), ("note", newest.to_note().encode()), ("verify.py", verifier())):
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-I", "-S", "verify.py", "e.zip", "--checkpoint", "note"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, "no entry says who decided" in ended.stdout) == (3, True)


@pytest.mark.parametrize(
    ("rows", "reason", "fault"),
    [
        (["lables"], "audit", UnknownName),
        (["labels"], " ", ConfigurationError),
        ([], "audit", ConfigurationError),
        (["labels"], "audit", MissingEvidence),
    ],
    ids=["unknown table", "no reason", "no rows", "no such record"],
)
def test_rows_that_cannot_be_handed_out_are_one_error(project, tmp_path, rows, reason, fault):
    """And nothing is entered or written."""
    governed = Project.find(project)
    before = governed.trail.size()
    with pytest.raises(fault):
        governed.bundle(tmp_path / "e.zip", rows=rows, reason=reason)
    assert governed.trail.size() == before
    assert not (tmp_path / "e.zip").exists()


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
