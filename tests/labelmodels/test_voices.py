from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from labelmodel_votes import pairs_of, simulated, table_of

from governance.labelmodels import _voices, _vote_rows
from governance.labelmodels._voices import Agreement
from governance.labelmodels._vote_rows import Spoken
from governance.labelmodels.dawid_skene import DawidSkene


def counted(matrix, *, classes=2, judged=None):
    judged = np.ones(matrix.shape[1], dtype=bool) if judged is None else judged
    found = Agreement.of(pairs_of(np.maximum(matrix, -1), classes=classes), judged=judged)
    return np.ones(matrix.shape[1]) if found is None else found.voices()


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_sources_that_err_by_themselves_count_in_full(classes, seed):
    """No independent source loses anything of its voice."""
    matrix, _ = simulated(rows=4000, accuracies=np.linspace(0.55, 0.9, 8), classes=classes, seed=seed)
    assert counted(matrix, classes=classes).tolist() == [1.0] * 8


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_copies_share_one_voice(copies):
    """A source and its exact copies have one voice together, and nobody else loses any."""
    matrix, _ = simulated(rows=4000, accuracies=np.linspace(0.55, 0.9, 8))
    together = np.column_stack([matrix, *[matrix[:, 2]] * copies])
    found = counted(together)
    mine = [2, *range(8, 8 + copies)]
    np.testing.assert_allclose(found[mine], 1 / (1 + copies), atol=0.06)
    assert np.delete(found, mine).tolist() == [1.0] * 7


def test_a_source_that_names_one_class_is_not_looked_at():
    """Two keywords for one class always agree where they speak, and that says nothing."""
    matrix, gold = simulated(rows=3000)
    rng = np.random.default_rng(0)
    keywords = [np.where((gold == 1) & (rng.random(3000) < 0.5), 1, -1) for _ in range(3)]
    model = DawidSkene().fit(np.column_stack([matrix, *keywords]).astype(np.int8), n_classes=2)
    assert model.voices_[5:].tolist() == [1.0] * 3


def test_three_sources_and_few_shared_rows_are_no_ground_to_stand_on():
    """With fewer than four sources, or thirty rows that two share, everybody counts in full."""
    matrix, _ = simulated(rows=4000)
    assert counted(np.column_stack([matrix[:, :2], matrix[:, 0]])).tolist() == [1.0] * 3
    few = np.maximum(matrix[:20], -1)
    assert counted(np.column_stack([few, few])).tolist() == [1.0] * 10


def test_a_source_that_nobody_meets_beside_sources_that_always_agree_counts_in_full():
    """Agreement of 1 among all others is no number to divide by for whom they share no rows with."""
    votes = np.full((212, 6), -1, dtype=np.int8)
    votes[:200, :4] = (np.arange(200) % 2)[:, None]
    votes[200:, 4] = np.arange(12) % 2
    votes[206:, 5] = np.arange(6) % 2
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        found = counted(votes)
        assert np.isfinite(DawidSkene().fit(votes, n_classes=2).predict_proba(votes)).all()
    assert found.tolist() == [1.0] * 6


@pytest.mark.parametrize("classes", [2, 4])
def test_pairs_counted_sparsely_are_pairs_counted_densely(monkeypatch, classes):
    """Both ways to count shared and agreeing rows give the same numbers."""
    rng = np.random.default_rng(1)
    matrix = np.where(rng.random((500, 12)) < 0.2, rng.integers(0, classes, (500, 12)), -1).astype(np.int8)
    weights = rng.integers(1, 5, 500).astype(float)
    sparse = _voices._sparse_pairs(Spoken.of(matrix), weights)
    both = (matrix[:, :, None] >= 0) & (matrix[:, None, :] >= 0)
    shared = (both * weights[:, None, None]).sum(axis=0)
    agreed = ((both & (matrix[:, :, None] == matrix[:, None, :])) * weights[:, None, None]).sum(axis=0)
    for found in (sparse, _voices._pairs(np.repeat(matrix, 1, axis=0), weights, classes=classes)):
        np.testing.assert_array_equal(found[0], shared)
        np.testing.assert_array_equal(found[1], agreed)
    asked = np.ones(12, dtype=bool)
    for places, at_once in ((0, 1 << 16), (4, 1 << 16), (0, 1)):
        monkeypatch.setattr(_vote_rows, "_PLACES_A_VOTE", places)
        monkeypatch.setattr(_voices, "_AT_ONCE", at_once)
        monkeypatch.setattr(_voices, "_ROWS_AT_ONCE", min(at_once, 256))
        found = pairs_of(matrix, weights=weights, classes=classes).of(asked)
        np.testing.assert_array_equal(found[0], shared)
        np.testing.assert_array_equal(found[1], agreed)
    dense = np.abs(matrix % classes).astype(np.int8)
    full = _voices._pairs(dense, weights, classes=classes)
    np.testing.assert_array_equal(full[0], np.full((12, 12), weights.sum()))


@pytest.mark.parametrize("at_once", [1, 50, 1 << 18])
def test_a_row_on_which_all_vote_among_rows_on_which_few_do_is_counted_pair_by_pair(monkeypatch, at_once):
    """However many pairs are looked at together, and however long the longest row."""
    monkeypatch.setattr(_voices, "_PAIRS", at_once)
    monkeypatch.setattr(_voices, "_MOST_PAIRS", at_once)
    rng = np.random.default_rng(4)
    matrix = np.where(rng.random((300, 60)) < 0.02, rng.integers(0, 2, (300, 60)), -1).astype(np.int8)
    matrix[[0, 17, 299]] = rng.integers(0, 2, (3, 60))
    weights = rng.integers(1, 5, 300).astype(float)
    said = np.stack([(matrix == k).astype(float) for k in range(2)])
    agreed = sum(one.T @ (one * weights[:, None]) for one in said)
    votes = said.sum(axis=0)
    found = _voices._sparse_pairs(Spoken.of(matrix), weights)
    np.testing.assert_array_equal(found[0], votes.T @ (votes * weights[:, None]))
    np.testing.assert_array_equal(found[1], agreed)
    alone = _voices._sparse_pairs(Spoken.of(np.array([[-1, 1], [0, -1]], dtype=np.int8)), np.array([2.0, 3.0]))
    np.testing.assert_array_equal(alone[0], [[3.0, 0.0], [0.0, 2.0]])


@pytest.mark.parametrize("silent", [0, 40])
@pytest.mark.parametrize("weight", [0.1, 0.3, 0.6, 1 / 3])
def test_weights_that_add_up_to_the_rows_that_are_needed_are_enough(monkeypatch, silent, weight):
    """30 rows are 30 rows by weight too: neither the size of blocks nor the way to count is seen in what is learned."""
    rng = np.random.default_rng(9)
    rows = round(30 / weight)
    gold = rng.integers(0, 2, rows)
    matrix = np.where(rng.random((rows, 8)) < 0.8, gold[:, None], 1 - gold[:, None])
    matrix = np.concatenate([matrix, np.full((rows, silent), -1)], axis=1).astype(np.int8)
    matrix = np.unique(matrix, axis=0)
    learned = set()
    for at_once, pairs in ((1 << 16, 20), (1, 20), (1 << 16, 0)):
        monkeypatch.setattr(_voices, "_AT_ONCE", at_once)
        monkeypatch.setattr(_voices, "_ROWS_AT_ONCE", min(at_once, 256))
        monkeypatch.setattr(_voices, "_A_PAIR", pairs)
        weights = np.full(len(matrix), weight * rows / len(matrix))
        model = DawidSkene().fit(matrix, n_classes=2, sample_weight=weights)
        learned.add(model.log_likelihood_.tobytes())
    assert len(learned) == 1


def test_a_wrong_source_does_not_win_by_being_copied():
    """Three copies of a source that is wrong on 80 % of its rows win where each counts in full, and not here."""
    matrix, gold = simulated(rows=4000, accuracies=(0.85, 0.8, 0.75, 0.7, 0.7), coverage=0.7)
    rng = np.random.default_rng(2)
    wrong = np.where(rng.random(4000) < 0.2, gold, 1 - gold)
    poisoned = np.column_stack([matrix, *[wrong] * 3]).astype(np.int8)
    covered = (matrix >= 0).any(axis=1)

    def accuracy(**options):
        return (DawidSkene(**options).fit(poisoned, n_classes=2).predict(poisoned) == gold)[covered].mean()

    assert accuracy(copies="share") > 0.85
    assert accuracy(copies="share") > accuracy(copies="count")


def test_voices_are_in_the_file_and_in_every_contribution():
    """What a vote adds is log P(vote | class) times the voice; the file keeps both, and the confusion has neither."""
    matrix, _ = simulated(rows=3000, accuracies=(0.9, 0.8, 0.75, 0.7, 0.6))
    table = table_of(np.column_stack([matrix, matrix[:, 0]]))
    model = DawidSkene().fit(table)
    assert model.voices_[[0, 5]] == pytest.approx([0.5, 0.5], abs=0.08)
    np.testing.assert_allclose(model.confusion_.sum(axis=2), 1, rtol=1e-12)
    full = DawidSkene(copies="count").fit(table)
    assert full.voices_.tolist() == [1.0] * 6
    assert (DawidSkene.restored(json.loads(model.to_bytes()), where="x").voices_ == model.voices_).all()
