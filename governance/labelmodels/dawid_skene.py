"""How good is each source on each class, and what do all of them say together?

Dawid-Skene by maximum a posteriori EM on distinct vote patterns. Each source has P(vote | class), given that it votes;
a Dirichlet prior of `strength` pseudo-votes a class stands around `diagonal` on the vote for the class itself and the
class balance for the rest. Silence (ABSTAIN, ERROR, SKIPPED) carries no evidence: weighting it ruins sources that can
only ever name one class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from governance.digest import decimal
from governance.errors import InvalidRecord
from governance.labelmodels._base import (
    FittedLabelModel,
    array_of,
    checked_balance,
    checked_number,
    evidence_of,
    normalised,
    number_of,
)
from governance.labelmodels._canonical import canonical_patterns
from governance.labelmodels.majority import estimated_balance
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    import numpy as np
    import torch

    from governance.votes.table import VoteTable

#: how far the prior leans on the diagonal where the balance is given, and where it is estimated from majority vote
DIAGONAL_GIVEN, DIAGONAL_ESTIMATED = 0.5, 0.7
_CHUNK = 1 << 22  # numbers in one block of one-hot votes: 32 MiB
_KEEP = 1 << 25  # numbers kept between iterations: 256 MiB; beyond, blocks are made anew each time


class DawidSkene(FittedLabelModel):
    """MAP Dawid-Skene.

    `balance`: P(class), or None to estimate it from majority vote. `strength`: pseudo-votes a class and source.
    `diagonal`: the prior's lean, or None for the default that suits the balance. EM ends when no P(vote | class) moves
    by more than `tolerance`, or after `max_iterations`; `converged_` says which.
    """

    method = "dawid_skene"
    #: log P(vote | class), sources x classes x votes
    log_likelihood_: np.ndarray
    #: columns in the order in which evidence is added up
    order_: np.ndarray
    balance_origin_: Literal["given", "estimated"]
    iterations_: int
    converged_: bool
    #: log posterior of the tables, up to a constant
    objective_: float

    def __init__(
        self,
        *,
        balance: Sequence[float] | None = None,
        strength: float = 100.0,
        diagonal: float | None = None,
        tolerance: float = 1e-9,
        max_iterations: int = 1000,
    ) -> None:
        self.balance = balance
        self.strength = strength
        self.diagonal = diagonal
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def _learn(self, votes: np.ndarray, counts: np.ndarray, *, n_classes: int) -> None:
        """1. the balance  2. the prior around it  3. one order for all arrangements of the votes  4. EM"""
        import numpy as np

        strength, diagonal, tolerance = self._checked()
        # 1.
        if self.balance is None:
            self.balance_, self.balance_origin_ = estimated_balance(votes, counts, n_classes=n_classes), "estimated"
        else:
            self.balance_ = checked_balance(self.balance, n_classes=n_classes, where=self.method)
            self.balance_origin_ = "given"
        # 2.
        prior = strength * (diagonal * np.eye(n_classes) + (1 - diagonal) * self.balance_[None, :])
        # 3.
        order, patterns, weights, groups = canonical_patterns(votes, counts)
        # 4.
        tables, self.iterations_, self.converged_, self.objective_ = _em(
            patterns, weights, groups, self.balance_, prior, tolerance=tolerance, max_iterations=self.max_iterations
        )
        self.order_ = order
        self.log_likelihood_ = np.empty_like(tables)
        self.log_likelihood_[order] = tables

    def _checked(self) -> tuple[float, float, float]:
        check = partial(checked_number, where=self.method)
        strength = check(
            "strength", self.strength, fits=lambda x: 0 < x < float("inf"), wanted="a finite number above 0"
        )
        default = DIAGONAL_ESTIMATED if self.balance is None else DIAGONAL_GIVEN
        lean = default if self.diagonal is None else self.diagonal
        diagonal = check("diagonal", lean, fits=lambda x: 0 <= x < 1, wanted="a number from 0 to below 1")
        tolerance = check("tolerance", self.tolerance, fits=lambda x: 0 < x < 1, wanted="a number between 0 and 1")
        if type(self.max_iterations) is not int or self.max_iterations < 1:
            raise InvalidRecord("max_iterations", self.max_iterations, "a whole number from 1", where=self.method)
        return strength, diagonal, tolerance

    def parameters(self) -> dict[str, str]:
        return {**super().parameters(), "diagonal": decimal(self._checked()[1])}

    def _scores(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        scores = np.repeat(np.log(self.balance_)[None, :], len(votes), axis=0)
        for source in self.order_:
            scores += evidence(self.log_likelihood_[source])[votes[:, source]]
        return scores

    def accuracy(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """P(the source is right | it votes) as the model sees it, float64 (sources); NaN where it never votes.

        The mean of P(class voted for | all votes on the row) over the rows of `votes` on which the source votes.
        """
        import numpy as np

        patterns = distinct(evidence_of(self._matrix(votes)))
        proba = normalised(self._scores(patterns.votes))
        found = np.full(patterns.votes.shape[1], np.nan)
        for source, said in enumerate(patterns.votes.T):
            spoke = np.flatnonzero(said >= 0)
            if len(spoke):
                believed = patterns.counts[spoke] * proba[spoke, said[spoke]]
                # An exact sum: the order of rows and columns cannot be seen in it.
                found[source] = math.fsum(believed.tolist()) / float(patterns.counts[spoke].sum())
        return found

    def _state(self) -> dict[str, Any]:
        return {
            "balance": [decimal(value) for value in self.balance_],
            "balance_origin": self.balance_origin_,
            "log_likelihood": [
                [[decimal(value) for value in row] for row in table] for table in self.log_likelihood_.tolist()
            ],
            "order": [int(source) for source in self.order_],
            "iterations": self.iterations_,
            "converged": self.converged_,
            "objective": decimal(self.objective_),
        }

    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        import numpy as np

        fields = {"balance", "balance_origin", "log_likelihood", "order", "iterations", "converged", "objective"}
        if set(state) != fields:
            raise InvalidRecord("state", sorted(state), f"exactly {', '.join(sorted(fields))}", where=where)
        self._checked()
        sources, classes = len(self.columns_), len(self.classes_)
        balance = array_of(state["balance"], (classes,), field="state.balance", where=where)
        self.balance_ = checked_balance(balance, n_classes=classes, where=where)
        self.log_likelihood_ = array_of(
            state["log_likelihood"], (sources, classes, classes), field="state.log_likelihood", where=where
        )
        if np.abs(np.exp(self.log_likelihood_).sum(axis=2) - 1).max() > 1e-9:
            raise InvalidRecord("state.log_likelihood", "other sums", "rows whose probabilities sum to 1", where=where)
        order = state["order"]
        if (
            not isinstance(order, list)
            or any(type(i) is not int for i in order)
            or sorted(order) != list(range(sources))
        ):
            raise InvalidRecord("state.order", order, "every column once", where=where)
        self.order_ = np.array(order, dtype=np.int64)
        if state["balance_origin"] not in ("given", "estimated"):
            raise InvalidRecord("state.balance_origin", state["balance_origin"], "given or estimated", where=where)
        if type(state["iterations"]) is not int or type(state["converged"]) is not bool:
            raise InvalidRecord(
                "state.iterations, state.converged", None, "a whole number and true or false", where=where
            )
        self.balance_origin_ = state["balance_origin"]
        self.iterations_, self.converged_ = state["iterations"], state["converged"]
        self.objective_ = number_of(state["objective"], field="state.objective", where=where)


def evidence(table: np.ndarray) -> np.ndarray:
    """log P(vote | class) as votes x classes, and a last row of zeros: index -1 is silence, which adds nothing."""
    import numpy as np

    return np.concatenate([table.T, np.zeros((1, table.shape[0]))])


def _em(
    patterns: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
    balance: np.ndarray,
    prior: np.ndarray,
    *,
    tolerance: float,
    max_iterations: int,
) -> tuple[np.ndarray, int, bool, float]:
    """(log tables, iterations, converged, objective) from canonical patterns, float64.

    `prior` holds pseudo-votes, classes x votes. Columns of one group have equal tables in exact arithmetic, and get equal
    ones here: otherwise EM may enlarge the last bits by which they differ until they part. The objective is that of the
    tables which are returned.
    """
    import numpy as np
    import torch

    sources, classes = patterns.shape[1], len(balance)
    pseudo = torch.from_numpy(prior)
    log_balance = torch.from_numpy(np.log(balance))
    blocks = _Blocks(patterns, weights, classes)
    tables = (pseudo / pseudo.sum(dim=1, keepdim=True)).log().expand(sources, classes, classes)
    converged, iterations = False, 0
    votes, likelihood = _expected_votes(blocks, tables, log_balance)
    while not converged and iterations < max_iterations:
        posterior = _shared(votes, groups) + pseudo
        moved = (posterior / posterior.sum(dim=2, keepdim=True)).log()
        iterations += 1
        converged = bool((moved.exp() - tables.exp()).abs().max() <= tolerance)
        tables = moved
        votes, likelihood = _expected_votes(blocks, tables, log_balance)
    objective = likelihood + float((pseudo * tables).sum())
    return tables.numpy().copy(), iterations, converged, objective


def _shared(votes: torch.Tensor, groups: np.ndarray) -> torch.Tensor:
    """Expected votes in which every column of a group has the mean of its group."""
    import numpy as np
    import torch

    sizes = np.bincount(groups)
    if len(sizes) == len(groups):
        return votes
    of = torch.from_numpy(groups)
    summed = torch.zeros(len(sizes), *votes.shape[1:], dtype=torch.float64).index_add_(0, of, votes)
    return (summed / torch.from_numpy(sizes).to(torch.float64)[:, None, None])[of]


def _expected_votes(blocks: _Blocks, tables: torch.Tensor, log_balance: torch.Tensor) -> tuple[torch.Tensor, float]:
    """E-step: (expected votes, sources x classes x votes; log likelihood) under log tables of that shape."""
    import torch

    sources, classes, _ = tables.shape
    # One-hot votes run source by source and vote by vote; against them stand the classes.
    against = tables.permute(0, 2, 1).reshape(sources * classes, classes)
    votes = torch.zeros(sources * classes, classes, dtype=torch.float64)
    likelihood = 0.0
    for onehot, weights in blocks:
        scores = onehot @ against + log_balance
        total = torch.logsumexp(scores, dim=1, keepdim=True)
        votes += onehot.T @ ((scores - total).exp() * weights[:, None])
        likelihood += float(weights @ total[:, 0])
    return votes.reshape(sources, classes, classes).permute(0, 2, 1), likelihood


class _Blocks:
    """Patterns as blocks of one-hot votes, float64 (patterns x sources*classes), with their weights."""

    def __init__(self, patterns: np.ndarray, weights: np.ndarray, classes: int) -> None:
        import torch

        self._patterns = torch.from_numpy(patterns)
        self._weights = torch.from_numpy(weights).to(torch.float64)
        self._classes = classes
        width = patterns.shape[1] * classes
        self._step = max(1, _CHUNK // width)
        self._kept = list(self._made()) if len(patterns) * width <= _KEEP else None

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return iter(self._kept) if self._kept is not None else self._made()

    def _made(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        import torch

        of_class = torch.arange(self._classes, dtype=torch.int8)
        for start in range(0, len(self._weights), self._step):
            block = self._patterns[start : start + self._step]
            onehot = (block[:, :, None] == of_class).reshape(len(block), -1).to(torch.float64)
            yield onehot, self._weights[start : start + self._step]


Model = DawidSkene
