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
from governance.labelmodels._refits import refits, unfitted
from governance.labelmodels._together import Packed
from governance.labelmodels.dawid_skene import DawidSkene
from governance.votes.patterns import distinct
from governance.votes.table import VoteTable

if TYPE_CHECKING:
    import numpy as np

#: so many models share a pass: more of them no longer fit into the processor's cache
_AT_ONCE = 32


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
    fits = refits(model, packed, votes, kept)
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
