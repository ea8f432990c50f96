"""Is a source wrong more often than one that does not look at the example?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge, percent
from governance.checks._sources import Judged
from governance.records import Finding

EMPTY: dict[str, object] = {"sources": []}


def check(sources: Sequence[Judged], *, subject: str, on: str = "the examples", limit: float = 0.0) -> Finding:
    """Counts sources whose accuracy lies below chance: with its whole interval on gold, or as the label model learned.

    Nobody passes on what the label model learned alone: copies of a bad source look perfect to it. Nor does anybody whose
    interval holds chance.
    """
    spoken = [source for source in sources if source.accuracy is not None]
    worse = [source for source in spoken if _below(source)]
    open_ = [source for source in spoken if source not in worse and not _above(source)]
    if worse:
        told = "; ".join(source.told(f"chance is {percent(source.chance)}") for source in worse)
        return _judged(float(len(worse)), f"Worse than chance on {on}: {told}.", subject, limit)
    if not spoken:
        return _judged(None, f"No source was held against anything on {on}.", subject, limit)
    if open_:
        told = "; ".join(source.told(f"chance is {percent(source.chance)}") for source in open_)
        return _judged(None, f"Whether they are better than chance on {on} is not known: {told}.", subject, limit)
    return _judged(0.0, f"All {len(spoken)} sources are better than chance on {on}, held against gold.", subject, limit)


def _below(source: Judged) -> bool:
    value = source.high if source.on_gold and source.high is not None else source.accuracy
    return value is not None and value < source.chance


def _above(source: Judged) -> bool:
    return source.on_gold and source.low is not None and source.low >= source.chance


def _judged(measured: float | None, says: str, subject: str, limit: float) -> Finding:
    return judge("worse_than_chance", subject=subject, measured=measured, limit=limit, says=says)
