"""What does a Parquet table hold: a column a source, or a row a vote?"""

from __future__ import annotations

from pathlib import Path

from governance.errors import InvalidRecord
from governance.parquet import read_table, write_table
from governance.sources.ingest import _tables
from governance.sources.ingest._base import Gathered, Options

TELLS = "a Parquet table: a row an example and a column a source, or a row a vote (example_id, source, vote)"
SUFFIX = ".parquet"


def looks_like(head: bytes, path: Path) -> bool:
    """The four bytes that Parquet begins with."""
    del path
    return head.startswith(b"PAR1")


def read(path: Path, options: Options) -> Gathered:
    """The votes in a Parquet table; a null was not asked. Floats are no votes and no ids."""
    import polars as pl

    frame = read_table(path)
    for name in frame.columns:
        kind = frame[name].dtype
        if kind.is_float() and not frame[name].is_nan().any() and not frame[name].null_count():
            hint = "votes are whole numbers, ids are texts or whole numbers: cast the column where it was made"
            raise InvalidRecord(f"columns.{name}", str(kind), "texts or whole numbers", where=str(path), hint=hint)
        if isinstance(kind, (pl.Categorical, pl.Enum)):
            frame = frame.with_columns(pl.col(name).cast(pl.String))
    return _tables.gather(_tables.Cells(frame.columns, frame.rows(), str(path)), path, options)


def write(gathered: Gathered, path: Path) -> None:
    """A table in the form that the votes came in, every cell a text but the repeats."""
    import polars as pl

    columns, rows = _tables.table_of(gathered)
    kinds = {name: pl.Int64 if name == _tables.REPEAT and "source" not in name else pl.String for name in columns}
    write_table(pl.DataFrame(rows, schema=kinds, orient="row"), path)
