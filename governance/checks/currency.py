"""Was a source described as it is now, or as an earlier release was?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"described": "", "installed": ""}


def check(described: str, installed: str, *, subject: str, title: str = "the source") -> Finding:
    """Compares the release whose licence and terms somebody read with the release that voted."""
    says = f"The release of {title} that its description was checked against is not known."
    if not described or not installed:
        return judge("currency", subject=subject, measured=None, limit=0, says=says)
    differ = described != installed
    says = f"The description of {title} was checked against release {described}, and release {installed} voted."
    return judge("currency", subject=subject, measured=float(differ), limit=0, says=says)
