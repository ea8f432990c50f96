"""Votes keep their ids and source versions, whichever library holds them."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from governance.errors import InvalidRecord
from governance.votes.doors import take_votes

MATRIX = [[0, -1], [1, -3], [-2, 1]]
IDS = ["ä/1", "b", "c"]
CLASSES = ("negative", "positive")
SOURCES = {name: "source:" + hashlib.sha256(name.encode()).hexdigest() for name in ("f", "g")}


class PandasLike:
    """What pandas and we agree on: columns, an index, and columns that answer lists."""

    class Column(list):
        def tolist(self):
            return list(self)

    def __init__(self, columns, index=None):
        self._columns, self.columns = columns, list(columns)
        self.index = self.Column(index) if index is not None else range(len(next(iter(columns.values()))))

    def __getitem__(self, name):
        return self.Column(self._columns[name])


def columns() -> dict[str, list[int]]:
    return {name: [row[number] for row in MATRIX] for number, name in enumerate(SOURCES)}


def inputs():
    array = np.array(MATRIX)
    stored = sparse.coo_array((array.ravel(), np.divmod(np.arange(array.size), 2)), shape=array.shape)
    return {
        "polars": lambda: take_votes(pl.DataFrame({"example_id": IDS, **columns()}), sources=SOURCES, classes=CLASSES),
        "pandas, ids in a column": lambda: take_votes(
            PandasLike({"key": IDS, **columns()}), sources=SOURCES, classes=CLASSES, id_column="key"
        ),
        "pandas, ids in the index": lambda: take_votes(PandasLike(columns(), IDS), sources=SOURCES, classes=CLASSES),
        "numpy": lambda: take_votes(array, sources=SOURCES, classes=CLASSES, ids=IDS),
        "numpy, whole numbers as floats": lambda: take_votes(array * 1.0, sources=SOURCES, classes=CLASSES, ids=IDS),
        "scipy": lambda: take_votes(stored, sources=SOURCES, classes=CLASSES, ids=IDS, unstored=-1),
        "lists": lambda: take_votes(MATRIX, sources=SOURCES, classes=CLASSES, ids=IDS),
    }


@pytest.mark.parametrize("library", inputs())
def test_votes_are_the_same_from_every_library(library):
    """Ids, columns, source versions and every vote."""
    table = inputs()[library]()
    assert table.ids.to_list() == IDS
    assert dict(zip(table.columns, table.sources, strict=True)) == SOURCES
    assert table.matrix.tolist() == MATRIX


def test_pandas_itself_comes_in_where_it_is_installed():
    """By a column, by an index, and never by an index that only counts rows."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(columns(), index=IDS)
    assert take_votes(frame, sources=SOURCES, classes=CLASSES).matrix.tolist() == MATRIX
    with pytest.raises(InvalidRecord, match="no ids"):
        take_votes(pd.DataFrame(columns()), sources=SOURCES, classes=CLASSES)


def test_what_a_sparse_matrix_leaves_out_has_to_be_said():
    """Class 0 that is dropped as a zero would become whatever we guess."""
    given = sparse.csr_array(np.array([[1, 0], [0, 1], [1, 1]]))
    with pytest.raises(InvalidRecord, match="unstored"):
        take_votes(given, sources=SOURCES, classes=CLASSES, ids=IDS)
    assert take_votes(given, sources=SOURCES, classes=CLASSES, ids=IDS, unstored=0).matrix.tolist() == [
        [1, 0],
        [0, 1],
        [1, 1],
    ]


def frame(**changed) -> pl.DataFrame:
    return pl.DataFrame({"example_id": IDS, **columns(), **changed})


BAD = {
    "float_vote": (frame(f=[0.5, 1.0, 0.0]), {}, r"votes\[0\]\.f: given 0\.5, wanted a whole number"),
    "nan_vote": (frame(f=[0.0, float("nan"), 0.0]), {}, r"votes\[1\]\.f: given None, wanted a vote"),
    "missing_vote": (frame(f=[0, None, 1]), {}, r"votes\[1\]\.f"),
    "vote_beyond_int8": (frame(f=[0, 300, 1]), {}, r"votes\[1\]\.f: given 300"),
    "class_out_of_range": (frame(f=[0, 2, 1]), {}, r"votes\[1\]\.f: given 2"),
    "vote_a_text": (frame(f=["0", "1", "0"]), {}, r"columns\.f"),
    "id_twice": (frame(example_id=["a", "b", "a"]), {}, r"example_id\[2\]"),
    "id_nan": (frame(example_id=[1.0, float("nan"), 2.0]), {}, r"example_id\[0\]: given 'float'"),
    "id_missing": (frame(example_id=["a", None, "b"]), {}, r"example_id\[1\]"),
    "id_column_missing": (pl.DataFrame(columns()), {}, "no ids"),
    "ids_from_two_places": (frame(), {"ids": IDS}, "ids from one place"),
    "column_without_a_source": (frame(h=[1, 1, 1]), {}, "a column whose source version is given"),
    "source_without_a_column": (frame().drop("g"), {}, "a column 'g'"),
    "ids_of_another_length": (np.array(MATRIX), {"ids": IDS[:2]}, "2 rows x 2 sources"),
    "matrix_without_ids": (np.array(MATRIX), {}, "which a matrix does not hold"),
    "matrix_of_three_columns": (np.zeros((3, 3), dtype=int), {"ids": IDS}, "each of 3 columns"),
    "one_dimension": (np.zeros(3, dtype=int), {"ids": IDS}, "rows x sources"),
}


@pytest.mark.parametrize("fault", BAD)
def test_votes_at_fault_are_refused_at_the_door(fault):
    """Row and column are named, whatever held them."""
    given, more, says = BAD[fault]
    with pytest.raises(InvalidRecord, match=says):
        take_votes(given, sources=SOURCES, classes=CLASSES, **more)
