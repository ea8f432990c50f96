"""Which labels change, from what to what, and in which part of the rows?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from governance.project.counterfactual.gold import Gold, measured
from governance.project.counterfactual.slices import Slice

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: so many ids are told, for `labeltrail why` to be asked about
FIRST = 5


def changes(
    was: tuple[np.ndarray, np.ndarray],
    now: tuple[np.ndarray, np.ndarray],
    *,
    ids: pl.Series,
    classes: Sequence[str],
    cuts: Sequence[Slice],
    gold: Gold | None,
) -> dict[str, Any]:
    """Labels before and after, each (int8 (rows), P(class) rows x classes): counts, pairs, slices, and gold beside both.

    A label flips where it becomes another, and is lost where none is left. Accuracy after is that of the rows which still
    have a label; `right` counts them, so that both can be compared on all.
    """
    import numpy as np

    before, after = was[0], now[0]
    flipped = (before >= 0) & (after >= 0) & (before != after)
    lost, gained = (before >= 0) & (after < 0), (before < 0) & (after >= 0)
    changed = flipped | lost | gained
    everywhere = np.ones(len(before), dtype=np.bool_)
    pairs = [
        {"was": _name(classes, a), "now": _name(classes, b), "rows": int(((before == a) & (after == b)).sum())}
        for a in range(-1, len(classes))
        for b in range(-1, len(classes))
        if a != b and ((before == a) & (after == b)).any()
    ]
    return {
        "changed": int(changed.sum()),
        "flipped": int(flipped.sum()),
        "lost": int(lost.sum()),
        "gained": int(gained.sum()),
        "pairs": sorted(pairs, key=lambda pair: (-pair["rows"], str(pair["was"]), str(pair["now"]))),
        "first": [ids[int(place)] for place in np.flatnonzero(flipped)[:FIRST]],
        "before": measured(gold, *was, everywhere),
        "after": measured(gold, *now, everywhere),
        "slices": [
            {
                "slice": name,
                "rows": int(rows.sum()),
                "changed": int((changed & rows).sum()),
                "flipped": int((flipped & rows).sum()),
                "lost": int((lost & rows).sum()),
                "before": measured(gold, *was, rows),
                "after": measured(gold, *now, rows),
            }
            for name, rows in cuts
        ],
    }


def _name(classes: Sequence[str], label: int) -> str | None:
    return classes[label] if label >= 0 else None
