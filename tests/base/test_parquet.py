"""Tables on disk."""

from __future__ import annotations

import polars as pl
import pytest

from governance.errors import ConfigurationError, InvalidRecord
from governance.parquet import content_digest, read_metadata, read_table, write_table

FRAME = pl.DataFrame(
    {"example_id": ["a", "b", None], "x": [1.5, None, -0.0], "n": [[1, 2], [], None], "yes": [True, None, False]},
    schema={"example_id": pl.String, "x": pl.Float64, "n": pl.List(pl.Int16), "yes": pl.Boolean},
)


def test_the_same_table_gives_the_same_bytes_and_comes_back(tmp_path):
    """Writing is deterministic and reading is its inverse, metadata included."""
    write_table(FRAME, tmp_path / "a.parquet", metadata={"k": "v"})
    write_table(FRAME, tmp_path / "b.parquet", metadata={"k": "v"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert read_table(tmp_path / "a.parquet").equals(FRAME)
    assert read_metadata(tmp_path / "a.parquet") == {"k": "v"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.with_columns(x=pl.Series([1.5, None, 0.0])),
        lambda f: f.rename({"x": "y"}),
        lambda f: f.reverse(),
        lambda f: f.with_columns(example_id=pl.Series(["a", "b", ""])),
        lambda f: f.with_columns(n=pl.Series([[1], [2], None], dtype=pl.List(pl.Int16))),
        lambda f: f.with_columns(yes=pl.Series([True, False, False])),
        lambda f: f.with_columns(x=pl.col("x").cast(pl.Float32)),
        lambda f: f.head(2),
    ],
    ids=["sign_of_zero", "name", "order", "null_and_empty", "list_borders", "null_and_false", "type", "rows"],
)
def test_any_change_of_content_changes_the_content_digest(change):
    """Two tables share a content digest only where they are the same table."""
    assert content_digest(change(FRAME)) != content_digest(FRAME)


def test_the_content_digest_does_not_depend_on_how_the_file_was_written(tmp_path):
    """Another compression gives other bytes and the same content."""
    FRAME.write_parquet(tmp_path / "plain.parquet", compression="uncompressed")
    write_table(FRAME, tmp_path / "small.parquet")
    assert (tmp_path / "plain.parquet").read_bytes() != (tmp_path / "small.parquet").read_bytes()
    assert content_digest(read_table(tmp_path / "plain.parquet")) == content_digest(FRAME)


def test_text_that_runs_over_a_cells_border_is_another_content():
    """("ab", "c") and ("a", "bc") are two tables."""
    first, second = pl.DataFrame({"t": ["ab", "c"]}), pl.DataFrame({"t": ["a", "bc"]})
    assert content_digest(first) != content_digest(second)


def test_bad_files_are_one_clear_error_each(tmp_path):
    """A missing, empty, truncated or foreign file, or a missing column, is named and left as it is."""
    with pytest.raises(ConfigurationError, match="no such file"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "empty.parquet").write_bytes(b"")
    with pytest.raises(InvalidRecord, match=r"empty\.parquet.*0 bytes"):
        read_table(tmp_path / "empty.parquet")
    write_table(FRAME, tmp_path / "whole.parquet")
    cut = (tmp_path / "whole.parquet").read_bytes()[:-20]
    (tmp_path / "truncated.parquet").write_bytes(cut)
    with pytest.raises(InvalidRecord, match=r"truncated\.parquet"):
        read_table(tmp_path / "truncated.parquet")
    assert (tmp_path / "truncated.parquet").read_bytes() == cut
    (tmp_path / "text.parquet").write_text("example_id,x\n1,2\n")
    with pytest.raises(InvalidRecord, match=r"text\.parquet"):
        read_table(tmp_path / "text.parquet")
    with pytest.raises(InvalidRecord, match="'gold'"):
        read_table(tmp_path / "whole.parquet", columns=["example_id", "gold"])
    with pytest.raises(InvalidRecord):
        content_digest(pl.DataFrame({"when": [pl.date(2020, 1, 1)]}).select(pl.date(2020, 1, 1).alias("when")))
