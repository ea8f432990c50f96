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

    `able` is false where its file does not say how votes add up; nothing may be asked of it then.
    """

    def __init__(self, model: CapturedModel) -> None:
        self.method = model.method
        self.columns_, self.classes_ = model.columns, model.classes
        self.able = model.method == COUNTED or (model.method == ADDITIVE and bool(model.conditional))
        self._model = model

    def predict_proba(self, votes: np.ndarray) -> np.ndarray:
        """P(class | votes), float64, rows x classes; of a counted majority the shares of the votes."""
        import numpy as np

        found = distinct(evidence_of(votes))
        scores = np.array([self._model.scores(row) for row in found.votes.tolist()])
        if self.method == COUNTED:
            best = scores == scores.max(axis=1, keepdims=True)
            return (best / best.sum(axis=1, keepdims=True))[found.inverse]
        return normalised(scores)[found.inverse]

    def predict(self, votes: np.ndarray) -> np.ndarray:
        """The label of every row, int8; ABSTAIN where no source votes and where the best are tied."""
        import numpy as np

        proba = self.predict_proba(votes)
        near = proba >= proba.max(axis=1, keepdims=True) - TIED
        definite = (near.sum(axis=1) == 1) & (votes >= 0).any(axis=1)
        return np.where(definite, proba.argmax(axis=1), ABSTAIN).astype(np.int8)


def recorded_model(path: Path) -> RecordedModel | None:
    """The captured label model in a file, or None where the file holds another one."""
    return RecordedModel(read_captured(path)) if is_captured(path) else None
