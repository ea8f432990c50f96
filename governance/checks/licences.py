"""Do the licence that is declared and the one that was found differ?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"declared": "", "found": ""}
#: what a description writes where nobody knows the licence
UNKNOWN = "LicenseRef-unknown"


def check(declared: str, found: str, *, subject: str, title: str = "the source") -> Finding:
    """Compares two SPDX expressions as their owner's description gives them, in one spelling."""
    says = f"The licence of {title} is not known: declared {declared or 'nothing'}, found {found or 'nothing'}."
    if UNKNOWN in (declared, found) or not declared or not found:
        return judge("licences", subject=subject, measured=None, limit=0, says=says)
    differ = declared != found
    says = (
        f"{title} is declared as {declared} and was found to be {found}: {'they differ' if differ else 'they agree'}."
    )
    return judge("licences", subject=subject, measured=float(differ), limit=0, says=says)
