"""What changed since last week? A word list and a parameter were edited, and labels and figures moved."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from small_project import git

from governance.project import Project
from governance.records import Evaluation


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now, 1))


@pytest.fixture
def week(reference: Path) -> tuple[Path, pl.DataFrame, Evaluation]:
    """The project after the edits and a repro, with the labels and the evaluation of before; one change is committed."""
    labels = pl.read_parquet(reference / "artifacts/labels/labels.parquet")
    evaluation = Project.find(reference).current_facts().one(Evaluation)
    edit(reference, "pipelines/sources/_words.py", '"awful",', '"awful",\n        "number",')
    git(reference, "commit", "-q", "-a", "-m", "a word more")
    edit(reference, "params.yaml", "strength: 100", "strength: 20")
    report = Project.find(reference).repro(
        summary=reference / "reports/summary.md", junit=reference / "reports/junit.xml"
    )
    assert int(report.exit_code) == 0, report.to_markdown()
    return reference, labels, evaluation


def test_diff_names_the_list_the_parameter_the_flipped_labels_and_the_figures(week):
    """Where it began, stage by stage; flips equal a recount; deltas are those of the evaluations; exit 0."""
    root, before, evaluation = week
    project = Project.find(root)
    report = project.diff("combine")
    assert int(report.exit_code) == 0, report.data["unknown"]
    told = report.data
    assert [(one["stage"], one["says"]) for one in told["began"]] == [
        ("vote", ["code pipelines/sources/_words.py: NEGATIVE changed"]),
        ("combine", ["parameter combine.strength changed from 100 to 20"]),
    ]

    after = pl.read_parquet(root / "artifacts/labels/labels.parquet")
    then = dict(zip(before["example_id"].to_list(), before["label"].to_list(), strict=True))
    names = {-1: "no label", 0: "negative", 1: "positive"}
    recount = Counter(
        (names[then[example]], names[label])
        for example, label in zip(after["example_id"].to_list(), after["label"].to_list(), strict=True)
        if then[example] != label
    )
    flips = next(one for one in told["effect"]["outputs"] if one["path"] == "artifacts/labels/labels.parquet")["labels"]
    assert {(pair["was"], pair["now"]): pair["examples"] for pair in flips["pairs"]} == recount
    assert flips["flipped"] == sum(count for pair, count in recount.items() if "no label" not in pair) > 0

    now = project.current_facts().one(Evaluation)
    changes = told["effect"]["metrics"]["changes"]
    assert len(changes) > 10
    for change in changes:
        of = {"of": change["of"], "slice": change["slice"]}
        was_metric, now_metric = evaluation.metric(change["metric"], **of), now.metric(change["metric"], **of)
        values = [metric.value if metric else None for metric in (was_metric, now_metric)]
        assert [change["was"], change["now"]] == values
        if change["delta"] is not None:
            assert Decimal(change["delta"]) == Decimal(values[1] or 0) - Decimal(values[0] or 0)
    same = sum(
        (found := evaluation.metric(m.metric, of=m.of, slice=m.slice)) is not None and found.value == m.value
        for m in now.metrics
    )
    assert told["effect"]["metrics"]["same"] == same


def test_diff_follows_the_votes_by_source_and_the_model_by_tensor(week):
    """Each stage on the way tells its own part: columns of votes, tensors of the model, predictions that flipped."""
    root, _, _ = week
    project = Project.find(root)
    votes = project.diff("vote").data
    table = next(one for one in votes["effect"]["outputs"] if one["path"] == "artifacts/votes/votes.parquet")["rows"]
    assert "negative_words" in table["columns"]
    assert "vader" not in table["columns"]
    named = [source["title"] for source in votes["effect"]["sources"]]
    assert "negative_words" in named
    assert "vader" not in named
    assert all(source["was"] and source["now"] for source in votes["effect"]["sources"])
    told = project.diff("vote").to_markdown()
    assert "has a new version (source:" in told
    assert "no difference told in" not in told or "findings" not in told.split("no difference told in")[1].replace(
        "outcomes of findings", ""
    )
    folder = next(one for one in votes["inputs"] if one["path"] == "pipelines/sources")
    assert folder["files"]["changed"] == ["_words.py"]
    assert "tensor" in str(project.diff("train").data["effect"]["outputs"])
    evaluated = project.diff("evaluate").data
    predictions = next(one for one in evaluated["effect"]["outputs"] if one["path"].endswith("predictions.parquet"))
    assert predictions["labels"]["flipped"] == predictions["rows"]["columns"].get("prediction", 0)
    assert {one["stage"] for one in evaluated["began"]} == {"vote", "combine"}


def test_the_summary_tells_the_same_in_short_and_names_no_example(week):
    """Parameter, word list, figures, what to do next; not one id or text."""
    root, _, _ = week
    text = (root / "reports/summary.md").read_text()
    assert "**Exit code 0**" in text
    assert "NEGATIVE changed" in text
    assert "parameter combine.strength changed from 100 to 20" in text
    assert "labeltrail diff evaluate" in text
    changes = Project.find(root).diff("evaluate").data["effect"]["metrics"]["changes"]
    first = max((change for change in changes if change["delta"]), key=lambda change: abs(Decimal(change["delta"])))
    figures = [f"{float(first[when]):.4f}" for when in ("was", "now")]
    cells = [first["metric"], first["of"].replace("_", "\\_"), first["slice"], *figures]
    assert f"| {' | '.join(cells)} |" in text
    assert len(text.encode()) < 60_000
    examples = pl.read_parquet(root / "artifacts/data/examples.parquet")
    for column in ("example_id", "text"):
        assert not [value for value in examples[column].to_list() if f"{value} " in f"{text} "]
