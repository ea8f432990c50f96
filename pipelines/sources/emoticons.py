"""Is there a face or a heart, and which way does it look?"""

from __future__ import annotations

import html
import re

from governance.sources import ABSTAIN, source

_HAPPY = re.compile(
    r"(?:(?<!\w)[:;=8xX][-^o']?[)\]D}*]+|\^[_.]?\^|<3+|(?<!\w)[(\[][-^]?[:;=]|(?<!\w)[:;=][-]?[pP]\b|[\u2764\U0001F600-\U0001F60D])"
)
_SAD = re.compile(
    r"(?:(?<!\w)[:=;][-^']?[(\[{@|/\\]+(?!/)|[)\]][-^]?[:=](?!\w)|</3|-_+-|(?<!\w)D[:=](?!\w)|[\U0001F61E-\U0001F62D])"
)


@source("emoticons")
def emoticons(text: str) -> int:
    """Positive for happy faces and hearts only, negative for sad ones only."""
    # Tweets carry "&lt;3" for a heart; links carry ":/" and are no faces.
    plain = re.sub(r"https?://\S*", " ", html.unescape(text))
    sad = bool(_SAD.search(plain))
    happy = bool(_HAPPY.search(plain.replace("</3", " ")))
    if happy == sad:
        return ABSTAIN
    return 1 if happy else 0
