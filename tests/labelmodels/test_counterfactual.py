"""Counterfactuals are what dropping the columns and fitting from the start gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelmodel_votes import simulated

from governance.errors import InvalidRecord, UnknownName
from governance.labelmodels import _refits
from governance.labelmodels._base import normalised
from governance.labelmodels.counterfactual import counterfactuals, without_sources
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote

#: log P(vote | class) and P(class | votes) of both ways, which add up in other orders
WITHIN = 1e-9


@pytest.fixture(params=["each by itself", "together"])
def way(request, monkeypatch):
    """Few votes are fitted one model after the other, many all at once: both have to be right."""
    monkeypatch.setattr(_refits, "_FEW", -1 if request.param == "together" else 1 << 30)


def by_brute_force(model, matrix, without, *, learned_from=None):
    """(labels, P(class)) of the public interface on the matrix without the columns."""
    kept = [j for j, column in enumerate(model.columns_) if column not in without]
    left = np.ascontiguousarray(matrix[:, kept])
    again = DawidSkene(**model.get_params()).fit(
        left if learned_from is None else left[learned_from], n_classes=len(model.classes_)
    )
    return again, again.predict(left), again.predict_proba(left)


def assert_equal_to_brute_force(model, matrix, found, **more):
    for one in found.each:
        silenced = matrix.copy()
        silenced[:, [model.columns_.index(column) for column in one.without]] = -1
        assert (one.frozen[found.inverse] == model.predict(silenced)).all()
        again, labels, proba = by_brute_force(model, matrix, one.without, **more)
        kept = [j for j, column in enumerate(model.columns_) if column not in one.without]
        assert np.abs(one.tables[kept] - again.log_likelihood_).max() <= WITHIN
        assert np.abs(one.balance - again.balance_).max() <= WITHIN
        assert (one.iterations, one.converged) == (again.iterations_, again.converged_)
        assert (one.refitted[found.inverse] == labels).all()
        scores = np.log(one.balance) + sum(
            np.where((matrix[:, j] >= 0)[:, None], one.tables[j].T[np.maximum(matrix[:, j], 0)], 0.0) for j in kept
        )
        covered = labels >= 0
        assert np.abs(normalised(scores)[covered] - proba[covered]).max() <= WITHIN


@pytest.mark.parametrize(("classes", "sources"), [(2, 9), (3, 6), (5, 4), (16, 3)])
def test_every_source_left_out_in_turn_is_a_brute_force_refit(way, classes, sources):
    """Labels frozen and refitted, tables, balance and the way there."""
    matrix, _ = simulated(rows=1500, accuracies=np.linspace(0.6, 0.9, sources), classes=classes, seed=classes)
    model = DawidSkene().fit(matrix, n_classes=classes)
    found = counterfactuals(model, matrix, threads=2)
    assert [one.without for one in found.each] == [(column,) for column in model.columns_]
    assert_equal_to_brute_force(model, matrix, found)


@settings(max_examples=15)
@given(st.integers(2, 4), st.integers(0, 30), st.sampled_from([None, 0.5]), st.booleans())
def test_any_sources_may_be_left_out_together(classes, seed, diagonal, given_balance):
    """Pairs and threes, a given balance or none; all at once as one by one."""
    matrix, _ = simulated(rows=300, classes=classes, seed=seed)
    balance = [1 / classes] * classes if given_balance else None
    model = DawidSkene(balance=balance, diagonal=diagonal, max_iterations=60).fit(matrix, n_classes=classes)
    sets = [*itertools.combinations(model.columns_, 2), model.columns_[:3]]
    for few in (-1, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_refits, "_FEW", few)
            assert_equal_to_brute_force(model, matrix, counterfactuals(model, matrix, without=sets))


def test_rows_that_were_not_learned_from_are_labelled_all_the_same(way):
    """A model of some rows is fitted again on these, and labels every row."""
    matrix, _ = simulated(rows=1000, seed=11)
    learned_from = np.arange(1000) % 3 != 0
    model = DawidSkene().fit(matrix[learned_from], n_classes=2)
    found = counterfactuals(model, matrix, learned_from=learned_from)
    assert_equal_to_brute_force(model, matrix, found, learned_from=learned_from)
    assert found.counts.sum() == 1000


def test_interchangeable_sources_stay_equal(way):
    """Exact copies, and columns that only the one left out told apart, have equal tables as the public fit gives them."""
    one, _ = simulated(rows=400, accuracies=(0.8, 0.7, 0.6), seed=2)
    copies = np.column_stack([one, one[:, 0], one[:, 0]])
    model = DawidSkene().fit(copies, n_classes=2)
    assert_equal_to_brute_force(model, copies, counterfactuals(model, copies))
    mirrored = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, -1]] * 20, dtype=np.int8)
    model = DawidSkene(strength=1.0).fit(mirrored, n_classes=2)
    assert_equal_to_brute_force(model, mirrored, counterfactuals(model, mirrored))


def test_the_order_of_rows_and_the_number_of_threads_change_nothing(monkeypatch):
    """Bit by bit, in any order of rows and with any number of threads."""
    monkeypatch.setattr(_refits, "_FEW", -1)
    matrix, _ = simulated(rows=3000, accuracies=[0.6, 0.7, 0.8] * 3, seed=6)
    order = np.random.default_rng(1).permutation(3000)
    model = DawidSkene().fit(matrix, n_classes=2)
    one, other = counterfactuals(model, matrix), counterfactuals(model, matrix[order], threads=4)
    for a, b in zip(one.each, other.each, strict=True):
        assert a.tables.tobytes() == b.tables.tobytes()
        assert (a.refitted[one.inverse][order] == b.refitted[other.inverse]).all()


def test_what_changes_is_counted_in_rows():
    """Flips by pair and altogether, as counted over the rows."""
    matrix, _ = simulated(rows=500, classes=3, seed=9)
    model = DawidSkene().fit(matrix, n_classes=3)
    found = counterfactuals(model, matrix)
    was = model.predict(matrix)
    for one in found.each:
        now = one.frozen[found.inverse]
        assert found.changed(one.frozen) == int((was != now).sum())
        told = found.flips(one.frozen)
        assert told.sum() == 500
        assert all(told[a, b] == ((was == a) & (now == b)).sum() for a in (-1, 0, 1, 2) for b in (-1, 0, 1, 2))
        assert one.touched == int((matrix[:, model.columns_.index(one.without[0])] >= 0).sum())


def test_a_source_that_never_votes_changes_nothing(way):
    """Frozen nothing at all; refitted the same votes are fitted."""
    matrix, _ = simulated(rows=300, seed=8)
    matrix[:, 2] = -1
    model = DawidSkene(tolerance=1e-6).fit(matrix, n_classes=2)
    (silent,) = counterfactuals(model, matrix, without=[("2",)]).each
    assert silent.touched == 0
    assert (silent.frozen == silent.refitted).all()


def test_sources_that_never_vote_do_not_make_each_fit_one_of_its_own(monkeypatch):
    """Two silent columns are equal whatever is done with them, so that all models still learn together."""
    monkeypatch.setattr(_refits, "_FEW", -1)
    monkeypatch.setattr(_refits, "_by_itself", None)
    matrix, _ = simulated(rows=300, seed=8)
    matrix[:, 1:3] = -1
    model = DawidSkene().fit(matrix, n_classes=2)
    assert_equal_to_brute_force(model, matrix, counterfactuals(model, matrix))


def test_without_the_only_source_that_votes_nothing_is_learned(way):
    """Every label is lost, and a refit is told as none."""
    matrix = np.array([[0, -1, -2], [1, -1, -3]] * 5, dtype=np.int8)
    model = DawidSkene().fit(matrix, n_classes=2)
    (one,) = counterfactuals(model, matrix, without=[("0",)]).each
    assert (one.frozen == -1).all()
    assert (one.refitted, one.tables, one.converged) == (None, None, False)


@pytest.mark.parametrize(
    ("without", "error", "says"),
    [
        ([("s9",)], UnknownName, "no source of this label model is named 's9'"),
        ([("s0", "s1", "s2", "s3", "s4")], InvalidRecord, "at least one source that is left to vote"),
    ],
)
def test_sources_that_cannot_be_left_out_are_refused(table, without, error, says):
    """A name that nobody has, and all of them."""
    model = DawidSkene().fit(table)
    with pytest.raises(error, match=says):
        counterfactuals(model, table, without=without)
    with pytest.raises(error, match=says):
        without_sources(model, table, without[0])


def test_a_model_without_tables_has_no_counterfactuals(table):
    """Majority vote learns nothing of a source."""
    with pytest.raises(InvalidRecord, match="evidence is additive"):
        counterfactuals(MajorityVote().fit(table), table)
