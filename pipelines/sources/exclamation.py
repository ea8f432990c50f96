"""Is something exclaimed, and nothing bad named?"""

from __future__ import annotations

from governance.sources import ABSTAIN, source
from pipelines.sources._words import NEGATIVE, negates, words_of


@source("exclamation")
def exclamation(text: str) -> int:
    """Positive for an exclamation mark without a question, a negation or a word of the negative list."""
    if "!" not in text or "?" in text:
        return ABSTAIN
    return ABSTAIN if any(word in NEGATIVE or negates(word) for word in words_of(text)) else 1
