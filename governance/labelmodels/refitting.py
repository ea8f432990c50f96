"""Which votes did a label model learn from, and what would it have learned with another's parameters?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.labelmodels._base import FittedLabelModel
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    from governance.votes.table import VoteTable

#: scores of one fit made twice differ by no more than this share of the larger one (or of 1)
_SAME = 1e-9


def refitted(model: FittedLabelModel, votes: VoteTable) -> FittedLabelModel:
    """A model with the parameters of `model`, fitted on these votes. Raises InvalidRecord."""
    return type(model)(**model.get_params()).fit(votes)


def learned_from(model: FittedLabelModel, votes: VoteTable) -> bool:
    """Whether its parameters, fitted on these very votes, give this model: every pattern has the same scores."""
    import numpy as np

    try:
        again = refitted(model, votes)
    except InvalidRecord:
        return False
    if (again.classes_, set(again.columns_)) != (model.classes_, set(model.columns_)):
        return False
    patterns = distinct(votes.matrix, inverse=False).votes
    order = [votes.columns.index(column) for column in model.columns_]
    one, two = model.predict_scores(patterns[:, order]), again.predict_scores(patterns)
    with np.errstate(invalid="ignore"):
        near = np.abs(one - two) <= _SAME * np.maximum(1.0, np.maximum(np.abs(one), np.abs(two)))
    return bool((near | (one == two)).all())
