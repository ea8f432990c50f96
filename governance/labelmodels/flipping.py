"""What is the smallest set of votes whose removal changes the label?

Evidence is additive, so that a vote speaks for the label against one rival class by a fixed amount, whatever the others
say. Against one rival no set of k votes takes more from the label than the k votes that speak most for it; the smallest
set over all rivals is therefore the smallest set of all, and it is found by sorting. Whether a set changes the label is
decided by the rule that chose the label: of classes within TIE of the best the lower index, and no label without a vote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from governance.labelmodels._base import TIE
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Flip:
    """The votes to remove, by their place in the evidence, and the label that is left: another one, or ABSTAIN."""

    removed: tuple[int, ...]
    label: int


class Leading(NamedTuple):
    """The label, the class after it, and whether only the rule for ties tells them apart."""

    label: int
    runner_up: int
    tied: bool


def smallest_flip(prior: np.ndarray, evidence: np.ndarray, label: int) -> Flip:
    """The smallest set of votes without which `label` is not the label, from tables that stay as they are.

    prior: log P(class), float64 (classes). evidence: log P(vote | class) of every vote on the row, float64 (votes x
    classes), in the order in which it is added up. Without any vote there is no label, so that a set always exists. Of
    equally small sets it is the one for the rival with the lowest index, and of equal votes the earlier ones.
    """
    import numpy as np

    votes = len(evidence)
    spoken = evidence[:, label, None] - evidence
    order = np.argsort(-spoken, axis=0, kind="stable")
    lead = (prior[label] - prior) + spoken.sum(axis=0)
    left = lead - spoken[order, np.arange(len(prior))].cumsum(axis=0)
    left[:, label] = np.inf
    # Sums in another order differ in their last bits: what may be enough is tried, in the order that scores have.
    near = 4 * TIE * max(1.0, float(np.abs(prior).max() + np.abs(evidence).sum()))
    for size, rival in np.argwhere(left[:-1] <= near).tolist():
        removed = order[: size + 1, rival]
        kept = np.ones(votes, dtype=np.bool_)
        kept[removed] = False
        now = leading(added_up(prior, evidence[kept]).tolist()).label
        if now != label:
            return Flip(tuple(removed.tolist()), now)
    return Flip(tuple(range(votes)), ABSTAIN)


def added_up(prior: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """The scores of a row, float64 (classes), added up one vote after the other, as the batch path adds them."""
    import numpy as np

    return np.add.accumulate(np.concatenate([prior[None, :], evidence]))[-1]


def leading(scores: Sequence[float]) -> Leading:
    """Label and runner-up of one row of scores, as `ranked` chooses them from many."""
    least = _near(scores)
    label = next(k for k, score in enumerate(scores) if score >= least)
    rest = [-math.inf if k == label else score for k, score in enumerate(scores)]
    next_least = _near(rest)
    runner_up = next(k for k, score in enumerate(rest) if score >= next_least)
    return Leading(label, runner_up, tied=scores[runner_up] >= least)


def _near(scores: Sequence[float]) -> float:
    best = max(scores)
    return best - TIE * max(1.0, abs(best))
