"""Is the label model at least as good as one source, one voice?"""

from __future__ import annotations

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"label_model": None, "majority": None, "examples": 0}


def check(
    label_model: float | None,
    majority: float | None,
    examples: int,
    *,
    subject: str,
    on: str = "test",
    limit: float = 0.0,
) -> Finding:
    """Judges the accuracy of the label model less that of majority vote, on the same examples."""
    if label_model is None or majority is None or not examples:
        says = f"No example of {on} has both gold and a vote."
        return judge("beside_majority", subject=subject, measured=None, limit=limit, says=says, at_least=True)
    says = (
        f"On {examples:,} covered examples of {on} the label model is right on {percent(label_model)} "
        f"and majority vote on {percent(majority)}."
    )
    gain = label_model - majority
    return judge("beside_majority", subject=subject, measured=gain, limit=limit, says=says, at_least=True)
