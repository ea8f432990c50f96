"""How does a label model stand in its file?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import decimal, parse_canonical
from governance.errors import ConfigurationError, GovernanceError, InvalidRecord
from governance.votes.table import check_classes, check_sources

if TYPE_CHECKING:
    import numpy as np

FORMAT = "labeltrail/label-model"
#: version 2 is version 1 with a parameter `sampled`, and is written only where there is one; version 3, with or without
#: it, is that of the methods whose state has `voices`
VERSION, SAMPLED, VOICED = 1, 2, 3
_FIELDS = {"format", "v", "method", "classes", "columns", "sources", "parameters", "state"}
_DECIMAL = re.compile(r"-?[0-9.e+-]+")


def text_of(value: object) -> str:
    """A parameter as text: numbers as their shortest decimals, lists in brackets."""
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(text_of(item) for item in value) + "]"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return str(value) if isinstance(value, int) else decimal(value)


def value_of(text: object, *, where: str) -> Any:
    """The parameter that `text_of` wrote. Raises InvalidRecord."""
    if not isinstance(text, str):
        raise InvalidRecord("parameters", text, "text", where=where)
    if text.startswith("[") and text.endswith("]"):
        return [value_of(item, where=where) for item in text[1:-1].split(",")]
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[a-z]+(:[0-9]+)?", text):
        return text
    return number_of(text, field="parameters", where=where)


def number_of(text: object, *, field: str, where: str) -> float:
    """The float that a shortest decimal stands for. Raises InvalidRecord for any other form."""
    if isinstance(text, str) and _DECIMAL.fullmatch(text):
        try:
            value = float(text)
            if decimal(value) == text:
                return value
        except (ValueError, GovernanceError):
            pass
    raise InvalidRecord(field, text, "the shortest decimal of a finite number, as text", where=where)


def array_of(value: object, shape: tuple[int, ...], *, field: str, where: str) -> np.ndarray:
    """Nested lists of decimals as float64 of exactly `shape`. Raises InvalidRecord."""
    import numpy as np

    def walk(value: object, shape: tuple[int, ...], field: str) -> Any:
        if not shape:
            return number_of(value, field=field, where=where)
        if not isinstance(value, list) or len(value) != shape[0]:
            given = len(value) if isinstance(value, list) else value
            raise InvalidRecord(field, given, f"a list of {shape[0]}", where=where)
        return [walk(item, shape[1:], f"{field}[{index}]") for index, item in enumerate(value)]

    return np.array(walk(value, shape, field), dtype=np.float64)


def parse_model(path: Path) -> dict[str, Any]:
    """What a label_model.json says, its frame checked: the method checks its own state."""
    where = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file", hint="`labeltrail repro` makes the files of the pipeline"
        ) from None
    if not data.endswith(b"\n"):
        raise InvalidRecord("file", data[-20:], "a line feed at the end", where=where)
    told = parse_canonical(data[:-1], where=where)
    if not isinstance(told, dict) or set(told) != _FIELDS:
        given = sorted(told) if isinstance(told, dict) else type(told).__name__
        raise InvalidRecord("file", given, f"an object with {', '.join(sorted(_FIELDS))}", where=where)
    if told["format"] != FORMAT or told["v"] not in (VERSION, SAMPLED, VOICED):
        wanted = f"{FORMAT} {VERSION}, {SAMPLED} or {VOICED}"
        raise InvalidRecord("format, v", [told["format"], told["v"]], wanted, where=where)
    for field, kind in (("classes", list), ("columns", list), ("sources", list), ("parameters", dict), ("state", dict)):
        if not isinstance(told[field], kind):
            raise InvalidRecord(field, told[field], f"a {kind.__name__}", where=where)
    if not isinstance(told["method"], str):
        raise InvalidRecord("method", told["method"], "a name", where=where)
    check_classes(told["classes"], where=where)
    check_sources(told["columns"], told["sources"], where=where)
    return told
