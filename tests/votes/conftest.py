from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from governance.votes.table import VoteTable


def source_name(word: str) -> str:
    return "source:" + hashlib.sha256(word.encode()).hexdigest()


def table_of(matrix, *, classes=("negative", "positive")) -> VoteTable:
    matrix = np.asarray(matrix, dtype=np.int8)
    columns = tuple(f"s{j}" for j in range(matrix.shape[1]))
    ids = pl.Series("example_id", [f"d/{i}" for i in range(len(matrix))])
    return VoteTable(ids, columns, tuple(source_name(c) for c in columns), tuple(classes), matrix)


@pytest.fixture
def make_table():
    return table_of


@pytest.fixture
def table() -> VoteTable:
    return table_of([[1, -1, 0], [1, 1, -2], [-1, -1, -1], [0, -3, 0]])
