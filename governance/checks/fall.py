"""How far does accuracy fall on a domain that the model never saw?"""

from __future__ import annotations

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"at_home": None, "abroad": None}


def check(
    at_home: float | None,
    abroad: float | None,
    *,
    subject: str,
    of: str = "the model",
    home: str = "the training domain",
    domain: str = "the other domain",
    limit: float = 0.1,
) -> Finding:
    """Judges the difference of two accuracies."""
    if at_home is None or abroad is None:
        says = f"The accuracy of {of} could not be measured on both {home} and {domain}."
        return judge("fall", subject=subject, measured=None, limit=limit, says=says)
    says = f"The accuracy of {of} falls from {percent(at_home)} on {home} to {percent(abroad)} on {domain}."
    return judge("fall", subject=subject, measured=at_home - abroad, limit=limit, says=says)
