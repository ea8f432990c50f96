"""What does a text say after "but"?"""

from __future__ import annotations

import re

from governance.sources import ABSTAIN, source
from pipelines.sources._words import leans, words_of

_TURN = re.compile(r"\b(?:but|however|yet|nevertheless|still)\b", re.IGNORECASE)


@source("contrast")
def contrast(text: str) -> int:
    """The side to which the words after the last turn lean, because a writer's judgement stands behind the turn."""
    parts = _TURN.split(text)
    if len(parts) < 2:
        return ABSTAIN
    lean = leans(words_of(parts[-1]))
    if lean > 0:
        return 1
    return 0 if lean < 0 else ABSTAIN
