"""Which rows are about to be voted on, and what are they called? Taken before any source runs, and kept as they are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(eq=False)
class Points:
    """Rows by position: `ids` are texts, `named_by` says where they come from; `rows[i]` is what a source is given."""

    ids: list[str]
    named_by: str
    rows: Any
    columns: dict[str, list[Any]]
    #: columns that hold objects which no table can hold
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, number: int) -> Any:
        """The data point at a position, as an applier hands it to a source."""
        return self.rows.iloc[number] if hasattr(self.rows, "iloc") else self.rows[number]


def take_points(given: Any, *, id_column: str) -> Points | None:
    """A copy of what is to be voted on; None for what can be walked through only once."""
    if hasattr(given, "iloc") and hasattr(given, "columns") and hasattr(given, "index"):
        if hasattr(given, "dask"):
            return None
        return _frame(given, id_column)
    if not hasattr(given, "__len__") or not hasattr(given, "__getitem__"):
        return None
    return _listed(given, id_column)


def _frame(frame: Any, id_column: str) -> Points:
    copy = frame.copy()
    names = [str(name) for name in copy.columns]
    columns = {name: copy.iloc[:, place].tolist() for place, name in enumerate(names)}
    if id_column in columns and (ids := _as_ids(columns[id_column])):
        del columns[id_column]
        return _kept(ids, f"column {id_column}", copy, columns)
    ids = _as_ids(copy.index.tolist())
    if ids:
        columns.pop(id_column, None)
        return _kept(ids, "the frame's index", copy, columns)
    columns.pop(id_column, None)
    return _kept([str(number) for number in range(len(copy))], "position", copy, columns)


def _listed(given: Any, id_column: str) -> Points:
    rows = given.copy() if hasattr(given, "copy") else list(given)
    told = [_fields(point) for point in rows]
    names = list(dict.fromkeys(name for fields in told for name in fields))
    columns = {name: [fields.get(name) for fields in told] for name in names}
    ids = _as_ids(columns[id_column]) if id_column in columns else None
    columns.pop(id_column, None)
    if ids:
        return _kept(ids, f"field {id_column}", rows, columns)
    return _kept([str(number) for number in range(len(told))], "position", rows, columns)


def _fields(point: Any) -> dict[str, Any]:
    if isinstance(point, dict):
        return {str(key): value for key, value in point.items()}
    if hasattr(point, "_asdict"):
        return dict(point._asdict())
    if hasattr(point, "__dict__") and not isinstance(point, type):
        return {name: value for name, value in vars(point).items() if not name.startswith("_")}
    if hasattr(point, "tolist"):
        value = point.tolist()
        return {str(place): item for place, item in enumerate(value)} if isinstance(value, list) else {"value": value}
    return {"value": point}


def _as_ids(values: list[Any]) -> list[str] | None:
    """Ids as text, or None where one is missing or stands twice."""
    if not values or any(value is None or value != value or value == "" for value in values):  # noqa: PLR0124 - NaN
        return None
    ids = [value if isinstance(value, str) else str(value) for value in values]
    return ids if len(set(ids)) == len(ids) else None


def _kept(ids: list[str], named_by: str, rows: Any, columns: dict[str, list[Any]]) -> Points:
    kept, left_out = {}, []
    for name, values in columns.items():
        plain = plain_column(values)
        if plain is None:
            left_out.append(name)
        else:
            kept[name] = plain
    return Points(ids, named_by, rows, kept, tuple(left_out))


def plain_column(values: list[Any]) -> list[Any] | None:
    """Values of one plain type, None for what is missing; texts in place of other objects, or None where they have none."""
    present = [None if value is None or (isinstance(value, float) and math.isnan(value)) else value for value in values]
    kinds = {type(value) for value in present if value is not None}
    if kinds <= {str} or kinds <= {bool} or kinds <= {int} or kinds <= {int, float}:
        if kinds == {int} and any(abs(value) >= 2**63 for value in present if value is not None):
            return [None if value is None else str(value) for value in present]
        return [float(v) if v is not None else None for v in present] if float in kinds else present
    texts = [None if value is None else str(value) for value in present]
    if any(_ADDRESS.search(text) for text in texts if text):
        return None  # it would read otherwise in every process
    return texts
