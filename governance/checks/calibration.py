"""Does a predictor know how sure it may be?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"ece": None, "examples": 0}


def check(
    ece: float | None, examples: int, *, subject: str, of: str = "the model", on: str = "test", limit: float = 0.05
) -> Finding:
    """Judges the expected calibration error, measured over so many examples."""
    if ece is None or not examples:
        return judge(
            "calibration", subject=subject, measured=None, limit=limit, says=f"{of} had no {on} example to judge."
        )
    says = (
        f"On {on}, what {of} holds likely and what is right differ by {ece:.3f} on average over {examples:,} examples."
    )
    return judge("calibration", subject=subject, measured=ece, limit=limit, says=says)
