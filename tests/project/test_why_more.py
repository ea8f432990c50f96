"""`why` says how firm a label is, who voted nearly the same, and how often such labels are right."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from governance.digest import file_digest
from governance.errors import UnknownName
from governance.facts import Facts
from governance.labelmodels import load
from governance.lineage.rows import _unknown
from governance.project import Project
from governance.project.why import Explainer
from governance.records import Result, Votes
from governance.votes.table import read_votes, write_votes


@pytest.fixture(scope="module")
def answers(reference_once):
    """Answers for the first examples of every domain, and the explainer that gave them."""
    explainer = Project.find(reference_once).explainer()
    return {example: explainer.answer(example) for example in explainer.examples[::5]}


@pytest.fixture(scope="module")
def model(reference_once):
    return load(reference_once / "artifacts/labels/label_model.json")


def rows_of(reference_once, model):
    votes = read_votes(reference_once / "artifacts/votes/votes.parquet")
    order = [votes.columns.index(column) for column in model.columns_]
    return dict(zip(votes.ids.to_list(), votes.matrix[:, order], strict=True))


def test_the_votes_that_are_named_change_the_label(reference_once, answers, model):
    """Without them the label model says what was told."""
    rows = rows_of(reference_once, model)
    for example, told in answers.items():
        if told["label"] is None:
            assert told["flip"] is None
            continue
        left = rows[example].copy()
        left[[model.columns_.index(title) for title in told["flip"]["without"]]] = -1
        label = int(model.predict(left[None, :])[0])
        assert (model.classes_[label] if label >= 0 else None) == told["flip"]["label"] != told["label"]


def test_neighbours_are_rows_with_one_other_vote(reference_once, answers, model):
    """As many as looking at every row finds, and their label."""
    rows = rows_of(reference_once, model)
    matrix = np.maximum(np.stack(list(rows.values())), -1)
    for example, told in answers.items():
        differing = (matrix != np.maximum(rows[example], -1)).sum(axis=1)
        assert told["pattern"]["rows"] == (differing == 0).sum()
        near = told["pattern"]["neighbours"]
        assert sum(one["rows"] for one in near) + told["pattern"]["more"]["rows"] == (differing == 1).sum()
        for one in near:
            assert (one["probability"] is None) == (one["label"] is None)


def test_calibration_counts_the_gold_of_the_same_bin(reference_once, answers):
    """All labelled rows, and those of the example's own domain, whose probability lies in the bin."""
    labels = pl.read_parquet(reference_once / "artifacts/labels/labels.parquet")
    examples = pl.read_parquet(reference_once / "artifacts/data/screened.parquet")
    frame = examples.join(labels, on="example_id", maintain_order="left").filter("covered")
    frame = frame.with_columns(p=pl.max_horizontal("p_negative", "p_positive"), right=pl.col("label") == pl.col("gold"))
    for example, told in answers.items():
        if told["label"] is None:
            assert told["calibration"] is None
            continue
        everywhere, at_home = told["calibration"]["bins"]
        assert at_home["where"] == f"domain={example.partition('/')[0]}"
        probability = float(told["probability"])
        for one, rows in ((everywhere, frame), (at_home, frame.filter(domain=example.partition("/")[0]))):
            low, high = float(one["low"]), float(one["high"])
            assert low <= probability <= high + 1e-12
            # The lowest bin holds its lower edge too.
            inside = rows.filter((pl.col("p") > low) | (low == 0.5), pl.col("p") <= high)
            assert (one["examples"], one["right"]) == (len(inside), int(inside["right"].sum()))


def test_people_read_it_in_sentences(reference_once, answers):
    """The smallest flip, the neighbours, and gold; a row without a vote says none of it."""
    labelled = next(example for example, told in answers.items() if told["label"])
    text = Project.find(reference_once).why(labelled).to_markdown()
    assert "no fewer votes change it" in text
    assert "voted on exactly so" in text
    assert "gold is the sign of the mean human rating" in text
    labels = pl.read_parquet(reference_once / "artifacts/labels/labels.parquet")
    silent = labels.filter(~pl.col("covered"))["example_id"][0]
    assert "no fewer votes" not in Project.find(reference_once).why(silent).to_markdown()


def test_an_id_that_is_none_is_answered_with_what_an_id_looks_like(reference_once, answers):
    """Those that end as what was given, else the first one of the table."""
    first = next(iter(answers))
    with pytest.raises(UnknownName) as caught:
        Project.find(reference_once).why(first.rpartition("/")[2])
    assert first in str(caught.value.hint)
    with pytest.raises(UnknownName) as caught:
        Project.find(reference_once).why("?")
    assert caught.value.hint == f"an id looks like {first} here"
    # The 3000th is no less meant than one of the first that looks like it.
    index = {f"t/{number}": number for number in range(5000)}
    assert _unknown("4812", index).hint == "did you mean t/4812?"


def test_one_answer_and_many_say_the_same(reference_once, answers):
    """An explainer that has every key at hand opens the same leaves as one question does."""
    for example in list(answers)[:5]:
        alone = json.loads(json.dumps(Project.find(reference_once).why(example).data))
        assert alone == json.loads(json.dumps(answers[example]))


def test_the_votes_that_are_told_are_those_that_the_label_came_from(reference):
    """Also where other votes on the same examples, in another order, were recorded since."""
    project = Project.find(reference)
    facts = project.current_facts()
    table = read_votes(reference / "artifacts/votes/votes.parquet")
    path = reference / "artifacts/votes/others.parquet"
    write_votes(replace(table, ids=table.ids.reverse(), matrix=table.matrix[::-1]), path)
    votes = facts.of(Votes)[-1]
    others = votes.model_copy(update={"title": "others", "sha256": file_digest(path), "content": "7" * 64})
    others = Votes.make(**others.body())
    made = next(result for result in facts.of(Result) if votes.name in result.generated)
    output = {"path": "artifacts/votes/others.parquet", "sha256": others.sha256, "bytes": path.stat().st_size}
    result = Result.make(**{**made.body(), "stage": "others", "outputs": [output], "generated": [others.name]})
    told, told_since = (
        Explainer(config=project.config, trail=project.trail, facts=Facts(known))
        for known in (facts, [*facts, others, result])
    )
    for example in told.examples[::50]:
        assert told_since.answer(example) == told.answer(example)
