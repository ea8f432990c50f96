"""How are many patterns scored and counted at once? A pattern costs one look-up for each group of sources and class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from governance.labelmodels._base import best
from governance.labelmodels._codes import Codes
from governance.votes.threads import available_threads, in_turn

if TYPE_CHECKING:
    import numpy as np

_Part = TypeVar("_Part")

#: scores that are worked on together
_AT_ONCE = 1 << 16


class _Space:
    """Where one block is worked on, again and again: memory that is asked for each time costs as much as the work."""

    def __init__(self, groups: int, classes: int, patterns: int) -> None:
        import numpy as np

        self.codes = np.empty((groups, patterns), dtype=np.intp)
        self.scores = np.empty((classes, patterns))
        self.shares = np.empty((classes, patterns))
        self.rest = np.empty(patterns)


class Lookup:
    """Covered patterns and their weights, ready to be scored and counted under any tables.

    `patterns` is int8 (patterns x sources), from ABSTAIN up; `weights` whole or float (patterns). Sums are taken block by
    block and blocks in order, so that no number of threads can be seen in a result.
    """

    def __init__(self, patterns: np.ndarray, weights: np.ndarray, *, classes: int, threads: int | None = None) -> None:
        import numpy as np

        self.weights = weights.astype(np.float64)
        self.sources, self.classes = patterns.shape[1], classes
        self._coded = Codes(patterns.T, classes=classes)
        self._step = max(1_024, _AT_ONCE // classes)
        self._threads = available_threads() if threads is None else threads
        self._spaces: list[_Space] = []

    def __len__(self) -> int:
        return len(self.weights)

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E-step: expected votes under log tables, both sources x classes x votes, and expected rows (classes).

        A source whose table is all zeros says nothing: it is left out.
        """
        import numpy as np

        sums = self._coded.sums(tables)
        counted = [np.zeros_like(table) for table in sums]
        if self.classes == 2:
            # Two classes are weighed by one number, the log-odds.
            sums, log_balance = [table[1:] - table[:1] for table in sums], log_balance[1:] - log_balance[:1]

        def block(start: int, space: _Space) -> list[np.ndarray]:
            codes, shares = self._posterior(start, space, sums, log_balance)
            return [
                np.stack([np.bincount(code, share, minlength=table.shape[1]) for share in shares])
                for code, table in zip(codes, sums, strict=True)
            ]

        for parts in self._each(block):
            for group, added in enumerate(parts):
                counted[group] += added
        return self._coded.shared_out(counted), counted[0].sum(axis=1)

    def ending(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[float, np.ndarray]:
        """log P(votes) under log tables, sources x classes x votes, and what `labels` gives."""
        import numpy as np

        sums = self._coded.sums(tables)

        def block(start: int, space: _Space) -> tuple[float, np.ndarray]:
            scores = self._scored(start, space, sums, log_balance)[1]
            labels, top = best(scores), scores.max(axis=0)
            scores -= top
            total = np.log(np.exp(scores, out=scores).sum(axis=0)) + top
            # Not a product of vectors: how that is added up depends on the number of threads.
            return float((self.weights[start : start + self._step] * total).sum()), labels

        added, labels = zip(*self._each(block), strict=True)
        return sum(added, start=0.0), np.concatenate(labels)

    def scores(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """log P(class, votes) under log tables, patterns x classes."""
        import numpy as np

        sums = self._coded.sums(tables)
        scores = np.empty((len(self), self.classes))

        def block(start: int, space: _Space) -> None:
            scores[start : start + self._step] = self._scored(start, space, sums, log_balance)[1].T

        for _ in self._each(block):
            pass
        return scores

    def labels(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """The best class of every pattern, int8; of those within TIE the lowest, as `ranked` says."""
        import numpy as np

        sums = self._coded.sums(tables)

        def block(start: int, space: _Space) -> np.ndarray:
            return best(self._scored(start, space, sums, log_balance)[1])

        return np.concatenate(list(self._each(block)))

    def balance(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """What `majority.estimated_balance` gives, where the sources in `left_out`, bool (sources), have no voice."""
        import numpy as np

        voices = np.zeros((self.sources, self.classes, self.classes))
        voices[:] = np.eye(self.classes)
        if left_out is not None:
            voices[left_out] = 0.0
        sums, nothing = self._coded.sums(voices), np.zeros(self.classes)
        held = np.zeros((self.classes, self.sources + 1))

        def block(start: int, space: _Space) -> np.ndarray:
            _, said = self._scored(start, space, sums, nothing)
            voting = said.sum(axis=0).astype(np.intp)
            said *= self.weights[start : start + self._step]
            return np.stack([np.bincount(voting, share, minlength=self.sources + 1) for share in said])

        for part in self._each(block):
            held += part
        balance = np.ones(self.classes)
        for voting in range(1, self.sources + 1):
            balance += held[:, voting] / float(voting)
        return balance / balance.sum()

    def _scored(
        self, start: int, space: _Space, sums: list[np.ndarray], log_balance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The codes of one block, groups x patterns, and its scores, classes x patterns."""
        import numpy as np

        here = self._coded.codes[:, start : start + self._step]
        patterns = here.shape[1]
        codes, scores, rest = (
            space.codes[:, :patterns],
            space.scores[: len(log_balance), :patterns],
            space.rest[:patterns],
        )
        np.copyto(codes, here)
        scores[:] = log_balance[:, None]
        for code, table in zip(codes, sums, strict=True):
            for k, said in enumerate(table):
                # No code is out of range; with "clip" numpy writes where it is told to, without a copy.
                scores[k] += np.take(said, code, out=rest, mode="clip")
        return codes, scores

    def _posterior(
        self, start: int, space: _Space, sums: list[np.ndarray], log_balance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The codes of one block, and of each pattern its weight, shared among the classes: classes x patterns."""
        import numpy as np

        codes, scores = self._scored(start, space, sums, log_balance)
        weights = self.weights[start : start + self._step]
        shares, rest = space.shares[:, : len(weights)], space.rest[: len(weights)]
        if self.classes == 2:
            # Beyond 700 the smaller probability is below 1e-304, and its exponential would soon be no number.
            odds = np.clip(scores[0], -700.0, 700.0, out=scores[0])
            np.exp(np.negative(odds, out=odds), out=odds)
            np.divide(weights, np.add(odds, 1.0, out=rest), out=shares[1])
            np.multiply(shares[1], odds, out=shares[0])
            return codes, shares
        scores -= scores.max(axis=0, out=rest)
        np.exp(scores, out=shares)
        shares *= np.divide(weights, shares.sum(axis=0, out=rest), out=rest)
        return codes, shares

    def _each(self, block: Callable[[int, _Space], _Part]) -> Iterator[_Part]:
        """What `block` makes of every block, in order."""
        starts = range(0, len(self), self._step)

        def in_a_space(start: int) -> _Part:
            # Each thread takes a space of its own; a list is changed by one thread at a time.
            try:
                space = self._spaces.pop()
            except IndexError:
                space = _Space(len(self._coded.codes), self.classes, min(self._step, len(self)))
            try:
                return block(start, space)
            finally:
                self._spaces.append(space)

        return in_turn(in_a_space, starts, threads=min(self._threads, len(starts)))
