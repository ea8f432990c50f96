"""In which order are votes added up, so that the order of rows and columns cannot be seen in a result?

Floating-point sums depend on their order. So columns are put into an order that only their contents decide, and
distinct rows, the patterns, too. Two arrangements of the same votes become the same arrays, bit for bit,
as long as every column can be told from every other; interchangeable columns keep the order that they came in, so that
sums over them may differ in their last bits. Whoever compares such sums counts the last bits as equal (`ranked`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from governance.labelmodels._onehot import onehot
from governance.votes.hashing import mixed

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array

#: votes that are looked at together
_AT_ONCE = 1 << 20
#: from so many places for each vote on, votes are looked at and not places
_PLACES_A_VOTE = 4


def canonical_patterns(
    votes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(column order, a row of each pattern, patterns, counts, name of each ordered column), all in canonical order.

    votes: int8 (rows x sources) of evidence; rows may be alike where counts are whole, int64 (rows). Weights that are no
    whole numbers, float64, stand beside distinct rows.
    """
    import numpy as np

    found = _Names(votes, counts)
    names = found.columns()
    order = np.argsort(names, kind="stable")
    names = names[order]
    # Interchangeable columns are told apart by their places here: rows that differ only in them are different rows.
    groups = groups_of(names)
    places = np.arange(len(names)) - np.searchsorted(groups, groups)
    apart = np.empty_like(names)
    apart[order] = names if not places.any() else mixed(names ^ mixed(places))
    while True:
        keys = found.keys(apart)
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
        # Different rows have one key by chance: other keys.
        apart = mixed(apart)


def column_names(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A 64-bit name for every column, uint64 (sources), for rows of evidence, int8 (rows x sources), and their counts.

    A column is named by how often it says what; columns of equal name are told apart by the rows in which they
    speak, which are named by the columns that speak in them, and so on until no further pair is told apart. What
    remains equal is interchangeable in exact arithmetic for everything that is computed here. Weights that do not add up
    (`adds_up`) are told from each other only: so the rows beside them have to be distinct.
    """
    return _Names(votes, counts).columns()


def column_totals(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """One 64-bit name a column by how often it says what alone. Of counts that add up it is the same whatever other columns
    there are."""
    return _Names(votes, counts).totals()


def adds_up(counts: np.ndarray) -> bool:
    """Whether rows of these counts (rows) may be counted together or one by one: whole numbers, and not so large that what
    is multiplied by them loses the bits that tell it from others."""
    return counts.dtype.kind in "iu" and int(counts.max(initial=0)) < 1 << 32


def groups_of(names: np.ndarray) -> np.ndarray:
    """The group of every column, int64 (sources), of names in ascending order: columns of one name are interchangeable."""
    import numpy as np

    return np.cumsum(np.concatenate(([False], names[1:] != names[:-1])))


class _Names:
    """What columns and rows of votes are called. All sums are of whole numbers of 64 bits and wrap around, so that they
    know no order."""

    def __init__(self, votes: np.ndarray, counts: np.ndarray) -> None:
        import numpy as np

        self._sources, self._classes = votes.shape[1], int(votes.max(initial=0)) + 1
        # Weights that cannot be added up are known by their bits.
        self._counts = counts.astype(np.uint64) if adds_up(counts) else mixed(counts.astype(np.float64).view(np.uint64))
        sparse = np.count_nonzero(votes >= 0) * _PLACES_A_VOTE < votes.size
        self._rows = _ByVote(votes, self._classes) if sparse else _ByColumn(votes, self._classes)

    def totals(self) -> np.ndarray:
        """One 64-bit name a column: how often it says what."""
        return self._named(self._rows.added(self._counts))

    def columns(self) -> np.ndarray:
        """`column_names`."""
        import numpy as np

        names = self.totals()
        found = len(np.unique(names))
        while found < len(names):
            refined = mixed(names ^ self._named(self._rows.added(self._counts * mixed(self.keys(names)))))
            now = len(np.unique(refined))
            if now <= found:
                break
            names, found = refined, now
        return names

    def keys(self, names: np.ndarray) -> np.ndarray:
        """What stands in each row, uint64 (rows), by the names of the columns."""
        import numpy as np

        return self._rows.told(mixed(names[:, None] ^ mixed(np.arange(self._classes))))

    def _named(self, cells: np.ndarray) -> np.ndarray:
        """One 64-bit name a column of one number a cell; a vote that never came leaves no trace."""
        import numpy as np

        told = np.where(cells > 0, mixed(mixed(cells) ^ mixed(np.arange(self._classes))), np.uint64(0))
        return mixed(told.sum(axis=1, dtype=np.uint64))


class _Rows(Protocol):
    """Rows of votes, and sums over them: a cell is what a source can say."""

    def told(self, cells: np.ndarray) -> np.ndarray:
        """The sum of the cells that each row votes for, uint64 (rows), of cells uint64 (sources x classes)."""
        ...

    def added(self, rows: np.ndarray) -> np.ndarray:
        """The sum of the rows that vote for each cell, uint64 (sources x classes), of rows uint64 (rows)."""
        ...


class _ByVote:
    """Where few vote: products with one-hot votes."""

    def __init__(self, votes: np.ndarray, classes: int) -> None:
        self._votes, self._classes = votes, classes
        self._step = max(1, _AT_ONCE // votes.shape[1])
        self._only = self._said(0) if len(votes) <= self._step else None

    def told(self, cells: np.ndarray) -> np.ndarray:
        import numpy as np

        return np.concatenate([said @ cells.ravel() for said, _ in self._each()])

    def added(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        total = np.zeros(self._votes.shape[1] * self._classes, dtype=np.uint64)
        for said, start in self._each():
            total += said.T @ rows[start : start + self._step]
        return total.reshape(-1, self._classes)

    def _each(self) -> Iterator[tuple[csr_array, int]]:
        for start in range(0, max(len(self._votes), 1), self._step):
            yield self._said(start) if self._only is None else self._only, start

    def _said(self, start: int) -> csr_array:
        import numpy as np

        return onehot(self._votes[start : start + self._step], classes=self._classes, dtype=np.uint64)


class _ByColumn:
    """Where most vote: one column after the other, in a table of what it can say, silence first."""

    def __init__(self, votes: np.ndarray, classes: int) -> None:
        import numpy as np

        self._classes = classes
        # No vote is 127: there are 127 classes at most.
        self._columns = np.ascontiguousarray(votes.T) + np.int8(1)
        self._step = max(1, _AT_ONCE // max(votes.shape[1], 1))

    def told(self, cells: np.ndarray) -> np.ndarray:
        import numpy as np

        cells = np.concatenate([np.zeros((len(cells), 1), dtype=np.uint64), cells], axis=1)
        total = np.zeros(self._columns.shape[1], dtype=np.uint64)
        for start in range(0, len(total), self._step):
            for column, said in zip(self._columns, cells, strict=True):
                total[start : start + self._step] += said.take(column[start : start + self._step])
        return total

    def added(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        total = np.zeros((len(self._columns), self._classes), dtype=np.uint64)
        for start in range(0, len(rows), self._step):
            part = rows[start : start + self._step]
            for shift in (0, 32) if part.max(initial=0) >> np.uint64(32) else (0,):
                # Sums of 2^20 halves of 32 bits are exact as floats.
                half = ((part >> np.uint64(shift)) & np.uint64(0xFFFFFFFF)).astype(np.float64)
                for place, column in enumerate(self._columns[:, start : start + self._step]):
                    sums = np.bincount(column, half, minlength=self._classes + 1)[1:]
                    total[place] += sums.astype(np.uint64) << np.uint64(shift)
        return total
