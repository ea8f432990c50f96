"""Did the label model come to rest?"""

from __future__ import annotations

from governance.checks._judge import judge
from governance.digest import decimal
from governance.records import Finding

EMPTY: dict[str, object] = {"iterations": None, "converged": False, "allowed": 0}


def check(iterations: int | None, *, converged: bool, allowed: int, subject: str) -> Finding:
    """Judges whether the iterations ended by themselves or at the number allowed."""
    if iterations is None:
        says = "Nothing was fitted that could come to rest."
        return judge("convergence", subject=subject, measured=None, limit=float(allowed), says=says)
    state = "came to rest" if converged else "was cut off, still moving,"
    says = f"The label model {state} after {iterations:,} of at most {allowed:,} iterations."
    # The outcome is not the comparison: a model may come to rest at the last iteration allowed.
    return Finding.make(
        check="convergence",
        subject=subject,
        outcome="pass" if converged else "fail",
        measured=decimal(iterations),
        limit=decimal(allowed),
        says=says,
    )
