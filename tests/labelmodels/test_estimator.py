"""Label models as scikit-learn's estimators: cloned, weighted, and refusing what nothing can be learned from."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from labelmodel_votes import simulated
from sklearn.base import clone

from governance import labelmodels
from governance.errors import InvalidRecord, UnknownName
from governance.labelmodels._base import normalised
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice, one_voice

OWN = ["dawid_skene", "majority"]
some_votes = (
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
    .flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 2)))
    .filter(lambda matrix: (matrix >= 0).any())
)


@pytest.mark.parametrize("name", OWN)
def test_scikit_learn_clones_every_method(name, table):
    """A clone has the parameters and has learned nothing; `set_params` changes what `get_params` says, and no more."""
    model = labelmodels.method(name)().fit(table)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "classes_")
    assert copy.set_params() is copy
    with pytest.raises(UnknownName, match=f"no parameter of {name} is named 'tolerence'"):
        copy.set_params(tolerence=1e-3)


def test_parameters_that_are_set_decide_the_next_fit(table):
    """`set_params` and the constructor lead to the same model."""
    told = {"strength": 5.0, "max_iterations": 3, "balance": [0.25, 0.75]}
    one, two = DawidSkene(**told).fit(table), clone(DawidSkene()).set_params(**told).fit(table)
    assert one.to_bytes() == two.to_bytes()
    assert clone(one).get_params() == one.get_params()


@settings(max_examples=100, deadline=None)
@given(some_votes, st.sampled_from([None, "fractions", "some rows not at all"]), st.integers(1, 12), st.integers(0, 4))
def test_labels_of_the_votes_learned_from_are_those_of_a_fit_and_a_prediction(matrix, weighed, wider, silent):
    """`fit_predict` learns the bits of `fit` and gives the labels of `predict`, of narrow rows and of wide ones, where
    most sources vote and where few do."""
    matrix = np.concatenate([np.tile(matrix, wider), np.tile(matrix, wider)])
    matrix = np.concatenate([matrix, np.full((len(matrix), silent * matrix.shape[1]), -1, dtype=np.int8)], axis=1)
    weights = {
        None: None,
        "fractions": np.arange(1.0, len(matrix) + 1) / 3,
        "some rows not at all": np.arange(len(matrix)) % 3,
    }[weighed]
    voices = [j % 2 for j in range(matrix.shape[1])]
    heard = (one_voice(np.maximum(matrix, np.int8(-1)), voices, n_classes=3) >= 0).any(axis=1)
    assume((heard if weights is None else heard & (weights > 0)).any())
    options = {"n_classes": 3, "sample_weight": weights}
    for make in (DawidSkene, MajorityVote, Crowd, lambda: OneVoice(voices=voices)):
        one, other = make(), make()
        labels = one.fit_predict(matrix, **options)
        np.testing.assert_array_equal(labels, other.fit(matrix, **options).predict(matrix))
        assert labels.dtype == np.int8
        assert one.predict_proba(matrix).tobytes() == other.predict_proba(matrix).tobytes()


@settings(max_examples=50, deadline=None)
@given(some_votes, st.data())
def test_a_whole_weight_is_a_row_that_is_there_so_often(matrix, data):
    """Weights of 0, 1, 2 ... give the bits of a table in which each row stands so often."""
    often = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(matrix), max_size=len(matrix))))
    repeated = np.repeat(matrix, often, axis=0)
    assume(repeated.size and (repeated >= 0).any())
    for name in OWN:
        for weights in (often, often.astype(np.float64)):
            weighted, plain = labelmodels.method(name)(), labelmodels.method(name)()
            weighted.fit(matrix, n_classes=3, sample_weight=weights)
            plain.fit(repeated, n_classes=3)
            assert weighted.predict_proba(matrix).tobytes() == plain.predict_proba(matrix).tobytes()


@settings(max_examples=50, deadline=None)
@given(some_votes, st.data(), st.randoms(use_true_random=False))
def test_no_order_of_weighted_rows_and_columns_can_be_seen(matrix, data, random):
    """Weights that are no whole numbers are added up so that their order is lost."""
    parts = st.floats(0, 9, allow_subnormal=False)
    weights = np.array(data.draw(st.lists(parts, min_size=2 * len(matrix), max_size=2 * len(matrix))))
    matrix = np.concatenate([matrix, matrix])
    assume((matrix[weights > 0] >= 0).any())
    rows, columns = list(range(len(matrix))), list(range(matrix.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = matrix[rows][:, columns]
    for model in (DawidSkene(strength=3.0, max_iterations=50), MajorityVote()):
        before = clone(model).fit(matrix, n_classes=3, sample_weight=weights)
        after = clone(model).fit(moved, n_classes=3, sample_weight=weights[rows])
        assert np.abs(after.predict_proba(moved) - before.predict_proba(matrix)[rows]).max() <= 2e-15


def test_a_weight_moves_what_is_learned_as_its_share_of_rows_would():
    """Rows of weight .5 count half: twice as many of them, and all else doubled, is the same fit."""
    matrix, _ = simulated(rows=300)
    weights = np.where(np.arange(300) < 100, 0.5, 1.0)
    # A balance and voices that are learned have weights of their own, which are not doubled.
    given = {"balance": [0.6, 0.4], "copies": "count"}
    half = DawidSkene(strength=10.0, **given).fit(matrix, n_classes=2, sample_weight=weights)
    whole = DawidSkene(strength=20.0, **given).fit(matrix, n_classes=2, sample_weight=2 * weights)
    np.testing.assert_allclose(half.log_likelihood_, whole.log_likelihood_, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0, -0.5], r"sample_weight\[1\]: given -0.5, wanted a number from 0 to 2\^53"),
        ([math.nan, 1.0], r"sample_weight\[0\]: given nan"),
        ([math.inf, 1.0], r"sample_weight\[0\]: given inf"),
        ([1.0, 1e300], r"sample_weight\[1\]: given 1e\+300"),
        ([1.0], "sample_weight: given .* wanted one number for each of 2 rows"),
        ([[1.0], [1.0]], "sample_weight: given"),
        (["1", "2"], "sample_weight: given"),
        ([True, False], "sample_weight: given"),
        ([0, 0], "sample_weight: given '0 for every row', wanted a weight above 0"),
    ],
    ids=["negative", "nan", "infinite", "beyond_whole_floats", "too_few", "two_axes", "texts", "truths", "all_zero"],
)
@pytest.mark.parametrize("name", OWN)
def test_weights_that_are_none_are_refused(name, weights, says):
    """Negative, missing and foreign weights are named by row."""
    with pytest.raises(InvalidRecord, match=says):
        labelmodels.method(name)().fit(np.array([[0, 1], [1, 1]]), n_classes=2, sample_weight=np.array(weights))


@pytest.mark.parametrize(
    ("votes", "n_classes", "says"),
    [
        (np.full((3, 2), -1), 2, "no vote at all"),
        (np.zeros((3, 2), dtype=int), 1, "classes: given 1, wanted 2 to 127"),
        (np.zeros((3, 2), dtype=int), 128, "classes: given 128"),
        (np.array([[0, 2]]), 2, r"votes\[0\]\.1: given 2, wanted a class index from 0 to 1"),
        (np.array([[0.0, np.nan]]), 2, r"votes\[0\]\.1: given 'NaN', wanted a vote; who says nothing abstains with -1"),
        (np.empty((0, 2), dtype=np.int8), 2, "votes: given 0, wanted at least one row"),
        (np.empty((3, 0), dtype=np.int8), 2, "rows x sources, at least one of each"),
        (np.zeros((2, 3, 2), dtype=np.int8), 2, "one class a vote"),
        ([[[0, 1], [1]], [[0], [1]]], 2, "one class a vote"),
        ([[0, 1], [1]], 2, "rows of different lengths"),
        (np.array([[{0, 1}, {1}]]), 2, "several votes in one place"),
        (np.array([["a", "b"]]), 2, "wanted whole numbers"),
        (np.array([[0, 0.5]]), 2, r"votes\[0\]\.1: given '0.5', wanted whole numbers"),
        (np.array([[0, np.inf]]), 2, r"votes\[0\]\.1: given inf, wanted votes that fit int8"),
        ([[0, 1], [None, 1]], 2, r"votes\[1\]\.0: given None, wanted a vote; who says nothing abstains with -1"),
        (pd.DataFrame({"a": [0, 1], "b": pd.array([1, None], dtype="Int64")}), 2, r"votes\[1\]\.1: .*abstains with -1"),
        (pd.DataFrame([[0, 1], [1, 1]], columns=["a", "a"]), 2, "columns: given 'a', wanted a name for each column"),
        (np.array([[0, 255]], dtype=np.uint8), 2, r"votes\[0\]\.1: given 255, wanted votes that fit int8"),
        ([[0, 10**30]], 2, rf"votes\[0\]\.1: given {10**30}, wanted votes that fit int8"),
        (np.array([[1, True]], dtype=object), 2, r"votes\[0\]\.1: given 'True', wanted whole numbers"),
        (np.empty((0, 2), dtype=object), 2, "votes: given 0, wanted at least one row"),
        (None, 2, "votes: given 'NoneType', wanted rows x sources"),
        (np.zeros((2, 2), dtype=int), 2.0, "n_classes: given 2.0"),
        (np.zeros((2, 2), dtype=int), True, "n_classes: given True"),
        (np.zeros((2, 2), dtype=int), np.True_, "n_classes: given"),
        (np.zeros((2, 2), dtype=int), np.array([2]), "n_classes: given"),
        (np.zeros((2, 2), dtype=int), None, "n_classes: given None, wanted a whole number"),
    ],
    ids=[
        "all_abstain",
        "one_class",
        "too_many_classes",
        "more_classes_than_declared",
        "nan",
        "no_rows",
        "no_sources",
        "sequence",
        "ragged_multi_label",
        "ragged_rows",
        "sets_multi_label",
        "texts",
        "a_half",
        "infinity",
        "none",
        "a_missing_value_of_a_data_frame",
        "two_columns_of_one_name",
        "beyond_int8",
        "far_beyond_int8",
        "a_truth",
        "no_objects",
        "nothing",
        "classes_a_float",
        "classes_a_truth",
        "classes_a_truth_of_numpy",
        "classes_an_array",
        "classes_not_told",
    ],
)
@pytest.mark.parametrize("name", OWN)
def test_votes_of_no_use_are_refused_by_every_method(name, votes, n_classes, says):
    """One error names what was given and what was wanted; multi-label and sequence tasks are named in the way out."""
    with pytest.raises(InvalidRecord, match=says) as caught:
        labelmodels.method(name)().fit(votes, n_classes=n_classes)
    if "one class a vote" in str(caught.value):
        assert "multi-label and sequence tasks" in caught.value.hint


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_columns_of_a_data_frame_are_known_by_name(frame):
    """Their order is no matter, other names are refused, and what has no names goes by place."""
    matrix, _ = simulated()
    matrix = np.maximum(matrix, -1)
    named = {name: matrix[:, j] for j, name in enumerate("abcde")}
    model = DawidSkene().fit(frame(named), n_classes=np.int8(2))
    assert model.columns_ == tuple("abcde")
    turned = frame({name: named[name] for name in "edcba"})
    assert (model.predict(turned) == model.predict(matrix)).all()
    assert (model.predict_proba(turned) == model.predict_proba(matrix)).all()
    with pytest.raises(InvalidRecord, match="columns: given 'f', wanted the columns that this model learned of"):
        model.predict(frame({("f" if name == "a" else name): named[name] for name in "abcde"}))
    with pytest.raises(InvalidRecord, match="columns: given 'all but c', wanted the columns that"):
        model.predict(frame({name: named[name] for name in "abde"}))
    with pytest.raises(InvalidRecord, match=r"columns: given 'f', wanted .*: a, b, c, d, e"):
        model.predict(frame({**named, "f": named["a"]}))
    by_place = DawidSkene().fit(matrix, n_classes=2)
    assert (by_place.predict(frame(named)) == model.predict(matrix)).all()
    with pytest.raises(InvalidRecord, match=r"votes\[0\]\.a: given 7"):
        model.predict(frame({**{name: [0] for name in "edcb"}, "a": [7]}))


def test_whole_numbers_of_any_kind_are_votes():
    """Floats and objects that are whole numbers give the labels of int8."""
    votes = np.array([[0, 1, -1], [1, 1, 0], [0, 0, -1]], dtype=np.int8)
    expected = DawidSkene().fit_predict(votes, n_classes=2)
    kinds = (
        votes.astype(float),
        votes.astype(object),
        votes.astype(np.int64),
        votes.tolist(),
        np.asfortranarray(votes),
    )
    for same in kinds:
        assert (DawidSkene().fit_predict(same, n_classes=2) == expected).all()


def test_a_model_shows_what_it_was_made_with():
    """As scikit-learn's estimators do, parameters that are their defaults are not told."""
    assert repr(DawidSkene()) == "DawidSkene()"
    assert repr(DawidSkene(strength=100.0, copies="count")) == "DawidSkene(strength=100.0, copies='count')"


@pytest.mark.parametrize("name", OWN)
def test_one_source_is_believed(name):
    """Alone, a source gives every label; one that never votes changes none of them."""
    votes = np.array([[0], [1], [1], [-1]], dtype=np.int8)
    alone = labelmodels.method(name)().fit(votes, n_classes=2)
    assert alone.predict(votes).tolist() == [0, 1, 1, -1]
    silent = np.column_stack([votes, np.array([-1, -2, -3, -1])]).astype(np.int8)
    beside = labelmodels.method(name)().fit(silent, n_classes=2)
    assert beside.predict_proba(silent).tobytes() == alone.predict_proba(votes).tobytes()


@pytest.mark.parametrize("strength", [1e-6, 1e-300])
def test_nearly_no_prior_and_hundreds_of_sources_that_agree_stay_finite(strength):
    """Log-odds beyond what an exponential holds leave tables, objective and probabilities numbers."""
    matrix = np.repeat(np.array([[0] * 900, [1] * 900], dtype=np.int8), 50, axis=0)
    for n_classes in (2, 3):
        model = DawidSkene(strength=strength).fit(matrix, n_classes=n_classes)
        assert np.isfinite(model.objective_)
        assert model.predict_proba(matrix[[0, -1]])[:, :2].tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(("common", "rare"), [(1e10, 1e-300), (1.0, 1e-320)])
@pytest.mark.parametrize("name", ["crowd", "dawid_skene", "one_voice"])
def test_a_source_that_votes_where_rows_hardly_count_leaves_everything_finite(name, common, rare):
    """It stays at its prior, as one that never votes; probabilities are numbers, and its column changes no label."""
    votes = simulated(rows=400, coverage=0.9)[0]
    votes[:, 4] = -1
    votes[0] = [0, -1, -1, -1, 1]
    weights = np.full(400, common)
    weights[0] = rare
    model = labelmodels.method(name)(balance=[0.5, 0.5]).fit(votes, n_classes=2, sample_weight=weights)
    assert np.isfinite(model.objective_)
    assert np.isfinite(model.predict_proba(votes)).all()
    prior = 0.7 if name == "crowd" else 0.75
    np.testing.assert_allclose(normalised(model.log_likelihood_[4]).diagonal(), prior, rtol=1e-9)
    beside = labelmodels.method(name)(balance=[0.5, 0.5]).fit(votes[:, :4], n_classes=2, sample_weight=weights)
    assert (model.predict(votes[1:]) == beside.predict(votes[1:, :4])).all()


@pytest.mark.parametrize("name", ["crowd", "dawid_skene", "one_voice"])
def test_a_fit_that_comes_to_no_number_is_refused(name):
    """A strength beyond what sums can hold gives an error, never labels made of NaN."""
    with pytest.raises(InvalidRecord, match="fit: given 'NaN or infinity'"):
        labelmodels.method(name)(strength=1e308).fit(simulated(rows=50)[0], n_classes=2)


def test_one_row_and_any_layout_of_memory_are_fitted():
    """A single vote, columns that lie in memory one after the other, every second row, and memory nobody may write to."""
    one = DawidSkene().fit(np.array([[1]]), n_classes=2)
    assert one.predict(np.array([[1], [0], [-1]])).tolist() == [1, 0, -1]
    matrix = simulated(rows=500)[0]
    turned = np.asfortranarray(matrix)
    turned.flags.writeable = False
    fitted = DawidSkene().fit(turned, n_classes=2)
    assert fitted.log_likelihood_.tobytes() == DawidSkene().fit(matrix, n_classes=2).log_likelihood_.tobytes()
    halves = DawidSkene().fit(turned[::2], n_classes=2)
    assert (
        halves.log_likelihood_.tobytes() == DawidSkene().fit(matrix[::2].copy(), n_classes=2).log_likelihood_.tobytes()
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"balance": [0.9, 0.2]}, "balance"),
        ({"balance": [0.5, 0.25, 0.25]}, "balance"),
        ({"balance": [1.0, 0.0]}, "balance"),
        ({"diagonal": 1.0}, "diagonal"),
        ({"strength": -1.0}, "strength"),
    ],
    ids=["sum_above_1", "of_three_classes", "a_class_that_cannot_be", "no_errors_possible", "negative"],
)
def test_a_prior_that_contradicts_itself_or_the_votes_is_refused(options, field):
    """A balance of another sum or of other classes, and a prior under which votes are impossible, are named."""
    with pytest.raises(InvalidRecord) as caught:
        DawidSkene(**options).fit(np.array([[0, 1], [1, 1]]), n_classes=2)
    assert caught.value.field == field


@pytest.mark.parametrize(("classes", "sources", "rows"), [(2, 1, 40), (2, 1_000, 60), (127, 1, 300), (127, 1_000, 6)])
def test_both_ends_of_what_is_allowed_are_fitted(classes, sources, rows):
    """2 and 127 classes, 1 and 1,000 sources: labels of every row, as majority vote and model see them."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, classes, rows)
    matrix = np.where(rng.random((rows, sources)) < 0.9, gold[:, None], (gold[:, None] + 1) % classes).astype(np.int8)
    model = DawidSkene(max_iterations=3).fit(matrix, n_classes=classes)
    assert (model.predict(matrix) == MajorityVote().fit(matrix, n_classes=classes).predict(matrix)).all()
    np.testing.assert_allclose(model.predict_proba(matrix).sum(axis=1), 1, atol=1e-12)
    if sources == 1_000:
        assert (model.predict(matrix) == gold).all()
    if classes * sources < 127_000:
        with pytest.raises(InvalidRecord, match="the source version of every column"):
            model.to_bytes()


def test_a_file_of_the_earlier_form_is_read(table, tmp_path):
    """What version 1 wrote, before there were samples, weights and devices, is read and written again as it was."""
    data = MajorityVote().fit(table).to_bytes()
    assert b'"v":1}' in data
    assert b"device" not in data
    (tmp_path / "label_model.json").write_bytes(data)
    model = labelmodels.load(tmp_path / "label_model.json")
    assert (model.sampled_, model.to_bytes()) == (1.0, data)


def test_a_device_comes_back_from_a_file(table, tmp_path):
    """The file names the device of the fit; whoever only predicts needs none."""
    model = DawidSkene().fit(table)
    model.device = "cuda:1"
    (tmp_path / "label_model.json").write_bytes(model.to_bytes())
    again = labelmodels.load(tmp_path / "label_model.json")
    assert (again.device, again.parameters()["device"]) == ("cuda:1", "cuda:1")
    assert again.predict(table).tobytes() == model.predict(table).tobytes()


PROGRAM = """
import hashlib, sys
import numpy as np
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice
rng = np.random.default_rng(7)
gold = rng.integers(0, 3, 60_000)
matrix = np.where(rng.random((60_000, 11)) < .6, gold[:, None], rng.integers(-1, 3, (60_000, 11))).astype(np.int8)
weights = rng.random(60_000)
for model in (DawidSkene(max_iterations=12), MajorityVote()):
    for given in (None, weights):
        model.fit(matrix, n_classes=3, sample_weight=given)
        told = model.predict_proba(matrix).tobytes() + model.predict(matrix).tobytes() + str(model._state()).encode()
        print(hashlib.sha256(told).hexdigest())
"""


def test_two_processes_with_other_seeds_and_threads_give_the_same_bits():
    """Hash seed, number of threads and process are not seen in a bit of models, probabilities and labels."""
    answers = []
    for seed, threads in (("0", "1"), ("1", "2"), ("random", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        answers.append(ran.stdout.split())
    assert len(answers[0]) == len(set(answers[0])) == 4
    assert answers[0] == answers[1] == answers[2]
