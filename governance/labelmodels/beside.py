"""Where do the label model and majority vote give different labels, and whose word decided it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.labelmodels._additive import AdditiveLabelModel
from governance.labelmodels._base import FittedLabelModel, evidence_of
from governance.labelmodels.explain import explain
from governance.labelmodels.majority import MajorityVote
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.table import VoteTable


@dataclass(frozen=True)
class Difference:
    """One vote pattern on which both differ: how many rows have it, both labels (None where several classes lead), who
    votes for the label and who against it, and the log-odds that each side added, where the model can tell."""

    rows: int
    label: str
    majority: str | None
    for_it: tuple[str, ...]
    against: tuple[str, ...]
    log_odds_for: float | None
    log_odds_against: float | None


@dataclass(frozen=True)
class Differences:
    """Counts over covered rows, by how many sources vote there, and the patterns with the most rows."""

    covered: int
    rows: int
    ties: int
    by_voting: tuple[tuple[int, int, int], ...]
    patterns: int
    most: tuple[Difference, ...]


def differences(model: FittedLabelModel, majority: MajorityVote, votes: VoteTable, *, most: int = 5) -> Differences:
    """Everything that `Differences` holds; costs vote patterns. `ties` of the rows have no majority that could differ.

    `by_voting` holds (voting sources, covered rows, rows on which both differ). Patterns stand by rows, then as they sort
    in the model's order of columns. Raises InvalidRecord for votes of other columns or classes than both models know.
    """
    import numpy as np

    for one in (model, majority):
        one._matrix(votes)
    # A pattern stands in the model's order of columns, as every source said it; majority vote learned an order of its own.
    mine = votes.matrix[:, [votes.columns.index(column) for column in model.columns_]]
    found = distinct(evidence_of(mine), inverse=False)
    voting = (found.votes >= 0).sum(axis=1)
    there = [model.columns_.index(column) for column in majority.columns_]
    label, plain = model.predict(found.votes), majority.predict(found.votes[:, there], ties=False)
    differs = (voting > 0) & (label != plain)
    order = np.flatnonzero(differs)[np.argsort(-found.counts[differs], kind="stable")]
    by_voting = tuple(
        (int(n), int(found.counts[voting == n].sum()), int(found.counts[differs & (voting == n)].sum()))
        for n in np.unique(voting[voting > 0])
    )
    return Differences(
        covered=int(found.counts[voting > 0].sum()),
        rows=int(found.counts[differs].sum()),
        ties=int(found.counts[differs & (plain == ABSTAIN)].sum()),
        by_voting=by_voting,
        patterns=int(differs.sum()),
        most=tuple(
            _difference(model, found.votes[p], int(found.counts[p]), int(label[p]), int(plain[p])) for p in order[:most]
        ),
    )


def _difference(model: FittedLabelModel, row: np.ndarray, rows: int, label: int, plain: int) -> Difference:
    sides = {side: [j for j, vote in enumerate(row) if vote >= 0 and (vote == label) == side] for side in (True, False)}
    added: dict[bool, float | None] = {True: None, False: None}
    if isinstance(model, AdditiveLabelModel):
        parts = {part.column: part.log_odds for part in explain(model, row.tolist()).contributions}
        added = {side: sum(parts[model.columns_[j]] for j in columns) for side, columns in sides.items()}
    return Difference(
        rows=rows,
        label=model.classes_[label],
        majority=None if plain == ABSTAIN else model.classes_[plain],
        for_it=tuple(model.columns_[j] for j in sides[True]),
        against=tuple(model.columns_[j] for j in sides[False]),
        log_odds_for=added[True],
        log_odds_against=added[False],
    )
