"""What does a crowd table hold: which worker gave which task which label?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from governance.sources.ingest import _tables
from governance.sources.ingest._base import Gathered, Options

TELLS = "a crowd table: worker, task, label, as crowd-kit reads them"
SUFFIX = ".csv"
_COLUMNS = ("worker", "task", "label")


def is_crowd(head: bytes) -> bool:
    """Whether the first line names the three columns of a crowd table."""
    return set(_COLUMNS) <= set(_tables.header_of(head))


def looks_like(head: bytes, path: Path) -> bool:
    """The three columns, in any order."""
    del path
    return is_crowd(head)


def read(path: Path, options: Options) -> Gathered:
    """The labels of a crowd table; a worker may label a task again."""
    here = replace(
        options,
        source_column=options.source_column or "worker",
        id_column=options.id_column or "task",
        label_column=options.label_column or "label",
        kind=options.kind or "crowd",
    )
    return _tables.gather(_tables.read_csv(path, names=[here.id_column]), path, here, long=True)


def write(gathered: Gathered, path: Path) -> None:
    """worker, task, label, a row a label, under the names of the columns that it came with."""
    names = {"source_column": "worker", "id_column": "task", "label_column": "label"}
    layout = {**names, **gathered.layout} if gathered.layout.get("form") == "long" else names
    _tables.write_csv(*_tables.table_of(replace(gathered, layout={**layout, "form": "long"})), path)
