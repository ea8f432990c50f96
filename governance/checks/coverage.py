"""How many examples does at least one source say something of?"""

from __future__ import annotations

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"covered": 0, "rows": 0}


def check(covered: int, rows: int, *, subject: str, limit: float = 0.5) -> Finding:
    """Judges the share of covered examples."""
    if not rows:
        says = "There were no examples to cover."
        return judge("coverage", subject=subject, measured=None, limit=limit, says=says, at_least=True)
    says = f"At least one source votes on {covered:,} of {rows:,} examples ({percent(covered / rows)})."
    return judge("coverage", subject=subject, measured=covered / rows, limit=limit, says=says, at_least=True)
