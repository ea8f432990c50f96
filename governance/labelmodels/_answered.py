"""Which tables of P(answer | class) fit answers that are kept one by one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.labelmodels._base import best
from governance.labelmodels._em import Found

if TYPE_CHECKING:
    import numpy as np

#: how many answers the first guess of a worker's accuracy counts for, and how many examples that of the balance
_FIRST_GUESS, _BALANCE_ROWS = 10.0, 100.0


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers that name a class, in an order that is theirs alone: `vote[n]` of `source[n]` on `example[n]`.

    `weights`, float64 (examples): how often each example is there; 0 where it has no answer.
    """

    example: np.ndarray
    source: np.ndarray
    vote: np.ndarray
    weights: np.ndarray
    sources: int
    classes: int

    @property
    def cell(self) -> np.ndarray:
        """Who says what, as one number: int64 (answers)."""
        import numpy as np

        return self.source.astype(np.int64) * self.classes + self.vote

    def scores(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """log P(class, answers), examples x classes, under log tables, sources x classes x votes."""
        import numpy as np

        added, cell = tables.transpose(1, 0, 2).reshape(self.classes, -1), self.cell
        found = np.empty((len(self.weights), self.classes))
        for k, log_share in enumerate(log_balance):
            found[:, k] = np.bincount(self.example, added[k].take(cell), minlength=len(found)) + log_share
        return found

    def majority_balance(self) -> np.ndarray:
        """The mean share of answers over examples with one, one example added for each class."""
        import numpy as np

        many = np.bincount(self.example, minlength=len(self.weights))
        share = (self.weights / np.maximum(many, 1)).take(self.example)
        balance = np.bincount(self.vote, share, minlength=self.classes) + 1.0
        return balance / balance.sum()

    def names_several(self) -> bool:
        """Whether most answers come from workers who named more than one class."""
        import numpy as np

        named = np.bincount(self.cell, self.weights.take(self.example), minlength=self.sources * self.classes).reshape(
            self.sources, self.classes
        )
        several = (named > 0).sum(axis=1) > 1
        return bool(2 * named[several].sum() >= named.sum())


def climb(
    answered: Answered,
    *,
    balance: np.ndarray,
    learn_balance: bool,
    strength: float,
    diagonal: float,
    tolerance: float,
    max_iterations: int,
) -> Found:
    """EM by maximum a posteriori. A worker's accuracy is made anew in every step, and the prior of its table with it."""
    import numpy as np

    cell, first = answered.cell, balance
    covered = answered.weights.sum()
    others = np.where(np.eye(answered.classes, dtype=bool), 0.0, first[None, :])
    others /= others.sum(axis=1, keepdims=True)

    def prior(accuracy: np.ndarray) -> np.ndarray:
        right = accuracy[:, None, None]
        return strength * (right * np.eye(answered.classes) + (1 - right) * others)

    pseudo = prior(np.full(answered.sources, diagonal))
    shares = pseudo / pseudo.sum(axis=2, keepdims=True)
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        believed = _posterior(answered.scores(np.log(shares), np.log(balance))) * answered.weights[:, None]
        votes = np.empty((answered.classes, answered.sources * answered.classes))
        for k in range(answered.classes):
            votes[k] = np.bincount(cell, believed[:, k].take(answered.example), minlength=votes.shape[1])
        by_source = votes.reshape(answered.classes, answered.sources, answered.classes).transpose(1, 0, 2)
        right = np.trace(by_source, axis1=1, axis2=2) + _FIRST_GUESS * diagonal
        pseudo = prior(right / (by_source.sum(axis=(1, 2)) + _FIRST_GUESS))
        moved = by_source + pseudo
        moved /= moved.sum(axis=2, keepdims=True)
        step = float(np.abs(moved - shares).max())
        if learn_balance:
            learned = (believed.sum(axis=0) + _BALANCE_ROWS * first) / (covered + _BALANCE_ROWS)
            step, balance = max(step, float(np.abs(learned - balance).max())), learned
        iterations += 1
        converged, shares = step <= tolerance, moved
    scores = answered.scores(np.log(shares), np.log(balance))
    labels, top = best(scores.T), scores.max(axis=1)
    likelihood = answered.weights * (np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top)
    tables = np.log(shares)
    log_prior = float((pseudo * tables).sum())
    return Found(tables, balance, iterations, converged, log_prior, float(likelihood.sum()) + log_prior, labels)


def _posterior(scores: np.ndarray) -> np.ndarray:
    import numpy as np

    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)
