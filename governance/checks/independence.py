"""Is a figure on a domain independent evidence, or had a source met the domain before?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"seen_by": [], "examples": 0}


def check(
    seen_by: Sequence[str], examples: int, *, subject: str, domain: str = "the domain", limit: float = 0.0
) -> Finding:
    """Counts the voting sources that are known to have met the domain."""
    if not examples:
        says = f"No figure was measured on {domain}."
        return judge("independence", subject=subject, measured=None, limit=limit, says=says)
    told = ", ".join(sorted(seen_by))
    says = (
        f"Figures on {domain} that stand on votes are no independent evidence: {told} met it before."
        if seen_by
        else f"No voting source is known to have met {domain} before."
    )
    return judge("independence", subject=subject, measured=float(len(seen_by)), limit=limit, says=says)
