"""Which tables of P(vote | class) make the votes most likely, given a prior? Found step by step, from any start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Counted(Protocol):
    """Patterns of votes that can be counted under log tables, sources x classes x votes."""

    sources: int
    classes: int

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> np.ndarray:
        """In the shape of the tables."""
        ...

    def log_likelihood(self, tables: np.ndarray, log_balance: np.ndarray) -> float:
        """log P(votes)."""
        ...


@dataclass(frozen=True, eq=False)
class Found:
    """`tables`: log P(vote | class), float64 (sources x classes x votes), all zeros for a source that is left out.

    `objective` is the log posterior of these tables, up to a constant.
    """

    tables: np.ndarray
    iterations: int
    converged: bool
    objective: float


def climb(
    counted: Counted,
    *,
    balance: np.ndarray,
    prior: np.ndarray,
    groups: np.ndarray,
    left_out: np.ndarray | None = None,
    start: np.ndarray | None = None,
    tolerance: float,
    max_iterations: int,
) -> Found:
    """EM by maximum a posteriori from the prior, or from the log tables `start`.

    `prior` holds pseudo-votes, classes x votes. Columns of one group in `groups`, int64 (sources), have equal tables in
    exact arithmetic, and get equal ones here: otherwise EM may enlarge the last bits by which they differ until they part.
    Sources in `left_out`, bool (sources), say nothing, and have no part in the prior or in the end. It ends when no
    P(vote | class) moves by more than `tolerance`.
    """
    import numpy as np

    heard = np.ones(counted.sources, dtype=bool) if left_out is None else ~left_out
    log_balance = np.log(balance)
    shares = np.empty((counted.sources, counted.classes, counted.classes))
    shares[:] = prior / prior.sum(axis=1, keepdims=True) if start is None else np.exp(start)
    tables = np.zeros_like(shares)
    tables[heard] = np.log(shares[heard]) if start is None else start[heard]
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        posterior = _shared(counted.expected_votes(tables, log_balance), groups) + prior
        moved = posterior / posterior.sum(axis=2, keepdims=True)
        iterations += 1
        converged = bool(np.abs(moved - shares)[heard].max(initial=0.0) <= tolerance)
        shares = moved
        tables[heard] = np.log(shares[heard])
    objective = counted.log_likelihood(tables, log_balance) + float((prior * tables[heard]).sum())
    return Found(tables, iterations, converged, objective)


def _shared(votes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Expected votes in which every column of a group has the mean of its group."""
    import numpy as np

    sizes = np.bincount(groups)
    if len(sizes) == len(groups):
        return votes
    summed = np.zeros((len(sizes), *votes.shape[1:]))
    np.add.at(summed, groups, votes)
    return (summed / sizes[:, None, None])[groups]
