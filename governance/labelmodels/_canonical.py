"""In which order are votes added up, so that the order of rows and columns cannot be seen in a result?

Floating-point sums depend on their order. So columns are put into an order that only their contents decide, and
patterns into lexicographic order after that. Two arrangements of the same votes become the same arrays, bit for bit,
as long as every column can be told from every other; interchangeable columns keep the order that they came in, so that
sums over them may differ in their last bits. Whoever compares such sums counts the last bits as equal (`ranked`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.votes.hashing import mixed
from governance.votes.patterns import in_order

if TYPE_CHECKING:
    import numpy as np

#: votes that are counted together
_AT_ONCE = 1 << 18


def column_names(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A 64-bit name for every column, uint64 (sources), for distinct patterns int8 (patterns x sources) and their counts.

    A column is named by how often it says what; columns of equal name are told apart by the patterns in which they
    speak, which are named by the columns that speak in them, and so on until no further pair is told apart. What
    remains equal is interchangeable in exact arithmetic for everything that is computed here.
    """
    import numpy as np

    whole = counts.dtype.kind in "iu"
    weights = counts if whole else counts.astype(np.float64).view(np.uint64)
    names = column_totals(votes, counts) if whole else _named(votes, weights)
    found = len(np.unique(names))
    while found < len(names):
        told = mixed(names[:, None] ^ mixed(np.arange(-128, 128))).ravel()
        cells = np.add(votes, 256 * np.arange(votes.shape[1]) + 128, dtype=np.int64)
        rows = mixed(told[cells].sum(axis=1, dtype=np.uint64) ^ mixed(weights))
        refined = mixed(names ^ _named(votes, rows))
        now = len(np.unique(refined))
        if now <= found:
            break
        names, found = refined, now
    return names


def canonical_patterns(
    votes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(column order, row order, patterns, counts, name of each ordered column), all in canonical order."""
    import numpy as np

    names = column_names(votes, counts)
    order = np.argsort(names, kind="stable")
    arranged = np.ascontiguousarray(votes[:, order])
    rows = in_order(arranged)
    return order, rows, arranged[rows], counts[rows], names[order]


def groups_of(names: np.ndarray) -> np.ndarray:
    """The group of every column, int64 (sources): columns of one name are interchangeable."""
    import numpy as np

    return np.unique(names, return_inverse=True)[1]


def column_totals(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """One 64-bit name a column: how often it says what, each vote scattered, its count a factor; sums wrap."""
    import numpy as np

    lowest = int(votes.min(initial=127))
    width = int(votes.max(initial=-128)) - lowest + 1
    columns = votes.shape[1]
    totals, step = np.zeros(columns * width), max(1, _AT_ONCE // columns)
    for start in range(0, len(votes), step):
        here = votes[start : start + step]
        cells = np.add(here, np.arange(columns) * width - lowest, dtype=np.int64).ravel()
        # Counts are whole, and exact as floats below 2^53.
        repeated = np.repeat(counts[start : start + step].astype(np.float64), columns)
        totals += np.bincount(cells, repeated, minlength=len(totals))
    times = totals.astype(np.uint64).reshape(columns, width)
    said = mixed(np.arange(lowest + 128, lowest + 128 + width))
    return mixed(np.where(times > 0, mixed(said ^ mixed(times)), np.uint64(0)).sum(axis=1, dtype=np.uint64))


def _named(votes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """One 64-bit name a column: a sum over rows of what each row is called and what the column says in it."""
    import numpy as np

    said = mixed(np.arange(-128, 128))
    return mixed(mixed(said[votes + np.int64(128)] + mixed(rows)[:, None]).sum(axis=0, dtype=np.uint64))
