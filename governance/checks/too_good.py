"""Is a source right more often than one would believe: had it seen the answers, or does it vouch for itself?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge, percent
from governance.checks._sources import Judged
from governance.records import Finding

EMPTY: dict[str, object] = {"sources": []}


def check(
    sources: Sequence[Judged], *, subject: str, on: str = "the examples", believable: float = 0.98, limit: float = 0.0
) -> Finding:
    """Counts sources that are right on more than `believable`: on gold, or as the label model learned.

    On gold the whole interval has to lie above, and it is a reason to ask whether the source had seen the examples. In
    what the label model learned it is the sign of a camp that outvotes all others; there nobody passes, because only
    gold says how good a source is.
    """
    spoken = [source for source in sources if source.accuracy is not None]
    above = [source for source in spoken if source.accuracy is not None and source.accuracy > believable]
    better = [source for source in above if not source.on_gold or source.low is None or source.low > believable]
    beside = f"where {percent(believable)} is believable"
    if better:
        told = "; ".join(source.told(beside) for source in better)
        return _judged(float(len(better)), f"Too good to be believed unseen on {on}: {told}.", subject, limit)
    if above:
        told = "; ".join(source.told(beside) for source in above)
        return _judged(None, f"Whether they are too good on {on} is not known: {told}.", subject, limit)
    unheld = [source.title for source in spoken if not source.on_gold]
    if not spoken or unheld:
        told = f": {', '.join(unheld)}" if unheld else ""
        return _judged(
            None, f"Sources that were not held against gold on {on} cannot be believed{told}.", subject, limit
        )
    says = f"No source is right on more than {percent(believable)} of {on}, held against gold."
    return _judged(0.0, says, subject, limit)


def _judged(measured: float | None, says: str, subject: str, limit: float) -> Finding:
    return judge("too_good", subject=subject, measured=measured, limit=limit, says=says)
