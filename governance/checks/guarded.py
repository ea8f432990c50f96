"""Once suspected copies have one voice, are there enough voices to tell which of them is wrong?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"groups": [], "sources": 0}


def check(groups: Sequence[Sequence[str]], sources: int, *, subject: str, limit: float = 3.0) -> Finding:
    """Counts the voices that are left where each of `groups` has one; with fewer than three, no two outvote a third."""
    if not sources:
        return judge(
            "guarded",
            subject=subject,
            measured=None,
            limit=limit,
            says="There were no sources to give a voice.",
            at_least=True,
        )
    voices = sources - sum(len(group) - 1 for group in groups)
    merged = "; ".join(", ".join(group) for group in groups)
    says = f"No group of {sources} sources needed one voice."
    if groups:
        says = (
            f"One voice each for sources that may be copies of each other: {merged}. {voices} of {sources} "
            "voices are left, nobody was dropped, and whether they are copies is for people to say."
        )
    if voices < limit:
        says += " So few cannot tell who of them is wrong: only labels by hand can."
    return judge("guarded", subject=subject, measured=float(voices), limit=limit, says=says, at_least=True)
