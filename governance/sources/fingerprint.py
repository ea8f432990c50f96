"""How would we notice that a source votes differently from before?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from governance.fingerprint import Behaviour, behaviour

__all__ = ["Behaviour", "fingerprint"]


def fingerprint(vote: Callable[..., Any]) -> Behaviour:
    """The behaviour of what votes; the mark that registers it as a source is no part of it."""
    return behaviour(vote)
