"""Which distinct rows of votes are there, and how often is each?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.votes.product import product
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.answers import Answers

_KEY_LIMIT = 2**62
#: keys below this are whole numbers that a float32, and that a float64 holds exactly
_SHORT, _LONG = 2**24, 2**53
#: keys below this are divided as numbers of 32 bits
_SHORTER = 2**31
#: so many different keys are counted in a table of them all, instead of being sorted
_DENSE = 2**22
#: so many rows are packed at a time that their keys stay in the processor's cache, and so many are counted at a time
_AT_ONCE, _COUNTED = 16_384, 1 << 20


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct rows of votes: `votes` int8 (patterns x sources) in lexicographic order, `counts` int64 (patterns).

    `inverse[i]` is the pattern of row i; it is empty where patterns came out of a merge, since those have no rows, and
    where nobody asked for it.
    """

    votes: np.ndarray
    counts: np.ndarray
    inverse: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    def merge(self, other: Patterns) -> Patterns:
        """The patterns of both partitions together: the same, bit for bit, as the patterns of all their rows."""
        import numpy as np

        both = distinct(np.concatenate([self.votes, other.votes]))
        counts = np.zeros(len(both), dtype=np.int64)
        np.add.at(counts, both.inverse, np.concatenate([self.counts, other.counts]))
        return Patterns(both.votes, counts, np.empty(0, dtype=np.int64))


def distinct(matrix: np.ndarray, *, inverse: bool = True) -> Patterns:
    """The patterns of `matrix`, int8 (rows x sources). Deterministic, and the same for any order of the rows.

    1. each row is packed into an integer, its votes being digits of a base that holds them all, so that sorting integers
    sorts rows  2. where there are few integers that a row could be, each is counted; elsewhere equal neighbours among the
    sorted are one pattern  3. the digits of a pattern are its votes. Where a row is too wide for one integer, the rank
    among what was packed so far takes its place. Without `inverse` less time and memory is spent.
    """
    import numpy as np

    if matrix.ndim != 2 or matrix.dtype != np.int8:
        raise InvalidRecord("matrix", f"{matrix.dtype} {list(matrix.shape)}", "int8 votes, rows x sources")
    rows, sources = matrix.shape
    nothing = np.empty(0, dtype=np.int64)
    if rows == 0:
        return Patterns(matrix.copy(), nothing, nothing)
    lowest, base = _digits(matrix)
    if base**sources <= min(_DENSE, max(8 * rows, _AT_ONCE)):
        return _counted(matrix, base=base, lowest=lowest, inverse=inverse)
    if not inverse and base**sources <= _KEY_LIMIT:
        keys = np.sort(_packed(matrix, None, base=base, lowest=lowest))
        starts = _starts(keys)
        counts = np.diff(starts, append=rows)
        return Patterns(_unpacked(keys[starts], sources, base=base, lowest=lowest), counts, nothing)
    found, ranks = _ranked_rows(matrix, base=base, lowest=lowest)
    counts = np.bincount(ranks, minlength=len(found)).astype(np.int64)
    return Patterns(np.ascontiguousarray(matrix[found]), counts, ranks if inverse else nothing)


def sorts_at_once(matrix: np.ndarray) -> bool:
    """Whether one integer holds a row of `matrix`, int8 (rows x sources), so that `distinct` is quick."""
    return _digits(matrix)[1] ** matrix.shape[1] <= _KEY_LIMIT


def keys_of(matrix: np.ndarray, order: np.ndarray, *, highest: int) -> np.ndarray | None:
    """One number for each row of evidence, int8 (rows x sources), uint64 (rows): votes are its digits, those of the columns
    that stand first in `order` first, so that numbers are in the order of rows, and 0 is silence. `highest` is the highest
    vote. None where 64 bits do not hold them."""
    import numpy as np

    base = highest - ABSTAIN + 1
    if base ** len(order) > _KEY_LIMIT:
        return None
    return _packed(matrix, None, base=base, lowest=ABSTAIN, order=order).view(np.uint64)


def _digits(matrix: np.ndarray) -> tuple[int, int]:
    """The lowest vote, which is the digit 0, and the base that holds them all."""
    lowest = int(matrix.min(initial=127))
    return lowest, int(matrix.max(initial=-128)) - lowest + 1


@dataclass(frozen=True, eq=False)
class AnswerPatterns:
    """Distinct sets of answers: `examples[p]` is the first example that pattern p stands on, `counts` int64 (patterns).

    `inverse[i]` is the pattern of example i. Two examples have one pattern where the same sources gave the same answers
    under the same repeats.
    """

    examples: np.ndarray
    counts: np.ndarray
    inverse: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)


def distinct_answers(answers: Answers) -> AnswerPatterns:
    """The patterns of the long form; costs answers, and never a matrix of examples and sources.

    The n-th answers of all examples are ranked together, beginning with the first, as `distinct` ranks columns.
    """
    import numpy as np

    first = np.searchsorted(answers.example, np.arange(len(answers)))
    many = np.bincount(answers.example, minlength=len(answers))
    _, ask = np.unique(np.stack([answers.source, answers.repeat], axis=1), axis=0, return_inverse=True)
    codes = ask.reshape(-1).astype(np.int64) * 256 + (answers.vote.astype(np.int64) + 128)
    beyond = int(codes.max(initial=0)) + 2
    key = np.zeros(len(answers), dtype=np.int64)
    for place in range(int(many.max(initial=0))):
        there = many > place
        step = np.zeros(len(answers), dtype=np.int64)
        step[there] = codes[first[there] + place] + 1
        _, key = np.unique(key * beyond + step, return_inverse=True)
    _, examples, inverse = np.unique(key, return_index=True, return_inverse=True)
    counts = np.bincount(inverse, minlength=len(examples)).astype(np.int64)
    return AnswerPatterns(examples.astype(np.int64), counts, inverse.astype(np.int64))


def _ranked_rows(matrix: np.ndarray, *, base: int, lowest: int) -> tuple[np.ndarray, np.ndarray]:
    """One row index for each distinct row, in lexicographic order, and the rank of every row."""
    import numpy as np

    rows, sources = matrix.shape
    key: np.ndarray | None = None
    found, ranks = np.zeros(1, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    column, size = 0, 1
    while column < sources:
        first, column = column, column + 1
        size *= base
        while column < sources and size <= _KEY_LIMIT // base:
            column += 1
            size *= base
        found, ranks = _ranks(_packed(matrix[:, first:column], key, base=base, lowest=lowest))
        key, size = ranks, len(found)
    return found, ranks


def _counted(matrix: np.ndarray, *, base: int, lowest: int, inverse: bool) -> Patterns:
    """`distinct`, where every row that there could be has a place in a table."""
    import numpy as np

    rows, sources = matrix.shape
    table = np.zeros(base**sources, dtype=np.int64)
    keys = np.empty(rows if inverse else 0, dtype=np.int64)
    for start in range(0, rows, _COUNTED):
        part = _packed(matrix[start : start + _COUNTED], None, base=base, lowest=lowest)
        table += np.bincount(part, minlength=len(table))
        keys[start : start + _COUNTED] = part if inverse else 0
    there = np.flatnonzero(table > 0)
    counts = table[there]
    if inverse:
        table[there] = np.arange(len(there))
        for start in range(0, rows, _COUNTED):
            keys[start : start + _COUNTED] = table.take(keys[start : start + _COUNTED])
    return Patterns(_unpacked(there, sources, base=base, lowest=lowest), counts, keys)


def _packed(
    matrix: np.ndarray, key: np.ndarray | None, *, base: int, lowest: int, order: np.ndarray | None = None
) -> np.ndarray:
    """int64 (rows): the digits of `key`, where there is one, then those of the votes, from left to right or in `order`."""
    import numpy as np

    packed = np.empty(len(matrix), dtype=np.int64)
    sources = matrix.shape[1]
    order = np.arange(sources) if order is None else order
    # As many columns at a time as a float holds the digits of: a product of floats is the fastest sum, and here exact.
    step = sources
    while step > 1 and base**step > _LONG:
        step -= 1
    exact = np.float32 if base ** min(step, sources) <= _SHORT else np.float64
    worth = np.zeros((-(-sources // step), sources), dtype=exact)
    for places, first in zip(worth, range(0, sources, step), strict=True):
        here = order[first : first + step]
        places[here] = base ** np.arange(len(here) - 1, -1, -1)
    for start in range(0, len(matrix), _AT_ONCE):
        part = packed[start : start + _AT_ONCE]
        # The difference wraps around where it is beyond int8, and is right as uint8.
        digits = (matrix[start : start + _AT_ONCE] - np.int8(lowest)).view(np.uint8).astype(exact)
        for first, places in zip(range(0, sources, step), worth, strict=True):
            before = part if first else None if key is None else key[start : start + _AT_ONCE]
            said = product(digits, places)
            if before is None:
                part[:] = said
            else:
                np.multiply(before, base ** min(step, sources - first), out=part)
                part += said.astype(np.int64)
    return packed


def _unpacked(keys: np.ndarray, sources: int, *, base: int, lowest: int) -> np.ndarray:
    """int8 (keys x sources): the votes whose digits make up the keys."""
    import numpy as np

    votes = np.empty((len(keys), sources), dtype=np.int8)
    short = np.int32 if base**sources < _SHORTER else np.int64
    for start in range(0, len(keys), _AT_ONCE):
        part, rest = votes[start : start + _AT_ONCE], keys[start : start + _AT_ONCE].astype(short)
        for column in reversed(range(sources)):
            left = rest // base
            part[:, column] = rest - left * base + lowest
            rest = left
    return votes


def _ranks(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each distinct key stands, in ascending order of the keys, and which of them each row has."""
    import numpy as np

    order = np.argsort(key)
    starts = _starts(key[order])
    changes = np.zeros(len(key), dtype=np.int64)
    changes[starts[1:]] = 1
    ranks = np.empty(len(key), dtype=np.int64)
    ranks[order] = np.cumsum(changes)
    return order[starts], ranks


def _starts(ascending: np.ndarray) -> np.ndarray:
    """Where a run of equal keys begins."""
    import numpy as np

    return np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
