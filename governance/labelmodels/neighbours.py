"""How many rows have the same votes, and which rows differ in one vote?

All patterns are laid out once under a number each, to which every vote adds its own share. What a row's pattern becomes
with another vote is then one addition and one search, so that a million patterns cost a row no more than ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.labelmodels._base import FittedLabelModel, evidence_of, normalised
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    import numpy as np

#: the shares of votes in a pattern's number come from this seed; what is found is compared, so that none decides anything
_SEED = 20261122


@dataclass(frozen=True)
class Neighbour:
    """Rows that say otherwise in one column: `vote` there (ABSTAIN: silence), their label and its probability."""

    column: str
    vote: int
    rows: int
    label: int
    probability: float


class PatternIndex:
    """The patterns of a vote matrix, int8 (rows x sources, in the model's order of columns), and what they are labelled.

    ERROR and SKIPPED are silence here, as they are to the label model.
    """

    def __init__(self, model: FittedLabelModel, matrix: np.ndarray) -> None:
        import numpy as np

        found = distinct(evidence_of(matrix))
        self._columns, self._places = model.columns_, np.arange(len(model.columns_))
        self._votes, self._counts, self.inverse = found.votes, found.counts, found.inverse
        self.labels = model.predict(found.votes)
        self.proba = normalised(model.predict_scores(found.votes))
        self._number_all(len(model.classes_))

    def __len__(self) -> int:
        return len(self._counts)

    def _number_all(self, n_classes: int) -> None:
        """Gives every pattern its number; shares are drawn again where two patterns came by the same."""
        import numpy as np

        draw = np.random.default_rng(_SEED)
        while True:
            self._shares = draw.integers(1, 2**63, (len(self._columns), n_classes + 1), dtype=np.uint64)
            # Silence adds nothing.
            self._shares[:, 0] = 0
            numbers = np.zeros(len(self), dtype=np.uint64)
            for column, share in enumerate(self._shares):
                numbers += share[self._votes[:, column] + 1]
            self._order = np.argsort(numbers, kind="stable")
            self._numbers = numbers[self._order]
            if (self._numbers[1:] != self._numbers[:-1]).all():
                return

    def rows_like(self, number: int) -> int:
        """How many rows have the votes of the row of this number, itself among them."""
        return int(self._counts[self.inverse[number]])

    def of(self, row: np.ndarray) -> list[Neighbour]:
        """The patterns that differ from `row` in one vote; the most frequent first, then by column and vote."""
        import numpy as np

        votes = evidence_of(row[None, :])[0]
        wanted = (self._number(votes) - self._shares[self._places, votes + 1])[:, None] + self._shares
        near = np.searchsorted(self._numbers, wanted)
        near[near == len(self)] = 0
        columns, codes = np.nonzero(self._numbers[near] == wanted)
        other = codes - 1 != votes[columns]
        columns, codes = columns[other], codes[other]
        others = np.repeat(votes[None, :], len(columns), axis=0)
        others[np.arange(len(columns)), columns] = codes - 1
        places = self._found(others, wanted[columns, codes]).tolist()
        found = [
            self._neighbour(column, code - 1, place)
            for column, code, place in zip(columns.tolist(), codes.tolist(), places, strict=True)
            if place >= 0
        ]
        # Columns come in their order, and the sort keeps it.
        return sorted(found, key=lambda one: -one.rows)

    def _neighbour(self, column: int, vote: int, place: int) -> Neighbour:
        label = int(self.labels[place])
        sure = float(self.proba[place, label]) if label >= 0 else 0.0
        return Neighbour(self._columns[column], vote, int(self._counts[place]), label, sure)

    def _number(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        return self._shares[self._places, votes + 1].sum(dtype=np.uint64)

    def _found(self, votes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Which pattern has exactly these votes (rows x sources), under these numbers; -1 where none has."""
        import numpy as np

        near = np.searchsorted(self._numbers, numbers)
        near[near == len(self)] = 0
        places = self._order[near]
        return np.where((self._votes[places] == votes).all(axis=1), places, -1)
