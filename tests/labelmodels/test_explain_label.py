from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelmodel_votes import simulated, table_of

from governance.errors import InvalidRecord
from governance.labelmodels._base import log_odds
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.explain import explain
from governance.labelmodels.majority import MajorityVote


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(0, 50))
def test_contributions_add_up_to_what_the_batch_path_stored(classes, seed):
    """Exactly to the log-odds that are told, in any order, and within 1e-9 to the batch path's, for its label."""
    matrix, _ = simulated(rows=60, classes=classes, seed=seed)
    model = DawidSkene(strength=5.0, max_iterations=20).fit(matrix, n_classes=classes)
    labels, stored = model.predict(matrix), log_odds(model.predict_scores(matrix))
    for row, label, odds in zip(matrix, labels, stored, strict=True):
        told = explain(model, row)
        assert told.label == label
        if label < 0:
            assert told.log_odds is None
            continue
        parts = [told.prior, *(part.log_odds for part in told.contributions)]
        assert told.log_odds == math.fsum(parts) == math.fsum(reversed(parts)) == float(sum(map(Fraction, parts)))
        assert math.isclose(told.log_odds, odds, abs_tol=1e-9)
        assert told.tied == (odds == 0)


def test_each_contribution_is_the_ratio_of_two_likelihoods():
    """A source's contribution is log P(vote | label) - log P(vote | runner-up), of its own table and its own vote."""
    matrix, _ = simulated(rows=300, classes=3)
    model = DawidSkene().fit(matrix, n_classes=3)
    row = np.array([2, 1, -1, 2, -2], dtype=np.int8)
    told = explain(model, row)
    ranked = np.argsort(-model.predict_scores(row[None])[0])
    assert (told.label, told.runner_up) == (ranked[0], ranked[1])
    for j, part in enumerate(told.contributions):
        table = model.log_likelihood_[j]
        expected = 0.0 if row[j] < 0 else table[told.label, row[j]] - table[told.runner_up, row[j]]
        assert part.log_odds == pytest.approx(expected, abs=1e-15)
    assert told.prior == pytest.approx(math.log(model.balance_[told.label] / model.balance_[told.runner_up]))


def test_it_names_column_source_and_what_was_said(table):
    """Each part names column, source version and vote in words; silence is told apart and adds exactly 0."""
    model = DawidSkene().fit(table)
    told = explain(model, {"s0": 1, "s1": -1, "s2": -2, "s3": -3, "s4": 0})
    assert [part.column for part in told.contributions] == list(table.columns)
    assert [part.source for part in told.contributions] == list(table.sources)
    assert [part.said for part in told.contributions] == ["positive", "abstained", "error", "skipped", "negative"]
    assert [part.log_odds for part in told.contributions[1:4]] == [0.0, 0.0, 0.0]
    assert {told.label_name, told.runner_up_name} == {"negative", "positive"}
    assert explain(DawidSkene().fit(table), {"s4": 0, "s3": -3, "s2": -2, "s1": -1, "s0": 1}) == told
    assert json.loads(json.dumps(told.to_json()))["log_odds"] == told.log_odds


def test_nobody_voted_has_no_label(table):
    """A row of silence is explained as having no label and no log-odds."""
    told = explain(DawidSkene().fit(table), [-1] * 5)
    assert (told.label, told.label_name, told.runner_up, told.log_odds) == (-1, None, -1, None)


def test_a_tie_is_told_as_the_batch_path_tells_it():
    """Two equal classes give the lower index on both paths, and log-odds of 0 that are told to be a tie."""
    matrix = np.array([[0, 1], [1, 0]] * 20, dtype=np.int8)
    model = DawidSkene(balance=[0.5, 0.5]).fit(matrix, n_classes=2)
    told = explain(model, [0, 1])
    assert (told.label, told.runner_up, told.tied) == (0, 1, True)
    assert told.log_odds == pytest.approx(0.0, abs=1e-12)
    assert model.predict(matrix).tolist() == [0] * 40


@pytest.mark.parametrize("bits", [-2, -1, 1, 2])
def test_a_tie_but_for_the_last_bits_is_told_as_the_batch_path_tells_it(bits):
    """A table that rounding moved by some last bits changes neither label nor tie on either path."""
    matrix = np.array([[0, 1], [1, 0]] * 20, dtype=np.int8)
    model = DawidSkene(balance=[0.5, 0.5]).fit(matrix, n_classes=2)
    model.log_likelihood_[0, 1, 0] += bits * np.spacing(model.log_likelihood_[0, 1, 0])
    for row in ([0, 1], [1, 0]):
        told = explain(model, row)
        assert (told.label, told.runner_up, told.tied) == (0, 1, True)
        assert told.log_odds == pytest.approx(0.0, abs=1e-12)
        assert model.predict(np.array([row], dtype=np.int8)).tolist() == [0]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([0, 1], r"votes: given \[2\], wanted one vote for each of 5 sources"),
        ([0, 1, 0, 1, 2], "given 2, wanted a class index"),
        ([0.5] * 5, "whole numbers"),
        ({"s0": 1}, "votes: given 's1'"),
        ({f"s{j}": 0 for j in range(6)}, "votes: given 's5'"),
    ],
)
def test_a_row_of_other_sources_is_refused(table, row, says):
    """Too few, too many, unknown and impossible votes are refused."""
    with pytest.raises(InvalidRecord, match=says):
        explain(DawidSkene().fit(table), row)


def test_a_model_without_additive_evidence_is_refused(table):
    """Majority vote has no log-odds to add up and says so."""
    with pytest.raises(InvalidRecord, match="whose evidence adds up"):
        explain(MajorityVote().fit(table), [0] * 5)  # type: ignore[arg-type]


def test_a_table_of_one_row_is_explained():
    """A single row learned and explained adds up too."""
    table = table_of([[1, 0, -1]])
    model = DawidSkene().fit(table)
    told = explain(model, table.matrix[0])
    assert told.log_odds == pytest.approx(log_odds(model.predict_scores(table))[0], abs=1e-12)
