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
from governance.records import LongVotes

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


TABLE = """    table, path = applied.table, run.output("artifacts/votes.parquet")
    write_votes(table, path)
"""
IN_LONG_FORM = """    path = run.output("artifacts/votes.parquet")
    answers = answers_of(applied.table)
    given = {name: np.delete(getattr(answers, name), 7) for name in ("example", "source", "repeat", "vote")}
    given["vote"][3] = -3
    answers = replace(answers, **given)
    write_votes(answers, path)
    table = answers.wide()
"""
RECORD = """    votes = Votes.make(
        title="votes", dataset=dataset.name, sha256=file_digest(path), content=content_digest(read_table(path)),
        **vote_counts(table, error_types=applied.error_types), revoted"""


def test_votes_in_long_form_are_told_of_the_example_that_is_asked_about(labelled):
    """One was refused and another never asked, which a wide table cannot tell apart: an example has a row an answer."""
    path = labelled / "pipelines/label.py"
    text = path.read_text()
    assert TABLE in text
    assert RECORD in text
    imports = "from dataclasses import replace\n\nimport numpy as np\nimport polars as pl\n"
    imports += "from governance.votes.analysis import votes_record\nfrom governance.votes.answers import answers_of\n"
    text = text.replace("import polars as pl\n", imports, 1).replace(TABLE, IN_LONG_FORM)
    since = RECORD.replace("Votes.make(", "votes_record(\n        answers, error_types=applied.error_types,")
    path.write_text(text.replace(RECORD, since.replace("**vote_counts(table, error_types=applied.error_types), ", "")))
    report = Project.find(labelled).repro()
    assert report.exit_code == 0, report.to_markdown()
    project = Project.find(labelled)
    (votes,) = project.current_facts().of(LongVotes)
    answers = pl.read_parquet(labelled / "artifacts/votes.parquet")
    labels = pl.read_parquet(labelled / "artifacts/labels.parquet")
    assert votes.answers == len(answers) == 3 * 120 - 1
    explainer = project.explainer()
    assert len(explainer.examples) == 120
    for example in explainer.examples:
        told = explainer.answer(example)
        said = dict(answers.filter(example_id=example).select("source", "vote").iter_rows())
        assert {vote["column"]: vote["vote"] for vote in told["votes"]} == {"mixed": -3, "plain": -3, "rare": -3} | said
        label = labels.filter(example_id=example)["label"][0]
        assert told["label"] == (["bad", "good"][label] if label >= 0 else None)
        # Each answer has a leaf of its own.
        assert sum(one["of"] == "votes" for one in told["store"]["commitments"]) == len(said)


@pytest.mark.parametrize("instead", ["pl.lit(-1)", "pl.lit(None)", 'pl.lit(1) - pl.col("label")'])
def test_a_recorded_label_that_the_label_model_did_not_give_is_told_beside_its_own(labelled, instead):
    """A stage may want a label to be surer than its model is, or know better."""
    told, silent = examples(labelled)
    was = Project.find(labelled).why(told)
    project = with_labels(
        labelled, f'with_columns(label=pl.when("covered").then({instead}).otherwise(-1).cast(pl.Int8))'
    )
    report = project.why(told)
    assert was.data["label"] == was.data["recorded_label"] == report.data["label"] != report.data["recorded_label"]
    assert "it is recorded" not in was.to_markdown()
    assert "did not take what its label model gives" in report.to_markdown()
    assert "it is recorded" not in project.why(silent).to_markdown()
