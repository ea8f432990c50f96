"""On how many rows does the label model overrule majority vote, where, and on whose word?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"rows": 0, "covered": 0}


def check(
    rows: int,
    covered: int,
    *,
    subject: str,
    ties: int = 0,
    by_voting: Sequence[tuple[int, int, int]] = (),
    most: Sequence[Any] = (),
    limit: float = 0.2,
) -> Finding:
    """Judges the share of covered rows with a majority whose label is another one; `most` are the patterns with most rows.

    A difference is what a label model is for, and a large one a reason to look: copies that outvote the rest make one.
    """
    if not covered:
        says = "There was no covered row to compare with majority vote."
        return judge("differs", subject=subject, measured=None, limit=limit, says=says)
    overruled = rows - ties
    share = percent(overruled / covered)
    says = f"The label model overrules majority vote on {overruled:,} of {covered:,} covered rows ({share})"
    says += f" and decides {ties:,} on which several classes lead" if ties else ""
    where = [f"{number} vote: {differ:,} of {there:,}" for number, there, differ in by_voting if differ]
    says += f"; where so many sources vote, {', '.join(where)}" if where else ""
    told = "; ".join(_pattern(one) for one in most)
    says += f". Most often: {told}." if told else "."
    return judge("differs", subject=subject, measured=overruled / covered, limit=limit, says=says)


def _pattern(one: Any) -> str:
    weighed = ""
    if one.log_odds_for is not None and one.log_odds_against is not None:
        weighed = f", {one.log_odds_for:+.2f} against {one.log_odds_against:+.2f} in log-odds"
    against = f" against {', '.join(one.against)}" if one.against else ""
    kind = f"not {one.majority}" if one.majority else "majority is tied"
    return f"{one.rows:,} rows are {one.label} ({kind}) by {', '.join(one.for_it) or 'the balance alone'}{against}{weighed}"
