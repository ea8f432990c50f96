"""Counting votes as bits: the same integers as a loop over rows gives, for any partition and any order."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import polars as pl
import pytest
from counted_by_hand import by_hand, plain
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.errors import ConfigurationError, InvalidRecord
from governance.parquet import write_table
from governance.votes import counting
from governance.votes.analysis import analyse, analyse_rows
from governance.votes.patterns import distinct
from governance.votes.streaming import analyse_file
from governance.votes.table import VoteTable, write_votes

few = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
votes = few.flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 4)))
some = st.integers(0, 5).flatmap(lambda m: hnp.arrays(np.int8, (5, m + 1), elements=st.integers(-3, 126)))


@given(st.one_of(votes, some))
def test_bits_count_what_a_loop_over_rows_counts(matrix):
    """Every count, of two classes and of 127."""
    for n_classes in {max(2, int(matrix.max()) + 1), 127}:
        assert plain(analyse_rows(matrix, n_classes=n_classes)) == by_hand(matrix, n_classes)


@given(votes, st.lists(st.integers(0, 9), max_size=4), st.randoms())
def test_any_partition_in_any_order_gives_the_same_integers(matrix, cuts, random):
    """Parts of shuffled rows, added up in a shuffled order, are bit for bit the analysis of the whole."""
    rows = list(range(len(matrix)))
    random.shuffle(rows)
    parts = np.split(matrix[rows], sorted(min(cut, len(matrix)) for cut in cuts))
    random.shuffle(parts)
    added = reduce(add, [analyse_rows(part, n_classes=5) for part in parts])
    whole = analyse_rows(matrix, n_classes=5)
    for name, value in vars(whole).items():
        assert np.asarray(getattr(added, name)).tobytes() == np.asarray(value).tobytes()


@given(votes, st.lists(st.integers(1, 9), min_size=9, max_size=9))
def test_patterns_are_counted_as_often_as_they_are_there(matrix, often):
    """From distinct patterns come the counts of all rows."""
    repeated = np.repeat(matrix, often[: len(matrix)], axis=0)
    assert plain(analyse(distinct(repeated), n_classes=5)) == plain(analyse_rows(repeated, n_classes=5))


@given(votes)
def test_patterns_without_an_inverse_are_the_same_patterns(matrix):
    """Which row has which pattern is not told, and nothing else is different."""
    short, long = distinct(matrix, inverse=False), distinct(matrix)
    assert (short.votes.tolist(), short.counts.tolist()) == (long.votes.tolist(), long.counts.tolist())
    assert not len(short.inverse)


def test_rows_beyond_a_word_and_beyond_a_part_are_counted(monkeypatch):
    """Parts of 1,024 rows, the last of which is no multiple of 64."""
    monkeypatch.setattr(counting, "_MOST_ROWS", 1_024)
    draw = np.random.default_rng(4)
    matrix = draw.integers(-3, 3, (2_500, 7), dtype=np.int8)
    assert plain(analyse_rows(matrix, n_classes=3)) == by_hand(matrix, 3)
    assert plain(analyse_rows(np.asfortranarray(matrix), n_classes=3)) == by_hand(matrix, 3)


def test_more_sources_than_a_byte_counts_are_counted():
    """300 sources that all vote on a row."""
    found = analyse_rows(np.ones((3, 300), dtype=np.int8), n_classes=2)
    assert found.voting[300] == 3
    assert found.conflicts == 0


def test_an_older_numpy_counts_the_same_bits():
    """numpy before 2.0 has no `bitwise_count`."""
    words = np.random.default_rng(5).integers(0, 2**63, (3, 40), dtype=np.uint64)
    assert counting._ones_of_old(words).tolist() == counting._ones(words).tolist()


def test_no_rows_have_an_analysis_that_changes_no_other():
    """What is counted over nothing is zero."""
    one = analyse_rows(np.ones((1, 2), dtype=np.int8), n_classes=2)
    assert plain(one + analyse_rows(np.empty((0, 2), dtype=np.int8), n_classes=2)) == plain(one)
    with pytest.raises(InvalidRecord, match="int8 votes"):
        analyse_rows(np.zeros((2, 2)), n_classes=2)


@given(votes, st.integers(1, 10))
def test_a_file_is_analysed_a_part_at_a_time(tmp_path, matrix, rows):
    """However many rows are in memory at a time, the counts are those of the whole table."""
    columns = tuple(f"s{j}" for j in range(matrix.shape[1]))
    ids = pl.Series("example_id", [f"d/{i}" for i in range(len(matrix))])
    table = VoteTable(ids, columns, tuple(f"source:{j:064x}" for j in range(len(columns))), tuple("abcde"), matrix)
    write_votes(table, tmp_path / "votes.parquet")
    found = analyse_file(tmp_path / "votes.parquet", rows=rows)
    assert (found.columns, found.sources, found.classes) == (table.columns, table.sources, table.classes)
    assert plain(found.analysis) == plain(analyse_rows(matrix, n_classes=5))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"s0": pl.Series([0, 9], dtype=pl.Int8)}, r"votes\[1\].s0: given 9"),
        ({"s0": pl.Series([0, None], dtype=pl.Int8)}, r"votes\[1\].s0: given None"),
        ({"s0": pl.Series([0.0, 1.0])}, "columns.s0: given 'Float64'"),
        ({"other": pl.Series([0, 1], dtype=pl.Int8)}, "columns"),
    ],
    ids=["a_class_out_of_range", "a_vote_that_is_null", "a_float", "a_column_nobody_knows"],
)
def test_a_file_that_is_no_table_of_votes_is_refused(tmp_path, make_table, bad, says):
    """Row, column and value are named, also where the file is read in parts."""
    write_votes(make_table([[0], [1]]), tmp_path / "good.parquet")
    metadata = {k: v for k, v in pl.read_parquet_metadata(tmp_path / "good.parquet").items() if k == "labeltrail"}
    frame = pl.DataFrame({"example_id": ["a", "b"], **bad})
    write_table(frame, tmp_path / "bad.parquet", metadata=metadata)
    with pytest.raises(InvalidRecord, match=says):
        analyse_file(tmp_path / "bad.parquet", rows=1)
    with pytest.raises(ConfigurationError, match="no such file"):
        analyse_file(tmp_path / "none.parquet")
