"""An auditor names a seed; the rows that it draws are shown, also after somebody was erased, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from governance.errors import ConfigurationError, InvalidRecord, MissingEvidence
from governance.project import Project
from governance.records import Challenge


def checked(folder: Path, archive: str, note: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "verify.py", archive, "--checkpoint", note]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_an_auditor_draws_rows_before_and_after_an_erasure(reference, tmp_path):
    """1. the checkpoint is given, then the seed  2. both verifiers say the rows  3. a person is erased, and every row drawn
    4. her row is shown as its leaf alone, and said to be erased by which entry: exit 4 for whoever kept a checkpoint from
    before that, 0 for whoever has one from after it"""
    # 1.
    governed = Project.find(reference)
    note = governed.checkpoint().data["note"]
    (tmp_path / "note").write_text(note)
    report = governed.challenge(
        tmp_path / "c.zip",
        seed="lottery",
        rows=25,
        reason="audit",
        since=tmp_path / "note",
        verifier=tmp_path / "verify.py",
    )
    assert (int(report.exit_code), report.data["rows"]) == (0, 25)
    assert set(report.data["tables"]) == {"labels", "votes", "dataset"}
    entry = governed.trail.entries()[-1][1].record
    assert isinstance(entry, Challenge)
    assert (entry.seed, entry.reason) == ("lottery", "audit")
    # 2.
    told = checked(tmp_path, "c.zip", "note")
    assert told.returncode == 0, told.stdout
    ours = Project.verify_bundle(tmp_path / "c.zip", since=tmp_path / "note")
    assert int(ours.exit_code) == 0
    assert len(ours.data["rows"]) == 25
    assert all(line in told.stdout for line in ours.data["rows"])
    # 3.
    labels = pl.read_parquet(reference / "artifacts/labels/labels.parquet")
    governed.subject_erase(labels["example_id"][3], reason="she asked")
    (tmp_path / "newer").write_text(governed.checkpoint().data["note"])
    # 4.
    governed.challenge(tmp_path / "all.zip", seed="lottery", rows=10_000, since=tmp_path / "note")
    late = "rows that were drawn were erased after the checkpoint that was given: perhaps to suit the seed"
    told = checked(tmp_path, "all.zip", "note")
    assert told.returncode == 4, told.stdout
    assert late in told.stdout.splitlines()[0]
    ours = Project.verify_bundle(tmp_path / "all.zip", since=tmp_path / "note")
    assert int(ours.exit_code) == 4
    assert late in ours.to_markdown()
    told = checked(tmp_path, "all.zip", "newer")
    assert told.returncode == 0, told.stdout
    ours = Project.verify_bundle(tmp_path / "all.zip", since=tmp_path / "newer")
    assert int(ours.exit_code) == 0
    assert [line for line in ours.data["rows"] if line.startswith("row 3:")]
    assert all(line in told.stdout for line in ours.data["rows"])
    assert labels["example_id"][3].encode() + b'"' not in (tmp_path / "all.zip").read_bytes()


def test_what_cannot_be_asked_is_refused_before_anything_is_entered(reference, tmp_path):
    """No seed, a long one, no rows, too many, no folder."""
    governed = Project.find(reference)
    size = governed.trail.size()
    for seed, rows in (("", 5), ("s" * 201, 5), ("s", 0), ("s", 10_001)):
        with pytest.raises(InvalidRecord, match=r"seed|rows"):
            governed.challenge(tmp_path / "c.zip", seed=seed, rows=rows)
    with pytest.raises(ConfigurationError):
        governed.challenge(tmp_path / "nowhere" / "c.zip", seed="s")
    assert governed.trail.size() == size


def test_a_project_without_labels_cannot_be_challenged(project, tmp_path):
    """Nothing recorded is there to be shown: evidence is missing, exit 4."""
    with pytest.raises(MissingEvidence, match="labels"):
        Project.find(project).challenge(tmp_path / "c.zip", seed="s")
