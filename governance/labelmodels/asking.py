"""What label does a saved label model give a row of votes, be it ours or one that was captured?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from governance.labelmodels import load
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.captured import ADDITIVE, COUNTED, CapturedModel, is_captured, read_captured

if TYPE_CHECKING:
    import numpy as np

#: snorkel counts classes whose probabilities differ by less than this as tied
_TIED = 1e-5


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A label model as its file holds it.

    `asks` are the ways in which it may have labelled (votes int8, rows x columns -> labels int8): captured models leave
    ties and uncovered rows to whoever called them. Empty where the model does not come apart. `ours` is None for those.
    """

    method: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    parameters: dict[str, str]
    asks: tuple[Callable[[np.ndarray], np.ndarray], ...]
    ours: FittedLabelModel | None


def read_saved(path: Path) -> SavedModel:
    """The model in a label_model.json. Raises ConfigurationError, InvalidRecord, UnknownName."""
    if is_captured(path):
        model = read_captured(path)
        additive = model.method == COUNTED or (model.method == ADDITIVE and bool(model.conditional))
        asks = tuple(_Captured(model, ties=ties, silent=silent) for ties, silent in _WAYS) if additive else ()
        return SavedModel(model.method, model.classes, model.columns, model.sources, dict(model.parameters), asks, None)
    ours = load(path)
    return SavedModel(
        ours.method, ours.classes_, ours.columns_, tuple(ours.sources_ or ()), ours.parameters(), (ours.predict,), ours
    )


#: (whether ties have a label, whether rows without a vote have one)
_WAYS = ((False, False), (True, False), (False, True), (True, True))


@dataclass(frozen=True, eq=False)
class _Captured:
    model: CapturedModel
    ties: bool
    silent: bool

    def __call__(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        scores = self._scores(votes)
        best = scores.max(axis=1, keepdims=True)
        tied = (best - scores < _TIED).sum(axis=1) > 1
        label = scores.argmax(axis=1)
        label = np.where(tied & (not self.ties), -1, label)
        return np.where((votes < 0).all(axis=1) & (not self.silent), -1, label).astype(np.int8)

    def _scores(self, votes: np.ndarray) -> np.ndarray:
        """P(class | votes), or counts of votes, rows x classes."""
        import numpy as np

        model, classes = self.model, len(self.model.classes)
        if model.method == COUNTED:
            return np.stack([(votes == k).sum(axis=1) for k in range(classes)], axis=1).astype(np.float64)
        with np.errstate(divide="ignore"):
            scores = np.tile(np.log(np.array(model.balance)), (len(votes), 1))
            for j, table in enumerate(model.conditional):
                said = np.concatenate([np.log(np.array(table)), np.zeros((1, classes))])
                scores += said[np.maximum(votes[:, j], -1)]
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        return shares / shares.sum(axis=1, keepdims=True)
