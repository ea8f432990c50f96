"""Is there anything in a source that its fingerprint could not see through?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"opaque": None}


def check(opaque: Sequence[str] | None, *, subject: str, title: str = "the source") -> Finding:
    """Counts the opaque parts by name; None where no version is recorded."""
    if opaque is None:
        says = f"What of {title} cannot be seen through is not known: this version is not recorded."
        return judge("opacity", subject=subject, measured=None, limit=0, says=says)
    says = f"All that {title} does was seen through."
    if opaque:
        says = f"{title} may change without a new version where it cannot be seen through: {'; '.join(opaque)}."
    return judge("opacity", subject=subject, measured=float(len(opaque)), limit=0, says=says)
