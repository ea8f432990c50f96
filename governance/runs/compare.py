"""Do two outputs say the same: byte for byte, within a tolerance, or where do they part?"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from governance.digest import file_digest
from governance.errors import GovernanceError
from governance.parquet import read_table

#: what float64 sums in another order may differ by; far below anything that decides a label
TOLERANCE = 1e-9
_SHOWN_ROWS = 5


@dataclass(frozen=True)
class Difference:
    """How two files compare, and the first place in which they part."""

    outcome: Literal["identical", "equal within tolerance", "different"]
    says: str = ""


def compare_files(recorded: Path, again: Path, *, sha256: str | None = None, suffix: str | None = None) -> Difference:
    """Compares a recorded output with one made again; `sha256` stands in where the recorded file is not here.

    Parquet and JSON are compared by value, safetensors by tensor, anything else by line; `suffix` says which, where
    the newer file's own name does not.
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
            return _tables(recorded, again)
        if suffix in (".json", ".jsonl"):
            return _json(recorded, again, lines=suffix == ".jsonl")
        if suffix == ".safetensors":
            return _tensors(recorded, again)
        return _lines(recorded, again)
    except (GovernanceError, ValueError, KeyError, OSError) as error:
        return Difference("different", f"its bytes differ and cannot be read: {error}")


def _tables(recorded: Path, again: Path) -> Difference:
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
        # A cell may be somebody's text: the rows and the column are named, their content is not.
        rows = [row for row, (a, b) in enumerate(pairs) if not _near(a, b)]
        if rows:
            return Difference("different", f"column {column}, {_rows(rows, of=len(one))}")
    return Difference(
        "equal within tolerance", "numbers differ in their last digits, or the file was written otherwise"
    )


def _rows(rows: list[int], *, of: int) -> str:
    if len(rows) == 1:
        return f"row {rows[0]}"
    more = ", …" if len(rows) > _SHOWN_ROWS else ""
    return f"rows {', '.join(map(str, rows[:_SHOWN_ROWS]))}{more} ({len(rows)} of {of})"


def _json(recorded: Path, again: Path, *, lines: bool) -> Difference:
    def parsed(path: Path) -> Any:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)

    place = _first(parsed(recorded), parsed(again), "")
    if place is None:
        return Difference("equal within tolerance", "numbers differ in their last digits")
    return Difference("different", f"at {place or 'the top'}")


def _first(one: Any, two: Any, place: str) -> str | None:
    """Where two values part first, or None where they are equal within the tolerance."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            if key not in one or key not in two:
                return f"{place}.{key}"
            found = _first(one[key], two[key], f"{place}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(two, list):
        for index, (a, b) in enumerate(zip(one, two, strict=False)):
            found = _first(a, b, f"{place}[{index}]")
            if found is not None:
                return found
        return None if len(one) == len(two) else f"{place} ({len(one)} items became {len(two)})"
    return None if _near(one, two) else place


def _near(one: Any, two: Any) -> bool:
    """Equal, or both finite numbers (also written as decimal strings) within the tolerance; counts have to be equal."""
    if one == two and type(one) is type(two):
        return True
    if isinstance(one, int) or isinstance(two, int):
        return False
    try:
        a, b = float(one), float(two)
    except (TypeError, ValueError):
        return False
    return math.isfinite(a) and math.isfinite(b) and math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _tensors(recorded: Path, again: Path) -> Difference:
    import numpy as np
    from safetensors.numpy import load_file

    one, two = load_file(recorded), load_file(again)
    if sorted(one) != sorted(two):
        return Difference("different", f"tensors {sorted(one)} became {sorted(two)}")
    for name in sorted(one):
        if one[name].shape != two[name].shape:
            return Difference("different", f"tensor {name} is {two[name].shape}, was {one[name].shape}")
        if not np.allclose(one[name], two[name], rtol=TOLERANCE, atol=TOLERANCE):
            worst = float(np.abs(one[name] - two[name]).max())
            return Difference("different", f"tensor {name} differs by up to {worst:.3g}")
    return Difference(
        "equal within tolerance", "weights differ in their last digits, or the file was written otherwise"
    )


def _lines(recorded: Path, again: Path) -> Difference:
    one = recorded.read_bytes().split(b"\n")
    two = again.read_bytes().split(b"\n")
    for number, (a, b) in enumerate(zip(one, two, strict=False), start=1):
        if a != b:
            return Difference("different", f"line {number}")
    return Difference("different", f"{len(one)} lines became {len(two)}")
