"""Are examples that a model was shown also among those that it votes on?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from governance.checks._judge import judge
from governance.records import Finding

EMPTY: dict[str, object] = {"shown": (), "voted": ()}


def check(
    shown: Collection[str], voted: Iterable[str], *, subject: str, title: str = "the source", limit: float = 0.0
) -> Finding:
    """Counts shown examples, by id, that are voted on too: of those the model was told the answer."""
    if not shown:
        says = f"{title} shows the model no examples."
        return judge("few_shot_overlap", subject=subject, measured=None, limit=limit, says=says)
    count = len(set(shown) & set(voted))
    says = f"None of the {len(set(shown)):,} examples that {title} shows the model is among those that it votes on."
    if count:
        says = (
            f"{count:,} of the {len(set(shown)):,} examples that {title} shows the model are among those that it votes on: "
            "there it was told the answer."
        )
    return judge("few_shot_overlap", subject=subject, measured=float(count), limit=limit, says=says)
