"""Does every source say anything at all?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"votes": {}}


def check(votes: Mapping[str, int], *, subject: str, limit: float = 0.0) -> Finding:
    """Counts the sources that never vote; `votes` holds how often each votes."""
    if not votes:
        return judge("silence", subject=subject, measured=None, limit=limit, says="There was no source to listen to.")
    silent = sorted(name for name, count in votes.items() if not count)
    said = f"{', '.join(silent)} never votes." if len(silent) == 1 else f"{', '.join(silent)} never vote."
    says = said if silent else f"Each of {len(votes)} sources votes at least once."
    return judge("silence", subject=subject, measured=float(len(silent)), limit=limit, says=says)
