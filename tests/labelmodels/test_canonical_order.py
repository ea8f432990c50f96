"""In which order do votes stand once nobody can tell in which they came?"""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.labelmodels import _base, _canonical, _vote_rows
from governance.labelmodels._canonical import arranged, column_names
from governance.labelmodels._vote_rows import Spoken, VoteRows
from governance.labelmodels.dawid_skene import DawidSkene
from governance.votes.patterns import distinct, keys_of

ROWS = hnp.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2))


def told(votes, counts):
    """The patterns with their counts, column by column as they were given, and the names of the columns."""
    votes = np.ascontiguousarray(votes)
    there = arranged(VoteRows(votes, counts))
    np.testing.assert_array_equal(votes[there.rows][:, there.order], there.patterns)
    silence = np.full((1, votes.shape[1]), -1, dtype=np.int8)
    np.testing.assert_array_equal(np.concatenate([there.patterns, silence])[there.places], votes[:, there.order])
    if there.cast is not None:
        for place, column in enumerate(there.order):
            said = [counts[votes[:, column] == k].sum() for k in range(there.cast.shape[1])]
            assert there.cast[place].tolist() == said
    if there.spoken is not None:
        spoken = Spoken.of(np.ascontiguousarray(there.patterns))
        for one, other in zip(astuple(there.spoken), astuple(spoken), strict=True):
            np.testing.assert_array_equal(one, other)
    found = [(tuple(one), weight) for one, weight in zip(there.patterns.tolist(), there.weights.tolist(), strict=True)]
    return there.order, found, there.names.tolist()


def ones(votes):
    return np.ones(len(votes), dtype=np.int64)


@given(ROWS, st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_rows_that_repeat_are_patterns_with_counts(votes, times):
    """However a pattern's rows are counted, together or one by one, the same arrays come out."""
    repeated = np.repeat(votes, times[: len(votes)], axis=0)
    found = distinct(repeated)
    one, other = (told(*given) for given in ((repeated, ones(repeated)), (found.votes, found.counts)))
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1:] == other[1:]
    assert len({pattern for pattern, _ in one[1]}) == len(one[1])
    assert sum(count for _, count in one[1]) == (repeated >= 0).any(axis=1).sum()


@given(ROWS, st.randoms(use_true_random=False))
def test_no_order_of_rows_and_columns_is_seen(votes, random):
    """Rows and columns that are shuffled come out the same, unless columns are interchangeable."""
    rows, columns = list(range(len(votes))), list(range(votes.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    _, before, names = told(votes, ones(votes))
    moved = np.ascontiguousarray(votes[rows][:, columns])
    _, after, others = told(moved, ones(moved))
    assert names == others
    if len(set(names)) == len(names):
        assert before == after


def test_columns_that_are_interchangeable_share_a_name_and_keep_their_rows_apart():
    """Rows that differ only in which of two equal columns speaks are two patterns."""
    votes = np.array([[0, -1, 1], [-1, 0, 1], [1, 1, 0]], dtype=np.int8)
    order, found, names = told(votes, ones(votes))
    assert len(found) == 3
    assert len(set(names)) == 2
    twins = [place for place, column in enumerate(order.tolist()) if column in (0, 1)]
    assert names[twins[0]] == names[twins[1]]
    assert column_names(votes, ones(votes))[0] == column_names(votes, ones(votes))[1]


@given(ROWS, st.randoms(use_true_random=False))
def test_a_narrow_row_is_a_number_in_the_order_of_rows(votes, random):
    """Its votes are the digits, in the order that is asked for; a row without a vote is 0."""
    order = list(range(votes.shape[1]))
    random.shuffle(order)
    found = keys_of(votes, np.array(order), highest=int(votes.max())).tolist()
    base = votes.max() + 2
    assert found == [sum((int(row[j]) + 1) * int(base) ** n for n, j in enumerate(order[::-1])) for row in votes]


@pytest.mark.parametrize(("columns", "classes"), [(39, 2), (17, 10), (11, 48), (8, 127)])
def test_as_many_votes_as_64_bits_hold_are_a_number(columns, classes):
    """The widest rows keep every digit; with another column there is no such number."""
    rng = np.random.default_rng(columns)
    votes = rng.integers(-1, classes, (50, columns)).astype(np.int8)
    votes[0], order = classes - 1, rng.permutation(columns)
    found = keys_of(votes, order, highest=classes - 1).tolist()
    wanted = [sum((int(row[j]) + 1) * (classes + 1) ** n for n, j in enumerate(order[::-1].tolist())) for row in votes]
    assert found == wanted
    assert keys_of(np.column_stack([votes, votes[:, 0]]), np.arange(columns + 1), highest=classes - 1) is None


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40), min_size=1, max_size=200), st.booleans())
def test_keys_are_in_ascending_order(keys, alike):
    """Small keys, keys that fill all bits, and keys that only their last bits tell apart are sorted with their places."""
    given = np.array([(2**63 + key % 7 if alike else key) for key in keys], dtype=np.uint64)
    for behind in (24, 0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(_canonical, "_BEHIND", behind)
            places, ascending = _canonical._ascending(given)
        np.testing.assert_array_equal(given[places], np.sort(given))
        np.testing.assert_array_equal(ascending, np.sort(given))
        assert sorted(places.tolist()) == list(range(len(given)))


@pytest.mark.parametrize("meeting", [1, 3])
def test_rows_of_one_key_are_not_one_pattern(monkeypatch, meeting):
    """Where different rows happen to get one key, others are made, until all rows are told apart."""
    votes = np.array([[0, 1], [1, 0], [0, 1], [1, 1]], dtype=np.int8)
    # As if rows were too wide for a number of 64 bits.
    monkeypatch.setattr(_canonical, "keys_of", lambda votes, order, highest: None)
    whole, asked = _canonical._Names.keys, []

    def keys(self, names):
        asked.append(1)
        found = whole(self, names)
        return np.zeros_like(found) if len(asked) <= meeting else found

    monkeypatch.setattr(_canonical._Names, "keys", keys)
    _, found, _ = told(votes, ones(votes))
    assert len(asked) == meeting + 1
    assert sorted(count for _, count in found) == [1, 1, 2]


@pytest.mark.parametrize("counts", ["ones", "whole", "fractions", "huge"])
@pytest.mark.parametrize("at_once", [1, 70, 700, 1 << 20])
def test_no_size_of_blocks_and_no_way_to_add_changes_an_order(monkeypatch, at_once, counts):
    """Votes looked at in several blocks, vote by vote or column by column, get the names and the order that they get in
    one."""
    rng = np.random.default_rng(3)
    votes = np.unique(rng.integers(-1, 3, (300, 7)).astype(np.int8), axis=0)
    votes[:, 6] = votes[:, 5]
    votes = np.unique(votes, axis=0)
    given = {
        "ones": ones(votes),
        "whole": rng.integers(1, 2**32, len(votes)),
        "fractions": rng.random(len(votes)),
        "huge": rng.integers(1, 2**20, len(votes)) << 32,
    }[counts]
    found = []
    for places in (0, 1 << 20):
        monkeypatch.setattr(_vote_rows, "_PLACES_A_VOTE", places)
        monkeypatch.setattr(_vote_rows, "_NARROW", 0)
        found.append(told(votes, given))
        monkeypatch.setattr(_canonical, "AT_ONCE", at_once)
        monkeypatch.setattr(_vote_rows, "MOST", 0)
        found.append(told(votes, given))
        monkeypatch.undo()
    for other in found[1:]:
        np.testing.assert_array_equal(found[0][0], other[0])
        assert found[0][1:] == other[1:]


@given(ROWS, st.integers(0, 1000), st.sampled_from(["fractions", "huge"]))
def test_weights_alone_tell_columns_apart(votes, seed, kind):
    """Columns that only weights tell apart get their order from them, whatever the order of rows and columns."""
    rng = np.random.default_rng(seed)
    votes = np.unique(np.concatenate([votes, votes[:, ::-1]]), axis=0)
    weights = rng.random(len(votes)) if kind == "fractions" else rng.integers(1, 8, len(votes)) << 50
    _, before, names = told(votes, weights)
    rows, columns = rng.permutation(len(votes)), rng.permutation(votes.shape[1])
    _, after, others = told(np.ascontiguousarray(votes[rows][:, columns]), weights[rows])
    assert names == others
    if len(set(names)) == len(names):
        assert before == after
    weighed = {}
    for column in votes.T:
        said = tuple(sorted((vote, weight) for vote, weight in zip(column.tolist(), weights.tolist(), strict=True)))
        weighed[tuple(one for one in said if one[0] >= 0)] = 1
    assert len(set(names)) >= len(weighed)


@pytest.mark.parametrize(
    ("columns", "most", "few", "asked"),
    [
        (10, 1 << 20, 50, False),
        (10, 1 << 20, 49, True),
        (45, 1 << 20, 49, False),
        (45, 99, 50, True),
    ],
)
def test_patterns_are_looked_for_where_that_is_quick_or_saves_memory(monkeypatch, columns, most, few, asked):
    """Many narrow rows and large tables become patterns first, few rows and wide ones do not."""
    looked = []
    monkeypatch.setattr(_base, "distinct", lambda *given, **named: looked.append(1) or distinct(*given, **named))
    monkeypatch.setattr(_base, "_ROW_BY_ROW", most)
    monkeypatch.setattr(_base, "_FEW_ROWS", few)
    votes = np.random.default_rng(1).integers(-1, 3, (50, columns)).astype(np.int8)
    DawidSkene().fit(votes, n_classes=3)
    assert bool(looked) == asked


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([(60, 45), (60, 5), (9000, 5)]))
def test_rows_are_learned_from_as_their_patterns_are(seed, shape):
    """A fit on rows, wide or narrow, few or many, has the bits of one on weights of 1, which looks for patterns first."""
    rng = np.random.default_rng(seed)
    votes = np.where(rng.random(shape) < 0.1, rng.integers(0, 3, shape), -1).astype(np.int8)
    votes[30:60] = votes[:30]
    one = DawidSkene().fit(votes, n_classes=3)
    other = DawidSkene().fit(votes, n_classes=3, sample_weight=np.ones(len(votes)))
    assert one.log_likelihood_.tobytes() == other.log_likelihood_.tobytes()
    assert one.objective_ == other.objective_
