"""How are patterns scored and counted where few votes make up each? As sparse products with one-hot votes.

A vote costs one addition a class, silence nothing. Products of scipy's sparse arrays add up in the order in which votes are
stored, on one thread: sources of a pattern for scores, patterns for counts.
"""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

from governance.labelmodels._base import best
from governance.labelmodels._vote_rows import MOST

if TYPE_CHECKING:
    import numpy as np

    from governance.labelmodels._vote_rows import Spoken

#: so few patterns, and votes in them, are gone through sooner than tables of sums are made up
_FEW_PATTERNS, _FEW_VOTES = 5_000, 1 << 17


class _Space(local):
    """Where a step puts its numbers. Each thread has one of its own: several fit without other sources at once."""

    def __init__(self, classes: int, patterns: int) -> None:
        import numpy as np

        self.scores, self.rest = np.empty((classes, patterns)), np.empty(patterns)
        self.shares = np.empty((patterns, classes))


class OneHot:
    """What `Lookup` is to EM, over the votes of patterns, and their weights, whole or float (patterns)."""

    def __init__(self, spoken: Spoken, weights: np.ndarray, *, classes: int) -> None:
        import numpy as np

        self.sources, self.classes = spoken.sources, classes
        self.weights = weights.astype(np.float64)
        self.spoken = spoken
        self.said = spoken.onehot(classes=classes)
        self._by_cell = self.said.T
        self._space = _Space(classes, len(weights))

    @property
    def cast(self) -> np.ndarray:
        """How often each source names each class, float64 (sources x classes)."""
        return (self._by_cell @ self.weights).reshape(self.sources, self.classes)

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E-step: expected votes under log tables, both sources x classes x votes, and expected rows (classes)."""
        import numpy as np

        against, shares = self._against(tables), self._space.scores
        if self.classes == 2:
            # Two classes are weighed by one number, the log-odds. Beyond 700 the smaller probability is below 1e-304.
            odds = self.said @ (against[:, 0] - against[:, 1])
            odds += log_balance[0] - log_balance[1]
            np.minimum(np.maximum(odds, -700.0, out=odds), 700.0, out=odds)
            np.exp(odds, out=odds)
            np.divide(self.weights, np.add(odds, 1.0, out=self._space.rest), out=shares[1])
            np.multiply(shares[1], odds, out=shares[0])
            # Two products with one vector each cost less than one with two.
            votes = np.stack([self._by_cell @ share for share in shares], axis=1)
        else:
            rest = self._space.rest
            self._scored(against, log_balance)
            shares -= shares.max(axis=0, out=rest)
            np.exp(shares, out=shares)
            shares *= np.divide(self.weights, shares.sum(axis=0, out=rest), out=rest)
            np.copyto(self._space.shares, shares.T)
            votes = self._by_cell @ self._space.shares
        return votes.reshape(self.sources, self.classes, self.classes).transpose(0, 2, 1), shares.sum(axis=1)

    def log_likelihood(self, tables: np.ndarray, log_balance: np.ndarray) -> float:
        """log P(votes) under log tables, sources x classes x votes."""
        import numpy as np

        scores = self._scored(self._against(tables), log_balance)
        top = scores.max(axis=0)
        scores -= top
        total = np.log(np.exp(scores, out=scores).sum(axis=0)) + top
        # Not a product of vectors: how that is added up depends on the number of threads.
        return float((self.weights * total).sum())

    def labels(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """What `Lookup.labels` gives."""
        return best(self._scored(self._against(tables), log_balance))

    def balance(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """What `Lookup.balance` gives."""
        import numpy as np

        voices = np.zeros((self.sources, self.classes, self.classes))
        voices[:] = np.eye(self.classes)
        if left_out is not None:
            voices[left_out] = 0.0
        said = self._scored(self._against(voices), np.zeros(self.classes))
        many_voting = said.sum(axis=0).astype(np.intp)
        said *= self.weights
        balance = np.ones(self.classes)
        # A pattern whose sources are all left out has no share.
        held = np.stack([np.bincount(many_voting, share, minlength=self.sources + 1) for share in said])
        for many in np.flatnonzero(held.any(axis=0)).tolist():
            balance += held[:, many] / float(many)
        return balance / balance.sum()

    def _against(self, tables: np.ndarray) -> np.ndarray:
        """Tables as one-hot votes meet them: source by source and vote by vote, against the classes."""
        return tables.transpose(0, 2, 1).reshape(-1, self.classes)

    def _scored(self, against: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """Scores, classes x patterns."""
        import numpy as np

        return np.add((self.said @ against).T, log_balance[:, None], out=self._space.scores)


def suits(votes: int, *, patterns: int, look_ups: int) -> bool:
    """Whether a step of EM over so many votes, in so many patterns, costs less than one of so many look-ups a class."""
    few = patterns <= _FEW_PATTERNS and votes <= _FEW_VOTES
    return votes <= MOST and (few or votes < look_ups)
