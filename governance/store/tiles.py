"""Which files does a log become, so that any static file server can hand it out? (C2SP tlog-tiles)

256 hashes or entries a file. Tiles of level 0 hold the leaf hashes; each hash of a higher level is the root over one full
tile below it. Entry bundles hold the entries themselves, each behind its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from governance.store import merkle

WIDTH = 256
CHECKPOINT, ENTRIES, LARGE = "checkpoint", "entries", "large"
#: what C2SP's two-byte lengths can say; a bundle with a longer entry is one of ours, with four bytes, at another path
_LONGEST = 0xFFFF
_PATH = re.compile(r"tile/(entries|large|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def tile_path(kind: str, number: int, width: int) -> str:
    """Where the first `width` hashes or entries of a tile stand: tile/0/x001/x234/067, tile/0/067.p/9."""
    name = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        name = f"x{number % 1000:03}/{name}"
    return f"tile/{kind}/{name}" + (f".p/{width}" if width < WIDTH else "")


@dataclass(frozen=True)
class TilePath:
    """What a path means: which kind of tile (a level, `entries` or `large`), which one, and how much of it."""

    kind: str
    number: int
    width: int

    @property
    def group(self) -> tuple[str, int]:
        """What all states of one tile share, whichever their width and however their lengths are written."""
        return (ENTRIES if self.kind == LARGE else self.kind, self.number)

    def is_superseded(self, size: int) -> bool:
        """Whether it is partial and a log of this size has the full tile; until then an older checkpoint may want it."""
        level = int(self.kind) if self.kind.isdecimal() else 0
        return self.width < WIDTH and (self.number + 1) * WIDTH <= size // WIDTH**level


def read_path(path: str) -> TilePath | None:
    """What a path means, or None where it is not that of a tile in its one spelling."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    width = int(match[3] or WIDTH)
    found = TilePath(match[1], int(match[2].replace("x", "").replace("/", "")), width)
    return found if tile_path(found.kind, found.number, width) == path else None


@dataclass(frozen=True)
class Tile:
    """One tile of a log as it is now: its level (None: the entries), its number, and what it holds."""

    level: int | None
    number: int
    items: tuple[bytes, ...]

    @property
    def group(self) -> tuple[str, int]:
        return (ENTRIES if self.level is None else str(self.level), self.number)

    @property
    def width(self) -> int:
        return len(self.items)

    def file(self, width: int) -> tuple[str, bytes]:
        """Path and bytes of its first `width` items: what it is now, or what it was when the log was shorter."""
        held = self.items[:width]
        if self.level is not None:
            return tile_path(str(self.level), self.number, width), b"".join(held)
        prefix = 4 if any(len(entry) > _LONGEST for entry in held) else 2
        kind = LARGE if prefix == 4 else ENTRIES
        data = b"".join(len(entry).to_bytes(prefix, "big") + entry for entry in held)
        return tile_path(kind, self.number, width), data


def tiles(entries: Iterable[bytes]) -> Iterator[Tile]:
    """Every tile over the entries of a log, in order, lower ones first; holds 256 items a level and no more."""
    held: list[bytes] = []
    levels: list[tuple[int, list[bytes]]] = []
    for entry in entries:
        held.append(entry)
        if len(held) == WIDTH:
            yield from _full(held, levels)
            held = []
    if held:
        number = levels[0][0] if levels else 0
        yield Tile(None, number, tuple(held))
        _grow(levels, 0)[1].extend(merkle.leaf_hash(entry) for entry in held)
    for level, (number, hashes) in enumerate(levels):
        if hashes:
            yield Tile(level, number, tuple(hashes))


def _full(entries: list[bytes], levels: list[tuple[int, list[bytes]]]) -> Iterator[Tile]:
    """The bundle of 256 entries, its tile, and every higher tile that it completes."""
    number, hashes = _grow(levels, 0)
    yield Tile(None, number, tuple(entries))
    hashes.extend(merkle.leaf_hash(entry) for entry in entries)
    level = 0
    while len(hashes) == WIDTH:
        yield Tile(level, number, tuple(hashes))
        levels[level] = (number + 1, [])
        level += 1
        above = merkle.root(hashes)
        number, hashes = _grow(levels, level)
        hashes.append(above)


def _grow(levels: list[tuple[int, list[bytes]]], level: int) -> tuple[int, list[bytes]]:
    if len(levels) == level:
        levels.append((0, []))
    return levels[level]


def bundle_paths(number: int, width: int) -> tuple[str, str]:
    """Where a bundle of entries may lie: with two-byte lengths, with four-byte lengths."""
    return tile_path(ENTRIES, number, width), tile_path(LARGE, number, width)


def read_bundle(data: bytes, *, prefix: int, width: int) -> list[bytes]:
    """The `width` entries of a bundle; whoever calls writes them again and compares, so that nothing passes by."""
    entries, at = [], 0
    for _ in range(width):
        length = int.from_bytes(data[at : at + prefix], "big")
        entries.append(data[at + prefix : at + prefix + length])
        at += prefix + length
    return entries
