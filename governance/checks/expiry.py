"""May a source still be used on a certain day?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"until": "", "since": "", "as_of": ""}


def check(until: str, since: str, as_of: str, *, subject: str, title: str = "the source") -> Finding:
    """Compares days (YYYY-MM-DD): `until` is the last on which the description holds, `since` the first on which somebody
    decided that the source may not be used; either may be empty. A source without an end is unknown, not unlimited."""
    if not as_of or not (until or since):
        says = f"Until when {title} may be used is not recorded."
        return judge("expiry", subject=subject, measured=None, limit=0, says=says)
    if since and since <= as_of:
        says = f"{title} was expired by a decision on {since}, judged as of {as_of}."
        return judge("expiry", subject=subject, measured=1.0, limit=0, says=says)
    if until and until < as_of:
        says = f"The description of {title} ran out on {until}, judged as of {as_of}."
        return judge("expiry", subject=subject, measured=1.0, limit=0, says=says)
    ends = [f"its description holds until {until}"] if until else []
    ends += [f"a decision expires it on {since}"] if since else []
    says = f"{title} may be used: {', and '.join(ends)}, judged as of {as_of}."
    return judge("expiry", subject=subject, measured=0.0, limit=0, says=says)
