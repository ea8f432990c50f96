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
    """Row numbers, int64: `new` of the later set, `removed` of the earlier one, and pairs of rows that are in both.

    `differs` bool (pairs): which have another label. `moved`: how many of the others have a probability that moved by more
    than MOVED; None where the sets hold no probabilities.
    """

    new: np.ndarray
    removed: np.ndarray
    pairs_was: np.ndarray
    pairs_now: np.ndarray
    differs: np.ndarray
    moved: int | None

    @property
    def both(self) -> int:
        return len(self.differs)

    @property
    def changed_was(self) -> np.ndarray:
        return self.pairs_was[self.differs]

    @property
    def changed_now(self) -> np.ndarray:
        return self.pairs_now[self.differs]


def located(here: pl.Series, wanted: pl.Series) -> np.ndarray:
    """The row of each wanted id, int64; -1 where it is not there, or stands there several times."""
    import numpy as np
    import polars as pl

    # Tables of one run have their rows in one order, and then nothing has to be looked up.
    if here.equals(wanted):
        return np.arange(len(wanted), dtype=np.int64)
    rows = pl.DataFrame({"id": here, "row": pl.int_range(len(here), eager=True)}).filter(~here.is_duplicated())
    found = pl.DataFrame({"id": wanted}).join(rows, on="id", how="left", maintain_order="left")
    return found["row"].fill_null(-1).to_numpy().astype(np.int64)


def compare_label_sets(was: pl.DataFrame, now: pl.DataFrame, *, id_column: str, classes: Sequence[str]) -> LabelRows:
    """Rows matched by id; `label` is an index of `classes` in both tables, or -1 for none.

    Raises InvalidRecord for a table without ids or labels, and for an id that stands twice: it names the row, not the id.
    """
    import numpy as np

    for which, frame in (("the earlier label set", was), ("the later label set", now)):
        check_labels(frame, id_column=id_column, classes=classes, where=which)
    place = located(was[id_column], now[id_column])
    rows_now = np.flatnonzero(place >= 0)
    rows_was = place[rows_now]
    alone = np.ones(len(was), dtype=bool)
    alone[rows_was] = False
    differs = was[LABEL].to_numpy()[rows_was] != now[LABEL].to_numpy()[rows_now]
    return LabelRows(
        new=np.flatnonzero(place < 0),
        removed=np.flatnonzero(alone),
        pairs_was=rows_was,
        pairs_now=rows_now,
        differs=differs,
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
