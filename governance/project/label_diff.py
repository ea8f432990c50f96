"""Why did labels change between two label sets? Every changed row with one cause; the causes add up to the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.config import Config
from governance.erased import Erased
from governance.facts import Facts
from governance.lineage import changes
from governance.lineage.changes import Traced
from governance.lineage.label_rows import LABEL, LabelRows, compare_label_sets
from governance.project.found import Finder
from governance.project.label_files import LabelFiles, Unknowns
from governance.project.label_sets import LabelSet, need_one_meaning
from governance.project.label_walk import walked
from governance.runs.rows import NO_LABEL

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: the column whose values are slices, where the rows have it
SLICE = "domain"


@dataclass(frozen=True, eq=False)
class LabelDiff:
    """`rows`: one for each changed row, with id, was, now, cause, what, moves and slice; of an erased row no id is left."""

    one: LabelSet
    two: LabelSet
    rows: pl.DataFrame
    matched: LabelRows
    because: tuple[str, ...]
    #: rows of each set that were erased since, and how that is told; they are compared with nothing
    erased: tuple[tuple[int, str], tuple[int, str]]
    unknown: list[dict[str, str]]


def label_diff(config: Config, known: Facts, one: LabelSet, two: LabelSet, *, erased: Erased) -> LabelDiff:
    """1. both tables of labels  2. rows in one of them alone  3. rows with another label  4. rows that were erased.

    Raises MissingEvidence where a table of labels is nowhere here, InvalidRecord for two sets that cannot be compared.
    """
    unknowns = Unknowns()
    with Finder(config, erased=erased) as finder:
        was, now = (
            LabelFiles(side, which=which, config=config, known=known, finder=finder, unknowns=unknowns)
            for side, which in ((one, "the earlier"), (two, "the later"))
        )
        # 1.
        classes = was.votes_record.classes, now.votes_record.classes
        need_one_meaning(one, two, classes=classes)
        former = _renamed(was.labels, *classes)
        matched = compare_label_sets(former, now.labels, id_column=config.id_column, classes=classes[1])
        # 2.
        names = [*classes[1], NO_LABEL]
        parts = [
            _alone(now.labels, matched.new, now, names, cause=changes.NEW),
            _alone(former, matched.removed, was, names, cause=changes.REMOVED),
        ]
        # 3.
        because: tuple[str, ...] = ()
        if len(matched.changed_now):
            traced, because = walked(was, now, former, matched)
            parts.append(_changed(traced, former, now, matched, names))
        # 4.
        standings = erased.of(one.record.sha256), erased.of(two.record.sha256)
        lost = [(s.rows, s.says) if s else (0, "") for s in standings]
        if bool(lost[0][0]) != bool(lost[1][0]):
            parts.append(_erased(lost[0][0] or lost[1][0], lost[0][1] or lost[1][1], new=not lost[0][0]))
            lost = [(0, ""), (0, "")]
        return LabelDiff(one, two, _concat(parts), matched, because, (lost[0], lost[1]), unknowns.told)


def _renamed(labels: pl.DataFrame, was: tuple[str, ...], now: tuple[str, ...]) -> pl.DataFrame:
    """The earlier labels as indices of the later classes."""
    import polars as pl

    if was == now or not labels[LABEL].dtype.is_integer():
        return labels
    order = {i: now.index(name) for i, name in enumerate(was)}
    return labels.with_columns(pl.col(LABEL).replace(order))


def _changed(
    traced: Traced, former: pl.DataFrame, now: LabelFiles, matched: LabelRows, names: list[str]
) -> pl.DataFrame:
    import polars as pl

    ids = now.labels[now.config.id_column].gather(matched.changed_now)
    step = pl.Series(traced.step)
    numbers = list(range(len(traced.steps)))
    return pl.DataFrame(
        [
            ids.alias("id"),
            _names(former[LABEL].gather(matched.changed_was), names).alias("was"),
            _names(now.labels[LABEL].gather(matched.changed_now), names).alias("now"),
            step.replace_strict(numbers, [s.cause for s in traced.steps], return_dtype=pl.String).alias("cause"),
            step.replace_strict(numbers, [s.what for s in traced.steps], return_dtype=pl.String).alias("what"),
            pl.Series("moves", traced.moves),
            _slices(now, matched.changed_now),
        ]
    )


def _alone(
    labels: pl.DataFrame, rows: np.ndarray, side: LabelFiles, names: list[str], *, cause: str
) -> pl.DataFrame | None:
    """Rows that one label set has alone."""
    import polars as pl

    if not len(rows):
        return None
    ids = labels[side.config.id_column].gather(rows)
    label = _names(labels[LABEL].gather(rows), names)
    none = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    was, now = (none, label) if cause == changes.NEW else (label, none)
    frame = pl.DataFrame([ids.alias("id"), was.alias("was"), now.alias("now"), _slices(side, rows)])
    return frame.with_columns(cause=pl.lit(cause), what=pl.lit(""), moves=pl.lit(1, dtype=pl.Int64))


def _erased(rows: int, says: str, *, new: bool) -> pl.DataFrame:
    """Rows of one set alone that were erased since: neither id nor label is left."""
    import polars as pl

    what = f"{says}; of the later set alone" if new else says
    frame = pl.DataFrame({"id": [None] * rows}, schema={"id": pl.String})
    return frame.with_columns(cause=pl.lit(changes.ERASED), what=pl.lit(what), moves=pl.lit(1, dtype=pl.Int64))


def _names(labels: pl.Series, names: list[str]) -> pl.Series:
    import polars as pl

    return labels.cast(pl.Int64).replace_strict([*range(len(names) - 1), -1], names, return_dtype=pl.String)


def _slices(side: LabelFiles, labels: np.ndarray) -> pl.Series:
    """The slice of each of these rows of labels; null where the rows have none, or are not here."""
    import numpy as np
    import polars as pl

    none = pl.repeat(None, len(labels), dtype=pl.String, eager=True).alias("slice")
    if SLICE not in [column.name for column in side.dataset_record.columns] and not side.dataset_record.domains:
        return none
    if side.rows is None or side.row_places is None or SLICE not in side.rows.columns or side.rows.is_empty():
        return none
    places = side.row_places[labels]
    told = side.rows[SLICE].cast(pl.String).gather(np.maximum(places, 0))
    return told.set(pl.Series(places < 0), None).alias("slice")


_COLUMNS = ("id", "was", "now", "cause", "what", "moves", "slice")


def _concat(parts: list[pl.DataFrame | None]) -> pl.DataFrame:
    """All changed rows, cause by cause in the order of `CAUSES`, and within one in the order of the tables."""
    import polars as pl

    empty = pl.DataFrame(schema={name: pl.Int64 if name == "moves" else pl.String for name in _COLUMNS})
    frame = pl.concat([empty, *(part for part in parts if part is not None)], how="diagonal_relaxed")
    order = {cause: place for place, cause in enumerate(changes.CAUSES)}
    place = pl.col("cause").replace_strict(order, return_dtype=pl.Int64)
    return frame.select(_COLUMNS).sort(place, maintain_order=True)
