"""How do many label models learn at once from the same patterns, each without some of the sources?

Sources are packed, a few into one code, so that the scores of a pattern under every model are the sum of some rows of one
table (codes x models). That is a sparse product, and so is the way back: expected votes are added up by code first, and
by source afterwards. What the models share, the patterns and their codes, is read once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from governance.labelmodels._base import TIE
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: so many combinations of votes share one code table, which stays in the processor's cache
_CODES = 256
#: numbers in one block of scores
_BLOCK = 1 << 18
#: sums are taken over so many parts and then over the parts, so that they do not depend on the number of threads
_PARTS = 8


class Packed:
    """Patterns, int8 (patterns x sources) without ERROR and SKIPPED, as blocks of codes."""

    def __init__(self, votes: np.ndarray, counts: np.ndarray, *, n_classes: int, models: int, threads: int) -> None:
        import numpy as np
        from scipy import sparse

        self.patterns, self.sources = votes.shape
        self.n_classes, self.threads = n_classes, threads
        self._votes, self.counts = votes, counts.astype(np.float64)
        base = n_classes + 1
        width = 1
        while base ** (width + 1) <= _CODES:
            width += 1
        self._chunks = [range(first, min(first + width, self.sources)) for first in range(0, self.sources, width)]
        self._digits = [_digits(len(chunk), base) for chunk in self._chunks]
        self._starts = np.cumsum([0, *(len(digits) for digits in self._digits)])
        rows = max(64, _BLOCK // (n_classes * models))
        ones = np.ones(rows * len(self._chunks))
        self._blocks: list[tuple[slice, Any, Any]] = []
        for start in range(0, self.patterns, rows):
            here = slice(start, min(start + rows, self.patterns))
            codes = self._codes(votes[here], base)
            bounds = np.arange(len(codes) + 1, dtype=np.int32) * len(self._chunks)
            shape = (len(codes), int(self._starts[-1]))
            matrix = sparse.csr_matrix((ones[: codes.size], codes.reshape(-1), bounds), shape=shape)
            self._blocks.append((here, matrix, matrix.T))

    def _codes(self, votes: np.ndarray, base: int) -> np.ndarray:
        """int32, patterns x chunks: which row of the code table each chunk of votes stands for."""
        import numpy as np

        codes = np.empty((len(votes), len(self._chunks)), dtype=np.int32)
        for place, chunk in enumerate(self._chunks):
            code = np.zeros(len(votes), dtype=np.int32)
            for column in reversed(chunk):
                code *= base
                code += votes[:, column] + np.int32(1)
            codes[:, place] = code + np.int32(self._starts[place])
        return codes

    def by_code(self, evidence: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Evidence of models, float64 (models x sources x parts x votes), added up by code: codes x (parts x models).

        The prior, models x parts, stands in the codes of the first chunk, of which every pattern has exactly one.
        """
        import numpy as np

        models, _, parts, _ = evidence.shape
        silent = np.concatenate([np.zeros((models, self.sources, parts, 1)), evidence], axis=3)
        told = np.zeros((int(self._starts[-1]), parts, models))
        for place, chunk in enumerate(self._chunks):
            here = told[self._starts[place] : self._starts[place + 1]]
            for digit, column in enumerate(chunk):
                here += silent[:, column][:, :, self._digits[place][:, digit]].transpose(2, 1, 0)
        told[: self._starts[1]] += prior.T
        return told.reshape(len(told), -1)

    def by_source(self, sums: np.ndarray, parts: int) -> np.ndarray:
        """Sums by code, codes x (parts x models), as sums by vote: models x sources x parts x votes."""
        import numpy as np

        classes = np.arange(1, self.n_classes + 1)
        found = np.empty((self.sources, self.n_classes, sums.shape[1]))
        for place, chunk in enumerate(self._chunks):
            here = sums[self._starts[place] : self._starts[place + 1]]
            for digit, column in enumerate(chunk):
                said = (self._digits[place][:, digit, None] == classes).astype(np.float64)
                found[column] = said.T @ here
        return found.reshape(self.sources, self.n_classes, parts, -1).transpose(3, 0, 2, 1)

    def expected(self, table: np.ndarray, models: int) -> np.ndarray:
        """E-step. `table` as `by_code` makes it, of evidence and prior less those of class 0.

        Answers the weighted sums of P(class) by code for every class but the first, codes x (classes - 1 x models).
        """
        import numpy as np

        def part(blocks: list[tuple[slice, Any, Any]]) -> np.ndarray:
            sums = np.zeros_like(table)
            for here, matrix, turned in blocks:
                sums += turned @ _weighted(matrix @ table, self.counts[here], self.n_classes - 1, models)
            return sums

        return np.add.reduce(list(self._each_part(part)))

    def labels(self, tables: np.ndarray, balance: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """The label of every pattern under every model, int8, patterns x models, as `FittedLabelModel.predict` chooses.

        tables: log P(vote | class), models x sources x classes x votes, 0 where a source is left out. balance: models x
        classes. kept: bool, models x sources.
        """
        import numpy as np

        told = np.empty((self.patterns, len(tables)), dtype=np.int8)
        ranked = self._of_two(tables, balance) if self.n_classes == 2 else self._of_many(tables, balance)

        def part(blocks: list[tuple[slice, Any, Any]]) -> None:
            for here, matrix, _ in blocks:
                ranked(matrix, told[here])

        list(self._each_part(part))
        self._silence(told, kept)
        return told

    def _of_many(self, tables: np.ndarray, balance: np.ndarray) -> Callable[[Any, np.ndarray], None]:
        """Writes the best class of every pattern of a block under every model, by the rule for ties."""
        import numpy as np

        table, models = self.by_code(tables, np.log(balance)), len(tables)

        def ranked(matrix: Any, told: np.ndarray) -> None:
            scores = (matrix @ table).reshape(-1, self.n_classes, models)
            least = scores.max(axis=1, keepdims=True)
            least -= TIE * np.maximum(1.0, np.abs(least))
            near = scores >= least
            for k in reversed(range(self.n_classes)):
                np.copyto(told, np.int8(k), where=near[:, k])

        return ranked

    def _of_two(self, tables: np.ndarray, balance: np.ndarray) -> Callable[[Any, np.ndarray], None]:
        """The same for two classes, by the sign of one number; what may be a tie is looked at as many classes are."""
        import numpy as np

        exactly, log_balance = self._of_many(tables, balance), np.log(balance)
        table = self.by_code(tables[:, :, 1:] - tables[:, :, :1], log_balance[:, 1:] - log_balance[:, :1])
        # No score is further from 0 than this, so that no tie is wider.
        most = np.abs(log_balance).max() + np.abs(tables).max(axis=(0, 2, 3)).sum()
        tie = 2 * TIE * max(1.0, float(most))

        def ranked(matrix: Any, told: np.ndarray) -> None:
            lead = matrix @ table
            np.greater(lead, 0.0, out=told.view(np.bool_))
            unsure = np.flatnonzero((np.abs(lead) <= tie).any(axis=1))
            if len(unsure):
                again = np.empty((len(unsure), told.shape[1]), dtype=np.int8)
                exactly(matrix[unsure], again)
                told[unsure] = again

        return ranked

    def _silence(self, told: np.ndarray, kept: np.ndarray) -> None:
        """No label where none of the kept sources votes; only patterns with few votes can be that."""
        import numpy as np

        few = np.flatnonzero((self._votes >= 0).sum(axis=1) <= (~kept).sum(axis=1).max(initial=0))
        voting = (self._votes[few] >= 0).astype(np.float32) @ kept.T.astype(np.float32)
        told[few] = np.where(voting == 0, np.int8(ABSTAIN), told[few])

    def _each_part(self, work: Callable[[list[tuple[slice, Any, Any]]], Any]) -> Iterator[Any]:
        """What `work` answers for each part of the blocks, in their order."""
        step = -(-len(self._blocks) // _PARTS)
        parts = [self._blocks[first : first + step] for first in range(0, len(self._blocks), step)]
        if self.threads < 2:
            yield from map(work, parts)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield from pool.map(work, parts)


def _weighted(scores: np.ndarray, counts: np.ndarray, parts: int, models: int) -> np.ndarray:
    """P(class) of every class but the first, times how many rows have the pattern, in the place of its log odds."""
    import numpy as np

    if parts == 1:
        np.negative(scores, out=scores)
        with np.errstate(over="ignore"):
            # Beyond the largest float P is 0, to the last bit.
            np.exp(scores, out=scores)
        scores += 1.0
        return np.divide(counts[:, None], scores, out=scores)
    cube = scores.reshape(-1, parts, models)
    most = np.maximum(cube.max(axis=1, keepdims=True), 0.0)
    cube -= most
    np.exp(cube, out=cube)
    cube *= counts[:, None, None] / (cube.sum(axis=1, keepdims=True) + np.exp(-most))
    return scores


def _digits(width: int, base: int) -> np.ndarray:
    """Every combination of `width` votes by its code, int64 (codes x width): 0 is silence, 1 the first class."""
    import numpy as np

    return np.arange(base**width)[:, None] // base ** np.arange(width) % base
