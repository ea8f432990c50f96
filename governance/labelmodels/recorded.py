"""How does a label model that is not ours label votes, as far as its file says?

Enough to ask what its labels would be with some votes silent. It is never fitted again here: its own library did that,
with choices that its file does not hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from governance.labelmodels._base import evidence_of, normalised
from governance.labelmodels.captured import ADDITIVE, COUNTED, CapturedModel, is_captured, read_captured
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: snorkel takes probabilities that differ by less for equal, and abstains on a tie
TIED = 1e-5


class RecordedModel:
    """A captured label model, asked as our own are: `predict` and `predict_proba` of votes in its order of columns.

    `able` is false where its file does not say how votes add up; nothing may be asked of it then. Whether `ties` and rows
    where everybody is `silent` have a label was up to whoever called it, and stands in no file.
    """

    def __init__(self, model: CapturedModel, *, ties: bool = False, silent: bool = False) -> None:
        self.method = model.method
        self.columns_, self.classes_ = model.columns, model.classes
        self.able = model.method == COUNTED or (model.method == ADDITIVE and bool(model.conditional))
        self._model, self._ties, self._silent = model, ties, silent

    def ways(self) -> tuple[RecordedModel, ...]:
        """The model in each of the ways in which it may have been asked; in none where nothing may be."""
        if not self.able:
            return ()
        choices = ((False, False), (True, False), (False, True), (True, True))
        return tuple(RecordedModel(self._model, ties=ties, silent=silent) for ties, silent in choices)

    def that_gave(self, labels: np.ndarray, votes: np.ndarray) -> RecordedModel:
        """The model as it was asked: in the way, of all, that differs from recorded labels on the fewest rows."""
        return min(self.ways(), key=lambda one: int((one.predict(votes) != labels).sum()), default=self)

    def predict_proba(self, votes: np.ndarray) -> np.ndarray:
        """P(class | votes), float64, rows x classes; of a counted majority the same share for each class that leads."""
        import numpy as np

        found = distinct(evidence_of(votes))
        scores = self._scores(found.votes)
        if self.method == COUNTED:
            best = scores == scores.max(axis=1, keepdims=True)
            return (best / best.sum(axis=1, keepdims=True))[found.inverse]
        with np.errstate(invalid="ignore"):  # where every class is impossible it is no number, as it should be
            return normalised(scores)[found.inverse]

    def predict(self, votes: np.ndarray) -> np.ndarray:
        """The label of every row, int8; of tied classes the lower one; ABSTAIN for no label."""
        import numpy as np

        proba = self.predict_proba(votes)
        near = (proba >= proba.max(axis=1, keepdims=True) - TIED).sum(axis=1)
        # Where a model holds every class impossible there is no number to compare, and no label.
        definite = (near >= 1 if self._ties else near == 1) & (self._silent | (votes >= 0).any(axis=1))
        return np.where(definite, proba.argmax(axis=1), ABSTAIN).astype(np.int8)

    def _scores(self, votes: np.ndarray) -> np.ndarray:
        """log P(class, votes), or counts of votes, float64, patterns x classes; votes from ABSTAIN up."""
        import numpy as np

        model, classes = self._model, len(self.classes_)
        if model.method == COUNTED:
            return np.stack([(votes == k).sum(axis=1) for k in range(classes)], axis=1).astype(np.float64)
        with np.errstate(divide="ignore"):
            scores = np.tile(np.log(np.array(model.balance)), (len(votes), 1))
            for j, table in enumerate(model.conditional):
                scores += np.concatenate([np.log(np.array(table)), np.zeros((1, classes))])[votes[:, j]]
        return scores


def recorded_model(path: Path) -> RecordedModel | None:
    """The captured label model in a file, or None where the file holds another one."""
    return RecordedModel(read_captured(path)) if is_captured(path) else None
