"""`why`, `whatif` and `blast` on tables in which one id stands twice: nothing says which of the rows is meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from labelled_project import make_labelled_project
from small_project import copy_of, once

from governance.errors import InvalidRecord
from governance.lineage.rows import Rows
from governance.project import Project
from governance.records import Predictions

LABELS = '    out = run.output("artifacts/labels.parquet")\n'
DATA = "    write_table(frame, rows)\n"
STATED = "content=content_digest(frame), rows=len(frame)"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "doubled", make_labelled_project)


@pytest.fixture
def labelled(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_of(made_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    return copy_of(made_once, tmp_path / "project")


def run_with(root: Path, *changes: tuple[str, str]) -> Project:
    """The project after its stage was changed and run again; the new tables are recorded like any other."""
    path = root / "pipelines/label.py"
    text = path.read_text()
    for was, now in changes:
        assert was in text
        text = text.replace(was, now)
    path.write_text(text)
    report = Project.find(root).repro()
    assert report.exit_code == 0, report.to_markdown()
    return Project.find(root)


@pytest.mark.parametrize("label", ["the same row again", "with another label"])
def test_labels_with_one_id_twice_are_one_error_of_every_verb(labelled, label):
    """Exit 2; the row and the table are named, and the id, which may be a person's, is not."""
    other = "" if label == "the same row again" else ".with_columns(label=pl.lit(0, dtype=pl.Int8))"
    project = run_with(labelled, (LABELS, f"    labels = pl.concat([labels, labels[7:8]{other}])\n{LABELS}"))
    assert project.verify().exit_code == 0
    example = pl.read_parquet(labelled / "artifacts/votes.parquet")["example_id"][7]
    for ask in (project.whatif, project.blast):
        with pytest.raises(
            InvalidRecord, match=r"labels of posts: example_id\[120\].* wanted each example once"
        ) as raised:
            ask("plain")
        assert example not in str(raised.value)
    with pytest.raises(InvalidRecord, match="each example once"):
        project.why(example)
    for verb in (("whatif", "--without", "plain"), ("blast", "plain"), ("why", example)):
        command = [sys.executable, "-m", "governance", *verb]
        asked = subprocess.run(command, cwd=labelled, capture_output=True, text=True, check=False, env={**os.environ})
        assert (asked.returncode, asked.stdout, "Traceback" in asked.stderr) == (2, "", False)


def test_data_with_one_id_twice_are_one_error(labelled):
    """Slices and gold of a row that stands twice would be those of either."""
    doubled = f"    frame = pl.concat([frame, frame[3:4]])\n{DATA}    frame = frame[:-1]\n"
    stated = STATED.replace("frame", "pl.read_parquet(rows)", 1).replace("len(frame)", "len(frame) + 1")
    project = run_with(labelled, (DATA, doubled), (STATED, stated))
    assert len(pl.read_parquet(labelled / "artifacts/rows.parquet")) == 121
    for ask in (project.whatif, project.blast):
        with pytest.raises(InvalidRecord, match=r"posts: example_id\[120\].* wanted each example once"):
            ask("plain")


def test_ids_that_are_no_text_are_refused_before_they_are_recorded(labelled):
    """Numbers are no ids of examples: no table that holds them comes to lie beside the votes."""
    numbered = "    labels = labels.with_columns(example_id=pl.int_range(pl.len()))\n"
    with pytest.raises(InvalidRecord, match="a non-empty text in every row"):
        run_with(labelled, (LABELS, numbered + LABELS))


def test_labels_of_no_row_are_rows_without_a_label(labelled):
    """An empty table holds nothing twice: what the label model would say is not what was recorded, so it is unknown."""
    report = run_with(labelled, (LABELS, f"    labels = labels[:0]\n{LABELS}")).whatif("plain")
    assert (report.exit_code, report.data["covered"]) == (4, 0)
    assert "otherwise than the label set says" in report.data["frozen"]["unknown"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda frame: pl.concat([frame, frame[:1]]), "wanted each example once"),
        (lambda frame: frame.drop("p_negative"), "a column 'p_negative'"),
    ],
)
def test_predictions_that_cannot_be_laid_beside_the_votes_are_unknown(reference_once, monkeypatch, fault, says):
    """The other tiers are told all the same, and no training is done on a guess."""
    whole = Rows.frame

    def frame(self, held):
        found = whole(self, held)
        return fault(found) if isinstance(held.record, Predictions) else found

    monkeypatch.setattr(Rows, "frame", frame)
    project = Project.find(reference_once)
    report = project.blast("vader", retrain=True)
    assert report.exit_code == 4
    assert says in report.data["predicted"]["unknown"]
    assert report.data["decisive"]["changed"] > 0
    plain = project.blast("vader")
    assert (plain.exit_code, plain.data["training"]) == (0, None)
    assert "--retrain says why" in plain.to_markdown()
