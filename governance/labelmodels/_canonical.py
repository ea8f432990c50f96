"""In which order are votes added up, so that the order of rows and columns cannot be seen in a result?

Floating-point sums depend on their order. So columns are put into an order that only their contents decide, and
distinct rows, the patterns, too. Two arrangements of the same votes become the same arrays, bit for bit,
as long as every column can be told from every other; interchangeable columns keep the order that they came in, so that
sums over them may differ in their last bits. Whoever compares such sums counts the last bits as equal (`ranked`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from governance.labelmodels._onehot import onehot
from governance.votes.hashing import mixed

if TYPE_CHECKING:
    import numpy as np

#: votes that are looked at together
_AT_ONCE = 1 << 20


def canonical_patterns(
    votes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(column order, a row of each pattern, patterns, counts, name of each ordered column), all in canonical order.

    votes: int8 (rows x sources) of evidence; rows may be alike where counts are whole, int64 (rows). Weights that are no
    whole numbers, float64, stand beside distinct rows.
    """
    import numpy as np

    cells = _Cells(votes, counts)
    names = cells.names()
    order = np.argsort(names, kind="stable")
    names = names[order]
    # Interchangeable columns are told apart by their places here: rows that differ only in them are different rows.
    groups = groups_of(names)
    places = np.arange(len(names)) - np.searchsorted(groups, groups)
    apart = np.empty_like(names)
    apart[order] = names if not places.any() else mixed(names ^ mixed(places))
    for salt in range(1 << 10):
        keys = cells.keys(apart if not salt else mixed(apart ^ mixed(np.array([salt]))))
        rows = np.argsort(keys)
        keys = keys[rows]
        first = np.concatenate(([True], keys[1:] != keys[:-1]))
        arranged = np.ascontiguousarray(votes[:, order])[rows]
        if first.all():
            return order, rows, arranged, counts[rows], names
        again = np.flatnonzero(~first)
        if (arranged[again] == arranged[again - 1]).all():
            starts = np.flatnonzero(first)
            return order, rows[starts], arranged[starts], np.add.reduceat(counts[rows], starts), names
    raise AssertionError("64 bits do not tell rows apart, whatever the salt")


def column_names(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A 64-bit name for every column, uint64 (sources), for rows of evidence, int8 (rows x sources), and their counts.

    A column is named by how often it says what; columns of equal name are told apart by the rows in which they
    speak, which are named by the columns that speak in them, and so on until no further pair is told apart. What
    remains equal is interchangeable in exact arithmetic for everything that is computed here. Weights that are no whole
    numbers are told from each other, and not added up: so the rows beside them have to be distinct.
    """
    return _Cells(votes, counts).names()


def column_totals(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """One 64-bit name a column by how often it says what alone."""
    return _Cells(votes, counts).totals()


def groups_of(names: np.ndarray) -> np.ndarray:
    """The group of every column, int64 (sources), of names in ascending order: columns of one name are interchangeable."""
    import numpy as np

    return np.cumsum(np.concatenate(([False], names[1:] != names[:-1])))


class _Cells:
    """Rows of votes as the cells that they have a vote in: a cell is what a source can say. All sums are of whole numbers
    of 64 bits and wrap around, so that they know no order."""

    def __init__(self, votes: np.ndarray, counts: np.ndarray) -> None:
        import numpy as np

        self._votes = votes
        self._sources, self._classes = votes.shape[1], int(votes.max(initial=0)) + 1
        whole = counts.dtype.kind in "iu"
        # A weight that is no whole number is known by its bits.
        self._counts = counts.astype(np.uint64) if whole else mixed(counts.astype(np.float64).view(np.uint64))
        self._step = max(1, _AT_ONCE // self._sources)
        self._only = self._said(0) if len(votes) <= self._step else None

    def totals(self) -> np.ndarray:
        """One 64-bit name a column: how often it says what."""
        return self._named(self._added(lambda _, counts: counts))

    def names(self) -> np.ndarray:
        """`column_names`."""
        import numpy as np

        names = self.totals()
        found = len(np.unique(names))
        while found < len(names):
            told = self._told(names)
            refined = mixed(
                names ^ self._named(self._added(lambda said, counts, told=told: counts * mixed(said @ told)))
            )
            now = len(np.unique(refined))
            if now <= found:
                break
            names, found = refined, now
        return names

    def keys(self, names: np.ndarray) -> np.ndarray:
        """What stands in each row, uint64 (rows), by the names of the columns."""
        import numpy as np

        told = self._told(names)
        return np.concatenate([said @ told for said, _ in self._each()])

    def _told(self, names: np.ndarray) -> np.ndarray:
        """uint64 (cells): each column with each of its votes."""
        import numpy as np

        return mixed(names[:, None] ^ mixed(np.arange(self._classes))).ravel()

    def _added(self, each: Callable[..., np.ndarray]) -> np.ndarray:
        """The sum over the rows that have a cell of what `each` says of a row, uint64 (cells)."""
        import numpy as np

        total = np.zeros(self._sources * self._classes, dtype=np.uint64)
        for said, counts in self._each():
            total += said.T @ each(said, counts)
        return total

    def _named(self, cells: np.ndarray) -> np.ndarray:
        """One 64-bit name a column of one number a cell; a vote that never came leaves no trace."""
        import numpy as np

        each = cells.reshape(self._sources, self._classes)
        told = np.where(each > 0, mixed(mixed(each) ^ mixed(np.arange(self._classes))), np.uint64(0))
        return mixed(told.sum(axis=1, dtype=np.uint64))

    def _each(self) -> Iterator[tuple[Any, np.ndarray]]:
        if self._only is not None:
            yield self._only, self._counts
            return
        for start in range(0, len(self._votes), self._step):
            yield self._said(start), self._counts[start : start + self._step]

    def _said(self, start: int) -> Any:
        import numpy as np

        return onehot(self._votes[start : start + self._step], classes=self._classes, dtype=np.uint64)
