"""How are votes scattered over 64 bits, so that chance has no seed and content alone decides?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def mixed(values: np.ndarray) -> np.ndarray:
    """Each integer scattered over 64 bits, uint64; sums of these wrap around, so that their order is lost.

    It is the finalizer of the generator splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    import numpy as np

    x = values.astype(np.int64).view(np.uint64) if values.dtype != np.uint64 else values
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def pattern_hashes(votes: np.ndarray, columns: Sequence[str]) -> np.ndarray:
    """A hash for each row of votes, uint64 (rows), from int8 (rows x sources): the same for any order of the columns.

    A column is known by its name.
    """
    import numpy as np

    total = np.zeros(len(votes), dtype=np.uint64)
    said = np.arange(256, dtype=np.uint64)
    for name, column in zip(columns, votes.T, strict=True):
        word = np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
        total += mixed(mixed(said) ^ word)[column.view(np.uint8)]
    return mixed(total)
