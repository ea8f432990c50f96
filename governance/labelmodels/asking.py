"""What label does a saved label model give a row of votes, be it ours or one that was captured?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from governance.labelmodels import load
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.captured import is_captured, read_captured
from governance.labelmodels.recorded import RecordedModel

if TYPE_CHECKING:
    import numpy as np


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
        asks = tuple(one.predict for one in RecordedModel(model).ways())
        return SavedModel(model.method, model.classes, model.columns, model.sources, dict(model.parameters), asks, None)
    ours = load(path)
    return SavedModel(
        ours.method, ours.classes_, ours.columns_, tuple(ours.sources_ or ()), ours.parameters(), (ours.predict,), ours
    )
