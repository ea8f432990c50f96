"""Which rows of a table were added, removed or changed, and how many labels moved from class to class?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.runs.compare import TOLERANCE

if TYPE_CHECKING:
    import polars as pl

#: how many ids are named of each sort
FIRST = 5
#: what stands for a label that no class has: no source voted
NO_LABEL = "no label"


@dataclass(frozen=True)
class RowChanges:
    """Counts of rows, and the first ids of each sort in the order of the tables.

    `columns`: in how many rows each column changed; `last_digits`: rows in which numbers differ within the tolerance and
    nothing else does; `types`: columns of another type, whose values are not compared.
    """

    was: int
    now: int
    added: int
    removed: int
    changed: int
    last_digits: int
    columns: dict[str, int]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    types: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved: bool = False
    first_added: tuple[str, ...] = ()
    first_removed: tuple[str, ...] = ()
    first_changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flips:
    """Examples in both label sets whose class differs; `pairs` counts them by (class before, class after)."""

    flipped: int
    gained: int
    lost: int
    both: int
    pairs: dict[tuple[str, str], int]


def compare_rows(was: pl.DataFrame, now: pl.DataFrame, *, id_column: str) -> RowChanges:
    """Rows matched by id; where an id stands several times, its first row with the first, its second with the second.

    Raises InvalidRecord where a table lacks the id column, or its ids are neither texts nor numbers.
    """
    import polars as pl

    one, two = _matched(was, now, id_column=id_column)
    shared = [column for column in now.columns if column in was.columns and column != id_column]
    types = {c: (str(was[c].dtype), str(now[c].dtype)) for c in shared if was[c].dtype != now[c].dtype}
    pairs = one.join(two, on=["id", "place"], how="inner", suffix="_now", nulls_equal=True, maintain_order="right")
    rows, rows_now = pairs["row"], pairs["row_now"]
    changed = pl.repeat(False, len(pairs), dtype=pl.Boolean, eager=True)
    nearly = pl.repeat(False, len(pairs), dtype=pl.Boolean, eager=True)
    columns: dict[str, int] = {}
    for column in shared:
        if column in types:
            continue
        differs, near = _differs(was[column].gather(rows), now[column].gather(rows_now))
        changed, nearly = changed | differs, nearly | near
        if differs.any():
            columns[column] = int(differs.sum())
    added = two.join(one, on=["id", "place"], how="anti", nulls_equal=True, maintain_order="left")
    removed = one.join(two, on=["id", "place"], how="anti", nulls_equal=True, maintain_order="left")
    return RowChanges(
        was=len(was),
        now=len(now),
        added=len(added),
        removed=len(removed),
        changed=int(changed.sum()),
        last_digits=int((nearly & ~changed).sum()),
        columns=columns,
        columns_added=tuple(column for column in now.columns if column not in was.columns),
        columns_removed=tuple(column for column in was.columns if column not in now.columns),
        types=types,
        moved=not rows.is_sorted(),
        first_added=_first(added["id"]),
        first_removed=_first(removed["id"]),
        first_changed=_first(pairs["id"].filter(changed)),
    )


def compare_labels(
    was: pl.DataFrame,
    now: pl.DataFrame,
    *,
    id_column: str,
    label_column: str,
    classes_was: Sequence[str],
    classes_now: Sequence[str],
) -> Flips:
    """Labels of the examples in both, class by name; an index that no class has (-1) is no label."""
    import polars as pl

    one, two = _matched(was, now, id_column=id_column)
    pairs = one.join(two, on=["id", "place"], how="inner", suffix="_now", nulls_equal=True)
    named = pl.DataFrame(
        [
            _named(was[label_column].gather(pairs["row"]), classes_was).alias("was"),
            _named(now[label_column].gather(pairs["row_now"]), classes_now).alias("now"),
        ]
    )
    counted = named.filter(pl.col("was") != pl.col("now")).group_by("was", "now").len().sort("was", "now")
    found = {(before, after): count for before, after, count in counted.rows()}
    gained = sum(count for (before, _), count in found.items() if before == NO_LABEL)
    lost = sum(count for (_, after), count in found.items() if after == NO_LABEL)
    return Flips(sum(found.values()) - gained - lost, gained, lost, len(pairs), found)


def _matched(was: pl.DataFrame, now: pl.DataFrame, *, id_column: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of both tables: each row's id as text, its place among the rows of that id, and its number."""
    import polars as pl

    for frame in (was, now):
        if id_column not in frame.columns:
            raise InvalidRecord("columns", frame.columns, f"a column {id_column!r}")
        kind = frame[id_column].dtype
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            raise InvalidRecord(f"columns.{id_column}", str(kind), "ids that are texts or numbers")
    one, two = (
        frame.select(pl.col(id_column).cast(pl.String).alias("id"))
        .with_row_index("row")
        .with_columns(pl.int_range(pl.len()).over("id").alias("place"))
        for frame in (was, now)
    )
    return one, two


def _differs(was: pl.Series, now: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(which values differ, which differ in their last digits alone); nulls equal nulls, and NaN equals NaN."""
    differs = was.ne_missing(now)
    if not was.dtype.is_float():
        return differs, differs & ~differs
    apart = (was - now).abs()
    largest = (TOLERANCE * was.abs()).zip_with(was.abs() >= now.abs(), TOLERANCE * now.abs())
    # Beside a null, a NaN or an infinity nothing is near.
    near = differs & ((apart <= largest) | (apart <= TOLERANCE)).fill_null(False) & was.is_finite() & now.is_finite()
    near = near.fill_null(False)
    return differs & ~near, near


def _named(labels: pl.Series, classes: Sequence[str]) -> pl.Series:
    import polars as pl

    names = dict(enumerate(classes))
    return labels.cast(pl.Int64).replace_strict(names, default=NO_LABEL, return_dtype=pl.String)


def _first(ids: pl.Series) -> tuple[str, ...]:
    return tuple(ids.unique(maintain_order=True).head(FIRST).fill_null("(no id)").to_list())
