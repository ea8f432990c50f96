"""Is a judgement turned round, as in "not good" or "no problems"?"""

from __future__ import annotations

import re

from governance.sources import ABSTAIN, source
from pipelines.sources._words import NEGATIVE, POSITIVE, leans, negates, words_of

#: how many words a negation reaches inside its clause
REACH = 3
#: plain words that complain once they are negated: "doesn't work", "don't like"
WANTED = frozenset(
    [
        "able",
        "care",
        "enough",
        "fair",
        "feel",
        "like",
        "liked",
        "support",
        "sure",
        "want",
        "well",
        "work",
        "worked",
        "working",
        "works",
    ]
)
_CLAUSE = re.compile(r"[.,;:!?()\"/\u2026]+|\s-+\s|\b(?:but|and|or|because|though|although)\b", re.IGNORECASE)
#: where a negation turns nothing round: "can't wait", "not only", "nothing but", "couldn't be better", "no doubt"
_IDIOM = re.compile(
    r"\bcan(?:'|no)?t (?:wait|help|stop|beat|get enough|praise)\b|\bno doubt\b"
    r"|\bnot (?:only|just|least|to mention|so much)\b"
    r"|\bnothing (?:but|short of)\b|n[o']t be (?:better|happier|more)\b|\bnever (?:been|felt|seen)\b|\bwhy not\b",
    re.IGNORECASE,
)


@source("negation")
def negation(text: str) -> int:
    """Negative for negated positive words, positive for negated negative words, unless the rest leans the other way."""
    plain = _IDIOM.sub(" ", text.replace("\u2019", "'"))
    found = set()
    rest = 0
    for clause in _CLAUSE.split(plain):
        words = words_of(clause)
        turned = {side for place, word in enumerate(words) if negates(word) for side in _reached(words, place)}
        found |= turned
        rest += 0 if turned else leans(words)
    if len(found) != 1:
        return ABSTAIN
    side = found.pop()
    return side if (rest <= 0 if side == 0 else rest >= 0) else ABSTAIN


def _reached(words: list[str], place: int) -> list[int]:
    """The sides, turned round, of the first judging word behind a negation."""
    for word in words[place + 1 : place + 1 + REACH]:
        if word in POSITIVE or word in WANTED:
            return [0]
        if word in NEGATIVE:
            return [1]
    return []
