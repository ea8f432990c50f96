"""Does a source's description still say what it said when the source voted?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"described": None, "recorded": None}


def check(
    described: Mapping[str, object] | None,
    recorded: Mapping[str, object] | None,
    *,
    subject: str,
    title: str = "the source",
) -> Finding:
    """Counts the fields of the description that differ from the recorded source version; None where there is none."""
    if described is None or recorded is None:
        says = f"{title} has no description here." if described is None else f"{title} has not voted yet."
        return judge("described", subject=subject, measured=None, limit=0, says=says)
    differing = sorted(field for field, value in described.items() if recorded.get(field) != value)
    says = f"The description of {title} says what it said when it voted."
    if differing:
        says = f"The description of {title} was edited since it voted: {', '.join(differing)}."
    return judge("described", subject=subject, measured=float(len(differing)), limit=0, says=says)
