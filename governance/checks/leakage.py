"""Does any test example also appear in training?"""

from __future__ import annotations

from collections.abc import Sequence

from governance.checks._judge import judge
from governance.checks.duplicates import same_words
from governance.records import Finding

EMPTY: dict[str, object] = {"texts": [], "splits": []}


def check(
    texts: Sequence[str],
    splits: Sequence[str],
    *,
    subject: str,
    train: str = "train",
    test: str = "test",
    limit: float = 0.0,
) -> Finding:
    """Counts test texts that training holds too, compared by the same words that keep texts in one split."""
    seen = {same_words(text) for text, split in zip(texts, splits, strict=True) if split == train}
    tested = [same_words(text) for text, split in zip(texts, splits, strict=True) if split == test]
    if not seen or not tested:
        says = f"There was no {test} or no {train} split to compare."
        return judge("leakage", subject=subject, measured=None, limit=limit, says=says)
    leaked = sum(text in seen for text in tested)
    says = (
        f"{leaked:,} of {len(tested):,} {test} texts also appear in the {train} split, compared by their words alone: "
        "capital letters, white space and punctuation do not count."
    )
    return judge("leakage", subject=subject, measured=leaked / len(tested), limit=limit, says=says)
