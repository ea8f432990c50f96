"""How does dvc.lock, or a .dvc file, come to name other contents, with every other line as it was?"""

from __future__ import annotations

import re
from collections.abc import Mapping

_MD5 = re.compile(r"^(\s*(?:- )?)md5: '?([0-9a-f]{32}(?:\.dir)?)'?\s*$")
_SIZE = re.compile(r"^(\s*(?:- )?)size: \d+\s*$")


def swapped(text: str, swaps: Mapping[str, tuple[str, int]]) -> str:
    """`text` with MD5s replaced as `swaps` says, each with the size in bytes of what it names now.

    DVC writes the lines of one file together, each file beginning with a dash, in whatever order.
    """
    lines = text.split("\n")
    start = 0
    for number in range(len(lines) + 1):
        if number == len(lines) or lines[number].lstrip().startswith("- "):
            _swap(lines, range(start, number), swaps)
            start = number
    return "\n".join(lines)


def _swap(lines: list[str], item: range, swaps: Mapping[str, tuple[str, int]]) -> None:
    new: tuple[str, int] | None = None
    for number in item:
        match = _MD5.match(lines[number])
        if match and match[2] in swaps:
            new = swaps[match[2]]
            lines[number] = f"{match[1]}md5: {new[0]}"
    for number in item if new else ():
        if match := _SIZE.match(lines[number]):
            lines[number] = f"{match[1]}size: {new[1] if new else 0}"
