"""Who voted what of which example, and is the table whole?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, parse_canonical
from governance.errors import InvalidRecord
from governance.parquet import read_metadata, read_table, write_table

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from governance.votes.answers import Answers

ABSTAIN = -1
ERROR = -2
SKIPPED = -3

ID_COLUMN = "example_id"
METADATA_KEY = "labeltrail"
#: so many votes fit into a processor's cache
_AT_ONCE = 1 << 20
_SOURCE_NAME = re.compile(r"source:[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class VoteTable:
    """Every vote of some source versions: `matrix[i, j]` is what `sources[j]` said of the example `ids[i]`.

    `matrix` is int8, rows x sources: a class index from 0, or ABSTAIN, ERROR, SKIPPED. Nothing can be made that is not
    whole: each door raises InvalidRecord, which names row, column and value and never the text of an id.
    """

    ids: pl.Series
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    classes: tuple[str, ...]
    matrix: np.ndarray

    def __post_init__(self) -> None:
        import numpy as np
        import polars as pl

        ids = self.ids if isinstance(self.ids, pl.Series) else pl.Series(ID_COLUMN, list(self.ids), dtype=pl.String)
        object.__setattr__(self, "ids", ids.alias(ID_COLUMN))
        for field in ("columns", "sources", "classes"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        check_classes(self.classes, where="votes")
        check_sources(self.columns, self.sources, where="votes")
        check_ids(self.ids, where="votes")
        matrix = np.asarray(self.matrix)
        if matrix.dtype != np.int8:
            raise InvalidRecord("matrix", str(matrix.dtype), "votes as int8", where="votes")
        if matrix.shape != (len(ids), len(self.columns)):
            wanted = f"{len(ids)} rows x {len(self.columns)} sources"
            raise InvalidRecord("matrix", list(matrix.shape), wanted, where="votes")
        # A copy of our own, so that nobody changes a vote behind us.
        matrix = np.array(matrix, order="C")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)
        check_values(matrix, n_classes=len(self.classes), columns=self.columns, where="votes")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def voting(self) -> np.ndarray:
        """How many sources vote on each row, int64 (rows)."""
        import numpy as np

        return np.asarray((self.matrix >= 0).sum(axis=1), dtype=np.int64)

    def wide(self) -> VoteTable:
        """This table, as `Answers.wide` makes one of the long form."""
        return self

    def take(self, rows: Sequence[int] | np.ndarray) -> VoteTable:
        """The table of these rows, ids and votes together."""
        import numpy as np

        rows = np.asarray(rows, dtype=np.int64)
        return VoteTable(self.ids.gather(rows), self.columns, self.sources, self.classes, self.matrix[rows])

    def aligned_to(self, ids: pl.Series | Sequence[str]) -> VoteTable:
        """The same votes in the order of `ids`. Raises InvalidRecord unless both name exactly the same examples."""
        import polars as pl

        check_examples(self, ids)
        wanted = pl.DataFrame({ID_COLUMN: pl.Series(ids, dtype=pl.String)})
        here = pl.DataFrame({ID_COLUMN: self.ids, "row": pl.int_range(len(self.ids), eager=True)})
        return self.take(wanted.join(here, on=ID_COLUMN, how="left", maintain_order="left")["row"].to_numpy())


def check_classes(classes: Sequence[str], *, where: str) -> None:
    """Raises InvalidRecord unless there are 2 to 127 classes with different names."""
    if not 2 <= len(classes) <= 127:
        raise InvalidRecord("classes", len(classes), "2 to 127 classes of which exactly one is right", where=where)
    for name in classes:
        if not isinstance(name, str) or not name:
            raise InvalidRecord("classes", name, "a name", where=where)
    if len(set(classes)) != len(classes):
        raise InvalidRecord("classes", list(classes), "each class once", where=where)


def check_values(matrix: np.ndarray, *, n_classes: int, columns: Sequence[str], where: str, first: int = 0) -> None:
    """Raises InvalidRecord for the first vote that is no class index, ABSTAIN, ERROR or SKIPPED.

    Where `matrix` is a part of a table, `first` is where it begins.
    """
    import numpy as np

    if not matrix.size or (matrix.min() >= SKIPPED and matrix.max() < n_classes):
        return
    row, column = np.argwhere((matrix < SKIPPED) | (matrix >= n_classes))[0]
    raise InvalidRecord(
        f"votes[{first + row}].{columns[column]}",
        int(matrix[row, column]),
        f"a class index from 0 to {n_classes - 1}, {ABSTAIN} (abstains), {ERROR} (error) or {SKIPPED} (skipped)",
        where=where,
    )


def check_examples(table: VoteTable | Answers, ids: pl.Series | Sequence[str]) -> None:
    """Raises InvalidRecord for a vote on an unknown example, and for an example that nobody was asked about."""
    import polars as pl

    known = pl.Series(ID_COLUMN, ids, dtype=pl.String)
    check_ids(known, where="examples")
    unknown = (~table.ids.is_in(known.implode())).arg_true()
    if len(unknown):
        raise InvalidRecord(
            f"votes[{unknown[0]}].{ID_COLUMN}", f"{len(unknown)} unknown", "votes on the examples of this dataset only"
        )
    if len(known) != len(table):
        raise InvalidRecord("votes", len(table), f"one row for each of the {len(known)} examples")


def write_votes(table: VoteTable | Answers, path: Path) -> None:
    """Writes the votes as Parquet, whole or not at all; classes and source versions stand in its metadata.

    Answers of which a wide table would lose nothing are written as one, and all others in long form, an answer a row.
    """
    import polars as pl

    told: dict[str, Any] = {
        "classes": list(table.classes),
        "sources": dict(zip(table.columns, table.sources, strict=True)),
    }
    if not isinstance(table, VoteTable) and table.is_wide:
        table = table.wide()
    if isinstance(table, VoteTable):
        by_source = _by_source(table.matrix)
        frame = pl.DataFrame([table.ids, *(pl.Series(name, by_source[j]) for j, name in enumerate(table.columns))])
    else:
        frame = table.frame()
        # The order of columns is that of the sources; canonical JSON sorts the keys of an object.
        told |= {"form": "long", "columns": list(table.columns)}
    write_table(frame, path, metadata={METADATA_KEY: canonical(told).decode()})


def _by_source(matrix: np.ndarray) -> np.ndarray:
    """int8 (sources x rows), row after row in memory; a few rows at a time, so that they stay in the processor's cache."""
    import numpy as np

    turned = np.empty(matrix.shape[::-1], dtype=np.int8)
    step = max(1, _AT_ONCE // max(matrix.shape[1], 1))
    for start in range(0, len(matrix), step):
        turned[:, start : start + step] = matrix[start : start + step].T
    return turned


def read_votes(path: Path, *, id_column: str = ID_COLUMN) -> VoteTable | Answers:
    """The votes in `path`, of either form; a project may have another name for the column of ids.

    Raises ConfigurationError (no file) or InvalidRecord (which row or column, and why).
    """
    frame = read_table(path, columns=[id_column]).rename({id_column: ID_COLUMN})
    told = votes_told(path)
    return _read_long(frame, told, where=str(path)) if "form" in told else _read_wide(frame, told, where=str(path))


def _read_long(frame: pl.DataFrame, told: dict[str, Any], *, where: str) -> Answers:
    from governance.votes.answers import from_frame

    columns, sources = told["columns"], told["sources"]
    if told["form"] != "long" or not isinstance(columns, list) or sorted(map(str, columns)) != sorted(sources):
        raise InvalidRecord(
            "metadata", told["form"], "the form `long`, with each source in `columns` once", where=where
        )
    ordered = {column: sources[column] for column in columns}
    return from_frame(frame, classes=told["classes"], sources=ordered, where=where)


def _read_wide(frame: pl.DataFrame, told: dict[str, Any], *, where: str) -> VoteTable:
    import numpy as np
    import polars as pl

    columns = tuple(name for name in frame.columns if name != ID_COLUMN)
    if set(columns) != set(told["sources"]):
        odd = sorted(set(columns) ^ set(told["sources"]))[0]
        raise InvalidRecord("columns", odd, "exactly the columns whose source versions the metadata names", where=where)
    for name in columns:
        if frame[name].dtype != pl.Int8:
            raise InvalidRecord(f"columns.{name}", str(frame[name].dtype), "votes as Int8", where=where)
        if frame[name].null_count():
            row = frame[name].is_null().arg_true()[0]
            raise InvalidRecord(
                f"votes[{row}].{name}", None, f"a vote; who says nothing abstains with {ABSTAIN}", where=where
            )
    check_classes(told["classes"], where=where)
    sources = tuple(told["sources"][name] for name in columns)
    check_sources(columns, sources, where=where)
    check_ids(frame[ID_COLUMN], where=where)
    matrix = np.column_stack([frame[name].to_numpy() for name in columns])
    check_values(matrix, n_classes=len(told["classes"]), columns=columns, where=where)
    return VoteTable(frame[ID_COLUMN], columns, sources, tuple(told["classes"]), matrix)


def votes_told(path: Path) -> dict[str, Any]:
    """What the metadata of a file of votes says: `classes`, and `sources` by column. Raises InvalidRecord."""
    given = read_metadata(path).get(METADATA_KEY)
    if given is None:
        raise InvalidRecord("metadata", None, f"classes and source versions under {METADATA_KEY!r}", where=str(path))
    told = parse_canonical(given.encode(), where=f"{path}: metadata")
    if not isinstance(told, dict) or set(told) not in (
        {"classes", "sources"},
        {"classes", "sources", "form", "columns"},
    ):
        raise InvalidRecord("metadata", told, "an object with classes and sources", where=str(path))
    if not isinstance(told["classes"], list) or not isinstance(told["sources"], dict):
        raise InvalidRecord("metadata", told, "a list of classes, and sources by column", where=str(path))
    return told


def check_sources(columns: Sequence[str], sources: Sequence[str], *, where: str) -> None:
    """Raises InvalidRecord unless every column has a name and a source version of its own."""
    if not columns:
        raise InvalidRecord("columns", [], "at least one source", where=where)
    if len(columns) != len(sources):
        raise InvalidRecord(
            "sources", len(sources), f"one source version for each of {len(columns)} columns", where=where
        )
    for column, source in zip(columns, sources, strict=True):
        if not isinstance(column, str) or not column or not column.isascii() or column == ID_COLUMN:
            raise InvalidRecord("columns", column, f"a name in ASCII other than {ID_COLUMN!r}", where=where)
        if not isinstance(source, str) or not _SOURCE_NAME.fullmatch(source):
            raise InvalidRecord(
                f"sources.{column}", source, "the name of a source version, source:<sha256>", where=where
            )
    for field, names in (("columns", columns), ("sources", sources)):
        twice = _first_twice(names)
        if twice is not None:
            raise InvalidRecord(field, twice, "each source once", where=where)


def check_ids(ids: pl.Series, *, where: str) -> None:
    """Raises InvalidRecord for ids that are no texts, are empty or stand twice; names the row, never the id."""
    import polars as pl

    if ids.dtype != pl.String:
        raise InvalidRecord(f"columns.{ID_COLUMN}", str(ids.dtype), "ids as text", where=where)
    if not len(ids):
        raise InvalidRecord("rows", 0, "at least one example", where=where)
    bad = (ids.is_null() | (ids == "").fill_null(value=True)).arg_true()
    if len(bad):
        raise InvalidRecord(f"{ID_COLUMN}[{bad[0]}]", None, "an id that is not empty", where=where)
    # Only the later rows of a pair are named: the id itself may tell whose example it is.
    again = (~ids.is_first_distinct()).arg_true()
    if len(again):
        raise InvalidRecord(
            f"{ID_COLUMN}[{again[0]}]", "an id that an earlier row has", "each example once", where=where
        )


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
