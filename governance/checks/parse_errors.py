"""How often could an answer not be read as a vote?"""

from __future__ import annotations

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"errors": 0, "answered": 0}


def check(errors: int, answered: int, *, subject: str, title: str = "the source", limit: float = 0.02) -> Finding:
    """Judges the share of answers that the parser could not read; requests without an answer are not among them."""
    if not answered:
        says = f"{title} got no answer that could be read."
        return judge("parse_errors", subject=subject, measured=None, limit=limit, says=says)
    says = f"{errors:,} of {answered:,} answers to {title} could not be read as a vote ({percent(errors / answered)})."
    return judge("parse_errors", subject=subject, measured=errors / answered, limit=limit, says=says)
