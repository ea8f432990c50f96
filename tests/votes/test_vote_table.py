from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from governance.digest import canonical
from governance.errors import ConfigurationError, ExitCode, InvalidRecord
from governance.votes.table import VoteTable, check_examples, read_votes, write_votes

IDS = ["d/0", "d/1", "d/2"]
SOURCES = {c: "source:" + hashlib.sha256(c.encode()).hexdigest() for c in "ab"}
GOOD = {"classes": ["negative", "positive"], "sources": SOURCES}


def frame(a=(0, 1, -1), b=(1, -2, -3), ids=IDS, dtype=pl.Int8) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "example_id": pl.Series(ids, dtype=pl.String),
            "a": pl.Series(list(a), dtype=dtype),
            "b": pl.Series(list(b), dtype=pl.Int8),
        }
    )


def test_a_table_comes_back_as_it_was_written(table, tmp_path):
    """Ids, columns, source versions, classes and every vote survive the way to disk and back."""
    write_votes(table, tmp_path / "votes.parquet")
    again = read_votes(tmp_path / "votes.parquet")
    assert again.ids.to_list() == table.ids.to_list()
    assert (again.columns, again.sources, again.classes) == (table.columns, table.sources, table.classes)
    assert again.matrix.dtype == np.int8
    assert again.matrix.tolist() == table.matrix.tolist()


def test_the_same_table_gives_the_same_bytes(table, tmp_path):
    """Two writings of one table are byte-identical."""
    for name in ("one", "two"):
        write_votes(table, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_votes_cannot_be_changed_behind_the_table():
    """A table keeps a copy of its own, and that copy is read-only."""
    matrix = np.array([[0], [1]], dtype=np.int8)
    table = VoteTable(pl.Series(["x", "y"]), ("a",), (SOURCES["a"],), ("n", "p"), matrix)
    matrix[0, 0] = 1
    assert table.matrix[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        table.matrix[0, 0] = 1


FAULTS = {
    "class_index_unknown": (
        frame(a=(0, 2, -1), b=(-3, -2, 1)),
        GOOD,
        r"votes\[1\]\.a: given 2, wanted a class index from 0 to 1",
    ),
    "vote_below_skipped": (frame(b=(1, 1, -4)), GOOD, r"votes\[2\]\.b: given -4"),
    "id_twice": (frame(ids=["d/0", "d/1", "d/0"]), GOOD, r"example_id\[2\]: .*each example once"),
    "id_empty": (frame(ids=["d/0", "", "d/2"]), GOOD, r"example_id\[1\]: .*not empty"),
    "id_null": (frame(ids=["d/0", None, "d/2"]), GOOD, r"example_id\[1\]: .*not empty"),
    "id_column_missing": (frame().drop("example_id"), GOOD, "a column 'example_id'"),
    "id_column_of_numbers": (frame().with_columns(example_id=pl.lit(1)), GOOD, "ids as text"),
    "votes_as_float": (frame(dtype=pl.Float64), GOOD, r"columns\.a: given 'Float64', wanted votes as Int8"),
    "votes_as_int64": (frame(dtype=pl.Int64), GOOD, r"columns\.a: given 'Int64'"),
    "vote_null": (frame(a=(0, None, 1)), GOOD, r"votes\[1\]\.a: given None, wanted a vote"),
    "no_rows": (frame().clear(), GOOD, "rows: given 0, wanted at least one example"),
    "one_class": (frame(), {**GOOD, "classes": ["only"]}, "classes: given 1, wanted 2 to 127 classes"),
    "classes_128": (frame(), {**GOOD, "classes": [str(k) for k in range(128)]}, "classes: given 128, wanted 2 to 127"),
    "class_twice": (frame(), {**GOOD, "classes": ["a", "a"]}, "each class once"),
    "class_without_name": (frame(), {**GOOD, "classes": ["a", ""]}, "classes: given '', wanted a name"),
    "source_twice": (frame(), {**GOOD, "sources": dict.fromkeys("ab", SOURCES["a"])}, "sources: .*each source once"),
    "source_without_version": (frame(), {**GOOD, "sources": {**SOURCES, "b": "vader"}}, r"sources\.b: given 'vader'"),
    "source_unnamed": (frame(), {**GOOD, "sources": {"a": SOURCES["a"]}}, "columns: given 'b'"),
    "source_without_column": (frame().drop("b"), GOOD, "columns: given 'b'"),
    "no_source": (frame().select("example_id"), {**GOOD, "sources": {}}, "at least one source"),
    "metadata_without_classes": (frame(), {"sources": SOURCES}, "an object with classes and sources"),
    "metadata_of_other_shape": (frame(), {"sources": [], "classes": {}}, "a list of classes, and sources by column"),
    "metadata_missing": (frame(), None, "metadata: given None"),
}


@pytest.fixture(params=FAULTS)
def faulty_file(request, tmp_path):
    table, metadata, says = FAULTS[request.param]
    path = tmp_path / f"votes_{request.param}.parquet"
    table.write_parquet(path, metadata=None if metadata is None else {"labeltrail": canonical(metadata).decode()})
    return path, says


def test_a_faulty_file_is_refused_by_field(faulty_file):
    """Every fault is refused whole, with exit code 2 and a sentence that names file, field, given and wanted."""
    path, says = faulty_file
    with pytest.raises(InvalidRecord, match=says) as caught:
        read_votes(path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "d/" not in caught.value.message.replace(str(path), "")


def test_a_file_that_is_no_table_is_refused(table, tmp_path):
    """An empty file, a truncated file and a missing file each give one clear error."""
    whole = tmp_path / "whole.parquet"
    write_votes(table, whole)
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "truncated.parquet").write_bytes(whole.read_bytes()[:-20])
    for name in ("empty", "truncated"):
        with pytest.raises(InvalidRecord, match="file: "):
            read_votes(tmp_path / f"{name}.parquet")
    with pytest.raises(ConfigurationError, match="no such file"):
        read_votes(tmp_path / "missing.parquet")


def test_metadata_in_another_form_is_refused(tmp_path):
    """A source that the metadata names twice cannot hide behind a lenient JSON reader."""
    text = f'{{"classes":["n","p"],"sources":{{"a":"{SOURCES["a"]}","a":"{SOURCES["b"]}"}}}}'
    frame().drop("b").write_parquet(tmp_path / "votes_source_twice.parquet", metadata={"labeltrail": text})
    with pytest.raises(InvalidRecord, match="canonical JSON"):
        read_votes(tmp_path / "votes_source_twice.parquet")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"columns": ("a", "a")}, "columns: given 'a', wanted each source once"),
        ({"columns": ("a",)}, "sources: given 2"),
        ({"columns": ("a", "example_id")}, "columns: given 'example_id'"),
        ({"columns": ("a", "ä")}, "columns: given 'ä'"),
        ({"sources": (SOURCES["a"], SOURCES["a"])}, "each source once"),
        ({"matrix": np.zeros((2, 2))}, "matrix: given 'float64', wanted votes as int8"),
        ({"matrix": np.zeros((3, 2), dtype=np.int8)}, r"matrix: given \[3, 2\], wanted 2 rows x 2 sources"),
        ({"matrix": np.full((2, 2), 5, dtype=np.int8)}, r"votes\[0\]\.a: given 5"),
        ({"ids": pl.Series(["x", "x"])}, r"example_id\[1\]"),
    ],
)
def test_no_table_can_be_made_that_is_not_whole(changed, says):
    """A table in memory is held to the same rules as a table on disk."""
    good = {
        "ids": pl.Series(["x", "y"]),
        "columns": ("a", "b"),
        "sources": tuple(SOURCES.values()),
        "classes": ("n", "p"),
        "matrix": np.zeros((2, 2), dtype=np.int8),
    }
    VoteTable(**good)
    with pytest.raises(InvalidRecord, match=says):
        VoteTable(**{**good, **changed})


def test_a_vote_for_an_unknown_example_is_refused_without_its_id(table):
    """Votes on an example that the dataset lacks are refused; the id is somebody's and stays out of the message."""
    with pytest.raises(InvalidRecord, match=r"votes\[3\]\.example_id: given '1 unknown'") as caught:
        check_examples(table, ["d/0", "d/1", "d/2", "elsewhere"])
    assert "d/3" not in caught.value.message


def test_an_example_that_nobody_was_asked_about_is_noticed(table):
    """A table with fewer rows than examples is refused; one with exactly these examples is not."""
    with pytest.raises(InvalidRecord, match="one row for each of the 5 examples"):
        check_examples(table, [f"d/{i}" for i in range(5)])
    check_examples(table, [f"d/{i}" for i in range(4)])


def test_aligning_to_other_examples_is_refused(table):
    """Neither a stranger among the ids nor a missing example can be aligned."""
    for ids in (["d/0", "d/1", "d/2", "elsewhere"], ["d/0", "d/1", "d/2"], [f"d/{i}" for i in range(5)]):
        with pytest.raises(InvalidRecord, match="votes"):
            table.aligned_to(ids)


def test_voting_sources_are_counted_without_silence(table):
    """Abstentions, errors and skipped examples are no votes."""
    assert table.voting.tolist() == [2, 2, 0, 2]


def test_aligning_moves_votes_with_their_ids(table):
    """After aligning to another order each id still has its own votes."""
    before = dict(zip(table.ids, table.matrix.tolist(), strict=True))
    wanted = ["d/2", "d/0", "d/3", "d/1"]
    moved = table.aligned_to(wanted)
    assert moved.ids.to_list() == wanted
    assert dict(zip(moved.ids, moved.matrix.tolist(), strict=True)) == before
