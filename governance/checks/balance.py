"""Is any class too rare to be learned?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"counts": {}}


def check(counts: Mapping[str, int], *, subject: str, limit: float = 0.05, name: str = "balance") -> Finding:
    """Judges the share of the rarest class; `counts` holds the examples of each class, `limit` the least share."""
    total = sum(counts.values())
    if not total:
        return judge(name, subject=subject, measured=None, limit=limit, says="There were no examples to weigh.")
    rarest = min(sorted(counts), key=lambda label: counts[label])
    share = counts[rarest] / total
    says = f"The rarest class, {rarest}, holds {percent(share)} of {total:,} examples; {percent(limit)} is wanted."
    return judge(name, subject=subject, measured=share, limit=limit, says=says, at_least=True)
