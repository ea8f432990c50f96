"""In which order are votes added up, so that the order of rows and columns cannot be seen in a result?

Floating-point sums depend on their order. So columns are put into an order that only their contents decide, and
distinct rows, the patterns, too. Two arrangements of the same votes become the same arrays, bit for bit,
as long as every column can be told from every other; interchangeable columns keep the order that they came in, so that
sums over them may differ in their last bits. Whoever compares such sums counts the last bits as equal (`ranked`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from governance.labelmodels._codes import Codes
from governance.labelmodels._vote_rows import AT_ONCE, Spoken, VoteRows
from governance.votes.hashing import mixed

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Arranged:
    """Patterns of evidence in canonical order, with `weights` (patterns).

    `order[j]` is the column, as it was given, that stands at place j, `names[j]` its name; `rows[p]` is a given row of
    pattern p, and `places[i]` the pattern of given row i. Where counts add up, `cast` is how often each source, in
    canonical order, names each class up to the highest that anyone names, uint64, and `totals` one name of that a source;
    else they are None. `held`: the votes one by one where they are few, else the patterns.
    """

    order: np.ndarray
    names: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    cast: np.ndarray | None
    totals: np.ndarray | None
    held: Spoken | np.ndarray

    @property
    def spoken(self) -> Spoken | None:
        """The votes one by one, where they are held so."""
        return self.held if isinstance(self.held, Spoken) else None

    @cached_property
    def patterns(self) -> np.ndarray:
        """int8 (patterns x sources); sources lie side by side in memory where most of them vote, else patterns do."""
        return self.held.votes if isinstance(self.held, Spoken) else self.held


def arranged(given: VoteRows) -> Arranged:
    """The patterns of evidence, of which each row has a vote."""
    import numpy as np

    found = _Names(given)
    names = found.columns()
    order = np.argsort(names, kind="stable")
    names = names[order]
    # Interchangeable columns are told apart by their places here: rows that differ only in them are different rows.
    groups = groups_of(names)
    within = np.arange(len(names)) - np.searchsorted(groups, groups)
    apart = np.empty_like(names)
    apart[order] = names if not within.any() else mixed(names ^ mixed(within))
    while True:
        keys = found.keys(apart)
        rows = np.argsort(keys)
        keys = keys[rows]
        first = np.concatenate(([True], keys[1:] != keys[:-1]))
        again = np.flatnonzero(~first)
        if (given.votes[rows[again]] == given.votes[rows[again - 1]]).all():
            break
        # Different rows have one key by chance: other keys.
        apart = mixed(apart)
    places = np.empty(len(rows), dtype=np.int64)
    weights = given.counts[rows]
    if len(again):
        starts = np.flatnonzero(first)
        places[rows] = np.cumsum(first) - 1
        rows, weights = rows[starts], np.add.reduceat(weights, starts)
    else:
        places[rows] = np.arange(len(rows))
    cast = totals = None
    if adds_up(given.counts):
        cast, totals = found.cast[order], found.totals[order]
    held = _dense(given, order, rows) if given.spoken is None else given.spoken.arranged(order, rows)
    return Arranged(order, names, rows, places, weights, cast, totals, held)


def _dense(given: VoteRows, order: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Some rows of evidence, int8 (rows x sources), in an order of sources."""
    import numpy as np

    if given.is_sparse:
        return np.ascontiguousarray(given.votes[:, order])[rows]
    by_source = np.empty((len(order), len(rows)), dtype=np.int8)
    for column, source in zip(by_source, order, strict=True):
        given.by_source[source].take(rows, out=column)
    return by_source.T


def column_names(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A 64-bit name for every column, uint64 (sources), for rows of evidence, int8 (rows x sources), and their counts.

    A column is named by how often it says what; columns of equal name are told apart by the rows in which they
    speak, which are named by the columns that speak in them, and so on until no further pair is told apart. What
    remains equal is interchangeable in exact arithmetic for everything that is computed here. Weights that do not add up
    (`adds_up`) are told from each other only: so the rows beside them have to be distinct.
    """
    return _Names(VoteRows(votes, counts)).columns()


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

    def __init__(self, given: VoteRows) -> None:
        import numpy as np

        counts = given.counts
        self._classes = int(given.votes.max(initial=0)) + 1
        # Weights that cannot be added up are known by their bits.
        self._counts = counts.astype(np.uint64) if adds_up(counts) else mixed(counts.astype(np.float64).view(np.uint64))
        self._rows: _Rows = (_ByVote if given.is_sparse else _ByCode)(given, self._classes)

    @cached_property
    def cast(self) -> np.ndarray:
        """How often each column says what, uint64 (sources x classes), where counts add up."""
        return self._rows.added(self._counts)

    @cached_property
    def totals(self) -> np.ndarray:
        """One 64-bit name a column: how often it says what."""
        return self._named(self.cast)

    def columns(self) -> np.ndarray:
        """`column_names`."""
        import numpy as np

        names = self.totals
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

    def __init__(self, given: VoteRows, classes: int) -> None:
        import numpy as np

        self._votes, self._classes = given.votes, classes
        self._all = None if given.spoken is None else given.spoken.onehot(classes=classes, dtype=np.uint64)
        self._step = max(1, AT_ONCE // self._votes.shape[1] if self._all is None else len(self._votes))

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
        import numpy as np

        if self._all is not None:
            yield self._all, 0
            return
        for start in range(0, max(len(self._votes), 1), self._step):
            part = Spoken.of(self._votes[start : start + self._step])
            yield part.onehot(classes=self._classes, dtype=np.uint64), start


class _ByCode:
    """Where most vote: look-ups and counts of what several sources say together."""

    def __init__(self, given: VoteRows, classes: int) -> None:
        self._coded = Codes(given.by_source, classes=classes)
        self._step = max(1, AT_ONCE // len(self._coded.codes))

    def told(self, cells: np.ndarray) -> np.ndarray:
        import numpy as np

        total, sums = np.zeros(self._coded.codes.shape[1], dtype=np.uint64), self._coded.sums(cells[:, None, :])
        for start in range(0, len(total), self._step):
            for code, said in zip(self._coded.codes, sums, strict=True):
                total[start : start + self._step] += said[0].take(code[start : start + self._step])
        return total

    def added(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        total = [np.zeros((1, size), dtype=np.uint64) for size in self._coded.sizes]
        for start in range(0, len(rows), self._step):
            part = rows[start : start + self._step]
            for shift in (0, 32) if part.max(initial=0) >> np.uint64(32) else (0,):
                # Sums of 2^20 halves of 32 bits are exact as floats.
                half = ((part >> np.uint64(shift)) & np.uint64(0xFFFFFFFF)).astype(np.float64)
                for code, counted in zip(self._coded.codes, total, strict=True):
                    sums = np.bincount(code[start : start + self._step], half, minlength=counted.size)
                    counted[0] += sums.astype(np.uint64) << np.uint64(shift)
        return self._coded.shared_out(total)[:, 0]
