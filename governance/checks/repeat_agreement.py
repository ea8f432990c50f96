"""Does a source say the same again when it is asked again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.checks._judge import judge, percent
from governance.checks.metrics import wilson
from governance.errors import InvalidRecord
from governance.records import Finding

EMPTY: dict[str, object] = {"found": None}


@dataclass(frozen=True)
class Agreement:
    """Of `pairs` (a first answer and a later one) on `rows` examples, `agreed` were equal; with a 95 % interval."""

    rows: int
    pairs: int
    agreed: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share of equal pairs."""
        return self.agreed / self.pairs


def agreement(agreed: Sequence[int], pairs: Sequence[int]) -> Agreement | None:
    """The share of equal pairs with its interval, from both counts for each example; None where there is no pair.

    With one repeat the pairs are independent, one an example, and the interval is Wilson's score interval (E. B. Wilson,
    JASA 22, 1927), which keeps its level also near 1 and in small samples, where Wald's does not (L. D. Brown, T. T. Cai,
    A. DasGupta, Statistical Science 16, 2001). With more, pairs of one example share its first answer: the number of pairs
    is divided by the design effect, the variance of the share between examples over that of independent pairs (J. N. K.
    Rao, A. J. Scott, Biometrics 48, 1992), which is taken as no less than 1, and as the most repeats where nothing varies.
    The examples are a sample: the interval is for the endpoint's own share, as it answered then.
    """
    if len(agreed) != len(pairs) or any(not 0 <= a <= m for a, m in zip(agreed, pairs, strict=True)):
        raise InvalidRecord("agreed, pairs", [len(agreed), len(pairs)], "for each example 0 to as many equal as pairs")
    counted = [(a, m) for a, m in zip(agreed, pairs, strict=True) if m]
    rows, total, equal = len(counted), sum(m for _, m in counted), sum(a for a, _ in counted)
    if not total:
        return None
    share, most = equal / total, max(m for _, m in counted)
    effect = float(most)
    if rows > 1 and 0 < share < 1:
        between = rows / (rows - 1) * sum((a - share * m) ** 2 for a, m in counted) / total**2
        effect = min(float(most), max(1.0, between / (share * (1 - share) / total)))
    effective = total / effect
    right = effective if equal == total else share * effective
    return Agreement(rows, total, equal, *wilson(right, effective))


def check(
    found: Agreement | None, *, subject: str, title: str = "the source", limit: float = 0.95, failed: int = 0
) -> Finding:
    """Judges the share of equal answers; `failed` pairs had no answer on one side and say nothing."""
    if found is None:
        says = f"{title} was not asked anything twice."
        if failed:
            says = f"{title} was asked twice, and none of {failed:,} pairs had an answer on both sides."
        return judge("repeat_agreement", subject=subject, measured=None, limit=limit, says=says, at_least=True)
    says = (
        f"Asked again, {title} voted the same in {found.agreed:,} of {found.pairs:,} pairs on {found.rows:,} examples: "
        f"{percent(found.share)}, 95 % interval {percent(found.low)} to {percent(found.high)}."
    )
    if failed:
        says += f" {failed:,} more pairs had no answer on one side."
    return judge("repeat_agreement", subject=subject, measured=found.share, limit=limit, says=says, at_least=True)
