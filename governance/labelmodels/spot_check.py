"""Which rows should a person look at, and what do her answers say of everybody's accuracy?

Rows are drawn with known chances, more often where sources contradict each other, since there is most to learn; half of
the chance is spread evenly, because copies that never contradict each other are wrong where nothing looks doubtful. An
answer counts as the reciprocal of its chance (D. G. Horvitz and D. J. Thompson, 1952), as a share of the answers'
weights (J. Hajek, 1971). The interval is Wilson's on the effective number of answers, (sum of weights)^2 over the sum of
their squares (L. Kish, 1965).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.checks.metrics import wilson
from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np

#: the part of the chance that every covered row has alike
EVEN = 0.5


@dataclass(frozen=True)
class Estimate:
    """A share over so many answers, which weigh as `effective` ones would that were drawn alike; None without answers."""

    share: float | None
    low: float | None
    high: float | None
    answers: int
    effective: float


def doubt(matrix: np.ndarray, *, n_classes: int) -> np.ndarray:
    """How little sources agree, float64 (rows): 1 less the share of the class most named; NaN without a vote."""
    import numpy as np

    named = np.stack([(matrix == k).sum(axis=1) for k in range(n_classes)], axis=1)
    voting = named.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(voting > 0, 1 - named.max(axis=1) / voting, np.nan)


def chances(doubts: np.ndarray, *, rows: int) -> np.ndarray:
    """The chance of each row to be among `rows` that are drawn, float64; 0 where nobody votes. They sum to `rows`.

    Raises InvalidRecord unless there are so many rows with a vote.
    """
    import numpy as np

    covered = ~np.isnan(doubts)
    if type(rows) is not int or not 1 <= rows <= covered.sum():
        raise InvalidRecord("rows", rows, f"a whole number from 1 to {int(covered.sum())}, the rows with a vote")
    doubted = np.where(covered, np.nan_to_num(doubts), 0.0)
    size = covered / covered.sum()
    if doubted.sum() > 0:
        size = EVEN * size + (1 - EVEN) * doubted / doubted.sum()
    found = rows * size
    while (found > 1 + 1e-12).any():
        # Who is certain to be drawn gives the rest of its chance to the others.
        certain = found >= 1
        left = size * ~certain
        found = np.where(certain, 1.0, (rows - certain.sum()) * left / left.sum())
    return np.minimum(found, 1.0)


def drawn(chance: np.ndarray, *, seed: int) -> np.ndarray:
    """The rows that are drawn, rising indices: each with its chance, and always so many as the chances sum to.

    Rows stand in an order drawn from the seed, their chances end to end, and every whole number beyond a first drawn
    one falls on a row (systematic sampling, W. G. Madow, 1949).
    """
    import numpy as np

    draw = np.random.default_rng(seed)
    order = draw.permutation(len(chance))
    ends = np.cumsum(chance[order])
    marks = draw.random() + np.arange(round(float(chance.sum())))
    places = np.searchsorted(ends, np.minimum(marks, np.nextafter(ends[-1], 0)), side="right")
    return np.sort(order[np.unique(places)])


def estimate(right: np.ndarray, chance: np.ndarray) -> Estimate:
    """The share of right among all rows that the answers stand for: right bool (answers), chance float64 (answers)."""
    import numpy as np

    if right.shape != chance.shape or (chance.size and not ((chance > 0) & (chance <= 1)).all()):
        raise InvalidRecord("chance", list(chance.shape), "one number above 0 and up to 1 for each answer")
    if not right.size:
        return Estimate(None, None, None, 0, 0.0)
    weight = 1 / chance
    share = float(np.clip((weight * right).sum() / weight.sum(), 0.0, 1.0))
    # Rounding may put the effective number of equal weights a hair above their count.
    effective = min(float(weight.sum() ** 2 / (weight**2).sum()), float(len(right)))
    low, high = wilson(share * effective, effective)
    return Estimate(share, low, high, len(right), effective)
