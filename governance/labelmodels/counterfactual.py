"""What would the labels be without some of the sources: with every table as it is, and learned again?

Frozen: the votes of the sources are removed and nothing is learned anew, so that the difference is the votes' own.
Refitted: the label model is fitted from the start on the other sources, as it was fitted on all, which is also what these
sources taught it about the others. Both cost distinct patterns. Dawid-Skene works out once what many fits need of the
votes; any other label model is fitted anew on the votes without the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import GovernanceError, InvalidRecord, UnknownName
from governance.labelmodels._base import FittedLabelModel, evidence_of
from governance.labelmodels._prepared import Prepared
from governance.labelmodels._products import checked_device
from governance.labelmodels._vote_rows import VoteRows
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.refitting import refitted, unfitted
from governance.votes.patterns import Patterns, distinct
from governance.votes.table import ABSTAIN, VoteTable
from governance.votes.threads import in_turn

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """The labels without some sources: int8 (patterns), ABSTAIN where none of the others votes.

    `model` is what is learned without them, a model of the other columns; it and `refitted` are None where nothing can be
    learned of the others, and `unable` says why.
    """

    without: tuple[str, ...]
    #: rows on which one of the sources votes
    touched: int
    frozen: np.ndarray
    refitted: np.ndarray | None
    model: FittedLabelModel | None
    unable: str = ""


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


#: which columns are left, bool (sources): the labels with every table as it is, and the model that is learned of them
Frozen = Callable[["np.ndarray"], "np.ndarray"]
Refit = Callable[["np.ndarray"], FittedLabelModel]
Labels = Callable[[FittedLabelModel], "np.ndarray"]


def counterfactuals(
    model: FittedLabelModel,
    votes: VoteTable | np.ndarray,
    *,
    without: Sequence[Sequence[str]] | None = None,
    learned_from: np.ndarray | None = None,
    threads: int = 1,
) -> Counterfactuals:
    """Every counterfactual of `without`, by default each source in turn.

    `learned_from` is which rows the model learned from, bool (rows), by default all. `threads` work on as many sets at
    once, and none can be told in a result. Raises UnknownName for a column that the model does not know, InvalidRecord
    where every source is left out and for a model that cannot be fitted.
    """
    import numpy as np

    if not isinstance(model, FittedLabelModel):
        raise InvalidRecord("model", type(model).__name__, "a label model that can be fitted again")
    sets = [(column,) for column in model.columns_] if without is None else [tuple(one) for one in without]
    kept = [_kept(model, one) for one in sets]
    # What each source says itself, also where another one speaks for it: without that one, it may be heard again.
    found = distinct(evidence_of(FittedLabelModel._matrix(model, votes)))
    weights = found.counts
    if learned_from is not None:
        weights = np.bincount(found.inverse[learned_from], minlength=len(found)).astype(np.int64)
    if type(model) is DawidSkene and (found.votes[weights > 0] >= 0).any():
        frozen, refit, label = _prepared(model, found, weights)
    else:
        frozen, refit, label = _anew(model, found, weights)
        # A method may draw from the one stream of random numbers that the process has.
        threads = 1

    def counterfactual(place: int) -> Counterfactual:
        left, again, unable = kept[place], None, ""
        try:
            again = refit(left)
        except GovernanceError as error:
            unable = error.message
        touched = int(found.counts[(found.votes[:, ~left] >= 0).any(axis=1)].sum())
        labels = None if again is None else label(again)
        return Counterfactual(sets[place], touched, frozen(left), labels, again, unable)

    labels = frozen(np.ones(len(model.columns_), dtype=np.bool_))
    each = tuple(in_turn(counterfactual, range(len(sets)), threads=threads))
    return Counterfactuals(found.votes, found.counts, found.inverse, labels, each)


def without_sources(model: FittedLabelModel, votes: VoteTable, columns: Sequence[str]) -> FittedLabelModel:
    """`model` as it is fitted on `votes` without some columns: the same method, parameters and start."""
    places = [votes.columns.index(model.columns_[j]) for j in _kept(model, columns).nonzero()[0]]
    table = VoteTable(
        votes.ids,
        tuple(votes.columns[j] for j in places),
        tuple(votes.sources[j] for j in places),
        votes.classes,
        votes.matrix[:, places],
    )
    return refitted(model, table)


def _kept(model: FittedLabelModel, columns: Sequence[str]) -> np.ndarray:
    """bool (sources). Raises UnknownName, InvalidRecord."""
    import numpy as np

    for column in columns:
        if column not in model.columns_:
            raise UnknownName("source of this label model", column, model.columns_)
    kept = np.array([column not in columns for column in model.columns_], dtype=np.bool_)
    if not kept.any():
        raise InvalidRecord("without", list(columns), "at least one source that is left to vote")
    return kept


def _prepared(model: DawidSkene, found: Patterns, weights: np.ndarray) -> tuple[Frozen, Refit, Labels]:
    """By the model's own refit, on votes that are worked out once."""
    import numpy as np

    def of(counts: np.ndarray) -> tuple[Prepared, np.ndarray]:
        covered = np.flatnonzero((found.votes >= 0).any(axis=1) & (counts > 0))
        votes = Prepared.of(
            VoteRows(found.votes[covered], counts[covered]),
            classes=len(model.classes_),
            columns=model.columns_,
            device=checked_device(model.device, where=model.method),
        )
        return votes, covered[votes.arranged.rows]

    everywhere, places = of(found.counts)
    learned = everywhere if weights is found.counts else of(weights)[0]

    def everyone(labels: np.ndarray) -> np.ndarray:
        every = np.full(len(found), ABSTAIN, dtype=np.int8)
        every[places] = labels
        return every

    def frozen(kept: np.ndarray) -> np.ndarray:
        tables = np.where(kept[:, None, None], model.log_likelihood_, 0.0)
        return everyone(everywhere.labels(tables, model.balance_))

    def refit(kept: np.ndarray) -> DawidSkene:
        return model.without([model.columns_[j] for j in np.flatnonzero(~kept)], votes=learned)

    def label(again: FittedLabelModel) -> np.ndarray:
        assert isinstance(again, DawidSkene)  # noqa: S101 - `refit` made it
        return everyone(again.pattern_labels(everywhere))

    return frozen, refit, label


def _anew(model: FittedLabelModel, found: Patterns, weights: np.ndarray) -> tuple[Frozen, Refit, Labels]:
    """By a fit on the votes without the columns, whatever the method makes of them."""
    import numpy as np

    def frozen(kept: np.ndarray) -> np.ndarray:
        return model.predict(np.where(kept[None, :], found.votes, np.int8(ABSTAIN)))

    def refit(kept: np.ndarray) -> FittedLabelModel:
        left = np.flatnonzero(kept)
        columns = tuple(model.columns_[j] for j in left)
        votes = np.ascontiguousarray(found.votes[:, left])
        again = unfitted(model, columns).fit(votes, n_classes=len(model.classes_), sample_weight=weights)
        again.classes_, again.columns_ = model.classes_, columns
        again.sources_ = tuple(model.sources_[j] for j in left) if model.sources_ else None
        return again

    def label(again: FittedLabelModel) -> np.ndarray:
        return again.predict(found.votes[:, [model.columns_.index(column) for column in again.columns_]])

    return frozen, refit, label
