"""Which sources vote as copies would, and is it ever said of sources that only know the same truth?"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.votes import copies
from governance.votes.answers import answers_of
from governance.votes.patterns import distinct
from governance.votes.table import write_votes

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench.poison import flagged, vote_set

HONEST = st.integers(3, 8).map(lambda number: tuple(np.linspace(0.65, 0.9, number)))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    HONEST,
    st.sampled_from([0.5, 0.75, 1.0]),
    st.integers(2, 5),
    st.integers(1, 10),
    st.sampled_from([0.0, 0.1]),
)
def test_exact_copies_and_copies_with_a_tenth_of_noise_are_always_flagged(
    seed, honest, coverage, classes, copied, noise
):
    """The bad source and each of its copies, however many there are, as one group."""
    votes, _, columns = vote_set(
        seed, rows=2000, honest=honest, coverage=coverage, classes=classes, copied=copied, noise=noise
    )
    groups = flagged(votes, columns, classes=classes)
    assert set(columns[len(honest) :]) in [set(group) for group in groups]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), HONEST, st.sampled_from([0.5, 0.75, 1.0]), st.integers(2, 5))
def test_no_copy_is_seen_among_independent_sources(seed, honest, coverage, classes):
    """What only knows the same truth is explained by it; bench/results/poison.json counts how often it is not."""
    votes, _, columns = vote_set(seed, rows=2000, honest=honest, coverage=coverage, classes=classes)
    assert flagged(votes, columns, classes=classes) == ()


def test_sources_as_good_as_their_copies_would_be_are_told_apart():
    """Sources that are right on 95 % agree as copies do; those that are worse show that truth explains it."""
    votes, _, columns = vote_set(3, rows=5000, honest=(0.95, 0.94, 0.8, 0.75, 0.7))
    agree = (votes[:, 0] == votes[:, 1]).mean()
    assert agree > copies.COPIED
    assert flagged(votes, columns) == ()


def test_without_others_good_witnesses_and_copies_are_the_same():
    """Two that agree on 90 % of all rows, and nobody else to say what the truth is: nothing is claimed."""
    votes, _, columns = vote_set(3, rows=5000, honest=(0.95, 0.95))
    assert flagged(votes, columns) == ()


def test_two_that_vote_on_the_same_few_rows_are_to_be_looked_at():
    """Sources that can name one class only agree always; the rows on which they do so tell."""
    draw = np.random.default_rng(1)
    fires = draw.random(4000) < 0.2
    one, other = np.where(fires, 1, -1), np.where(fires & (draw.random(4000) < 0.95), 1, -1)
    apart = np.where(draw.random(4000) < 0.2, 1, -1)
    votes = np.stack([one, other, apart], axis=1).astype(np.int8)
    (pair,) = copies.suspects(copies.meetings(votes, n_classes=2), ("one", "other", "apart"), agreement=1.0)
    assert (pair.columns, pair.sign, pair.expected) == (("one", "other"), "rows", None)


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(2, 4))
def test_meetings_add_up_and_are_what_a_loop_counts(seed, sources, classes):
    """Any partition of the rows, in any order, gives the counts of all of them."""
    draw = np.random.default_rng(seed)
    votes = draw.integers(-3, classes, (30, sources)).astype(np.int8)
    whole = copies.meetings(votes, n_classes=classes)
    cut = int(draw.integers(0, 31))
    again = copies.meetings(votes[cut:], n_classes=classes) + copies.meetings(votes[:cut], n_classes=classes)
    packed = copies.meetings_of(distinct(votes), n_classes=classes)
    for other in (again, packed):
        assert other.rows == whole.rows == 30
        for name in ("both", "agreed", "said"):
            assert (getattr(other, name) == getattr(whole, name)).all()
    for i in range(sources):
        for j in range(sources):
            met = (votes[:, i] >= 0) & (votes[:, j] >= 0)
            assert whole.both[i, j] == met.sum()
            assert whole.agreed[i, j] == (met & (votes[:, i] == votes[:, j])).sum()
            assert [whole.said[i, k, j] for k in range(classes)] == [
                (met & (votes[:, i] == k)).sum() for k in range(classes)
            ]


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_no_suspect(random):
    """The same pairs, whatever the arrangement."""
    votes, _, columns = vote_set(5, rows=600, copied=2, noise=0.1)
    order, rows = list(range(len(columns))), list(range(len(votes)))
    random.shuffle(order)
    random.shuffle(rows)
    found = copies.suspects(copies.meetings(votes, n_classes=2), columns)
    moved = copies.suspects(
        copies.meetings(np.ascontiguousarray(votes[rows][:, order]), n_classes=2),
        [columns[j] for j in order],
    )
    assert {frozenset(pair.columns): pair.sign for pair in found} == {
        frozenset(pair.columns): pair.sign for pair in moved
    }


def test_a_file_of_either_form_gives_the_meetings_of_its_votes(make_table, tmp_path):
    """Wide, a part at a time, and long."""
    votes, *_ = vote_set(5, rows=300, coverage=0.5, copied=1)
    table = make_table(votes)
    write_votes(table, tmp_path / "wide.parquet")
    expected = copies.meetings(votes, n_classes=2)
    named, found = copies.meetings_in(tmp_path / "wide.parquet")
    assert named == table.columns
    assert (found.said == expected.said).all()
    (steady,) = copies._steady(answers_of(table))
    assert (steady == np.where(votes >= 0, votes, -1)).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_nobody_is_suspected_where_nothing_was_said(rows):
    """No rows, or one on which all are silent."""
    votes = np.full((rows, 3), -1, dtype=np.int8)
    assert copies.suspects(copies.meetings(votes, n_classes=2), ("a", "b", "c")) == ()


def test_a_source_within_anothers_rows_is_no_copy_of_it():
    """Few rows among many, on which both agree as copies would, and nobody else to say what the truth is."""
    draw = np.random.default_rng(4)
    wide = draw.integers(0, 2, 4000)
    narrow = np.where(draw.random(4000) < 0.1, wide, -1)
    votes = np.stack([wide, narrow], axis=1).astype(np.int8)
    assert copies.suspects(copies.meetings(votes, n_classes=2), ("wide", "narrow")) == ()


def test_votes_of_another_type_are_refused():
    """int8 and nothing else."""
    with pytest.raises(InvalidRecord, match="int8 votes"):
        copies.meetings(np.zeros((2, 2), dtype=np.float64), n_classes=2)


def test_pairs_on_too_few_rows_are_counted_and_not_named():
    """Of three sources on the same 60 rows the pair that agrees as copies with noise would cannot be told; the others do
    not look like copies, and neither do two that share few of their rows."""
    draw = np.random.default_rng(4)
    votes = np.full((5000, 5), -1, dtype=np.int8)
    votes[:60, 0] = draw.integers(0, 2, 60)
    votes[:60, 1] = np.where(np.arange(60) < 6, 1 - votes[:60, 0], votes[:60, 0])
    votes[:60, 2] = 1 - votes[:60, 0]
    votes[40:2000, 3] = draw.integers(0, 2, 1960)
    votes[1990:4000, 4] = votes[1990, 3]
    found = copies.alike(copies.meetings(votes, n_classes=2), tuple("abcde"))
    assert (found.pairs, found.unweighed, found.groups) == ((), 1, ())
    assert found.told() == {"pairs": [], "groups": (), "explained": {}, "unweighed": 1}
