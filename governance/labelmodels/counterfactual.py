"""What would the labels be without some of the sources: with every table as it is, and learned again?

Frozen: the votes of the sources are removed and nothing is learned anew, so that the difference is the votes' own.
Refitted: the label model is fitted from the start on the other sources, as it was fitted on all, which is also what these
sources taught it about the others. Both cost distinct patterns, and many counterfactuals share one pass over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord, UnknownName
from governance.labelmodels._base import FittedLabelModel, evidence_of
from governance.labelmodels._together import Packed
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import votes_by_class
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN, VoteTable

if TYPE_CHECKING:
    import numpy as np

#: so many models share a pass: more of them no longer fit into the processor's cache
_AT_ONCE = 32
#: below this number of votes each model is fitted by itself
_FEW = 1 << 20


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """The labels without some sources: int8 (patterns), ABSTAIN where none of the others votes.

    `refitted` is None where nothing can be learned: no other source votes. `tables` are log P(vote | class) as learned
    again, sources x classes x votes, 0 for the sources that are left out; `balance` P(class).
    """

    without: tuple[str, ...]
    #: rows on which one of the sources votes
    touched: int
    frozen: np.ndarray
    refitted: np.ndarray | None
    tables: np.ndarray | None
    balance: np.ndarray | None
    iterations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """Counterfactuals of one vote matrix: `counts` rows have each pattern, row i has pattern `inverse[i]`."""

    votes: np.ndarray
    counts: np.ndarray
    inverse: np.ndarray
    #: as they are with all sources, int8 (patterns)
    labels: np.ndarray
    each: tuple[Counterfactual, ...]

    def flips(self, labels: np.ndarray) -> np.ndarray:
        """How many rows went from which label to which, int64, both with ABSTAIN last: classes + 1 x classes + 1."""
        import numpy as np

        size = int(max(self.labels.max(), labels.max(), self.votes.max())) + 2
        pairs = (self.labels.astype(np.int64) % size) * size + labels.astype(np.int64) % size
        counted = np.bincount(pairs, weights=self.counts, minlength=size * size)
        return counted.astype(np.int64).reshape(size, size)

    def changed(self, labels: np.ndarray) -> int:
        """How many rows have another label than with all sources, or none."""
        return int(self.counts[labels != self.labels].sum())


def counterfactuals(
    model: FittedLabelModel,
    votes: VoteTable | np.ndarray,
    *,
    without: Sequence[Sequence[str]] | None = None,
    learned_from: np.ndarray | None = None,
    threads: int = 1,
) -> Counterfactuals:
    """Every counterfactual of `without`, by default each source in turn.

    `learned_from` is which rows the model learned from, bool (rows), by default all. Raises UnknownName for a column
    that the model does not know, InvalidRecord where every source is left out and for a model without tables.
    """
    import numpy as np

    if not isinstance(model, DawidSkene):
        raise InvalidRecord("model", type(model).__name__, "a label model whose evidence is additive (dawid_skene)")
    sets = [(column,) for column in model.columns_] if without is None else [tuple(one) for one in without]
    kept = np.array([_kept(model, one) for one in sets], dtype=np.bool_).reshape(len(sets), len(model.columns_))
    found = distinct(evidence_of(model._matrix(votes)))
    weights = found.counts
    if learned_from is not None:
        weights = np.bincount(found.inverse[learned_from], minlength=len(found)).astype(np.int64)
    labels = model.predict(found.votes)
    each: list[Counterfactual] = []
    for first in range(0, len(sets), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        packed = Packed(found.votes, weights, n_classes=len(model.classes_), models=len(kept[some]), threads=threads)
        each.extend(_some(model, packed, found.votes, found.counts, sets[some], kept[some]))
    return Counterfactuals(found.votes, found.counts, found.inverse, labels, tuple(each))


def without_sources(model: DawidSkene, votes: VoteTable, columns: Sequence[str]) -> DawidSkene:
    """`model` as it is fitted on `votes` without some columns: the same method, parameters and start."""
    left = [j for j, kept in enumerate(_kept(model, columns)) if kept]
    places = [votes.columns.index(model.columns_[j]) for j in left]
    table = VoteTable(
        votes.ids,
        tuple(votes.columns[j] for j in places),
        tuple(votes.sources[j] for j in places),
        votes.classes,
        votes.matrix[:, places],
    )
    return unfitted(model).fit(table)


def unfitted(model: DawidSkene) -> DawidSkene:
    """A model with the parameters of `model` that has learned nothing; a balance that was not estimated stays given."""
    again = type(model)(**model.get_params())
    if model.balance_origin_ != "estimated":
        again.balance = model.balance_.tolist()
    return again


def _kept(model: FittedLabelModel, columns: Sequence[str]) -> list[bool]:
    for column in columns:
        if column not in model.columns_:
            raise UnknownName("source of this label model", column, model.columns_)
    kept = [column not in columns for column in model.columns_]
    if not any(kept):
        raise InvalidRecord("without", list(columns), "at least one source that is left to vote")
    return kept


def _some(
    model: DawidSkene,
    packed: Packed,
    votes: np.ndarray,
    counts: np.ndarray,
    sets: Sequence[tuple[str, ...]],
    kept: np.ndarray,
) -> list[Counterfactual]:
    import numpy as np

    n = len(sets)
    frozen_tables = np.where(kept[:, :, None, None], model.log_likelihood_[None], 0.0)
    frozen = packed.labels(frozen_tables, np.repeat(model.balance_[None], n, axis=0), kept)
    fits = _refits(model, packed, votes, kept)
    able = [place for place, fit in enumerate(fits) if fit is not None]
    refitted: dict[int, np.ndarray] = {}
    if able:
        tables, balances = (np.stack([fits[place][part] for place in able]) for part in (0, 1))  # type: ignore[index]
        refitted = dict(zip(able, packed.labels(tables, balances, kept[able]).T, strict=True))
    told = []
    for place, one in enumerate(sets):
        spoke = (votes[:, ~kept[place]] >= 0).any(axis=1)
        tables, balance, iterations, converged = fits[place] or (None, None, 0, False)
        told.append(
            Counterfactual(
                without=one,
                touched=int(counts[spoke].sum()),
                frozen=np.ascontiguousarray(frozen[:, place]),
                refitted=np.ascontiguousarray(refitted[place]) if place in refitted else None,
                tables=tables,
                balance=balance,
                iterations=iterations,
                converged=converged,
            )
        )
    return told


Fit = tuple["np.ndarray", "np.ndarray", int, bool]


def _refits(model: DawidSkene, packed: Packed, votes: np.ndarray, kept: np.ndarray) -> list[Fit | None]:
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
    """Whether two columns say every class equally often."""
    import numpy as np

    classes = int(votes.max()) + 1
    said = [tuple(np.bincount(v[v >= 0], counts[v >= 0], classes)) for v in votes.T]
    return len(set(said)) < len(said)


__all__ = ["ABSTAIN", "Counterfactual", "Counterfactuals", "counterfactuals", "unfitted", "without_sources"]
