"""Which votes do the tests of states count?"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.votes.table import VoteTable

few = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
votes = few.flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-3, 2)))


def source_name(word):
    return "source:" + hashlib.sha256(word.encode()).hexdigest()


def table_of(matrix, *, columns=None, first=0):
    matrix = np.asarray(matrix, dtype=np.int8)
    columns = tuple(columns or (f"s{j}" for j in range(matrix.shape[1])))
    ids = pl.Series("example_id", [f"d/{first + i}" for i in range(len(matrix))])
    return VoteTable(ids, columns, tuple(source_name(c) for c in columns), tuple("abc"), matrix)


def many_patterns(rows=6000, sources=9, seed=0):
    return np.random.default_rng(seed).integers(-2, 3, (rows, sources)).astype(np.int8)
