"""Which distinct rows of votes are there, and how often is each?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.answers import Answers

_KEY_LIMIT = 2**62


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct rows of votes: `votes` int8 (patterns x sources) in lexicographic order, `counts` int64 (patterns).

    `inverse[i]` is the pattern of row i; it is empty where patterns came out of a merge, since those have no rows.
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

        votes = np.concatenate([self.votes, other.votes])
        found, inverse = _unique_rows(votes)
        counts = np.zeros(len(found), dtype=np.int64)
        np.add.at(counts, inverse, np.concatenate([self.counts, other.counts]))
        return Patterns(votes[found], counts, np.empty(0, dtype=np.int64))


def distinct(matrix: np.ndarray) -> Patterns:
    """The patterns of `matrix`, int8 (rows x sources). Deterministic, and the same for any order of the rows."""
    import numpy as np

    if matrix.ndim != 2 or matrix.dtype != np.int8:
        raise InvalidRecord("matrix", f"{matrix.dtype} {list(matrix.shape)}", "int8 votes, rows x sources")
    found, inverse = _unique_rows(matrix)
    counts = np.bincount(inverse, minlength=len(found)).astype(np.int64)
    return Patterns(np.ascontiguousarray(matrix[found]), counts, inverse)


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


def _unique_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row index for each distinct row, in lexicographic order, and the rank of every row.

    Votes are packed from the left into one integer as far as it reaches; its rank then takes its place. Sorting
    integers is many times faster than sorting rows of bytes, and ranks keep the order.
    """
    import numpy as np

    rows, sources = matrix.shape
    if rows == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    lowest = int(matrix.min(initial=127))
    base = int(matrix.max(initial=-128)) - lowest + 1
    key, size = np.zeros(rows, dtype=np.int64), 1
    for column in range(sources):
        if size > _KEY_LIMIT // base:
            ranks, key = np.unique(key, return_inverse=True)
            size = len(ranks)
        key = key * base + (matrix[:, column].astype(np.int64) - lowest)
        size *= base
    _, found, inverse = np.unique(key, return_index=True, return_inverse=True)
    return found, inverse.astype(np.int64)
