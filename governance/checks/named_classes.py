"""Does any source ever vote for each class?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"votes": {}}


def check(votes: Mapping[str, int], *, subject: str, limit: float = 0.0) -> Finding:
    """Counts the classes that no source votes for; `votes` holds how many votes each class has."""
    name = "named_classes"
    if not votes:
        return judge(name, subject=subject, measured=None, limit=limit, says="There was no class to vote for.")
    unnamed = [label for label, count in votes.items() if not count]
    says = f"Each of {len(votes)} classes has at least one vote."
    if unnamed:
        says = f"No source ever votes for {', '.join(unnamed)}: of such a class nothing can be learned."
    return judge(name, subject=subject, measured=float(len(unnamed)), limit=limit, says=says)
