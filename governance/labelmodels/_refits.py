"""What does a label model learn without some of the sources, from its start to its own end?

As a fit on the other columns has it: the same start, the same steps, the same end. Many such models learn together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.labelmodels._together import Packed
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import votes_by_class
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    import numpy as np

#: below this number of votes each model is fitted by itself
_FEW = 1 << 20

Fit = tuple["np.ndarray", "np.ndarray", int, bool]


def unfitted(model: DawidSkene) -> DawidSkene:
    """A model with the parameters of `model` that has learned nothing; a balance that was not estimated stays given."""
    again = type(model)(**model.get_params())
    if model.balance_origin_ != "estimated":
        again.balance = model.balance_.tolist()
    return again


def refits(model: DawidSkene, packed: Packed, votes: np.ndarray, kept: np.ndarray) -> list[Fit | None]:
    """(tables, balance, iterations, converged) without each set of sources; None where none of the others votes."""
    import numpy as np

    learned = packed.counts > 0
    spoken = (votes[learned] >= 0).any(axis=0)
    able = (kept & spoken).any(axis=1)
    fits: list[Fit | None] = [None] * len(kept)
    # Columns that say the same things equally often may be interchangeable, and a weak prior leaves numbers that a
    # difference of sums does not hold: there each model is fitted by itself.
    single = votes.size <= _FEW or model._checked()[0] < 1 or _may_be_interchangeable(votes, packed.counts)
    if single:
        for place in np.flatnonzero(able):
            fits[place] = _by_itself(model, votes[learned], packed.counts[learned], kept[place])
        return fits
    places = np.flatnonzero(able)
    if len(places):
        for place, fit in zip(places, _together(model, packed, votes, kept[places]), strict=True):
            fits[place] = fit
    return fits


def _by_itself(model: DawidSkene, votes: np.ndarray, counts: np.ndarray, kept: np.ndarray) -> Fit:
    import numpy as np

    n_classes = len(model.classes_)
    again = unfitted(model)
    patterns = distinct(np.ascontiguousarray(votes[:, kept]))
    weights = np.bincount(patterns.inverse, weights=counts, minlength=len(patterns)).astype(np.int64)
    covered = (patterns.votes >= 0).any(axis=1)
    again._learn(patterns.votes[covered], weights[covered], n_classes=n_classes)
    tables = np.zeros((len(kept), n_classes, n_classes))
    tables[kept] = again.log_likelihood_
    return tables, again.balance_, again.iterations_, again.converged_


def _together(model: DawidSkene, packed: Packed, votes: np.ndarray, kept: np.ndarray) -> list[Fit]:
    """EM of all models at once, each until it ends as it would by itself.

    1. the balance without the sources  2. the prior around it, which is where every table begins  3. E-step and M-step
    of the models that still move
    """
    import numpy as np

    n_classes, n = len(model.classes_), len(kept)
    strength, diagonal, tolerance = model._checked()
    # 1.
    if model.balance_origin_ == "estimated":
        balance = _balances(votes, packed.counts, kept, n_classes=n_classes)
    else:
        balance = np.repeat(model.balance_[None], n, axis=0)
    # 2.
    pseudo = strength * (diagonal * np.eye(n_classes)[None] + (1 - diagonal) * balance[:, None, :])
    begin = np.log(pseudo / pseudo.sum(axis=2, keepdims=True))
    tables = np.where(kept[:, :, None, None], begin[:, None], 0.0)
    said = np.stack([np.bincount(v[v >= 0], packed.counts[v >= 0], n_classes) for v in votes.T])
    log_balance = np.log(balance)
    ended: list[Fit | None] = [None] * n
    moving, iterations = np.arange(n), 0
    # 3.
    while len(moving):
        here = tables[moving]
        table = packed.by_code(here[:, :, 1:] - here[:, :, :1], log_balance[moving, 1:] - log_balance[moving, :1])
        others = packed.by_source(packed.expected(table, len(moving)), n_classes - 1)
        first = np.maximum(said[None] - others.sum(axis=2), 0.0)
        posterior = np.concatenate([first[:, :, None], others], axis=2) + pseudo[moving][:, None]
        moved = np.log(posterior / posterior.sum(axis=3, keepdims=True))
        moved = np.where(kept[moving][:, :, None, None], moved, 0.0)
        iterations += 1
        still = np.abs(np.exp(moved) - np.exp(here)).max(axis=(1, 2, 3)) > tolerance
        tables[moving] = moved
        for place in moving[~still] if iterations < model.max_iterations else moving:
            converged = bool(place not in moving[still])
            ended[place] = (tables[place], balance[place], iterations, converged)
        moving = moving[still] if iterations < model.max_iterations else moving[:0]
    return [fit for fit in ended if fit is not None]


def _balances(votes: np.ndarray, counts: np.ndarray, kept: np.ndarray, *, n_classes: int) -> np.ndarray:
    """`estimated_balance` without each set of sources, float64 (sets x classes), from one pass over all votes.

    Of the rows with equally many votes, the votes for each class are whole numbers, so that what a set of sources adds to
    them can be taken away again without a trace.
    """
    import numpy as np

    shares = votes_by_class(votes, n_classes=n_classes)
    total = shares.sum(axis=1)
    most = votes.shape[1] + 1

    def summed(rows: np.ndarray, shares: np.ndarray, total: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(total, counts[rows] * shares[:, k], most) for k in range(n_classes)], axis=1)

    everything = summed(np.arange(len(votes)), shares, total)
    found = np.empty((len(kept), n_classes))
    for place, left in enumerate(kept):
        dropped = votes[:, ~left]
        rows = np.flatnonzero((dropped >= 0).any(axis=1))
        less = shares[rows] - votes_by_class(dropped[rows], n_classes=n_classes)
        sums = everything - summed(rows, shares[rows], total[rows]) + summed(rows, less, less.sum(axis=1))
        balance = np.ones(n_classes)
        for voting in range(1, most):
            balance += sums[voting] / float(voting)
        found[place] = balance / balance.sum()
    return found


def _may_be_interchangeable(votes: np.ndarray, counts: np.ndarray) -> bool:
    """Whether two columns that vote say every class equally often."""
    import numpy as np

    classes = int(votes.max()) + 1
    said = [tuple(np.bincount(v[v >= 0], counts[v >= 0], classes)) for v in votes.T]
    said = [one for one in said if any(one)]
    return len(set(said)) < len(said)
