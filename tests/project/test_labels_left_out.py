"""`why`, `whatif` and `blast` on label sets that leave out rows without a label, or columns that others hold."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from labelled_project import make_labelled_project
from small_project import copy_of, once

from governance.errors import InvalidRecord, MissingEvidence
from governance.project import Project
from governance.project.why_more import beside_blocks

OUT = '    out = run.output("artifacts/labels.parquet")\n'


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "left_out", make_labelled_project)


@pytest.fixture
def labelled(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_of(made_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    return copy_of(made_once, tmp_path / "project")


def with_labels(root: Path, but: str) -> Project:
    """The project with other labels: `but` is done to their table before it is written and recorded."""
    path = root / "pipelines/label.py"
    text = path.read_text()
    assert OUT in text
    path.write_text(text.replace(OUT, f"    labels = labels.{but}\n{OUT}"))
    report = Project.find(root).repro()
    assert report.exit_code == 0, report.to_markdown()
    return Project.find(root)


def examples(root: Path) -> tuple[str, str]:
    """An example with a label, and one that nobody voted on."""
    votes = pl.read_parquet(root / "artifacts/votes.parquet")
    said = votes.select(pl.max_horizontal(pl.exclude("example_id")) >= 0).to_series()
    return votes.filter(said)["example_id"][0], votes.filter(~said)["example_id"][0]


def test_rows_without_a_vote_may_be_left_out_of_the_labels(labelled):
    """They count as rows without a label: nothing is broken, and every answer is that of the whole table."""
    whole = Project.find(labelled)
    whatif, blast = whole.whatif("plain").data, whole.blast("plain").data
    told, silent = examples(labelled)
    was = whole.explainer().answer(told)
    project = with_labels(labelled, 'filter("covered")')
    assert len(pl.read_parquet(labelled / "artifacts/labels.parquet")) < whatif["rows"]
    assert project.verify().exit_code == 0
    for part in ("rows", "covered", "frozen", "refitted"):
        assert project.whatif("plain").data[part] == whatif[part]
    assert project.blast("plain").data["decisive"] == blast["decisive"]
    now = project.explainer().answer(told)
    assert (now["label"], now["probability"]) == (was["label"], was["probability"])
    assert now["label"] is not None
    answer = project.why(silent)
    assert (answer.exit_code, answer.data["label"]) == (0, None)
    assert "labels" not in {one["of"] for one in answer.data["store"]["commitments"]}


def test_a_row_with_votes_that_the_labels_leave_out_is_unknown_and_not_broken(labelled):
    """Exit 4: the label model would label it, and the label set does not say that it did."""
    told, _ = examples(labelled)
    project = with_labels(labelled, f"filter(pl.col('example_id') != '{told}')")
    with pytest.raises(MissingEvidence, match=f"has no row for {told}"):
        project.why(told)
    report = project.whatif("plain")
    assert report.exit_code == 4
    assert "labels 1 of 120 rows otherwise" in report.data["frozen"]["unknown"]


def test_labels_without_probabilities_are_one_error_that_names_the_column(labelled):
    """What reckons with them asks for them by name; `why` answers without."""
    project = with_labels(labelled, 'drop("p_bad", "p_good")')
    for verb in (project.whatif, project.blast):
        with pytest.raises(InvalidRecord, match="a column 'p_bad'"):
            verb("plain")
    told, _ = examples(labelled)
    answer = project.why(told)
    assert answer.data["probability"] is None
    text = answer.to_markdown()
    assert "the label set holds no probabilities" in text
    assert "there is no gold" not in text


def test_labels_without_a_label_are_one_error_that_names_the_column(labelled):
    """Nothing can be said of a label set that holds none."""
    project = with_labels(labelled, 'rename({"label": "said"})')
    with pytest.raises(InvalidRecord, match="a column 'label'"):
        project.whatif("plain")


def test_why_does_without_log_odds_and_majority_vote(labelled):
    """And says which of them is not recorded."""
    project, (told, _) = Project.find(labelled), examples(labelled)
    answer = project.why(told)
    assert answer.data["recorded_log_odds"] is None
    assert answer.data["majority_recorded"] is False
    assert "what majority vote says is not recorded" in answer.to_markdown()
    project = with_labels(labelled, "with_columns(majority=pl.lit(-1))")
    assert "majority vote is tied" in project.why(told).to_markdown()


@pytest.mark.parametrize(
    ("gold", "says"),
    [
        ("the column gold", "gold is the column gold"),
        ("what people says", "gold is what people says"),
        ("sign of the mean human rating", "gold is the sign of the mean human rating"),
    ],
)
def test_gold_has_one_article(gold, says):
    """However it is named."""
    bins = [{"where": "all rows", "low": "0.5", "high": "0.6", "examples": 2, "right": 1, "share": "0.5"}]
    pattern = {"rows": 1, "neighbours": [], "more": {"patterns": 0, "rows": 0}}
    data = {
        "label": "good",
        "tied": False,
        "flip": {"without": ["plain"], "label": None},
        "pattern": pattern,
        "probability": "0.55",
        "calibration": {"gold": gold, "voted": None, "bins": bins},
    }
    assert str(list(beside_blocks(data))[-1]).endswith(f"; {says}")
