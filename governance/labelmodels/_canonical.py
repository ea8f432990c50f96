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


def column_names(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A 64-bit name for every column, uint64 (sources), for distinct patterns int8 (patterns x sources) and their counts.

    A column is named by how often it says what; columns of equal name are told apart by the patterns in which they
    speak, which are named by the columns that speak in them, and so on until no further pair is told apart. What
    remains equal is interchangeable in exact arithmetic for everything that is computed here.
    """
    import numpy as np

    whole = counts.dtype.kind in "iu"
    weights = counts if whole else counts.astype(np.float64).view(np.uint64)
    names = column_totals(votes, counts) if whole else _named(votes, np.broadcast_to(weights[:, None], votes.shape))
    found = len(np.unique(names))
    while found < len(names):
        rows = mixed(mixed(names[None, :] ^ mixed(votes)).sum(axis=1, dtype=np.uint64) ^ mixed(weights))
        refined = mixed(names ^ _named(votes, np.broadcast_to(rows[:, None], votes.shape)))
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

    names = np.zeros(votes.shape[1], dtype=np.uint64)
    for column, said in enumerate(votes.T):
        # Counts are whole, and exact as floats below 2^53.
        totals = np.bincount(said + np.int64(128), counts).astype(np.uint64)
        names[column] = mixed(mixed(np.arange(len(totals))) ^ mixed(totals))[totals > 0].sum(dtype=np.uint64)
    return mixed(names)


def _named(votes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """One 64-bit name a column: a sum over rows of what each row is called and what the column says in it."""
    import numpy as np

    return mixed(mixed(mixed(votes) + mixed(rows)).sum(axis=0, dtype=np.uint64))
