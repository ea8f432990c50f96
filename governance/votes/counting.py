"""How are votes of millions of rows counted in one pass? As bits, 64 rows to a word, so that sources meet by AND."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from governance.votes.table import ABSTAIN, ERROR, SKIPPED

if TYPE_CHECKING:
    import numpy as np

#: votes that are looked at together: they, and the bits made of them, stay in the processor's cache
_VOTES_AT_ONCE = 1 << 20
_MOST_ROWS, _LEAST_ROWS = 65_536, 1_024


def counts_of(matrix: np.ndarray, *, n_classes: int) -> dict[str, Any]:
    """The counts that `Analysis` names, from int8 votes (rows x sources). Counts of parts of the rows add up."""
    import numpy as np

    sources = matrix.shape[1]
    total = {
        "rows": 0,
        "covered": 0,
        "overlaps": 0,
        "conflicts": 0,
        "votes": np.zeros((sources, n_classes), dtype=np.int64),
        **{name: np.zeros(sources, dtype=np.int64) for name in ("abstained", "errors", "skipped")},
        **{name: np.zeros(sources, dtype=np.int64) for name in ("source_overlaps", "source_conflicts")},
        **{name: np.zeros((sources, sources), dtype=np.int64) for name in ("both", "agreed")},
        "voting": np.zeros(sources + 1, dtype=np.int64),
    }
    for part in _parts(matrix):
        for name, value in _counted(part, n_classes).items():
            total[name] += value
    return total


def _parts(matrix: np.ndarray) -> Iterator[np.ndarray]:
    """A few rows at a time, as int8 (sources x rows)."""
    import numpy as np

    step = _VOTES_AT_ONCE // max(matrix.shape[1], 1)
    step = min(max(step, _LEAST_ROWS), _MOST_ROWS)
    for start in range(0, len(matrix), step):
        yield np.ascontiguousarray(matrix[start : start + step].T)


def _counted(votes: np.ndarray, n_classes: int) -> dict[str, Any]:
    """1. who voted, and for what, as bits  2. who did not, and why  3. rows by how many vote  4. pairs of sources"""
    import numpy as np

    sources, rows = votes.shape
    # 1. A class index is told by its binary digits, one plane of bits for each.
    said = votes >= 0
    voted = _bits(said)
    planes = [_bits(votes & np.int8(1 << digit)) & voted for digit in range((n_classes - 1).bit_length())]
    by_class = np.stack([_ones(mask) for mask in _classes(voted, planes)[:n_classes]], axis=1)
    # 2.
    silent = rows - _ones(voted)
    odd = votes.min(initial=ABSTAIN) < ABSTAIN
    errors = _ones(_bits(votes == ERROR)) if odd else np.zeros_like(silent)
    skipped = _ones(_bits(votes == SKIPPED)) if odd else np.zeros_like(silent)
    # 3. Two voters differ where some binary digit of their classes is 1 for one of them and 0 for the other.
    once, twice = np.zeros_like(voted[0]), np.zeros_like(voted[0])
    for one in voted:
        twice |= once & one
        once |= one
    conflicts = np.zeros_like(once)
    for plane in planes:
        conflicts |= np.bitwise_or.reduce(plane, axis=0) & np.bitwise_or.reduce(voted & ~plane, axis=0)
    most = np.uint8 if sources < 256 else np.uint32
    voting = np.bincount(said.view(np.uint8).sum(axis=0, dtype=most), minlength=sources + 1)
    # 4.
    both, agreed = _pairs(voted, planes)
    return {
        "rows": rows,
        "covered": int(_ones(once)),
        "overlaps": int(_ones(twice)),
        "conflicts": int(_ones(conflicts)),
        "votes": by_class,
        "abstained": silent - errors - skipped,
        "errors": errors,
        "skipped": skipped,
        "source_overlaps": _ones(voted & twice),
        "source_conflicts": _ones(voted & conflicts),
        "both": both,
        "agreed": agreed,
        "voting": voting,
    }


def _bits(marks: np.ndarray) -> np.ndarray:
    """uint64 (sources x words): a bit for each row, 1 where `marks` is not zero; bits beyond the last row are 0."""
    import numpy as np

    packed = np.packbits(marks.view(np.uint8), axis=1)
    missing = -packed.shape[1] % 8
    whole = np.pad(packed, ((0, 0), (0, missing))) if missing else packed
    return whole.view(np.uint64)


def _classes(voted: np.ndarray, planes: list[np.ndarray]) -> list[np.ndarray]:
    """Who voted for each class, class by class: split by the highest digit first."""
    masks = [voted]
    for plane in reversed(planes):
        masks = [half for mask in masks for half in (mask & ~plane, mask & plane)]
    return masks


def _pairs(voted: np.ndarray, planes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """int64 (sources x sources), twice: on how many rows two sources both voted, and both voted the same."""
    import numpy as np

    both, agreed = (np.zeros((len(voted), len(voted)), dtype=np.int64) for _ in range(2))
    for j in range(len(voted)):
        met = voted[j] & voted[j:]
        both[j, j:] = both[j:, j] = _ones(met)
        for plane in planes:
            met &= ~(plane[j] ^ plane[j:])
        agreed[j, j:] = agreed[j:, j] = _ones(met)
    return both, agreed


def _ones(words: np.ndarray) -> np.ndarray:
    """How many bits are 1, int64, over the last axis."""
    import numpy as np

    if not hasattr(np, "bitwise_count"):  # numpy before 2.0
        return _ones_of_old(words)
    return np.bitwise_count(words).sum(axis=-1, dtype=np.int64)


def _ones_of_old(words: np.ndarray) -> np.ndarray:
    import numpy as np

    table = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)
    return table[words.view(np.uint8)].sum(axis=-1, dtype=np.int64)
