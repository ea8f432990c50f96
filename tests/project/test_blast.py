"""`blast`: what a source touched and decided is what counting by hand gives, and what hangs on it is told."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from test_whatif import by_hand, frozen_by_hand, labeltrail

from governance.errors import UnknownName
from governance.project import Project
from governance.records import Labels, Votes
from governance.votes.table import read_votes


@pytest.fixture(scope="module")
def tables(reference_once):
    votes = read_votes(reference_once / "artifacts/votes/votes.parquet")
    examples = pl.read_parquet(reference_once / "artifacts/data/screened.parquet")
    return examples, votes, pl.read_parquet(reference_once / "artifacts/labels/labels.parquet")


@pytest.mark.parametrize("source", ["vader", "negative_words"])
def test_the_tiers_are_what_counting_gives(reference_once, tables, source):
    """Rows it voted on, rows it decided, of both those that the end model was trained on."""
    examples, votes, labels = tables
    told = Project.find(reference_once).blast(source).data
    touched = votes.matrix[:, votes.columns.index(source)] >= 0
    model = json.loads((reference_once / "artifacts/labels/label_model.json").read_text())
    was, now = labels["label"].to_numpy(), frozen_by_hand(tables, model, (source,))
    decided = was != now
    assert not (decided & ~touched).any()
    assert told["touched"]["rows"] == touched.sum() == sum(told["touched"]["votes"].values())
    assert told["decisive"]["changed"] == decided.sum()
    assert told["decisive"]["lost"] == ((was >= 0) & (now < 0)).sum()
    rows = ((examples["domain"] == "tweets") & (examples["split"] == "train")).to_numpy() & (was >= 0)
    assert told["training"] == {
        "rows": int(rows.sum()),
        "touched": int((touched & rows).sum()),
        "decisive": int((decided & rows).sum()),
    }
    assert told["predicted"] is None
    by_part = {one["slice"]: one for one in told["touched"]["slices"]}
    for domain in examples["domain"].unique():
        here = (examples["domain"] == domain).to_numpy()
        assert by_part[f"domain={domain}"]["touched"] == (touched & here).sum()
        assert by_part[f"domain={domain}"]["decisive"] == (decided & here).sum()


def test_predicted_is_what_whatif_retrains(reference_once, tables):
    """The third tier is the training on labels that were learned without the source."""
    project = Project.find(reference_once)
    told = project.blast("afinn", retrain=True)
    retrained = project.whatif("afinn", retrain=True).data["retrained"]
    assert told.data["predicted"]["changed"] == retrained["changed"]
    assert told.exit_code == 0
    label, _ = by_hand(tables, ("afinn",))
    assert told.data["predicted"]["trained_on"]["after"] <= int((label >= 0).sum())
    assert "predicted: the end model says otherwise" in told.to_markdown()


def test_what_hangs_on_a_source_is_what_was_derived_from_it(reference_once):
    """Votes, label model, labels, end model, predictions, figures and documents, by the edges of the records."""
    project = Project.find(reference_once)
    hangs = project.blast("vader").data["hangs"]
    assert {"votes", "labelmodel", "labels", "model", "predictions", "evaluation", "document"} <= set(hangs)
    facts = project.current_facts()
    assert [one["name"] for one in hangs["votes"]] == [facts.one(Votes).name]
    assert [one["name"] for one in hangs["labels"]] == [facts.one(Labels).name]
    assert all(one["name"] in facts for found in hangs.values() for one in found)
    assert not any(one["label"].endswith("of afinn") for one in hangs.get("sourcetext", []))


def test_a_version_that_no_longer_votes_is_told_by_the_records_alone(reference):
    """Exit 4: no row can be looked at, and what hung on it in this store is counted."""
    before = Project.find(reference).source("exclamation").data["name"]
    code = reference / "pipelines/sources/exclamation.py"
    code.write_text(code.read_text() + "\n\nMOST = 3\n")
    described = reference / "pipelines/sources/exclamation.yaml"
    described.write_text(described.read_text().replace("version: ", "version: 9", 1))
    assert Project.find(reference).repro().exit_code == 0
    project = Project.find(reference)
    assert project.source("exclamation").data["name"] != before
    told = project.blast(before)
    assert told.exit_code == 4
    assert told.data["touched"] is None
    assert told.data["hangs"] == {}
    assert told.data["store"]["earlier"]["labels"] == 1
    asked = labeltrail("blast", before[:19], folder=reference)
    assert (asked.returncode, asked.stderr) == (4, "")
    assert "did not vote in the current votes" in asked.stdout
    refused = labeltrail("whatif", "--without", before, folder=reference)
    assert (refused.returncode, "a source version that voted" in refused.stderr) == (2, True)


def test_an_unknown_source_is_one_error_with_the_nearest(reference_once):
    """Exit 2."""
    with pytest.raises(UnknownName, match="no source is named 'textblub'") as raised:
        Project.find(reference_once).blast("textblub")
    assert "textblob" in (raised.value.hint or "")
    assert labeltrail("blast", "textblub", folder=reference_once).returncode == 2


def test_the_answer_comes_as_table_data_and_markdown(reference_once):
    """Exit 0 and the stable version of the schema."""
    shown = labeltrail("blast", "vader", folder=reference_once)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "decisive: the label flips without its vote" in shown.stdout
    data = json.loads(labeltrail("blast", "vader", "--json", folder=reference_once).stdout)
    assert (data["schema_version"], data["verb"]) == (1, "blast")
    assert "| touched: it voted |" in labeltrail("blast", "vader", "--md", folder=reference_once).stdout


def test_labels_that_the_label_model_does_not_give_have_no_decisive_tier(reference_once, monkeypatch):
    """Touched is counted from the votes; what a vote decided is unknown, exit 4."""
    from governance.labelmodels.dawid_skene import DawidSkene

    monkeypatch.setattr(DawidSkene, "predict", lambda self, votes: np.zeros(len(votes), dtype=np.int8))
    report = Project.find(reference_once).blast("vader")
    assert report.exit_code == 4
    assert report.data["touched"]["rows"] > 0
    assert "otherwise than the label set says" in report.data["decisive"]["unknown"]
    assert report.data["training"] is None
    assert "decisive: unknown" in report.to_markdown()
