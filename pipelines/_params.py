"""Is a stage's parameter there, and is it what the stage can use?"""

from __future__ import annotations

from typing import Any

from governance.errors import InvalidRecord

_WHERE = "params.yaml"


def text(params: dict[str, Any], field: str, *, stage: str) -> str:
    """A text that is not empty. Raises InvalidRecord."""
    value = params.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidRecord(f"{stage}.{field}", value, "a text (in quotes where it looks like a number)", where=_WHERE)
    return value


def share(params: dict[str, Any], field: str, *, stage: str) -> float:
    """A number from 0 to 1. Raises InvalidRecord."""
    value = params.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InvalidRecord(f"{stage}.{field}", value, "a number from 0 to 1", where=_WHERE)
    return float(value)


def whole(params: dict[str, Any], field: str, *, stage: str, least: int = 0) -> int:
    """A whole number from `least`. Raises InvalidRecord."""
    value = params.get(field)
    if type(value) is not int or value < least:
        raise InvalidRecord(f"{stage}.{field}", value, f"a whole number from {least}", where=_WHERE)
    return value


def flag(params: dict[str, Any], field: str, *, stage: str) -> bool:
    """True or false. Raises InvalidRecord."""
    value = params.get(field)
    if type(value) is not bool:
        raise InvalidRecord(f"{stage}.{field}", value, "true or false", where=_WHERE)
    return value


def shares(params: dict[str, Any], field: str, *, stage: str, names: tuple[str, ...]) -> dict[str, float]:
    """One share for each of `names`, together 1. Raises InvalidRecord."""
    value = params.get(field)
    if not isinstance(value, dict) or set(value) != set(names):
        raise InvalidRecord(f"{stage}.{field}", value, f"one share for each of {', '.join(names)}", where=_WHERE)
    found = {name: share(value, name, stage=f"{stage}.{field}") for name in names}
    if abs(sum(found.values()) - 1) > 1e-9:
        raise InvalidRecord(f"{stage}.{field}", value, "shares that sum to 1", where=_WHERE)
    return found


def number(params: dict[str, Any], field: str, *, stage: str, above: float = 0.0) -> float:
    """A finite number above `above`. Raises InvalidRecord."""
    value = params.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not above < value < float("inf"):
        # YAML reads 1e-9 as text: its floats need a point.
        raise InvalidRecord(
            f"{stage}.{field}", value, f"a number above {above:g} (write 1.0e-9, not 1e-9)", where=_WHERE
        )
    return float(value)


def optional_number(params: dict[str, Any], field: str, *, stage: str) -> float | None:
    """A finite number above 0, or None where the field is null or is not there. Raises InvalidRecord."""
    return None if params.get(field) is None else number(params, field, stage=stage)


def optional_numbers(params: dict[str, Any], field: str, *, stage: str) -> list[float] | None:
    """A list of numbers, or null where the stage finds out by itself; the field must be there. Raises InvalidRecord."""
    value = params.get(field, "nothing")
    if value is None:
        return None
    if not isinstance(value, list) or any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in value):
        raise InvalidRecord(f"{stage}.{field}", value, "a list of numbers, or null", where=_WHERE)
    return [float(x) for x in value]


def names(params: dict[str, Any], field: str, *, stage: str, least: int = 0) -> list[str]:
    """A list of texts. Raises InvalidRecord."""
    value = params.get(field)
    if not isinstance(value, list) or len(value) < least or any(not isinstance(x, str) or not x for x in value):
        raise InvalidRecord(f"{stage}.{field}", value, f"a list of at least {least} names", where=_WHERE)
    return value


def wholes(params: dict[str, Any], field: str, *, stage: str) -> list[int]:
    """A list of rising whole numbers from 1. Raises InvalidRecord."""
    value = params.get(field)
    if not isinstance(value, list) or any(type(x) is not int or x < 1 for x in value) or value != sorted(set(value)):
        raise InvalidRecord(f"{stage}.{field}", value, "a list of rising whole numbers from 1", where=_WHERE)
    return value
