"""Whom is it about, and which bytes would give her away?"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

#: fewer bytes than this stand anywhere by chance; they are only compared with whole cells
SHORTEST = 4
_LONG = 12
_WORD = re.compile(rb"[0-9A-Za-z_]")


@dataclass(frozen=True)
class Person:
    """A value of the subject column with the ids and the texts of her rows. Nothing of it is ever shown by itself."""

    subject: str = field(repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)
    texts: frozenset[str] = field(default=frozenset(), repr=False)
    #: whether digests, other encodings and base64 of all these are searched too
    thorough: bool = False

    @property
    def names(self) -> frozenset[str]:
        """What names her: the subject and the ids of her rows."""
        return self.ids | {self.subject}

    @cached_property
    def too_short(self) -> int:
        """How many of her names and texts are too short to be searched by bytes."""
        return sum(len(text.encode()) < SHORTEST for text in self.names | self.texts)

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Finds her in bytes; `tweets/1` does not stand in `tweets/10`."""
        texts = sorted(self.names | self.texts)
        told = {_bounded(text.encode()) for text in texts if len(text.encode()) >= SHORTEST}
        if self.thorough:
            told |= {re.escape(trace) for trace in _traces(texts)} | _other_spellings(texts)
        # Nothing at all is found by a pattern that can match nowhere.
        return re.compile(b"|".join(sorted(told, key=len, reverse=True)) or rb"(?!)")

    def is_in(self, data: bytes | memoryview) -> bool:
        """Whether she stands in these bytes."""
        return self.pattern.search(data) is not None


def _bounded(needle: bytes) -> bytes:
    before = rb"(?<![0-9A-Za-z_])" if _WORD.match(needle[:1]) else b""
    after = rb"(?![0-9A-Za-z_])" if _WORD.match(needle[-1:]) else b""
    return before + re.escape(needle) + after


def _traces(texts: Iterable[str]) -> set[bytes]:
    """Unsalted digests of a text as bytes, in hexadecimal and in base64, and what of its own base64 is always the same."""
    found: set[bytes] = set()
    for text in texts:
        data = text.encode()
        for algorithm in ("sha256", "sha1", "md5", "sha512"):
            digest = hashlib.new(algorithm, data, usedforsecurity=False)
            found |= {digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode()}
            found.add(base64.b64encode(digest.digest()).rstrip(b"="))
        # Three alignments; the characters at both ends also depend on what stands beside the text, so that a short one
        # would be taken for its neighbours.
        for shift in range(3) if len(data) >= _LONG else ():
            encoded = base64.b64encode(b"\x00" * shift + data)
            found.add(encoded[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6])
    return found


def _other_spellings(texts: Iterable[str]) -> set[bytes]:
    """UTF-16 in both orders, and JSON as a writer spells it that knows ASCII alone, each as a word of its own."""
    found: set[bytes] = set()
    for text in (text for text in texts if len(text.encode()) >= SHORTEST):
        little, big = (re.escape(text.encode(f"utf-16-{order}")) for order in ("le", "be"))
        found |= {little + rb"(?![0-9A-Za-z_]\x00)", big + rb"(?!\x00[0-9A-Za-z_])"}
        found.add(_bounded(json.dumps(text)[1:-1].encode()))
    return found
