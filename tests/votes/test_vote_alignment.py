from __future__ import annotations

import numpy as np
import pytest

from governance.errors import BrokenEvidence, ExitCode, InvalidRecord
from governance.votes.alignment import check_alignment, differing_rows, sample_rows


@pytest.fixture
def long_table(make_table):
    return make_table(np.random.default_rng(0).integers(-1, 2, (500, 4)))


def test_votes_cast_again_prove_the_alignment(long_table):
    """Where the sample votes as before, the number of compared rows is the answer."""
    rows = sample_rows(500, size=64, seed=1)
    assert check_alignment(long_table.matrix[rows], long_table, rows) == 64


def test_rows_out_of_order_are_broken_evidence(long_table, make_table):
    """A table whose rows lost their order has the same statistics and is found, with the count and exit code 3."""
    shuffled = make_table(np.roll(long_table.matrix, 1, axis=0))
    rows = sample_rows(500, size=64, seed=1)
    wrong = int((long_table.matrix[rows] != shuffled.matrix[rows]).any(axis=1).sum())
    with pytest.raises(BrokenEvidence, match=f"{wrong} rows that differ") as caught:
        check_alignment(long_table.matrix[rows], shuffled, rows)
    assert wrong > 32
    assert caught.value.exit_code == ExitCode.BROKEN


def test_one_changed_vote_is_found(long_table):
    """A single vote that differs in a single row is one differing row."""
    rows = sample_rows(500, size=500, seed=1)
    again = long_table.matrix.copy()
    again[499, 3] = 1 if again[499, 3] != 1 else 0
    assert differing_rows(again, long_table, rows) == 1
    with pytest.raises(BrokenEvidence, match="1 rows that differ"):
        check_alignment(again, long_table, rows)


def test_a_sample_is_decided_by_its_seed():
    """The same seed samples the same rows, another seed others, each row once and in order."""
    first = sample_rows(1000, size=50, seed=7).tolist()
    assert first == sample_rows(1000, size=50, seed=7).tolist()
    assert first != sample_rows(1000, size=50, seed=8).tolist()
    assert first == sorted(set(first))
    assert sample_rows(3, size=50, seed=7).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("again", "rows", "says"),
    [
        (np.zeros((0, 4)), [], "rows: given 0, wanted at least one row"),
        (np.zeros((2, 4)), [0, 0], "each row once"),
        (np.zeros((1, 4)), [500], "row indices from 0 to 499"),
        (np.zeros((1, 4)), [-1], "row indices from 0 to 499"),
        (np.zeros((1, 4)), [0.0], "row indices from 0 to 499"),
        (np.zeros((1, 3)), [0], "1 rows x 4 sources"),
    ],
)
def test_what_compares_nothing_proves_nothing(long_table, again, rows, says):
    """An empty, repeated or impossible sample is refused and never read as aligned."""
    with pytest.raises(InvalidRecord, match=says):
        check_alignment(again.astype(np.int8), long_table, rows)


def test_a_sample_of_no_rows_is_refused():
    """Asking for fewer than one row is refused."""
    with pytest.raises(InvalidRecord, match="at least one row"):
        sample_rows(10, size=0, seed=0)
