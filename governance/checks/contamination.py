"""Has a source already seen the examples that it votes on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"contaminated": [], "domains": {}}


def check(
    contaminated: Sequence[str],
    domains: Mapping[str, int],
    *,
    subject: str,
    title: str = "the source",
    limit: float = 0.0,
) -> Finding:
    """Judges the share of examples in domains that the source is known to have seen; `domains` counts all examples."""
    total = sum(domains.values())
    if not total:
        says = "There were no examples to compare with."
        return judge("contamination", subject=subject, measured=None, limit=limit, says=says)
    seen = sorted(set(contaminated) & set(domains))
    share = sum(domains[domain] for domain in seen) / total
    if seen:
        says = (
            f"{title} is known to have met {', '.join(seen)} before ({percent(share)} of {total:,} examples): "
            "its accuracy there is no independent evidence."
        )
    else:
        says = f"{title} is not known to have met any of the {total:,} examples before."
    return judge("contamination", subject=subject, measured=share, limit=limit, says=says)
