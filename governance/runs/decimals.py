"""Which texts of a JSON document stand for numbers?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from governance.digest import decimal
from governance.errors import GovernanceError
from governance.records import Decimal, read_record
from governance.records.models import Bin, Metric

#: of the documents that say what they are, where their numbers stand; a key holds for everything below it
_FORMATS: dict[str, dict[str, type[BaseModel] | None]] = {
    "labeltrail/label-model": {"state": None},
    "labeltrail/end-model": {"idf": None},
    "labeltrail/metrics": {"metrics": Metric, "bins": Bin},
}


def decimal_places(document: Any) -> frozenset[str]:
    """Dotted keys, without the positions in lists, below which texts are decimals; empty for an unknown document.

    Known are records, by the types of their fields, and the documents of this library, by their `format`. Canonical JSON
    has no fractions, so that only a document's kind tells a number from an id that looks like one.
    """
    if not isinstance(document, dict):
        return frozenset()
    known = document.get("format")
    if isinstance(known, str) and known in _FORMATS:
        keys = _FORMATS[known].items()
        return frozenset(place for key, part in keys for place in (_of(part, f"{key}.") if part else [key]))
    try:
        record = read_record(document, where="record")
    except GovernanceError:
        return frozenset()
    return _of(type(record), "body.")


def as_number(text: str) -> float | None:
    """The number that a text is the one canonical decimal of, else None: `3.1` is one, `3.10`, `007` and `7` are none."""
    try:
        number = float(text)
        return number if decimal(number) == text else None
    except (ValueError, GovernanceError):
        return None


@cache
def _of(model: type[BaseModel], prefix: str) -> frozenset[str]:
    return frozenset(prefix + place for place in _fields(model))


def _fields(model: type[BaseModel]) -> Iterator[str]:
    # Pydantic takes the outermost annotation apart; what makes a text a decimal is its last part.
    mark = get_args(Decimal)[-1]
    for name, field in model.model_fields.items():
        if mark in field.metadata:
            yield name
        for hint in _hints(field.annotation):
            if hint == Decimal:
                yield name
            elif isinstance(hint, type) and issubclass(hint, BaseModel):
                yield from (f"{name}.{inner}" for inner in _fields(hint))


def _hints(hint: Any) -> Iterator[Any]:
    """A type and all types inside of it."""
    yield hint
    if hint != Decimal:
        for inner in get_args(hint):
            yield from _hints(inner)
