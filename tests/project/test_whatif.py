"""`whatif`: what the labels and predictions would be without a source is what doing it by hand gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from governance.errors import BrokenEvidence, InvalidRecord, MissingEvidence, UnknownName
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.endmodel import Preprocessing, train_end_model
from governance.project import Project
from governance.votes.table import read_votes

#: P(class | votes) of both ways
WITHIN = 1e-9
OTHERS = ("negative_words", "positive_words", "textblob", "vader")


def labeltrail(*arguments, folder):
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ})


@pytest.fixture(scope="module")
def tables(reference_once):
    """(examples, votes, labels) of the reference project, in one order."""
    votes = read_votes(reference_once / "artifacts/votes/votes.parquet")
    examples = pl.read_parquet(reference_once / "artifacts/data/screened.parquet")
    labels = pl.read_parquet(reference_once / "artifacts/labels/labels.parquet")
    assert examples["example_id"].to_list() == labels["example_id"].to_list() == votes.ids.to_list()
    return examples, votes, labels


def by_hand(tables, without):
    """(labels, P(class)) after dropping the columns and fitting from the start on the tweets, as the stage does."""
    examples, votes, _ = tables
    kept = [j for j, column in enumerate(votes.columns) if column not in without]
    matrix = np.ascontiguousarray(votes.matrix[:, kept])
    tweets = (examples["domain"] == "tweets").to_numpy()
    model = DawidSkene(strength=100.0, diagonal=0.7).fit(matrix[tweets], n_classes=2)
    return model.predict(matrix), model.predict_proba(matrix)


@pytest.mark.parametrize("without", [("vader",), ("afinn", "textblob"), ("exclamation",)])
def test_frozen_and_refitted_are_what_dropping_the_columns_gives(reference_once, tables, without):
    """Every count, on all rows and in each part, and accuracy beside gold."""
    examples, _, labels = tables
    told = Project.find(reference_once).whatif(*without).data
    was, gold = labels["label"].to_numpy(), examples["gold"].to_numpy()
    model = json.loads((reference_once / "artifacts/labels/label_model.json").read_text())
    assert model["parameters"]["diagonal"] == "0.7"
    now, _ = by_hand(tables, without)
    assert told["refitted"]["learned_from"]["rows"] == (examples["domain"] == "tweets").sum()
    assert_told(told["refitted"], was, now, gold, examples)
    frozen = frozen_by_hand(tables, model, without)
    assert_told(told["frozen"], was, frozen, gold, examples)
    assert [one["title"] for one in told["without"]] == list(without)
    assert told["retrained"] is None


def frozen_by_hand(tables, model, without):
    """Labels of the recorded tables, added up source by source from the file itself."""
    _, votes, _ = tables
    state = model["state"]
    scores = np.log([float(share) for share in state["balance"]])[None, :].repeat(len(votes), axis=0)
    kept = [j for j, column in enumerate(model["columns"]) if column not in without]
    for j in kept:
        said = votes.matrix[:, votes.columns.index(model["columns"][j])]
        table = np.array([[float(value) for value in row] for row in state["log_likelihood"][j]])
        scores += np.where((said >= 0)[:, None], table.T[np.maximum(said, 0)], 0.0)
    spoken = (votes.matrix[:, [votes.columns.index(model["columns"][j]) for j in kept]] >= 0).any(axis=1)
    return np.where(spoken, scores.argmax(axis=1), -1)


def assert_told(told, was, now, gold, examples):
    flipped, lost = (was >= 0) & (now >= 0) & (was != now), (was >= 0) & (now < 0)
    assert (told["flipped"], told["lost"], told["gained"]) == (flipped.sum(), lost.sum(), 0)
    assert told["changed"] == sum(pair["rows"] for pair in told["pairs"]) == (was != now).sum()
    for way, labels in (("before", was), ("after", now)):
        right = int((labels == gold)[labels >= 0].sum())
        assert told[way]["right"] == right
        assert told[way]["accuracy"] == repr(right / int((labels >= 0).sum()))
        assert float(told[way]["low"]) < float(told[way]["accuracy"]) < float(told[way]["high"])
    parts = {one["slice"]: one for one in told["slices"]}
    for domain in examples["domain"].unique():
        rows = (examples["domain"] == domain).to_numpy()
        assert parts[f"domain={domain}"]["flipped"] == int((flipped & rows).sum())
        assert parts[f"domain={domain}"]["lost"] == int((lost & rows).sum())
    for sort in ("domain", "split", "text length", "voting sources"):
        of_sort = [one for name, one in parts.items() if name.startswith(f"{sort}=")]
        assert sum(one["rows"] for one in of_sort) == len(examples)
        assert sum(one["changed"] for one in of_sort) == told["changed"]
    assert [bool(flipped[examples["example_id"].to_list().index(one)]) for one in told["first"]] == [True] * len(
        told["first"]
    )


def test_retrain_gives_what_a_training_on_the_refitted_labels_gives(reference_once, tables):
    """Predictions that change, as training by hand on labels that were refitted by hand has them."""
    examples, _, _ = tables
    told = Project.find(reference_once).whatif("vader", retrain=True).data["retrained"]
    label, proba = by_hand(tables, ("vader",))
    frame = examples.with_columns(pl.Series("label", label), pl.Series("row", np.arange(len(label))))
    rows = frame.filter((pl.col("domain") == "tweets") & (pl.col("split") == "train") & (pl.col("label") >= 0))
    rows = rows.sort("example_id")
    record = Project.find(reference_once).show("model").data["body"]["parameters"]
    model, _ = train_end_model(
        rows["text"].to_list(),
        proba[rows["row"].to_numpy()],
        classes=("negative", "positive"),
        preprocessing=Preprocessing(
            record["token_pattern"], int(record["longest_ngram"]), int(record["min_documents"])
        ),
        l2=float(record["l2"]),
        max_iterations=int(record["max_iterations"]),
    )
    now = model.predict(examples["text"].to_list())
    was = pl.read_parquet(reference_once / "artifacts/evaluation/predictions.parquet")["prediction"].to_numpy()
    assert told["flipped"] == (was != now).sum() > 0
    assert told["trained_on"]["after"] == len(rows)
    assert float(told["again_within"]) < 1e-6
    assert float(told["seconds"]) > 0


def test_the_answer_comes_as_table_data_and_markdown(reference_once):
    """Exit 0, nothing on stderr, and the stable version of the schema."""
    shown = labeltrail("whatif", "--without", "vader", "--without", "afinn", folder=reference_once)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "refitted: learned again without it" in shown.stdout
    data = json.loads(labeltrail("whatif", "--without", "vader", "--json", folder=reference_once).stdout)
    assert (data["schema_version"], data["verb"]) == (1, "whatif")
    assert data["gold"]["says"] == "sign of the mean human rating"
    assert "| domain=tweets |" in labeltrail("whatif", "--without", "vader", "--md", folder=reference_once).stdout
    assert labeltrail("whatif", folder=reference_once).returncode == 2


@pytest.mark.parametrize(
    ("without", "error", "says"),
    [
        (("vadr",), UnknownName, "no source is named 'vadr'"),
        (("source:0000",), UnknownName, "no source is named"),
        (
            ("afinn", "contrast", "emoticons", "exclamation", "negation", *OTHERS),
            InvalidRecord,
            "at least one of the 9 sources left to vote",
        ),
        ((), InvalidRecord, "without: given"),
    ],
)
def test_sources_that_cannot_be_left_out_are_one_error(reference_once, without, error, says):
    """A typing error, a name of nothing, all of them, none of them."""
    with pytest.raises(error, match=says) as raised:
        Project.find(reference_once).whatif(*without)
    assert "vadr" not in without or "vader" in (raised.value.hint or "")


def test_sources_with_a_comma_between_them_are_told_to_be_named_one_by_one(reference_once):
    """The command to write, where each of them is a source; else what was probably meant."""
    with pytest.raises(UnknownName) as raised:
        Project.find(reference_once).whatif("vader,afinn")
    assert raised.value.hint == "name each by itself: `--without vader --without afinn`"
    with pytest.raises(UnknownName) as raised:
        Project.find(reference_once).whatif("vader,nobody")
    assert raised.value.hint == "did you mean vader?"


def test_a_source_is_found_by_title_column_name_and_shortened_name(reference_once):
    """And the same one twice is left out once."""
    project = Project.find(reference_once)
    (source,) = project.whatif("vader").data["without"]
    shortened = source["source"][:19]
    assert project.whatif(source["source"], shortened, "vader").data["without"] == [source]


def test_without_gold_the_effect_is_unknown_and_the_flips_are_told(reference):
    """Half of the answer needs nobody who knows what is right."""
    project = Project.find(reference)
    told = project.whatif("vader").data
    votes, labels = (reference / f"artifacts/{name}.parquet" for name in ("votes/votes", "labels/labels"))
    assert votes.exists()
    assert labels.exists()
    from governance.project.counterfactual.whatif import Loaded

    loaded = Loaded.read(config=project.config, trail=project.trail, facts=project.current_facts())
    object.__setattr__(loaded, "gold", None)
    blind = loaded.whatif(loaded.chosen(["vader"], known=project.facts()))
    assert blind["gold"] is None
    assert blind["refitted"]["before"] is blind["refitted"]["after"] is None
    assert blind["refitted"]["flipped"] == told["refitted"]["flipped"]


def test_votes_or_labels_that_were_changed_are_not_reckoned_with(reference):
    """Exit 3: what would be without a source is asked of the recorded votes and of no others."""
    path = reference / "artifacts/labels/labels.parquet"
    frame = pl.read_parquet(path)
    path.unlink()
    frame.with_columns(pl.lit(0).cast(pl.Int8).alias("label")).write_parquet(path)
    with pytest.raises(BrokenEvidence, match=r"labels\.parquet"):
        Project.find(reference).whatif("vader")
    assert labeltrail("whatif", "--without", "vader", folder=reference).returncode == 3
    path.unlink()
    assert labeltrail("whatif", "--without", "vader", folder=reference).returncode == 4


def test_without_labels_it_says_which_command_makes_them(project):
    """Exit 4 in a project that has no label set, for both verbs."""
    with pytest.raises(MissingEvidence, match="no record of kind labels"):
        Project.find(project).whatif("vader")
    asked = labeltrail("whatif", "--without", "vader", folder=project)
    assert (asked.returncode, "Traceback" in asked.stderr) == (4, False)
    assert labeltrail("blast", "vader", folder=project).returncode == 4


def test_rows_that_were_erased_are_not_reckoned_with(reference):
    """Compared is with a fit on what is left, and the answer says so."""
    project = Project.find(reference)
    example = pl.read_parquet(reference / "artifacts/data/screened.parquet")["example_id"][5]
    before = project.whatif("vader").data
    assert project.subject_erase(example, reason="she asked").exit_code == 0
    told = Project.find(reference).whatif("vader").data
    assert (told["rows"], told["erased"]) == (before["rows"] - 1, 1)
    assert "erased" in told["refitted"]["learned_from"]["says"]
    assert example not in json.dumps(told)


def test_a_label_model_that_nobody_can_fit_again_is_told_as_unknown(reference_once, monkeypatch):
    """Frozen is told all the same, exit 4; a training on labels that nobody knows is unknown too."""
    from governance.project.counterfactual import refit

    monkeypatch.setattr(refit, "_PREFIX", "no such parameter")
    report = Project.find(reference_once).whatif("vader", retrain=True)
    assert report.exit_code == 4
    assert "does not give the recorded label model again" in report.data["refitted"]["unknown"]
    assert report.data["retrained"] == report.data["refitted"]
    assert report.data["frozen"]["flipped"] > 0
    assert "unknown, because" in report.to_markdown()


def test_a_training_that_does_not_give_the_recorded_model_is_told_as_unknown(reference_once, monkeypatch):
    """What another training would say is not guessed."""
    from governance.project.counterfactual import retrain

    monkeypatch.setattr(retrain, "AGAIN", -1.0)
    report = Project.find(reference_once).whatif("vader", retrain=True)
    assert report.exit_code == 4
    assert "is not the recorded one" in report.data["retrained"]["unknown"]
    monkeypatch.setattr(retrain, "TRAIN", "another split")
    told = Project.find(reference_once).whatif("vader", retrain=True).data["retrained"]
    assert "does not say which rows" in told["unknown"]


def test_the_folder_of_the_tests_is_left_as_it_was(reference_once):
    """Reading verbs write nothing."""
    before = {path: path.stat().st_mtime_ns for path in Path(reference_once, "artifacts").rglob("*")}
    Project.find(reference_once).whatif("vader")
    Project.find(reference_once).blast("vader")
    assert {path: path.stat().st_mtime_ns for path in Path(reference_once, "artifacts").rglob("*")} == before
