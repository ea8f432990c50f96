"""Which votes do the tests of label models learn from?"""

from __future__ import annotations

import hashlib

import numpy as np

from governance.labelmodels._canonical import Arranged
from governance.labelmodels._voices import Pairs
from governance.labelmodels._vote_rows import VoteRows
from governance.votes.table import VoteTable


def source_name(word: str) -> str:
    return "source:" + hashlib.sha256(word.encode()).hexdigest()


def table_of(matrix, *, columns=None, classes=("negative", "positive")) -> VoteTable:
    matrix = np.asarray(matrix, dtype=np.int8)
    columns = tuple(columns or (f"s{j}" for j in range(matrix.shape[1])))
    ids = [f"d/{i}" for i in range(len(matrix))]
    return VoteTable(ids, columns, tuple(source_name(c) for c in columns), tuple(classes), matrix)  # type: ignore[arg-type]


def simulated(*, rows=600, accuracies=(0.9, 0.8, 0.75, 0.7, 0.6), coverage=0.6, classes=2, seed=0):
    """(votes, gold): independent sources that are right at a known rate."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(classes, size=rows, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    columns = []
    for accuracy in accuracies:
        wrong = (gold + rng.integers(1, classes, rows)) % classes
        vote = np.where(rng.random(rows) < accuracy, gold, wrong)
        columns.append(np.where(rng.random(rows) < coverage, vote, rng.choice([-1, -1, -1, -2, -3], rows)))
    return np.column_stack(columns).astype(np.int8), gold


def pairs_of(votes, *, classes, weights=None) -> Pairs:
    """The pairs of evidence whose rows and columns keep their places."""
    weights = np.ones(len(votes)) if weights is None else weights
    order, rows, spoken = np.arange(votes.shape[1]), np.arange(len(votes)), VoteRows(votes, weights).spoken
    there = Arranged(order, order.astype(np.uint64), rows, rows, weights, None, None, votes)
    return Pairs(there, spoken, classes=classes)
