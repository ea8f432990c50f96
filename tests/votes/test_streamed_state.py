"""The state of files: however they are cut and read, it is that of the table they are parts of."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import polars as pl
import pytest
from counted_by_hand import plain
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from state_votes import many_patterns, table_of, votes

from governance.errors import ConfigurationError, InvalidRecord
from governance.labelmodels.dawid_skene import DawidSkene
from governance.votes.state import VoteState
from governance.votes.streaming import state_of
from governance.votes.table import VoteTable, write_votes


@settings(max_examples=25, deadline=None)
@given(votes, st.lists(st.integers(0, 9), max_size=3), st.integers(1, 3), st.randoms(use_true_random=False))
def test_files_are_one_table_however_it_was_cut(tmp_path_factory, matrix, cuts, threads, random):
    """The state of some files, read by any number of threads in any order, is the state of the table they are parts of."""
    assume((matrix >= 0).any())
    folder, files = tmp_path_factory.mktemp("parts"), []
    cuts = [0, *sorted(min(cut, len(matrix)) for cut in cuts), len(matrix)]
    for number, (first, last) in enumerate(itertools.pairwise(cuts)):
        if first < last:
            files.append(folder / f"{number}.parquet")
            write_votes(table_of(matrix[first:last], first=first), files[-1])
    table = table_of(matrix)
    whole = VoteState.of(table)
    random.shuffle(files)
    found = state_of(files, threads=threads)
    assert found.digest == whole.digest
    assert DawidSkene().fit_state(found).to_bytes() == DawidSkene().fit(table).to_bytes()


def test_a_file_that_does_not_fit_is_read_in_parts_and_sampled(tmp_path):
    """A small memory gives a sample, the same for one file and for many, and exact counts."""
    matrix = many_patterns(20_000)
    write_votes(table_of(matrix), tmp_path / "whole.parquet")
    for number in range(4):
        part = table_of(matrix[number * 5_000 :][:5_000], first=number * 5_000)
        write_votes(part, tmp_path / f"part_{number}.parquet")
    memory = 2 * 2_048 * 4 * (9 + 16)
    one = state_of(tmp_path / "whole.parquet", memory=memory, threads=2)
    many = state_of(sorted(tmp_path.glob("part_*"), reverse=True), memory=memory, threads=1)
    assert one.digest == many.digest
    assert one.sampled < 1
    assert one.rows == 20_000
    assert plain(one.analysis) == plain(VoteState.of(table_of(matrix)).analysis)


def test_a_memory_that_is_too_small_is_one_clear_error(tmp_path, make_table):
    """It names what was given and how much is needed."""
    write_votes(make_table([[0, 1], [1, 1]]), tmp_path / "votes.parquet")
    for memory in (0, -1, 1_000, 1e9, None, "1 GB", True):
        with pytest.raises(InvalidRecord, match=r"memory: given .* wanted at least 294912 bytes for 2 sources"):
            state_of(tmp_path / "votes.parquet", memory=memory)
    assert state_of(tmp_path / "votes.parquet", memory=294_912).rows == 2


def test_files_of_different_votes_are_refused_by_the_file(tmp_path, make_table):
    """Other source versions, other classes and no file at all are named; files may order their columns as they like."""
    write_votes(make_table([[0, 1], [1, 1]]), tmp_path / "a.parquet")
    write_votes(make_table([[0, 1, 1]]), tmp_path / "b.parquet")
    write_votes(make_table([[0, 1]], classes=("x", "y")), tmp_path / "c.parquet")
    with pytest.raises(InvalidRecord, match=r"b.parquet: metadata.sources"):
        state_of([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with pytest.raises(InvalidRecord, match=r"c.parquet: metadata.classes"):
        state_of([tmp_path / "a.parquet", tmp_path / "c.parquet"])
    with pytest.raises(ConfigurationError, match="no such file"):
        state_of([tmp_path / "a.parquet", tmp_path / "none.parquet"])
    with pytest.raises(InvalidRecord, match="at least one file of votes"):
        state_of([])
    table = table_of([[0, 1], [1, 2]])
    turned = VoteTable(table.ids, table.columns[::-1], table.sources[::-1], table.classes, table.matrix[:, ::-1])
    write_votes(table, tmp_path / "one.parquet")
    write_votes(turned, tmp_path / "turned.parquet")
    both = state_of([tmp_path / "one.parquet", tmp_path / "turned.parquet"])
    assert both.patterns.counts.tolist() == [2, 2]


def test_a_part_with_an_impossible_vote_is_refused_by_row_and_column(tmp_path):
    """Whichever thread finds it, the first bad vote in the order of the files is named."""
    matrix = np.zeros((3_000, 2), dtype=np.int8)
    write_votes(table_of(matrix), tmp_path / "a.parquet")
    frame = pl.read_parquet(tmp_path / "a.parquet")
    told = {
        key: value for key, value in pl.read_parquet_metadata(tmp_path / "a.parquet").items() if key == "labeltrail"
    }
    bad = frame.with_columns(pl.when(pl.int_range(3_000) == 2_500).then(9).otherwise("s1").cast(pl.Int8).alias("s1"))
    bad.write_parquet(tmp_path / "b.parquet", metadata=told)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidRecord, match=r"b.parquet: votes\[2500\].s1: given 9"):
            state_of([tmp_path / "a.parquet", tmp_path / "b.parquet"], memory=300_000)
