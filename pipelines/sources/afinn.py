"""Do AFINN's word scores sum to one side?"""

from __future__ import annotations

from functools import cache
from typing import Any

from governance.sources import ABSTAIN, source


@cache
def _scorer() -> Any:
    # Imported late: `registered` has said by then, with the way out, where the distribution is not installed.
    from afinn import Afinn

    return Afinn(emoticons=True)


@source("afinn")
def afinn(text: str) -> int:
    """The sign of the sum; silent at zero."""
    score = _scorer().score(text)
    if score > 0:
        return 1
    return 0 if score < 0 else ABSTAIN
