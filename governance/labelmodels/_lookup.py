"""How are many patterns scored and counted at once? A pattern costs one look-up for each group of sources and class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from governance.labelmodels._base import best, unit_of
from governance.labelmodels._codes import Codes
from governance.labelmodels.majority import balance_of_shares
from governance.votes.threads import available_threads, in_turn

if TYPE_CHECKING:
    import numpy as np

_Part = TypeVar("_Part")

#: scores that are worked on together
_AT_ONCE = 1 << 16
#: exponentials of log-odds up to this are far from infinity, even the sum of all classes'
_FAR = 600.0


class _Space:
    """Where one block is worked on, again and again: memory that is asked for each time costs as much as the work."""

    def __init__(self, groups: int, classes: int, patterns: int) -> None:
        import numpy as np

        self.codes = np.empty((groups, patterns), dtype=np.intp)
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
        self._unit = unit_of(self.weights)
        self._shared = self.weights if self._unit == 1.0 else self.weights / self._unit
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

        # Every class is weighed against the first, by its log-odds.
        sums, groups = self._sums(tables[:, 1:] - tables[:, :1], log_balance[1:] - log_balance[0]), self._coded.groups
        far = not sum(float(np.abs(sums[:, group]).max()) for group in groups) <= _FAR
        # The exponential of each code's sum, and products of those, cost less than one of each pattern's sum.
        told = sums if far else np.exp(sums, out=sums)

        def block(start: int, space: _Space) -> np.ndarray:
            codes, shares = self._posterior(start, space, told, far=far)
            counted = np.empty((self.classes, told.shape[1]))
            for code, group in zip(codes, groups, strict=True):
                for k, share in enumerate(shares):
                    counted[k, group] = np.bincount(code, share, minlength=group.stop - group.start)
            return counted

        counted = np.zeros((self.classes, told.shape[1]))
        for part in self._each(block):
            counted += part
        votes, rows = self._coded.shared_out(counted), np.add.reduce(counted[:, groups[0]], axis=1)
        return (votes, rows) if self._unit == 1.0 else (votes * self._unit, rows * self._unit)

    def ending(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[float, np.ndarray]:
        """log P(votes) under log tables, sources x classes x votes, and what `labels` gives."""
        import numpy as np

        sums = self._sums(tables, log_balance)

        def block(start: int, space: _Space) -> tuple[float, np.ndarray]:
            scores = self._scored(start, space, sums)[1]
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

        sums = self._sums(tables, log_balance)
        scores = np.empty((len(self), self.classes))

        def block(start: int, space: _Space) -> None:
            scores[start : start + self._step] = self._scored(start, space, sums)[1].T

        for _ in self._each(block):
            pass
        return scores

    def labels(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """The best class of every pattern, int8; of those within TIE the lowest, as `ranked` says."""
        import numpy as np

        sums = self._sums(tables, log_balance)

        def block(start: int, space: _Space) -> np.ndarray:
            return best(self._scored(start, space, sums)[1])

        return np.concatenate(list(self._each(block)))

    def balance(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """What `majority.estimated_balance` gives, where the sources in `left_out`, bool (sources), have no voice."""
        import numpy as np

        voices = np.zeros((self.sources, self.classes, self.classes))
        voices[:] = np.eye(self.classes)
        if left_out is not None:
            voices[left_out] = 0.0
        sums = self._coded.sums(voices)
        held = np.zeros((self.classes, self.sources + 1))

        def block(start: int, space: _Space) -> np.ndarray:
            _, said = self._scored(start, space, sums)
            voting = said.sum(axis=0).astype(np.intp)
            said *= self.weights[start : start + self._step]
            return np.stack([np.bincount(voting, share, minlength=self.sources + 1) for share in said])

        for part in self._each(block):
            held += part
        return balance_of_shares(held)

    def _sums(self, tables: np.ndarray, first: np.ndarray) -> np.ndarray:
        """What the codes of each group say, several x codes, of tables sources x several x votes; those of the first group
        say `first` (several) too."""
        sums = self._coded.sums(tables)
        sums[:, self._coded.groups[0]] += first[:, None]
        return sums

    def _scored(self, start: int, space: _Space, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The codes of one block, groups x patterns, and its scores, classes x patterns."""
        import numpy as np

        codes = self._codes_of(start, space)
        scores = space.shares[:, : codes.shape[1]]
        self._put_together(np.add, sums, codes, scores, rest=space.rest[: codes.shape[1]])
        return codes, scores

    def _posterior(self, start: int, space: _Space, told: np.ndarray, *, far: bool) -> tuple[np.ndarray, np.ndarray]:
        """The codes of one block, and of each pattern its weight, shared among the classes: classes x patterns.

        `told`: what the codes say of the log-odds of all classes but the first, where those may be `far` from 0, or else
        the exponentials of that.
        """
        import numpy as np

        codes = self._codes_of(start, space)
        weights = self._shared[start : start + self._step]
        shares, rest = space.shares[:, : len(weights)], space.rest[: len(weights)]
        odds, first = shares[1:], shares[0]
        self._put_together(np.add if far else np.multiply, told, codes, odds, rest=rest)
        lone: np.ndarray | float = 1.0
        if far:
            odds -= np.maximum(odds.max(axis=0, out=rest), 0.0, out=rest)
            np.exp(odds, out=odds)
            lone = np.exp(np.negative(rest, out=rest), out=rest)
        np.add(odds[0], lone, out=first)
        for more in odds[1:]:
            first += more
        np.divide(weights, first, out=first)
        odds *= first
        if far:
            first *= lone
        return codes, shares

    def _codes_of(self, start: int, space: _Space) -> np.ndarray:
        """The codes of one block, groups x patterns, as numpy looks up by."""
        import numpy as np

        here = self._coded.codes[:, start : start + self._step]
        codes = space.codes[:, : here.shape[1]]
        np.copyto(codes, here)
        return codes

    def _put_together(
        self, put: np.ufunc, told: np.ndarray, codes: np.ndarray, out: np.ndarray, *, rest: np.ndarray
    ) -> None:
        """What the codes of each pattern say, several x codes, put together for all groups: `out`, several x patterns."""
        import numpy as np

        for of_codes, found in zip(told, out, strict=True):
            for place, (code, group) in enumerate(zip(codes, self._coded.groups, strict=True)):
                # No code is out of range; with "clip" numpy writes where it is told to, without a copy.
                said = np.take(of_codes[group], code, out=rest if place else found, mode="clip")
                if place:
                    put(found, said, out=found)

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
