"""What is right, where somebody knows, and how do labels stand beside it?

Gold is the column `gold` of the examples, a class index, or else the votes of a source whose kind is gold. Who is neither
has no gold, and what would be measured with it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.checks.metrics import reliability, wilson
from governance.digest import decimal
from governance.records import Evaluation, Result, Source
from governance.runs.outside import INGESTED

if TYPE_CHECKING:
    import numpy as np

    from governance.project.counterfactual.label_set import LabelSet

COLUMN = "gold"
#: as many bins of confidence as the metrics of the evaluation have by default
BINS = 10


@dataclass(frozen=True, eq=False)
class Gold:
    """`value` is the right class of each row, int64, and -1 where nobody knows.

    `voted` names the column of a gold source that voted beside the others, so that labels which it took part in are
    no independent evidence.
    """

    value: np.ndarray
    says: str
    voted: str | None

    @property
    def known(self) -> np.ndarray:
        """Where somebody knows, bool (rows)."""
        return self.value >= 0

    def to_json(self) -> dict[str, Any]:
        """What it is, and on how many rows."""
        return {"says": self.says, "voted": self.voted, "examples": int(self.known.sum())}


def find_gold(labels: LabelSet) -> Gold | None:
    """The gold of a label set, or None."""
    import numpy as np

    if COLUMN in labels.examples.columns and labels.examples[COLUMN].dtype.is_integer():
        value = labels.examples[COLUMN].fill_null(-1).to_numpy().astype(np.int64)
        if value.max(initial=-1) < len(labels.classes) and (value >= 0).any():
            return Gold(np.where(value >= 0, value, -1), _says(labels), None)
    for column, name in zip(labels.table.columns, labels.table.sources, strict=True):
        source = labels.facts.get(name)
        if isinstance(source, Source) and source.source_kind == "gold":
            value = labels.table.matrix[:, labels.table.columns.index(column)].astype(np.int64)
            if (value >= 0).any():
                return Gold(np.where(value >= 0, value, -1), f"what {source.title} says", column)
    return None


def _says(labels: LabelSet) -> str:
    """What an evaluation of these examples calls the column; one that was brought in has gold of its own."""
    results = labels.facts.of(Result)
    brought = {name for one in results if one.stage.startswith(f"{INGESTED}/") for name in one.generated}
    stated = [told for told in labels.facts.of(Evaluation) if told.name not in brought]
    said = [told.gold for told in stated if told.dataset == labels.dataset.name]
    return said[-1] if said else f"the column {COLUMN}"


def measured(gold: Gold | None, label: np.ndarray, proba: np.ndarray, rows: np.ndarray) -> dict[str, Any] | None:
    """Accuracy with its 95 % interval and the calibration error of those of `rows` that have gold and a label.

    label: int8 (rows); proba: rows x classes. None where there is none.
    """
    import numpy as np

    if gold is None:
        return None
    here = np.flatnonzero(rows & gold.known & (label >= 0))
    if not len(here):
        return None
    said = label[here].astype(np.int64)
    right = int((said == gold.value[here]).sum())
    low, high = wilson(right, len(here))
    bars = reliability(gold.value[here], said, proba[here], bins=BINS)
    gap = sum(bar.examples * abs((bar.confidence or 0.0) - (bar.accuracy or 0.0)) for bar in bars) / len(here)
    return {
        "accuracy": decimal(right / len(here)),
        "low": decimal(low),
        "high": decimal(high),
        "ece": decimal(gap),
        "right": right,
        "examples": len(here),
    }


class Calibration:
    """How often labels of a probability are right, on rows that have gold; laid out once, asked for one row."""

    def __init__(self, gold: Gold, label: np.ndarray, proba: np.ndarray) -> None:
        self._gold, self._label, self._proba = gold, label, proba
        self._bars: dict[str, list[dict[str, Any]]] = {}

    def of(self, probability: float, *, where: str = "", rows: np.ndarray | None = None) -> dict[str, Any]:
        """The bin of a probability among `rows` (bool), which are called `where`; None where nothing is known of it."""
        import numpy as np

        if where not in self._bars:
            known = self._gold.known & (self._label >= 0)
            here = np.flatnonzero(known if rows is None else known & rows)
            said = self._label[here].astype(np.int64)
            bars = reliability(self._gold.value[here], said, self._proba[here], bins=BINS)
            self._bars[where] = [
                {
                    "where": where or "all rows",
                    "low": decimal(bar.low),
                    "high": decimal(bar.high),
                    "examples": bar.examples,
                    "right": round((bar.accuracy or 0.0) * bar.examples),
                    "share": decimal(bar.accuracy) if bar.accuracy is not None else None,
                }
                for bar in bars
            ]
        bars = self._bars[where]
        # A bin holds its upper edge, as `reliability` counts.
        return next((bar for bar in bars if probability <= float(bar["high"])), bars[-1])
