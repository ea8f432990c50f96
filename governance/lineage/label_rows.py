"""Which rows do two label sets have apart, and which rows have another label in each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.parquet import require_columns
from governance.votes.table import check_ids

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

LABEL = "label"
#: a probability that moves by more than this is told where the label itself stays
MOVED = 0.1


@dataclass(frozen=True, eq=False)
class LabelRows:
    """Row numbers, int64: `new` and `changed_now` of the later set, `removed` and `changed_was` of the earlier one.

    `both`: rows in both sets. `moved`: how many of those whose label stays have a probability that moved by more than
    MOVED; None where the sets hold no probabilities.
    """

    new: np.ndarray
    removed: np.ndarray
    changed_was: np.ndarray
    changed_now: np.ndarray
    both: int
    moved: int | None


def compare_label_sets(was: pl.DataFrame, now: pl.DataFrame, *, id_column: str, classes: Sequence[str]) -> LabelRows:
    """Rows matched by id; `label` is an index of `classes` in both tables, or -1 for none.

    Raises InvalidRecord for a table without ids or labels, and for an id that stands twice: it names the row, not the id.
    """
    import polars as pl

    for which, frame in (("the earlier label set", was), ("the later label set", now)):
        check_labels(frame, id_column=id_column, classes=classes, where=which)
    one, two = (
        pl.DataFrame({"id": frame[id_column], "row": pl.int_range(len(frame), eager=True)}) for frame in (was, now)
    )
    pairs = two.join(one, on="id", how="left", suffix="_was", maintain_order="left")
    found = pairs["row_was"].is_not_null()
    rows_now, rows_was = pairs["row"].filter(found).to_numpy(), pairs["row_was"].filter(found).to_numpy()
    differs = (was[LABEL].gather(rows_was) != now[LABEL].gather(rows_now)).to_numpy()
    return LabelRows(
        new=pairs["row"].filter(~found).to_numpy(),
        removed=one.join(two, on="id", how="anti", maintain_order="left")["row"].to_numpy(),
        changed_was=rows_was[differs],
        changed_now=rows_now[differs],
        both=len(rows_now),
        moved=_moved(was, now, rows_was[~differs], rows_now[~differs], classes),
    )


def check_labels(frame: pl.DataFrame, *, id_column: str, classes: Sequence[str], where: str) -> None:
    """Raises InvalidRecord unless a table has each id once and beside it a class, or -1."""
    require_columns(frame, [id_column, LABEL], where=where)
    if len(frame):
        check_ids(frame[id_column].alias("example_id"), where=where)
    labels = frame[LABEL]
    if not labels.dtype.is_integer():
        raise InvalidRecord(f"columns.{LABEL}", str(labels.dtype), "a class index or -1", where=where)
    wrong = (labels.is_null() | (labels < -1) | (labels >= len(classes)).fill_null(value=True)).arg_true()
    if len(wrong):
        wanted = f"a class index from 0 to {len(classes) - 1}, or -1"
        raise InvalidRecord(f"{LABEL}[{wrong[0]}]", labels[int(wrong[0])], wanted, where=where)


def _moved(
    was: pl.DataFrame, now: pl.DataFrame, rows_was: np.ndarray, rows_now: np.ndarray, classes: Sequence[str]
) -> int | None:
    import polars as pl

    columns = [f"p_{name}" for name in classes]
    if any(column not in frame.columns for column in columns for frame in (was, now)):
        return None
    moved = pl.repeat(False, len(rows_now), dtype=pl.Boolean, eager=True)
    for column in columns:
        apart = (was[column].gather(rows_was) - now[column].gather(rows_now)).abs() > MOVED
        moved |= apart.fill_null(value=False)
    return int(moved.sum())
