"""How many rows did a contract turn away?"""

from __future__ import annotations

from collections.abc import Mapping

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"failures": {}, "rejected": 0, "rows": 0}


def check(
    failures: Mapping[str, int],
    rejected: int,
    rows: int,
    *,
    subject: str,
    contract: str | None = None,
    limit: float = 0.01,
) -> Finding:
    """Judges the share of rows in quarantine; `failures` counts the rows that each check turned away."""
    if not rows:
        says = "There were no rows to hold against the contract."
        return judge("rejected", subject=subject, measured=None, limit=limit, says=says, contract=contract)
    told = "".join(f", {name} {number:,}" for name, number in sorted(failures.items()))
    says = f"The contract turned away {rejected:,} of {rows:,} rows ({percent(rejected / rows)}){told}."
    return judge("rejected", subject=subject, measured=rejected / rows, limit=limit, says=says, contract=contract)
