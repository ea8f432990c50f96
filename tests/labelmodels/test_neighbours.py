"""The neighbours of a pattern are those that looking at every row finds."""

from __future__ import annotations

import numpy as np
import pytest
from labelmodel_votes import simulated

from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.neighbours import PatternIndex


def by_looking(matrix, row):
    """{(column, vote there): rows} of all rows that differ in exactly one vote, errors and skips being silence."""
    votes, own = np.maximum(matrix, -1), np.maximum(row, -1)
    found = {}
    for other in votes:
        (places,) = np.nonzero(other != own)
        if len(places) == 1:
            key = (str(places[0]), int(other[places[0]]))
            found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_neighbours_are_those_that_looking_finds(classes):
    """Columns, votes and rows of each, with the label and probability of the batch path."""
    matrix, _ = simulated(rows=400, accuracies=(0.9, 0.7, 0.6), classes=classes, seed=classes)
    model = DawidSkene().fit(matrix, n_classes=classes)
    index = PatternIndex(model, matrix)
    assert index.proba.shape == (len(index), classes)
    for number, row in enumerate(matrix[:60]):
        near = index.of(row)
        assert {(one.column, one.vote): one.rows for one in near} == by_looking(matrix, row)
        assert [one.rows for one in near] == sorted((one.rows for one in near), reverse=True)
        assert index.rows_like(number) == int((np.maximum(matrix, -1) == np.maximum(row, -1)).all(axis=1).sum())
        for one in near:
            other = row.copy()
            other[int(one.column)] = one.vote
            label = int(model.predict(other[None, :])[0])
            assert one.label == label
            assert one.probability == (float(model.predict_proba(other[None, :])[0, label]) if label >= 0 else 0.0)


def test_a_pattern_that_nobody_has_may_have_neighbours():
    """A row from elsewhere is looked for like one's own."""
    matrix = np.array([[0, 0], [0, 1], [1, 1]], dtype=np.int8)
    index = PatternIndex(DawidSkene().fit(matrix, n_classes=2), matrix)
    row = np.array([1, 0], dtype=np.int8)
    assert {(one.column, one.vote) for one in index.of(row)} == {("0", 0), ("1", 1)}
    assert index.of(np.array([-1, -1], dtype=np.int8)) == []
