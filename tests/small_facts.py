"""Small facts to make tests with."""

from __future__ import annotations

from governance.records import Finding

NOBODY = "dataset:" + "0" * 64


def finding(number: int, *, outcome: str = "pass", says: str = "it was looked at") -> Finding:
    """One of many different small facts."""
    return Finding.make(check=f"check_{number}", subject=NOBODY, outcome=outcome, measured=repr(number / 8), says=says)
