"""Which tree do the stored entries give, as far as it has grown, and which of them does not hash to its leaf?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from governance.proof.check import Check
from governance.store import merkle
from governance.store.trail import octets

#: (position, bytes, leaf hash), each as the store holds it
Row = tuple[Any, Any, Any]
#: looks at the bytes of entries that follow each other, the first of which has this position; (position, what is wrong)
Read = Callable[[int, list[bytes]], Iterable[tuple[int, Check]]]


class GrowingTree:
    """The tree over entries that are read some thousands at a time: grown to a size, asked, and grown on.

    `found` is what does not fit among the entries so far; `roots` keeps the head at each size of `roots_at`.
    """

    def __init__(self, parts: Iterable[list[Row]], *, roots_at: set[int], read: Read) -> None:
        self.frontier = merkle.Frontier()
        self.found: list[Check] = []
        self.roots = {0: merkle.EMPTY_ROOT}
        self._leaves = self._hashed(parts, read)
        self._waiting: list[bytes] = []
        self._stops = sorted(roots_at)

    @property
    def size(self) -> int:
        return self.frontier.size

    def grow(self, size: int | None) -> None:
        """Takes in entries until there are `size` of them, or as many as the log has."""
        while self._stops and (size is None or self._stops[0] <= size):
            stop = self._stops.pop(0)
            self._grow(stop)
            if self.size == stop:
                self.roots[stop] = self.frontier.root()
        self._grow(size)

    def _grow(self, size: int | None) -> None:
        while size is None or self.size < size:
            if not self._waiting:
                self._waiting = next(self._leaves, [])
            if not self._waiting:
                return
            wanted = len(self._waiting) if size is None else size - self.size
            self.frontier.extend(self._waiting[:wanted])
            self._waiting = self._waiting[wanted:]

    def _hashed(self, parts: Iterable[list[Row]], read: Read) -> Iterator[list[bytes]]:
        """The leaf hashes of each part, made anew from the bytes, as far as no position is missing."""
        after = 0
        for part in parts:
            whole = [row[0] for row in part] == list(range(after, after + len(part)))
            rows = part if whole else _until_gap(part, after)
            data = [octets(row[1]) for row in rows]
            leaves = merkle.leaf_hashes(data)
            wrong = [*_unlike(leaves, rows, after), *read(after, data)]
            self.found += [check for _, check in sorted(wrong, key=lambda found: found[0])]
            after += len(rows)
            if not whole:
                says = f"it is gone; entry {part[len(rows)][0]!r} comes next"
                self.found.append(Check("log", "broken", f"entry {after}", says))
            yield leaves
            if not whole:
                return


def _unlike(leaves: list[bytes], rows: list[Row], after: int) -> list[tuple[int, Check]]:
    if leaves == [row[2] for row in rows]:
        return []
    says = "its bytes do not hash to the leaf that was recorded"
    pairs = enumerate(zip(leaves, rows, strict=True), start=after)
    return [(seq, Check("log", "broken", f"entry {seq}", says)) for seq, (leaf, row) in pairs if leaf != row[2]]


def _until_gap(part: list[Row], after: int) -> list[Row]:
    return part[: next(number for number, row in enumerate(part) if row[0] != after + number)]
