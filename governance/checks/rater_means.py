"""Do the means that a dataset states agree with the ratings behind them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"stated": [], "ratings": []}


@dataclass(frozen=True)
class Disagreement:
    """How stated means and the means of ratings differ, in counts.

    `opposite`: differing pairs with opposite signs. `elsewhere`: differing stated means that are the mean of some other
    example's ratings; were the ratings merely permuted, all of them would be.
    """

    compared: int
    differing: int
    opposite: int
    elsewhere: int
    largest: float


def compare(stated: Sequence[float], ratings: Sequence[Sequence[int]], *, tolerance: float = 1e-6) -> Disagreement:
    """Compares each stated mean with the mean of the ratings beside it."""
    means = [sum(single) / len(single) for single in ratings]
    pairs = [(a, b) for a, b in zip(stated, means, strict=True) if abs(a - b) > tolerance]
    known = {round(b / tolerance) for _, b in pairs}
    near = [(math.floor(a / tolerance), math.ceil(a / tolerance)) for a, _ in pairs]
    return Disagreement(
        compared=len(means),
        differing=len(pairs),
        opposite=sum(a * b < 0 for a, b in pairs),
        elsewhere=sum(low in known or high in known for low, high in near),
        largest=max((abs(a - b) for a, b in pairs), default=0.0),
    )


def check(
    stated: Sequence[float],
    ratings: Sequence[Sequence[int]],
    *,
    subject: str,
    name: str = "rater_means",
    title: str = "the dataset",
    limit: float = 0.0,
) -> Finding:
    """Judges the share of stated means that are not the mean of their own ratings."""
    if not len(stated):
        return judge(name, subject=subject, measured=None, limit=limit, says="There were no means to compare.")
    found = compare(stated, ratings)
    share = found.differing / found.compared
    count = f"{found.differing:,} of {found.compared:,} stated means in {title} ({percent(share)})"
    says = f"{count} are not the mean of their ratings"
    if found.differing:
        permuted = (
            "as a permutation of the ratings would explain"
            if found.elsewhere == found.differing
            else ("so a permutation of the ratings does not explain them")
        )
        says += (
            f"; they differ by up to {found.largest:.2f}, {found.opposite:,} have the opposite sign, and "
            f"{found.elsewhere:,} are the mean of some other differing example, {permuted}"
        )
    return judge(name, subject=subject, measured=share, limit=limit, says=says + ".")
