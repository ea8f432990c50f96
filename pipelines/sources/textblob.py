"""Does TextBlob's polarity lean to one side?"""

from __future__ import annotations

from functools import cache
from typing import Any

from governance.sources import ABSTAIN, source

#: weaker leanings were right less often on the training and validation splits (polarity runs from -1 to 1)
LEAN = 0.1


@cache
def _analyser() -> Any:
    # Imported late: `registered` has said by then, with the way out, where the distribution is not installed.
    from textblob.sentiments import PatternAnalyzer

    return PatternAnalyzer()


@source("textblob")
def textblob(text: str) -> int:
    """Positive above +0.1, negative below -0.1, silent between."""
    polarity = _analyser().analyze(text).polarity
    if polarity > LEAN:
        return 1
    return 0 if polarity < -LEAN else ABSTAIN
