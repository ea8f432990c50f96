from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.errors import InvalidRecord
from governance.labelmodels.majority import MajorityVote

some_votes = (
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
    .flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 2)))
    .filter(lambda matrix: (matrix >= 0).any())
)


@given(some_votes)
def test_it_counts_votes_as_a_loop_counts_them(matrix):
    """Probabilities are shares of votes, labels the most named class, ties the class with more of all votes."""
    model = MajorityVote().fit(matrix, n_classes=3)
    rows = [[int((row == k).sum()) for k in range(3)] for row in matrix]
    covered = [row for row in rows if sum(row)]
    balance = [(1 + sum(row[k] / sum(row) for row in covered)) / (len(covered) + 3) for k in range(3)]
    np.testing.assert_allclose(model.balance_, balance, rtol=1e-12)
    for row, label, strict, proba in zip(
        rows, model.predict(matrix), model.predict(matrix, ties=False), model.predict_proba(matrix), strict=True
    ):
        if not sum(row):
            assert (label, strict) == (-1, -1)
            np.testing.assert_allclose(proba, balance, rtol=1e-12)
            continue
        leading = [k for k in range(3) if row[k] == max(row)]
        assert label == max(leading, key=lambda k: (model.balance_[k], -k))
        assert strict == (leading[0] if len(leading) == 1 else -1)
        np.testing.assert_allclose(proba, np.array(row) / sum(row), rtol=1e-12, atol=1e-15)


@given(some_votes, st.randoms(use_true_random=False))
def test_no_order_of_rows_or_columns_can_be_seen_in_a_majority(matrix, random):
    """Reordering rows and columns gives the same bits."""
    rows, columns = list(range(len(matrix))), list(range(matrix.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = matrix[rows][:, columns]
    one, two = (MajorityVote().fit(m, n_classes=3) for m in (matrix, moved))
    assert (one.balance_ == two.balance_).all()
    assert (one.predict_proba(matrix)[rows] == two.predict_proba(moved)).all()


def test_a_tie_goes_to_the_class_that_more_votes_name():
    """One against one is decided by the balance of all votes, and by the lower index where that is even too."""
    more_ones = np.array([[0, 1], [1, 1]], dtype=np.int8)
    even = np.array([[0, 1], [1, 0]], dtype=np.int8)
    assert MajorityVote().fit(more_ones, n_classes=2).predict(more_ones).tolist() == [1, 1]
    assert MajorityVote().fit(even, n_classes=2).predict(even).tolist() == [0, 0]


def test_all_silence_has_no_majority():
    """Votes that are all silence are refused."""
    with pytest.raises(InvalidRecord, match="no vote at all"):
        MajorityVote().fit(np.full((2, 2), -1, dtype=np.int8), n_classes=2)
