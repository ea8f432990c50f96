"""Which votes did a label model learn from, and what would it have learned from others with its parameters?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from governance.errors import GovernanceError
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.one_voice import OneVoice
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    from governance.votes.table import VoteTable

_Model = TypeVar("_Model", bound=FittedLabelModel)

#: scores of one fit made twice differ by no more than this share of the larger one (or of 1)
_SAME = 1e-9


def unfitted(model: _Model, columns: Sequence[str]) -> _Model:
    """A model with the parameters of `model` that has learned nothing, for votes of these columns."""
    parameters = model.get_params()
    if isinstance(model, OneVoice):
        # Its groups stand in the order of columns.
        parameters["voices"] = model.voices_on(columns)
    return type(model)(**parameters)


def refitted(model: _Model, votes: VoteTable) -> _Model:
    """A model with the parameters of `model`, fitted on these votes. Raises InvalidRecord."""
    return unfitted(model, votes.columns).fit(votes)


def learned_from(model: FittedLabelModel, votes: VoteTable) -> bool:
    """Whether its parameters, fitted on these very votes, give this model: every pattern has the same scores.

    False too where the fit cannot be done here, as on a device that is not there.
    """
    try:
        again = refitted(model, votes)
    except GovernanceError:
        return False
    return same_scores(model, again, votes, within=_SAME)


def same_scores(one: FittedLabelModel, other: FittedLabelModel, votes: VoteTable, *, within: float) -> bool:
    """Whether two models know the same classes and columns, and score every pattern of `votes` the same.

    Scores may differ by no more than the share `within` of the larger one (or of 1).
    """
    import numpy as np

    if (one.classes_, set(one.columns_)) != (other.classes_, set(other.columns_)):
        return False
    patterns = distinct(votes.matrix, inverse=False).votes
    first, second = (
        model.predict_scores(patterns[:, [votes.columns.index(column) for column in model.columns_]])
        for model in (one, other)
    )
    with np.errstate(invalid="ignore"):
        near = np.abs(first - second) <= within * np.maximum(1.0, np.maximum(np.abs(first), np.abs(second)))
    return bool((near | (first == second)).all())
