"""Which texts repeat an earlier one?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"duplicate_of": []}
_WORD = re.compile(r"[^\W_]+")


def same_text(text: str) -> str:
    """What two texts have in common that differ in white space only."""
    return " ".join(text.split())


def same_words(text: str) -> str:
    """What two texts of the same words have in common, whatever their capital letters, white space and punctuation.

    Words are runs of letters and digits; a text without any is compared by its signs.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_WORD.findall(folded)) or same_text(folded)


def first_of_same(
    ids: Sequence[str], texts: Sequence[str], *, same: Callable[[str], str] = same_text
) -> list[str | None]:
    """For each text the id of the first that is the same by `same`; None for the first itself."""
    first: dict[str, str] = {}
    found: list[str | None] = []
    for example, text in zip(ids, texts, strict=True):
        original = first.setdefault(same(text), example)
        found.append(None if original == example else original)
    return found


def check(duplicate_of: Sequence[str | None], *, subject: str, limit: float = 0.01) -> Finding:
    """Judges the share of examples that repeat an earlier text."""
    if not len(duplicate_of):
        return judge("duplicates", subject=subject, measured=None, limit=limit, says="There were no texts to compare.")
    repeated = sum(original is not None for original in duplicate_of)
    share = repeated / len(duplicate_of)
    says = f"{repeated:,} of {len(duplicate_of):,} texts ({percent(share)}) repeat an earlier one, which each names."
    return judge("duplicates", subject=subject, measured=share, limit=limit, says=says)
