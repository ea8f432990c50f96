"""Can the label model be fitted again as it was, and what does it learn without some sources?

Which rows it learned from is not in the label model. Two answers are tried: all of them, and those that a parameter of its
stage names (`fit_domains: [tweets]` are the rows whose column `domain` says so). An answer counts where the same fit on
those rows gives the recorded tables again; where none does, what a refit would say is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.errors import GovernanceError
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.recorded import RecordedModel
from governance.labelmodels.refitting import refitted, same_scores

if TYPE_CHECKING:
    import numpy as np

    from governance.project.counterfactual.label_set import LabelSet

#: the share of a recorded log P(class, votes) by which the same fit may differ: other machines add up in other orders
AGAIN = 1e-6
_PREFIX = "fit_"


@dataclass(frozen=True, eq=False)
class Fitted:
    """The rows a label model learned from, bool (rows), and how that is known.

    `model` is what labels are compared with: the recorded one, or where rows were erased since, a fit on those left.
    """

    rows: np.ndarray
    model: FittedLabelModel
    says: str


@dataclass(frozen=True)
class Unable:
    """Why something cannot be told, and what helps."""

    says: str
    hint: str

    def to_json(self) -> dict[str, Any]:
        """An answer that is unknown."""
        return {"unknown": self.says, "hint": self.hint}


def fitted_as(labels: LabelSet) -> Fitted | Unable:
    """The rows that the recorded label model learned from, proved by a fit."""
    model = labels.model
    if not isinstance(model, FittedLabelModel):
        return Unable(f"a label model of the method {model.method} is not fitted again here", "one of dawid_skene is")
    tried = []
    for rows, says in _answers(labels):
        table = labels.table.take(rows.nonzero()[0])
        try:
            again = refitted(model, table)
        except GovernanceError as error:
            return Unable(f"a fit on {says} cannot be done: {error.message}", error.hint or "look at its votes first")
        if labels.erased:
            told = f"{says}; fitted again on what is left, since {labels.erased:,} rows were erased"
            return Fitted(rows, again, told)
        if same_scores(model, again, labels.table, within=AGAIN):
            return Fitted(rows, model, says)
        tried.append(says)
    return Unable(
        f"a fit on {' or on '.join(tried)} does not give the recorded label model again",
        "`labeltrail reproduce` of the stage that made the labels says whether it can be made here at all",
    )


def labels_again(labels: LabelSet) -> Unable | None:
    """Why the label model does not give the recorded labels, so that nothing can be said of other votes; else None."""
    model = labels.model
    if isinstance(model, RecordedModel) and not model.able:
        return Unable(f"a {model.method} does not come apart by source", "`labeltrail why` tells the votes on a row")
    differing = int((model.predict(labels.matrix) != labels.label).sum())
    if differing:
        says = f"the label model labels {differing:,} of {len(labels.table):,} rows otherwise than the label set says"
        return Unable(says, "`labeltrail reproduce` of the stage that made them says which of both is right")
    return None


def _answers(labels: LabelSet) -> Iterator[tuple[np.ndarray, str]]:
    """What a parameter names comes first: where rows were erased, nothing can prove an answer."""
    import numpy as np

    named = labels.recipe.parameters if labels.recipe else {}
    for parameter in sorted(name for name in named if name.startswith(_PREFIX)):
        values = labels.parameter(parameter)
        column = _column(labels, parameter.removeprefix(_PREFIX))
        if column is None or not isinstance(values, list) or not values:
            continue
        rows = labels.examples[column].is_in(values).fill_null(value=False).to_numpy()
        if rows.any():
            yield rows, f"the rows whose {column} is {' or '.join(map(str, values))}"
    yield np.ones(len(labels.table), dtype=np.bool_), "all rows"


def _column(labels: LabelSet, said: str) -> str | None:
    return next((name for name in (said, said.removesuffix("s")) if name in labels.examples.columns), None)
