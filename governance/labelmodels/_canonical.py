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
from governance.votes.patterns import keys_of
from governance.votes.product import product
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels._said import Said

#: so many bits at most stand behind a part of a key, so that enough of it is left
_BEHIND = 24
#: what scatters numbers before a small one is added: 2^64 over the golden ratio, made odd
_ODD = 0x9E3779B97F4A7C15
#: so few patterns are sooner copied row by row than source by source
_FEW_ROWS = 1 << 14


@dataclass(frozen=True, eq=False)
class Arranged:
    """Patterns of evidence in canonical order, with `weights` (patterns).

    `order[j]` is the column, as it was given, that stands at place j, `names[j]` its name; `rows[p]` is a given row of
    pattern p, and `places[i]` the pattern of given row i, -1 where that has no vote. Where counts add up, `cast` is how
    often each source, in canonical order, names each class up to the highest that anyone names, uint64, and `totals` one
    name of that a source; else they are None. `held`: the votes one by one where they are few, else the patterns.
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
        """int8 (patterns x sources); where there are many, and most sources vote, a source's votes lie side by side."""
        return self.held.votes if isinstance(self.held, Spoken) else self.held

    def row_labels(self, labels: np.ndarray) -> np.ndarray:
        """The labels of the given rows, int8, from those of the patterns; ABSTAIN where there is no vote."""
        import numpy as np

        return np.append(labels, np.int8(ABSTAIN)).take(self.places)


def arranged(given: VoteRows) -> Arranged:
    """The patterns with a vote; there must be a row."""
    import numpy as np

    found = _Names(given)
    names = found.columns()
    order = np.argsort(names, kind="stable")
    names = names[order]
    rows, first = _neighbours(found, order, names)
    starts = np.flatnonzero(first)
    weights = _lengths(starts, len(rows)) if given.once else np.add.reduceat(given.counts[rows], starts)
    silent = int(given.votes[rows[0]].max() < 0)
    places = np.empty(len(rows), dtype=np.int64)
    places[rows] = np.add.accumulate(first, dtype=np.int64) - (1 + silent)
    rows, weights = rows[starts[silent:]], weights[silent:]
    cast = totals = None
    if found.adds_up:
        cast, totals = found.cast[order], found.totals[order]
    held = _dense(given, order, rows) if given.spoken is None else given.spoken.arranged(order, rows)
    return Arranged(order, names, rows, places, weights, cast, totals, held)


def _lengths(starts: np.ndarray, whole: int) -> np.ndarray:
    """How many there are from each start to before the next, of so many, int64 (starts)."""
    import numpy as np

    lengths = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1] = whole - starts[-1]
    return lengths


def _neighbours(found: _Names, order: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows in canonical order, int64 (rows), and which of them are not as the one before, bool (rows). Those without a
    vote stand first. `order` is that of the columns, and `names` are theirs in it."""
    import numpy as np

    votes = found.given.votes
    keys = keys_of(votes, order, highest=found.given.highest)
    if keys is not None:
        rows, keys = _ascending(keys)
        return rows, np.concatenate(([True], keys[1:] != keys[:-1]))
    # Interchangeable columns are told apart by their places here: rows that differ only in them are different rows.
    apart = np.empty_like(names)
    apart[order] = names
    if (names[1:] == names[:-1]).any():
        groups = groups_of(names)
        apart[order] = mixed(names ^ mixed(np.arange(len(names)) - np.searchsorted(groups, groups)))
    while True:
        rows, keys = _ascending(found.keys(apart))
        first = np.concatenate(([True], keys[1:] != keys[:-1]))
        again = np.flatnonzero(~first)
        if (votes.take(rows[again], axis=0) == votes.take(rows[again - 1], axis=0)).all():
            return rows, first
        # Different rows have one key by chance: other keys.
        apart = mixed(apart)


def _ascending(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of keys, uint64, in ascending order of the keys, int64, and the keys in that order."""
    import numpy as np

    # Numbers are sorted sooner than places by numbers: so each place stands behind its key, or behind the upper bits of it.
    bits = len(keys).bit_length()
    of_keys = int(keys.max(initial=0)).bit_length()
    if of_keys + bits <= 64:
        # Short numbers take half of the time.
        kind = np.uint32 if of_keys + bits <= 32 else np.uint64
        behind = keys.astype(kind)
        behind <<= kind(bits)
        behind |= np.arange(len(keys), dtype=kind)
        behind.sort()
        return (behind & kind((1 << bits) - 1)).astype(np.int64), behind >> kind(bits)
    if bits <= _BEHIND:
        low = np.uint64((1 << bits) - 1)
        behind = keys & ~low | np.arange(len(keys), dtype=np.uint64)
        behind.sort()
        places = (behind & low).view(np.int64)
        ascending = keys[places]
        if (ascending[1:] >= ascending[:-1]).all():
            return places, ascending
    places = np.argsort(keys)
    return places, keys[places]


def _dense(given: VoteRows, order: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Some rows of evidence, int8 (rows x sources), in an order of sources."""
    import numpy as np

    if given.is_sparse or len(rows) <= _FEW_ROWS:
        return given.votes.take(rows, axis=0).take(order, axis=1)
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
        self.given, self._classes = given, max(given.highest, 0) + 1
        self.adds_up = given.once or adds_up(given.counts)

    @cached_property
    def _counts(self) -> np.ndarray:
        """Counts, uint64 (rows); those that cannot be added up are known by their bits."""
        import numpy as np

        counts = self.given.counts
        return counts.astype(np.uint64) if self.adds_up else mixed(counts.astype(np.float64).view(np.uint64))

    @cached_property
    def _rows(self) -> _Rows:
        return (_ByVote if self.given.is_sparse else _ByCode)(self.given, self._classes)

    @cached_property
    def cast(self) -> np.ndarray:
        """How often each column says what, uint64 (sources x classes), where counts add up."""
        if self.adds_up and not self.given.is_sparse:
            return _cast(self.given, self._classes)
        return self._rows.added(self._counts)

    @cached_property
    def totals(self) -> np.ndarray:
        """One 64-bit name a column: how often it says what."""
        return self._named(self.cast)

    def columns(self) -> np.ndarray:
        """`column_names`."""
        names = self.totals
        found = len(set(names.tolist()))
        while found < len(names):
            refined = mixed(names ^ self._named(self._rows.added(self._counts * mixed(self.keys(names)))))
            now = len(set(refined.tolist()))
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

        told = mixed(cells * np.uint64(_ODD) + np.arange(self._classes, dtype=np.uint64))
        told[cells == 0] = 0
        return mixed(np.add.reduce(told, axis=1))


def _cast(given: VoteRows, classes: int) -> np.ndarray:
    """How often each column says what, uint64 (sources x classes), of counts that add up: by products, which are exact."""
    import numpy as np

    votes, once = given.votes, given.once
    counts = np.ones(len(votes), dtype=np.float32) if once else given.counts
    total = np.zeros((votes.shape[1], classes), dtype=np.uint64)
    step = max(1, AT_ONCE // votes.shape[1])
    for start in range(0, len(votes), step):
        part, weights = votes[start : start + step], counts[start : start + step]
        # Sums of whole numbers below 2^24 are exact as short floats, and those of 2^20 numbers below 2^32 as long ones.
        exact = np.float32 if once or int(weights.sum()) < 1 << 24 else np.float64
        weights = weights.astype(exact, copy=False)
        for k in range(classes):
            total[:, k] += product(weights, (part == k).astype(exact)).astype(np.uint64)
    return total


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
        self._all = None if given.spoken is None else given.spoken.said(classes=classes, dtype=np.uint64)
        self._step = max(1, AT_ONCE // self._votes.shape[1] if self._all is None else len(self._votes))

    def told(self, cells: np.ndarray) -> np.ndarray:
        import numpy as np

        flat = cells.ravel()
        total = np.zeros(len(self._votes), dtype=np.uint64)
        for said, start in self._each():
            said.by_row(flat, total[start : start + self._step])
        return total

    def added(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        total = np.zeros(self._votes.shape[1] * self._classes, dtype=np.uint64)
        for said, start in self._each():
            said.by_cell(rows[start : start + self._step], total)
        return total.reshape(-1, self._classes)

    def _each(self) -> Iterator[tuple[Said, int]]:
        import numpy as np

        if self._all is not None:
            yield self._all, 0
            return
        for start in range(0, max(len(self._votes), 1), self._step):
            part = Spoken.of(self._votes[start : start + self._step])
            yield part.said(classes=self._classes, dtype=np.uint64), start


class _ByCode:
    """Where most vote: look-ups and counts of what several sources say together."""

    def __init__(self, given: VoteRows, classes: int) -> None:
        import numpy as np

        self._coded = Codes(given.by_source, classes=classes, dtype=np.uint64)
        self._step = max(1, AT_ONCE // len(self._coded.codes))

    def told(self, cells: np.ndarray) -> np.ndarray:
        import numpy as np

        total, sums = np.zeros(self._coded.codes.shape[1], dtype=np.uint64), self._coded.sums(cells[:, None, :])[0]
        for start in range(0, len(total), self._step):
            for code, group in zip(self._coded.codes, self._coded.groups, strict=True):
                total[start : start + self._step] += sums[group].take(code[start : start + self._step])
        return total

    def added(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        total = np.zeros((1, self._coded.groups[-1].stop), dtype=np.uint64)
        for start in range(0, len(rows), self._step):
            part = rows[start : start + self._step]
            for shift in (0, 32) if part.max(initial=0) >> np.uint64(32) else (0,):
                # Sums of 2^20 halves of 32 bits are exact as floats.
                half = ((part >> np.uint64(shift)) & np.uint64(0xFFFFFFFF)).astype(np.float64)
                for code, group in zip(self._coded.codes, self._coded.groups, strict=True):
                    sums = np.bincount(code[start : start + self._step], half, minlength=group.stop - group.start)
                    total[0, group] += sums.astype(np.uint64) << np.uint64(shift)
        return self._coded.shared_out(total)[:, 0]
