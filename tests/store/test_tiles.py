"""The tiles of a log are those of C2SP tlog-tiles, and each of its hashes is the one that the text defines."""

from __future__ import annotations

import struct
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.store import merkle, tiles


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (1_234_067, 256, "tile/0/x001/x234/067"),
        (0, 256, "tile/0/000"),
        (999, 1, "tile/0/999.p/1"),
        (1000, 256, "tile/0/x001/000"),
        (70_000, 255, "tile/0/x070/000.p/255"),
        (123_456_789_012, 256, "tile/0/x123/x456/x789/012"),
    ],
)
def test_a_path_is_spelled_as_the_specification_spells_it(number, width, path):
    """The specification's own example, and the ends of each group of three digits."""
    assert tiles.tile_path("0", number, width) == path
    assert tiles.read_path(path) == tiles.TilePath("0", number, width)


@given(st.sampled_from(["entries", "large", *map(str, range(64))]), st.integers(0, 10**15), st.integers(1, 256))
def test_every_path_reads_back(kind, number, width):
    """What is written is read as the same tile."""
    path = tiles.tile_path(kind, number, width)
    assert tiles.read_path(path) == tiles.TilePath(kind, number, width)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "tile/0/0",
            "tile/0/x000/001",
            "tile/0/001/x234",
            "tile/0/x001",
            "tile/00/001",
            "tile/100/001",
            "tile/-1/001",
        ),
        *("tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/300", "tile/0/001.p/01", "tile/0/001.p", "tile/0/001.p/"),
        *(
            "tile/0/001/",
            "/tile/0/001",
            "tile//001",
            "tile/0/../0/001",
            "tile/data/001",
            "tiles/0/001",
            "tile/0/x1/001",
        ),
        *("tile/0/00a", "tile/0/\u0660\u0660\u0661", "tile/0/001\n", "checkpoint", ""),
    ],
)
def test_another_spelling_of_a_path_is_none(path):
    """There is one spelling of each tile."""
    assert tiles.read_path(path) is None


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (0, {}),
        (1, {(0, 1): 1}),
        (255, {(0, 255): 1}),
        (256, {(0, 256): 1, (1, 1): 1}),
        (257, {(0, 256): 1, (0, 1): 1, (1, 1): 1}),
        (70_000, {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}),
    ],
)
def test_a_log_of_each_size_has_the_tiles_that_the_specification_counts(size, shape):
    """The specification's examples of 256 and of 70,000 entries, and the sizes beside them."""
    made = list(tiles.tiles(str(i).encode() for i in range(size)))
    assert Counter((t.level, t.width) for t in made if t.level is not None) == shape
    assert sum(t.width for t in made if t.level is None) == size
    assert len({t.file(t.width)[0] for t in made}) == len(made)


@given(st.integers(0, 90), st.sampled_from([2, 4, 8]))
@example(64, 4)
def test_each_hash_of_a_tile_is_the_one_that_is_defined(size, width):
    """MTH(D[(n * W + i) * W**l : (n * W + i + 1) * W**l]), with narrow tiles too, so that there are many levels."""
    entries = [str(i).encode() for i in range(size)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "WIDTH", width)
        made = list(tiles.tiles(entries))
    held = Counter()
    for tile in made:
        if tile.level is None:
            assert list(tile.items) == entries[tile.number * width :][:width]
            continue
        held[tile.level] += tile.width
        for i, node in enumerate(tile.items):
            span = width**tile.level
            first = (tile.number * width + i) * span
            assert node == merkle.root(leaves[first : first + span])
    assert held == Counter({level: size // width**level for level in range(8) if size // width**level})


def test_a_bundle_holds_each_entry_behind_two_bytes_of_length():
    """Big-endian, as the specification has it; what it held when it was shorter is its beginning."""
    (bundle,) = [t for t in tiles.tiles([b"ab", b"", b"x" * 300]) if t.level is None]
    path, data = bundle.file(3)
    assert (path, data) == ("tile/entries/000.p/3", b"\x00\x02ab" + b"\x00\x00" + struct.pack(">H", 300) + b"x" * 300)
    assert bundle.file(1) == ("tile/entries/000.p/1", b"\x00\x02ab")
    assert tiles.read_bundle(data, prefix=2, width=3) == [b"ab", b"", b"x" * 300]


@pytest.mark.parametrize(("length", "kind", "prefix"), [(65_535, "entries", 2), (65_536, "large", 4)])
def test_a_bundle_with_an_entry_too_long_for_two_bytes_lies_elsewhere(length, kind, prefix):
    """The longest entry that C2SP has room for stands in a bundle of C2SP, one byte more does not."""
    entries = [b"short", b"x" * length]
    (bundle,) = [t for t in tiles.tiles(entries) if t.level is None]
    path, data = bundle.file(2)
    assert path == f"tile/{kind}/000.p/2"
    assert tiles.read_bundle(data, prefix=prefix, width=2) == entries
    assert bundle.file(1)[0] == "tile/entries/000.p/1"
    assert tiles.read_path(path).group == ("entries", 0)
