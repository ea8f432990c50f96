"""Which rows does a seed draw from a committed table?"""

from __future__ import annotations

import hashlib
from itertools import count

from governance.errors import InvalidRecord

_PREFIX = b"labeltrail-challenge/1\n"


def draw_rows(seed: str, *, root: str, size: int, rows: int) -> list[int]:
    """`rows` different row numbers below `size`, in the order in which they are drawn.

    The n-th draw, from 0, is SHA-256("labeltrail-challenge/1" LF seed LF root LF n) as a number, modulo the size; a row
    that was drawn before is passed over. `root` is the commitment's, in hexadecimal: whoever gives the seed after it was
    entered knows that the rows could not be chosen for the seed. Raises InvalidRecord for more rows than there are, and
    for a seed that is no text, as a terminal hands on bytes that are not UTF-8.
    """
    if not 0 < rows <= size:
        raise InvalidRecord("rows", rows, f"at least one row and at most the {size} that there are")
    try:
        begun = _PREFIX + f"{seed}\n{root}\n".encode()
    except UnicodeEncodeError:
        raise InvalidRecord("seed", seed, "text without lone surrogates") from None
    drawn: dict[int, None] = {}
    for number in count():
        digest = hashlib.sha256(begun + str(number).encode()).digest()
        drawn[int.from_bytes(digest, "big") % size] = None
        if len(drawn) == rows:
            break
    return list(drawn)
