"""Do two outputs say the same: byte for byte, within a tolerance, or where do they part?"""

from __future__ import annotations

import decimal
import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from governance.digest import file_digest
from governance.errors import GovernanceError
from governance.parquet import read_table

if TYPE_CHECKING:
    import numpy as np

#: what float64 sums in another order may differ by; far below anything that decides a label
TOLERANCE = 1e-9
_SHOWN_ROWS = 5
#: tensors of these types are numbers that sums give; all others have to be equal bit by bit
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_OTHERWISE = "numbers differ in their last digits, or the file was written otherwise"


@dataclass(frozen=True)
class Difference:
    """How two files compare, and the first place in which they part."""

    outcome: Literal["identical", "equal within tolerance", "different"]
    says: str = ""


def compare_files(
    recorded: Path, again: Path, *, sha256: str | None = None, suffix: str | None = None, id_column: str | None = None
) -> Difference:
    """Compares a recorded output with one made again; `sha256` stands in where the recorded file is not here.

    Parquet and JSON are compared by value, safetensors by tensor, anything else by line; `suffix` says which, where
    the newer file's own name does not. Only fractions have a tolerance: floats, and in JSON the texts that are known to be
    decimals. Texts, counts and whatever stands under `id_column` have to be equal.
    """
    # DVC's cache keeps contents under their digests, so that the recorded file's own name says nothing.
    suffix = again.suffix if suffix is None else suffix
    digest = file_digest(again)
    if digest == (sha256 or file_digest(recorded)):
        return Difference("identical")
    if not recorded.is_file() or (sha256 and file_digest(recorded) != sha256):
        return Difference("different", "its bytes differ, and the recorded ones are not here to compare")
    try:
        if suffix == ".parquet":
            return _tables(recorded, again, id_column=id_column)
        if suffix in (".json", ".jsonl"):
            return _json(recorded, again, lines=suffix == ".jsonl", id_column=id_column)
        if suffix == ".safetensors":
            return _tensors(recorded, again)
        return _lines(recorded, again)
    except (GovernanceError, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        return Difference("different", f"its bytes differ and cannot be read: {error}")


def _tables(recorded: Path, again: Path, *, id_column: str | None) -> Difference:
    one, two = read_table(recorded), read_table(again)
    if one.columns != two.columns:
        return Difference("different", f"columns {one.columns} became {two.columns}")
    if len(one) != len(two):
        return Difference("different", f"{len(one)} rows became {len(two)}")
    for column in one.columns:
        if one[column].dtype != two[column].dtype:
            return Difference("different", f"column {column} is {two[column].dtype}, was {one[column].dtype}")
        if one[column].equals(two[column], null_equal=True):
            continue
        pairs = zip(one[column].to_list(), two[column].to_list(), strict=True)
        by_value = _ByValue(exact=column == id_column)
        # A cell may be somebody's text: the rows and the column are named, their content is not.
        rows = [row for row, (a, b) in enumerate(pairs) if by_value.first(a, b) is not None]
        if rows:
            return Difference("different", f"column {column}, {_rows(rows, of=len(one))}")
    return Difference("equal within tolerance", _OTHERWISE)


def _rows(rows: list[int], *, of: int) -> str:
    if len(rows) == 1:
        return f"row {rows[0]}"
    more = ", …" if len(rows) > _SHOWN_ROWS else ""
    return f"rows {', '.join(map(str, rows[:_SHOWN_ROWS]))}{more} ({len(rows)} of {of})"


def _json(recorded: Path, again: Path, *, lines: bool, id_column: str | None) -> Difference:
    one, two = (_texts(path, lines=lines) for path in (recorded, again))
    for index, (a, b) in enumerate(zip(one, two, strict=False)):
        place = None if a == b else _place(_parsed(a), _parsed(b), id_column=id_column)
        if place is not None:
            return Difference("different", f"at {f'[{index}]{place}' if lines else place or 'the top'}")
    if len(one) != len(two):
        return Difference("different", f"{len(one)} lines became {len(two)}")
    return Difference("equal within tolerance", _OTHERWISE)


def _texts(path: Path, *, lines: bool) -> list[str]:
    text = path.read_text(encoding="utf-8")
    # `splitlines` also breaks at U+2028 and U+0085, which JSON allows inside of a text.
    return [line for line in text.split("\n") if line.strip(" \t\r")] if lines else [text]


def _parsed(text: str) -> Any:
    # A float would make one of two numbers that only their last digits tell apart.
    return json.loads(text, parse_float=decimal.Decimal, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _place(one: Any, two: Any, *, id_column: str | None) -> str | None:
    from governance.runs.decimals import decimal_places

    return _ByValue(id_column=id_column, decimals=decimal_places(one) & decimal_places(two)).first(one, two)


@dataclass(frozen=True)
class _ByValue:
    """What has a tolerance; `decimals` are the keys below which texts are decimals, by dots and without positions."""

    id_column: str | None = None
    decimals: frozenset[str] = frozenset()
    exact: bool = False

    def first(self, one: Any, two: Any, place: str = "", keys: str = "") -> str | None:
        """Where two values part first, or None where they are equal within the tolerance."""
        if isinstance(one, dict) and isinstance(two, dict):
            for key in sorted({*one, *two}):
                if key not in one or key not in two:
                    return f"{place}.{key}"
                by_value = _ByValue(exact=True) if key == self.id_column else self
                found = by_value.first(one[key], two[key], f"{place}.{key}", f"{keys}.{key}" if keys else key)
                if found is not None:
                    return found
            return None
        if isinstance(one, list) and isinstance(two, list):
            for index, (a, b) in enumerate(zip(one, two, strict=False)):
                found = self.first(a, b, f"{place}[{index}]", keys)
                if found is not None:
                    return found
            return None if len(one) == len(two) else f"{place} ({len(one)} items became {len(two)})"
        return None if self._near(one, two, keys) else place

    def _near(self, one: Any, two: Any, keys: str) -> bool:
        """Equal, or both finite fractions within the tolerance; NaN equals NaN, and counts and texts have to be equal."""
        if type(one) is not type(two):
            return False
        if one == two:
            return True
        if isinstance(one, (float, decimal.Decimal)):
            a, b = float(one), float(two)
        elif isinstance(one, str) and any(keys == key or keys.startswith(f"{key}.") for key in self.decimals):
            from governance.runs.decimals import as_number

            a, b = as_number(one), as_number(two)
        else:
            return False
        if a is None or b is None:
            return False
        if math.isnan(a) and math.isnan(b):
            return True
        finite = math.isfinite(a) and math.isfinite(b)
        return not self.exact and finite and math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _tensors(recorded: Path, again: Path) -> Difference:
    one, two = _read_tensors(recorded), _read_tensors(again)
    if sorted(one) != sorted(two):
        return Difference("different", f"tensors {sorted(one)} became {sorted(two)}")
    for name in sorted(one):
        was, now = one[name], two[name]
        for what in ("shape", "dtype"):
            if was[what] != now[what]:
                return Difference("different", f"tensor {name} is {_shown(now[what])}, was {_shown(was[what])}")
        if was["data"] != now["data"]:
            says = _apart(*(_numbers(part) for part in (was, now))) if was["dtype"] in _FLOATS else "differs"
            if says:
                return Difference("different", f"tensor {name} {says}")
    return Difference("equal within tolerance", _OTHERWISE)


def _read_tensors(path: Path) -> dict[str, dict[str, Any]]:
    """Every tensor by name as shape, dtype and bytes, also of types that numpy has not."""
    from safetensors import SafetensorError, deserialize

    try:
        return dict(deserialize(path.read_bytes()))
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def _shown(value: Any) -> str:
    return str(tuple(value)) if isinstance(value, list) else str(value)


def _numbers(tensor: dict[str, Any]) -> np.ndarray:
    """The numbers of a tensor as float64, in one row."""
    import numpy as np

    raw = np.frombuffer(tensor["data"], dtype=_FLOATS[tensor["dtype"]])
    if tensor["dtype"] == "BF16":
        # The upper half of a float32.
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float64)


def _apart(one: np.ndarray, two: np.ndarray) -> str | None:
    """How two tensors of one length differ, or None within the tolerance; NaN equals NaN."""
    import numpy as np

    far = ~np.isclose(one, two, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if not far.any():
        return None
    if not np.isfinite([one[far], two[far]]).all():
        return "differs where one is not finite"
    return f"differs by up to {float(np.abs(one[far] - two[far]).max()):.3g}"


def _lines(recorded: Path, again: Path) -> Difference:
    # Read side by side: sources may be larger than the memory.
    with recorded.open("rb") as one, again.open("rb") as two:
        for number, (a, b) in enumerate(itertools.zip_longest(one, two), start=1):
            if a != b:
                return Difference("different", f"line {number}")
    return Difference("different", "its bytes differed a moment ago")
