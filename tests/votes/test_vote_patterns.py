from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from counted_by_hand import by_hand, plain
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.errors import InvalidRecord
from governance.votes.analysis import analyse, source_votes, vote_counts
from governance.votes.copies import meetings, suspects
from governance.votes.patterns import distinct

few = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
votes = few.flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 2)))
wide = hnp.arrays(np.int8, st.tuples(st.integers(1, 6), st.just(90)), elements=st.sampled_from([-3, -1, 0, 126]))


@given(st.one_of(votes, wide))
def test_patterns_are_the_rows_counted(matrix):
    """Patterns equal a plain count of rows, in lexicographic order, and the inverse gives every row back."""
    found = distinct(matrix)
    counted = Counter(tuple(row) for row in matrix.tolist())
    assert [tuple(row) for row in found.votes.tolist()] == sorted(counted)
    assert found.counts.tolist() == [counted[key] for key in sorted(counted)]
    assert (found.votes[found.inverse] == matrix).all()
    assert found.rows == len(matrix)


@given(votes, st.integers(0, 7), st.randoms())
def test_partitions_merge_into_the_whole(matrix, cut, random):
    """Two partitions give, merged, the very patterns and counts of all rows, in any order of rows."""
    rows = list(range(len(matrix)))
    random.shuffle(rows)
    shuffled = matrix[rows]
    merged = distinct(shuffled[:cut]).merge(distinct(shuffled[cut:]))
    whole = distinct(matrix)
    assert merged.votes.tolist() == whole.votes.tolist()
    assert merged.counts.tolist() == whole.counts.tolist()


def test_patterns_want_int8():
    """Floats are refused before a pattern is made of them."""
    with pytest.raises(InvalidRecord, match="int8 votes"):
        distinct(np.zeros((2, 2)))


@given(votes)
def test_the_analysis_counts_what_a_loop_over_rows_counts(matrix):
    """Every count made from patterns equals the count made row by row."""
    assert plain(analyse(distinct(matrix), n_classes=3)) == by_hand(matrix, 3)


@given(votes, st.integers(0, 7))
def test_analyses_of_partitions_add_up(matrix, cut):
    """The analyses of two partitions add up to the analysis of both."""
    parts = [analyse(distinct(part), n_classes=3) for part in (matrix[:cut], matrix[cut:])]
    assert plain(parts[0] + parts[1]) == by_hand(matrix, 3)


def test_analyses_of_different_sources_do_not_add(make_table):
    """Counts of two sources cannot be added to counts of three."""
    two, three = (analyse(distinct(np.zeros((1, m), dtype=np.int8)), n_classes=2) for m in (2, 3))
    with pytest.raises(InvalidRecord, match="sources x classes"):
        two + three


def test_records_get_each_kind_of_silence_by_itself(table):
    """Abstentions, errors and skipped examples are counted apart, and no error becomes an abstention."""
    counts = vote_counts(table, error_types={"s2": {"ValueError": 1}})
    first, second, third = counts["sources"]
    assert (first.votes, first.abstained, first.errors, first.skipped) == ((1, 2), 1, 0, 0)
    assert (second.votes, second.abstained, second.errors, second.skipped) == ((0, 1), 2, 0, 1)
    assert (third.votes, third.abstained, third.errors, third.skipped) == ((2, 0), 1, 1, 0)
    assert third.error_types == {"ValueError": 1}
    assert {key: counts[key] for key in ("rows", "covered", "conflicts", "patterns")} == {
        "rows": 4,
        "covered": 3,
        "conflicts": 1,
        "patterns": 4,
    }


def test_error_types_must_account_for_every_error(table):
    """Exceptions that do not add up to the errors voted are refused."""
    with pytest.raises(InvalidRecord, match=r"error_types\.s2: given 2, wanted the 1 errors"):
        source_votes(table, analyse(distinct(table.matrix), n_classes=2), error_types={"s2": {"ValueError": 2}})


def test_a_near_copy_is_named_and_a_narrow_relative_is_not(make_table):
    """Two columns that nearly always say the same are named; a source within another's rows is not."""
    rng = np.random.default_rng(3)
    first = rng.integers(0, 2, 200).astype(np.int8)
    copy = np.where(np.arange(200) < 5, 1 - first, first)
    narrow = np.where(np.arange(200) < 100, first, -1)
    silent = np.full(200, -1)
    table = make_table(np.column_stack([first, copy, narrow, silent]))
    (found,) = suspects(meetings(table.matrix, n_classes=2), table.columns)
    assert found.columns == ("s0", "s1")
    assert (found.shared, found.agreement) == (1.0, 195 / 200)


@given(st.one_of(votes, wide))
def test_distinct_rows_stand_in_lexicographic_order(matrix):
    """Narrow or wider than one integer, patterns are sorted as lists of votes are."""
    found = distinct(matrix).votes.tolist()
    assert found == sorted(found)
