"""Are rows drawn with the chances that are stated, and do the estimates hold what they promise?"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.labelmodels.spot_check import chances, doubt, drawn, estimate

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench.poison import vote_set


@given(st.lists(st.sampled_from([float("nan"), 0.0, 0.1, 1 / 3, 0.5, 0.75]), min_size=1, max_size=40), st.data())
def test_chances_sum_to_the_rows_that_are_drawn(doubts, data):
    """Between 0 and 1, 0 exactly where nobody votes, and so many rows are drawn."""
    doubts = np.array(doubts)
    covered = int((~np.isnan(doubts)).sum())
    if not covered:
        with pytest.raises(InvalidRecord, match="rows"):
            chances(doubts, rows=1)
        return
    rows = data.draw(st.integers(1, covered))
    found = chances(doubts, rows=rows)
    assert found.sum() == pytest.approx(rows)
    assert ((found >= 0) & (found <= 1)).all()
    assert ((found > 0) == ~np.isnan(doubts)).all()
    got = drawn(found, seed=data.draw(st.integers(0, 99)))
    assert len(got) == len(set(got.tolist())) == rows
    assert (found[got] > 0).all()


def test_each_row_is_drawn_as_often_as_its_chance_says():
    """Over 4,000 seeds, within four standard errors."""
    chance = chances(np.array([0.0, 0.5, 0.1, np.nan, 0.4, 0.0, 0.3]), rows=3)
    often = np.bincount(np.concatenate([drawn(chance, seed=seed) for seed in range(4000)]), minlength=7) / 4000
    assert (np.abs(often - chance) <= 4 * np.sqrt(chance * (1 - chance) / 4000) + 1e-9).all()


def test_doubt_is_0_where_all_agree_and_unknown_where_nobody_votes():
    """Half and half is the most that two classes allow."""
    matrix = np.array([[0, 0, 0], [0, 1, -1], [0, 0, 1], [-1, -2, -3]], dtype=np.int8)
    assert doubt(matrix, n_classes=2).tolist()[:3] == [0.0, 0.5, pytest.approx(1 / 3)]
    assert np.isnan(doubt(matrix, n_classes=2)[3])


def test_fifty_answers_estimate_the_truth_without_bias_and_their_intervals_hold_it():
    """Over 400 draws from one vote set with poison: the mean is the truth, which lies in nine of ten intervals and more,
    for an honest source, a bad one and the labels; the plain share of the same answers is biased."""
    votes, gold, _ = vote_set(1, rows=1500, coverage=0.8, copied=3, noise=0.1)
    chance = chances(doubt(votes, n_classes=2), rows=50)
    draws = [drawn(chance, seed=seed) for seed in range(400)]
    plain_bias = []
    for column in (0, 4, 5):
        voted = votes[:, column] >= 0
        truth = (votes[voted, column] == gold[voted]).mean()
        found = []
        for asked in draws:
            rows = asked[voted[asked]]
            found.append((estimate(votes[rows, column] == gold[rows], chance[rows]), rows))
        shares = np.array([one.share for one, _ in found])
        assert abs(shares.mean() - truth) < 0.015
        assert np.mean([one.low <= truth <= one.high for one, _ in found]) >= 0.9
        plain_bias.append(abs(np.mean([(votes[r, column] == gold[r]).mean() for _, r in found]) - truth))
    assert max(plain_bias) > 0.03


def test_fifty_answers_expose_five_copies_that_the_label_model_believes():
    """The whole interval of the bad source lies below chance, in nine of ten draws and more."""
    votes, gold, _ = vote_set(2, rows=1500, copied=5)
    chance = chances(doubt(votes, n_classes=2), rows=50)
    exposed = []
    for seed in range(100):
        rows = drawn(chance, seed=seed)
        exposed.append(estimate(votes[rows, -1] == gold[rows], chance[rows]).high < 0.5)
    assert np.mean(exposed) >= 0.9


def test_equal_chances_give_the_plain_share_and_wilsons_interval():
    """Weights that do not differ weigh nothing."""
    found = estimate(np.array([True] * 8 + [False] * 2), np.full(10, 0.25))
    assert (found.share, found.answers, found.effective) == (0.8, 10, 10.0)
    none = estimate(np.array([], dtype=bool), np.array([]))
    assert (none.share, none.answers) == (None, 0)


@pytest.mark.parametrize("chance", [[0.0, 0.5], [0.5], [1.5, 0.5], [np.nan, 0.5]])
def test_chances_that_are_none_are_refused(chance):
    """0, too few, above 1, NaN."""
    with pytest.raises(InvalidRecord, match="chance"):
        estimate(np.array([True, False]), np.array(chance))
