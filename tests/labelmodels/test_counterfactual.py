"""Counterfactuals are what dropping the columns and fitting from the start gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelmodel_votes import simulated, table_of

from governance.errors import InvalidRecord, UnknownName
from governance.labelmodels.balance import balance_of_gold
from governance.labelmodels.counterfactual import counterfactuals, without_sources
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice
from governance.labelmodels.refitting import learned_from, refitted, unfitted

#: log P(vote | class), P(class) and P(class | votes) of both ways, which add up in other orders
WITHIN = 1e-12


def by_brute_force(model, matrix, without, *, learned_from=None):
    """(model, labels) of the public interface on the matrix without the columns."""
    kept = [j for j, column in enumerate(model.columns_) if column not in without]
    left = np.ascontiguousarray(matrix[:, kept])
    again = unfitted(model, [model.columns_[j] for j in kept]).fit(
        left if learned_from is None else left[learned_from], n_classes=len(model.classes_)
    )
    return again, again.predict(left)


def assert_equal_to_brute_force(model, matrix, found, **more):
    for one in found.each:
        silenced = matrix.copy()
        silenced[:, [model.columns_.index(column) for column in one.without]] = -1
        assert (one.frozen[found.inverse] == model.predict(silenced)).all()
        again, labels = by_brute_force(model, matrix, one.without, **more)
        kept = [j for j, column in enumerate(model.columns_) if column not in one.without]
        assert one.model.columns_ == tuple(model.columns_[j] for j in kept)
        assert np.abs(one.model.log_likelihood_ - again.log_likelihood_).max() <= WITHIN
        assert np.abs(one.model.balance_ - again.balance_).max() <= WITHIN
        assert (one.model.iterations_, one.model.converged_) == (again.iterations_, again.converged_)
        assert (one.model.get_params(), one.model.balance_origin_) == (again.get_params(), again.balance_origin_)
        assert (one.refitted[found.inverse] == labels).all()
        left = np.ascontiguousarray(matrix[:, kept])
        assert np.abs(one.model.predict_proba(left) - again.predict_proba(left)).max() <= WITHIN


@pytest.mark.parametrize(("classes", "sources"), [(2, 9), (3, 6), (5, 4), (16, 3)])
def test_every_source_left_out_in_turn_is_a_brute_force_refit(classes, sources):
    """Labels frozen and refitted, tables, balance and the way there."""
    matrix, _ = simulated(rows=1500, accuracies=np.linspace(0.6, 0.9, sources), classes=classes, seed=classes)
    model = DawidSkene().fit(matrix, n_classes=classes)
    found = counterfactuals(model, matrix, threads=2)
    assert [one.without for one in found.each] == [(column,) for column in model.columns_]
    assert_equal_to_brute_force(model, matrix, found)


@settings(max_examples=15)
@given(
    st.integers(2, 4),
    st.integers(0, 30),
    st.sampled_from([None, 0.5]),
    st.sampled_from(["estimated", "given", "gold"]),
    st.sampled_from(["share", "count"]),
)
def test_any_sources_may_be_left_out_together(classes, seed, diagonal, origin, copies):
    """Pairs and threes; a balance that was given or counted on gold stays as it was."""
    matrix, _ = simulated(rows=300, classes=classes, seed=seed)
    counted = balance_of_gold([*range(classes), 0], n_classes=classes)
    balance = {"estimated": None, "given": [1 / classes] * classes, "gold": counted}[origin]
    model = DawidSkene(balance=balance, diagonal=diagonal, copies=copies, max_iterations=60)
    model.fit(matrix, n_classes=classes)
    sets = [*itertools.combinations(model.columns_, 2), model.columns_[:3]]
    found = counterfactuals(model, matrix, without=sets)
    assert_equal_to_brute_force(model, matrix, found)
    assert {one.model.balance_origin_ for one in found.each} == {origin}
    if balance is not None:
        assert all(one.model.balance_.tolist() == list(balance) for one in found.each)


def test_rows_that_were_not_learned_from_are_labelled_all_the_same():
    """A model of some rows is fitted again on these, and labels every row."""
    matrix, _ = simulated(rows=1000, seed=11)
    learned_from = np.arange(1000) % 3 != 0
    model = DawidSkene().fit(matrix[learned_from], n_classes=2)
    found = counterfactuals(model, matrix, learned_from=learned_from)
    assert_equal_to_brute_force(model, matrix, found, learned_from=learned_from)
    assert found.counts.sum() == 1000


def test_interchangeable_sources_stay_equal():
    """Exact copies, and columns that only the one left out told apart, have equal tables as the public fit gives them."""
    one, _ = simulated(rows=400, accuracies=(0.8, 0.7, 0.6), seed=2)
    copies = np.column_stack([one, one[:, 0], one[:, 0]])
    model = DawidSkene().fit(copies, n_classes=2)
    assert_equal_to_brute_force(model, copies, counterfactuals(model, copies))
    mirrored = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, -1]] * 20, dtype=np.int8)
    model = DawidSkene(strength=1.0).fit(mirrored, n_classes=2)
    assert_equal_to_brute_force(model, mirrored, counterfactuals(model, mirrored))


def test_the_order_of_rows_and_the_number_of_threads_change_nothing():
    """Bit by bit, in any order of rows and with any number of threads."""
    matrix, _ = simulated(rows=3000, accuracies=[0.6, 0.7, 0.8] * 3, seed=6)
    order = np.random.default_rng(1).permutation(3000)
    model = DawidSkene().fit(matrix, n_classes=2)
    one, other = counterfactuals(model, matrix), counterfactuals(model, matrix[order], threads=4)
    for a, b in zip(one.each, other.each, strict=True):
        assert a.model.log_likelihood_.tobytes() == b.model.log_likelihood_.tobytes()
        assert (a.refitted[one.inverse][order] == b.refitted[other.inverse]).all()


def test_threads_that_fit_at_once_do_not_write_into_each_other():
    """Long sparse steps on eight threads: each model is, to the last bit, the one that a single thread finds."""
    matrix, _ = simulated(rows=20_000, accuracies=np.linspace(0.6, 0.9, 12), coverage=0.15, classes=3)
    model = DawidSkene(max_iterations=5).fit(matrix, n_classes=3)
    assert model.prepare(matrix)._onehot is not None
    alone, together = (counterfactuals(model, matrix, threads=threads).each for threads in (1, 8))
    for one, other in zip(alone, together, strict=True):
        assert one.model.log_likelihood_.tobytes() == other.model.log_likelihood_.tobytes()
        assert (one.refitted == other.refitted).all()


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


def test_a_source_that_never_votes_changes_nothing():
    """Frozen nothing at all; refitted the same votes are fitted."""
    matrix, _ = simulated(rows=300, seed=8)
    matrix[:, 2] = -1
    model = DawidSkene(tolerance=1e-6).fit(matrix, n_classes=2)
    (silent,) = counterfactuals(model, matrix, without=[("2",)]).each
    assert silent.touched == 0
    assert (silent.frozen == silent.refitted).all()


def test_sources_that_never_vote_are_left_out_and_kept():
    """Two silent columns are equal whatever is done with them."""
    matrix, _ = simulated(rows=300, seed=8)
    matrix[:, 1:3] = -1
    model = DawidSkene().fit(matrix, n_classes=2)
    assert_equal_to_brute_force(model, matrix, counterfactuals(model, matrix))


def test_without_the_only_source_that_votes_nothing_is_learned():
    """Every label is lost, and a refit is told as none."""
    matrix = np.array([[0, -1, -2], [1, -1, -3]] * 5, dtype=np.int8)
    model = DawidSkene().fit(matrix, n_classes=2)
    (one,) = counterfactuals(model, matrix, without=[("0",)]).each
    assert (one.frozen == -1).all()
    assert (one.refitted, one.model) == (None, None)
    assert "at least one source that votes is left" in one.unable


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


@pytest.mark.parametrize(
    "model",
    [
        OneVoice(voices=[0, 1, 0, 2, 0, 1]),
        OneVoice(voices=[0, 1, 0, 2, 0, 1], copies="count", strength=100.0, balance=[0.4, 0.6]),
        Crowd(),
        MajorityVote(),
    ],
    ids=["one voice", "one voice, balance given", "crowd", "majority"],
)
def test_any_other_method_is_fitted_anew_on_the_votes_without_the_columns(model):
    """Scores are bit for bit those of a fit on the matrix that never had them; frozen the columns are silent."""
    matrix, _ = simulated(rows=800, accuracies=(0.9, 0.8, 0.7, 0.75, 0.6, 0.65), seed=3)
    matrix[:5] = [
        [-1, 0, -1, -1, -1, -1],
        [1, -1, 0, -1, -1, -1],
        [-1] * 6,
        [1, -1, 0, 0, -1, -1],
        [-2, 0, -3, 1, 1, -1],
    ]
    rows = np.arange(800) % 4 != 0
    model.fit(matrix[rows], n_classes=2)
    sets = [("0",), ("1",), ("2", "4"), ("3",), ("0", "2", "4"), ("5", "1", "3", "0", "2")]
    found = counterfactuals(model, matrix, without=sets, learned_from=rows, threads=2)
    assert (found.labels[found.inverse] == model.predict(matrix)).all()
    for one in found.each:
        silenced = matrix.copy()
        silenced[:, [int(column) for column in one.without]] = -1
        assert (one.frozen[found.inverse] == model.predict(silenced)).all()
        kept = [j for j in range(6) if str(j) not in one.without]
        again, labels = by_brute_force(model, matrix, one.without, learned_from=rows)
        left = np.ascontiguousarray(matrix[:, kept])
        assert (one.model.predict_scores(left) == again.predict_scores(left)).all()
        assert (one.refitted[found.inverse] == labels).all()


def test_without_its_speaker_a_group_has_another_one():
    """What a member said is heard again when those that outvoted it are gone: patterns of speakers could not tell."""
    bad = np.random.default_rng(2).integers(0, 2, 600)
    honest, _ = simulated(rows=600, coverage=1.0, accuracies=(0.9, 0.9, 0.9), seed=4)
    matrix = np.column_stack([bad, bad, honest]).astype(np.int8)
    model = OneVoice(voices=[0, 0, 0, 1, 2]).fit(matrix, n_classes=2)
    assert (model.accuracy(matrix)[:1] < 0.6).all()
    (one,) = counterfactuals(model, matrix, without=[("0", "1")]).each
    assert one.model.voices == [0, 1, 2]
    assert one.model.accuracy(matrix[:, 2:])[0] > 0.8


def test_a_group_is_of_columns_wherever_they_stand():
    """A refit on a table in another order, or with a column that the model never saw, has the same groups."""
    matrix, _ = simulated(rows=400, seed=5)
    table = table_of(matrix)
    model = OneVoice(voices=[0, 1, 0, 1, 2]).fit(table)
    moved = table_of(matrix[:, ::-1], columns=[*reversed(table.columns)])
    assert refitted(model, moved).voices == [2, 1, 0, 1, 0]
    assert learned_from(model, moved)
    assert unfitted(model, ["new", "s4", "s0", "other"]).voices == [3, 2, 0, 6]


def test_a_method_that_cannot_learn_of_so_few_says_so():
    """snorkel wants three sources; the labels with its tables as they are stand all the same."""
    pytest.importorskip("snorkel", reason="snorkel's model is fitted by snorkel")
    from governance.labelmodels.snorkel import SnorkelLabelModel

    matrix, _ = simulated(rows=200, accuracies=(0.8, 0.7, 0.6), seed=5)
    model = SnorkelLabelModel(seed=1, n_epochs=5).fit(matrix, n_classes=2)
    for one in counterfactuals(model, matrix, threads=2).each:
        assert (one.model, one.refitted) == (None, None)
        assert "3 sources at least" in one.unable
        assert one.frozen.max() == 1


def test_votes_that_say_nothing_have_no_labels():
    """A model of other rows labels none, and learns nothing of them."""
    matrix, _ = simulated(rows=200, seed=5)
    model = DawidSkene().fit(matrix, n_classes=2)
    found = counterfactuals(model, np.full((3, matrix.shape[1]), -2, dtype=np.int8))
    assert found.labels.tolist() == [-1]
    assert all((one.touched, one.model, one.frozen.tolist()) == (0, None, [-1]) for one in found.each)
    learned = np.zeros(200, dtype=np.bool_)
    found = counterfactuals(model, matrix, learned_from=learned)
    assert (found.labels[found.inverse] == model.predict(matrix)).all()
    assert all(one.model is None and one.frozen.max() == 1 for one in found.each)


def test_what_is_no_label_model_has_no_counterfactuals(table):
    """A captured model of which only the answers are known."""
    with pytest.raises(InvalidRecord, match="a label model that can be fitted again"):
        counterfactuals(object(), table)
