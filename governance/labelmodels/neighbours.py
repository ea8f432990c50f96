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
        self._columns = model.columns_
        self._votes, self._counts, self.inverse = found.votes, found.counts, found.inverse
        self.labels = model.predict(found.votes)
        self.proba = normalised(model.predict_scores(found.votes))
        shape = (len(model.columns_), len(model.classes_) + 1)
        # Column 0 is silence, and silence adds nothing.
        self._shares = np.random.default_rng(_SEED).integers(1, 2**63, shape, dtype=np.uint64)
        self._shares[:, 0] = 0
        numbers = np.zeros(len(found), dtype=np.uint64)
        for column, share in enumerate(self._shares):
            numbers += share[found.votes[:, column] + 1]
        self._order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[self._order]

    def __len__(self) -> int:
        return len(self._counts)

    def rows(self, row: np.ndarray) -> int:
        """How many rows have the votes of `row`, int8 (sources)."""
        votes = evidence_of(row[None, :])[0]
        place = self._place(self._number(votes), votes)
        return int(self._counts[place]) if place is not None else 0

    def of(self, row: np.ndarray) -> list[Neighbour]:
        """The patterns that differ from `row` in one vote; the most frequent first, then by column and vote."""
        import numpy as np

        votes = evidence_of(row[None, :])[0]
        columns = np.arange(len(votes))
        wanted = self._number(votes) - self._shares[columns, votes + 1][:, None] + self._shares
        places = np.searchsorted(self._numbers, wanted)
        places[places == len(self._numbers)] = 0
        hits = np.argwhere(self._numbers[places] == wanted)
        found = []
        for column, code in hits.tolist():
            if code - 1 == votes[column]:
                continue
            other = votes.copy()
            other[column] = code - 1
            place = self._place(wanted[column, code], other)
            if place is not None:
                found.append(self._neighbour(column, code - 1, place))
        return sorted(found, key=lambda one: (-one.rows, self._columns.index(one.column), one.vote))

    def _neighbour(self, column: int, vote: int, place: int) -> Neighbour:
        label = int(self.labels[place])
        sure = float(self.proba[place, label]) if label >= 0 else 0.0
        return Neighbour(self._columns[column], vote, int(self._counts[place]), label, sure)

    def _number(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        return self._shares[np.arange(len(votes)), votes + 1].sum(dtype=np.uint64)

    def _place(self, number: np.ndarray, votes: np.ndarray) -> int | None:
        """The pattern with exactly these votes; two patterns may share a number."""
        import numpy as np

        first = int(np.searchsorted(self._numbers, number))
        while first < len(self._numbers) and self._numbers[first] == number:
            place = int(self._order[first])
            if np.array_equal(self._votes[place], votes):
                return place
            first += 1
        return None
