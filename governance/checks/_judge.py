"""How does a figure beside its limit become a finding?"""

from __future__ import annotations

from governance.digest import decimal
from governance.records import Finding


def judge(
    check: str,
    *,
    subject: str,
    measured: float | None,
    limit: float,
    says: str,
    at_least: bool = False,
    contract: str | None = None,
) -> Finding:
    """`fail` where the figure crosses its limit, `unknown` where there is no figure."""
    if measured is None:
        outcome = "unknown"
    else:
        outcome = "pass" if (measured >= limit if at_least else measured <= limit) else "fail"
    return Finding.make(
        check=check,
        subject=subject,
        outcome=outcome,
        measured=None if measured is None else decimal(measured),
        limit=decimal(limit),
        says=says,
        contract=contract,
    )


def percent(share: float) -> str:
    """A share as people read it, with one decimal."""
    return f"{100 * share:.1f} %"
