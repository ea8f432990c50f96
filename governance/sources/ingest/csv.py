"""What does a CSV table hold: a column a source, or a row a vote?"""

from __future__ import annotations

from pathlib import Path

from governance.sources.ingest import _tables
from governance.sources.ingest._base import Gathered, Options

TELLS = "a CSV table: a row an example and a column a source, or a row a vote (example_id, source, vote)"
SUFFIX = ".csv"


def looks_like(head: bytes, path: Path) -> bool:
    """A line of column names that is not that of a crowd table."""
    from governance.sources.ingest import crowd

    del path
    return len(_tables.header_of(head)) > 1 and head[:1] not in (b"[", b"{") and not crowd.is_crowd(head)


def read(path: Path, options: Options) -> Gathered:
    """The votes in a CSV table; an empty cell was not asked."""
    return _tables.gather(_tables.read_csv(path, names=[options.id_column]), path, options)


def write(gathered: Gathered, path: Path) -> None:
    """A table in the form that the votes came in."""
    _tables.write_csv(*_tables.table_of(gathered), path)
