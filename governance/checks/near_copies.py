"""Do two sources say the same, so that one voice counts twice?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.checks._judge import judge, percent
from governance.records import Finding

EMPTY: dict[str, object] = {"pairs": [], "sources": 0}

Pair = tuple[str, str, float, float]


def check(
    pairs: Sequence[Pair],
    sources: int,
    *,
    subject: str,
    limit: float = 0.0,
    groups: Sequence[Sequence[str]] = (),
    explained: Mapping[tuple[str, str], float] | None = None,
    unweighed: int = 0,
) -> Finding:
    """Counts pairs that vote alike: (one, other, share of rows in common, share agreed of these).

    `groups` are the columns that pairs hang together; one of three and more is told as one. `explained` is the share of
    agreement that one truth explains, by pair, where that could be weighed; `unweighed` is how many pairs more may be
    copies, on too few rows to say so. A pair is a reason to look and never a reason to drop: honest relatives look like
    copies too.
    """
    if sources < 2:
        says = "There were no two sources to compare."
        return judge("near_copies", subject=subject, measured=None, limit=limit, says=says)
    large = [tuple(group) for group in groups if len(group) > 2]
    grouped = {column for group in large for column in group}
    told = [_group(group, pairs, explained or {}) for group in sorted(large)]
    told += [_pair(pair, explained or {}) for pair in sorted(pairs) if not grouped >= set(pair[:2])]
    says = f"To review: {'; '.join(told)}." if pairs else f"No two of {sources} sources vote nearly the same."
    measured = float(len(pairs))
    if unweighed:
        vote = "1 pair votes" if unweighed == 1 else f"{unweighed} pairs vote"
        says += f" {vote} on the same rows as copies would, on too few of them to tell."
        # Too few rows to find a copy are no proof that there is none.
        measured = measured if pairs else None
    return judge("near_copies", subject=subject, measured=measured, limit=limit, says=says)


def _pair(pair: Pair, explained: Mapping[tuple[str, str], float]) -> str:
    one, other, shared, agreed = pair
    says = f"{one} and {other} share {percent(shared)} of their rows and agree on {percent(agreed)} of these"
    expected = explained.get((one, other))
    return says if expected is None else f"{says}, where one truth explains {percent(expected)}"


def _group(group: Sequence[str], pairs: Sequence[Pair], explained: Mapping[tuple[str, str], float]) -> str:
    inside = [pair for pair in pairs if set(group) >= set(pair[:2])]
    agreed = [pair[3] for pair in inside]
    says = (
        f"{len(group)} sources hang together ({', '.join(group)}): pairs of them share at least "
        f"{percent(min(pair[2] for pair in inside))} of their rows and agree on {percent(min(agreed))} to "
        f"{percent(max(agreed))} of these"
    )
    expected = [explained[pair[:2]] for pair in inside if pair[:2] in explained]
    return f"{says}, where one truth explains at most {percent(max(expected))}" if expected else says
