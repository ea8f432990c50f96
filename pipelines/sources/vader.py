"""Does VADER's compound score lean to one side?"""

from __future__ import annotations

from functools import cache
from typing import Any

from governance.sources import ABSTAIN, source

#: the limits that VADER's authors recommend
LEAN = 0.05


@cache
def _analyser() -> Any:
    # Imported late: `registered` has said by then, with the way out, where the distribution is not installed.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@source("vader")
def vader(text: str) -> int:
    """Positive from +0.05, negative from -0.05, silent between."""
    compound = _analyser().polarity_scores(text)["compound"]
    if compound >= LEAN:
        return 1
    return 0 if compound <= -LEAN else ABSTAIN
