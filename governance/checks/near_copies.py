"""Do two sources say the same, so that one voice counts twice?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"pairs": [], "sources": 0}


def check(pairs: Sequence[tuple[str, str, float, float]], sources: int, *, subject: str, limit: float = 0.0) -> Finding:
    """Counts pairs that cross the limits of likeness: (one, other, share of rows in common, share agreed of these).

    A pair is a reason to look and never a reason to drop: honest relatives look like copies too.
    """
    if sources < 2:
        says = "There were no two sources to compare."
        return judge("near_copies", subject=subject, measured=None, limit=limit, says=says)
    told = "; ".join(
        f"{one} and {other} share {percent(shared)} of their rows and agree on {percent(agreed)} of these"
        for one, other, shared, agreed in sorted(pairs)
    )
    says = f"To review: {told}." if pairs else f"No two of {sources} sources vote nearly the same."
    return judge("near_copies", subject=subject, measured=float(len(pairs)), limit=limit, says=says)
