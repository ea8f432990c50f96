"""How often did a source fail to answer?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"errors": {}, "rows": 0}


def check(
    errors: Mapping[str, int], rows: int, *, subject: str, title: str = "the source", limit: float = 0.0
) -> Finding:
    """Judges the share of rows on which a source raised or gave no class; `errors` counts them by type."""
    if not rows:
        says = f"{title} was asked about no example."
        return judge("error_rate", subject=subject, measured=None, limit=limit, says=says)
    count = sum(errors.values())
    told = "".join(f", {name} {number:,}" for name, number in sorted(errors.items()))
    says = f"{title} failed on {count:,} of {rows:,} examples ({percent(count / rows)}){told}."
    return judge("error_rate", subject=subject, measured=count / rows, limit=limit, says=says)
