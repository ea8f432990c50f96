"""How are patterns scored and counted where few votes make up each? As sparse products with one-hot votes.

A vote costs one addition a class, silence nothing. Votes are added up in the order in which they are stored, on one thread:
sources of a pattern for scores, patterns for counts.
"""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

from governance.labelmodels._base import best, unit_of
from governance.labelmodels.majority import balance_of_shares

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels._vote_rows import Spoken

#: so few patterns, and votes in them, are gone through sooner than tables of sums are made up
_FEW_PATTERNS, _FEW_VOTES = 5_000, 1 << 17
#: up to so many classes a product for each costs less than one for all, whose numbers stand the other way round
_FEW_CLASSES = 3
#: exponentials of log-odds up to this are far from infinity, even the sum of all classes'
_FAR = 600.0


class _Space(local):
    """Where a step puts its numbers. Each thread has one of its own: several fit without other sources at once."""

    def __init__(self, classes: int, patterns: int) -> None:
        import numpy as np

        self.shares = np.empty((classes, patterns))
        self.turned = np.empty(patterns * classes if classes > _FEW_CLASSES else 0)


class OneHot:
    """What `Lookup` is to EM, over the votes of patterns, and their weights, whole or float (patterns)."""

    def __init__(self, spoken: Spoken, weights: np.ndarray, *, classes: int) -> None:
        import numpy as np

        self.sources, self.classes = spoken.sources, classes
        self.weights = weights.astype(np.float64)
        self._unit = unit_of(self.weights)
        self._shared = self.weights if self._unit == 1.0 else self.weights / self._unit
        self.spoken = spoken
        self.said = spoken.said(classes=classes)
        self._space = _Space(classes, len(weights))

    @property
    def cast(self) -> np.ndarray:
        """How often each source names each class, float64 (sources x classes)."""
        return self._by_cell(self.weights[None]).reshape(self.sources, self.classes)

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E-step: expected votes under log tables, both sources x classes x votes, and expected rows (classes)."""
        import numpy as np

        shares = self._space.shares
        # Every class is weighed against the first, by its log-odds.
        odds, first = shares[1:], shares[0]
        self._added(tables[:, 1:] - tables[:, :1], log_balance[1:] - log_balance[0], out=odds)
        lone: np.ndarray | float = 1.0
        if odds.max() > _FAR:
            top = np.maximum(odds.max(axis=0), 0.0)
            odds -= top
            lone = np.exp(-top)
        np.exp(odds, out=odds)
        np.add(odds[0], lone, out=first)
        for more in odds[1:]:
            first += more
        np.divide(self._shared, first, out=first)
        odds *= first
        first *= lone
        votes = self._by_cell(shares).reshape(self.classes, self.sources, self.classes).transpose(1, 0, 2)
        rows = np.add.reduce(shares, axis=1)
        return (votes, rows) if self._unit == 1.0 else (votes * self._unit, rows * self._unit)

    def ending(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[float, np.ndarray]:
        """log P(votes) under log tables, sources x classes x votes, and the label of every pattern, as `Lookup` has it."""
        import numpy as np

        scores = self._added(tables, log_balance, out=self._space.shares)
        labels, top = best(scores), scores.max(axis=0)
        scores -= top
        total = np.log(np.exp(scores, out=scores).sum(axis=0)) + top
        # Not a product of vectors: how that is added up depends on the number of threads.
        return float((self.weights * total).sum()), labels

    def labels(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """What `Lookup.labels` gives."""
        return best(self._added(tables, log_balance, out=self._space.shares))

    def balance(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """What `Lookup.balance` gives."""
        import numpy as np

        many = self.voting(left_out).astype(np.intp)
        held = np.empty((self.classes, self.sources + 1))
        # Whole numbers of rows with equally many votes add up to the same bits in any order.
        for k in range(self.classes):
            named = np.zeros((self.sources, self.classes))
            named[:, k] = 1.0 if left_out is None else ~left_out
            said = self.said.by_row(named.ravel(), np.zeros(len(self.weights)))
            held[k] = np.bincount(many, said * self.weights, minlength=self.sources + 1)
        return balance_of_shares(held)

    def voting(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """How many sources that are not left out vote in each pattern, float64 (patterns)."""
        import numpy as np

        if left_out is None:
            return self.spoken.many.astype(np.float64)
        heard = np.repeat((~left_out).astype(np.float64), self.classes)
        return self.said.by_row(heard, np.zeros(len(self.weights)))

    def _added(self, tables: np.ndarray, first: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """What the votes of each pattern add up to, several x patterns, beginning at `first` (several); of tables sources x
        several x votes."""
        import numpy as np

        if len(out) <= _FEW_CLASSES:
            for k, sums in enumerate(out):
                sums.fill(first[k])
                self.said.by_row(tables[:, k].ravel(), sums)
            return out
        turned = self._turned(len(out))
        turned[:] = first
        np.copyto(out, self.said.by_row(tables.transpose(0, 2, 1).reshape(-1, len(out)), turned).T)
        return out

    def _by_cell(self, shares: np.ndarray) -> np.ndarray:
        """What the patterns in which a source says something add up to, several x cells, of shares several x patterns."""
        import numpy as np

        if len(shares) <= _FEW_CLASSES:
            found = np.zeros((len(shares), self.said.width))
            for share, sums in zip(shares, found, strict=True):
                self.said.by_cell(share, sums)
            return found
        turned = self._turned(len(shares))
        np.copyto(turned, shares.T)
        return self.said.by_cell(turned, np.zeros((self.said.width, len(shares)))).T

    def _turned(self, several: int) -> np.ndarray:
        """Room for numbers that stand patterns x several."""
        return self._space.turned[: several * len(self.weights)].reshape(-1, several)


def is_few(votes: int, *, patterns: int) -> bool:
    """Whether so many votes, in so many patterns, are gone through sooner than tables of sums are made up."""
    return patterns <= _FEW_PATTERNS and votes <= _FEW_VOTES
