"""Was every example rated by as many people as promised?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"counts": [], "promised": 20}


def check(
    counts: Sequence[int],
    promised: int,
    *,
    subject: str,
    name: str = "raters",
    title: str = "the dataset",
    limit: float = 0.0,
) -> Finding:
    """Judges the share of examples with fewer ratings than `promised`; `counts` holds the ratings of each example."""
    if not len(counts):
        return judge(name, subject=subject, measured=None, limit=limit, says="There were no ratings to count.")
    short = sum(count < promised for count in counts)
    share = short / len(counts)
    says = (
        f"{short:,} of {len(counts):,} examples in {title} ({percent(share)}) have fewer than the promised {promised} "
        f"ratings; the fewest are {min(counts)}, the most {max(counts)}."
    )
    return judge(name, subject=subject, measured=share, limit=limit, says=says)
