"""Does a text use words that only one side uses?"""

from __future__ import annotations

from governance.sources import ABSTAIN, source
from pipelines.sources._words import NEGATIVE, POSITIVE, negates, words_of


@source("positive_words")
def positive_words(text: str) -> int:
    """Positive where a word of the positive list stands, no word of the negative list does, and nothing negates."""
    words = words_of(text)
    if any(word in NEGATIVE or negates(word) for word in words):
        return ABSTAIN
    return 1 if any(word in POSITIVE for word in words) else ABSTAIN


@source("negative_words")
def negative_words(text: str) -> int:
    """Negative where a word of the negative list stands, no word of the positive list does, and nothing negates."""
    words = words_of(text)
    if any(word in POSITIVE or negates(word) for word in words):
        return ABSTAIN
    return 0 if any(word in NEGATIVE for word in words) else ABSTAIN
