"""Whom is it about, and which bytes would give her away?"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import mmap
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from governance.documents import escape

#: fewer bytes, or digits, than this stand anywhere by chance; they are only looked for where ids and subjects stand
SHORTEST, SHORTEST_NUMBER = 4, 8
_LONG = 12
_WORD = re.compile(rb"[0-9A-Za-z_]")
#: a number that a column of 64 bits can hold
_WHOLE = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Person:
    """A value of the subject column with the ids and the texts of her rows. Nothing of it is ever shown by itself."""

    subject: str = field(repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)
    texts: frozenset[str] = field(default=frozenset(), repr=False)
    #: whether digests, other encodings and base64 of all these are searched too
    thorough: bool = False
    #: what cannot be told of her for sure: what, and why
    unsure: tuple[tuple[str, str], ...] = ()
    #: names of others in which one of hers stands: `author-anna-2` is not `author-anna`
    longer: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def names(self) -> frozenset[str]:
        """What names her: the subject and the ids of her rows."""
        return self.ids | {self.subject}

    @cached_property
    def telling(self) -> frozenset[str]:
        """Those of her names that mean her wherever they stand: `1` is a label of others, too."""
        return frozenset(name for name in self.names if _tells(name))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Those of her names that a table may hold as numbers."""
        return frozenset(int(name) for name in self.telling if _WHOLE.fullmatch(name))

    @cached_property
    def too_short(self) -> int:
        """How many of her names and texts are too short to be searched by bytes."""
        return sum(not _tells(text) for text in self.names | self.texts)

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Finds her in bytes; `tweets/1` does not stand in `tweets/10`."""
        texts = sorted(self.names | self.texts)
        told = {_bounded(encoded(spelling)) for text in texts if _tells(text) for spelling in _spellings(text)}
        if self.thorough:
            told |= {re.escape(trace) for trace in _traces(texts)} | _other_encodings(texts)
        # Nothing at all is found by a pattern that can match nowhere.
        return re.compile(b"|".join(sorted(told, key=len, reverse=True)) or rb"(?!)")

    def is_in(self, data: bytes | mmap.mmap) -> bool:
        """Whether she stands in these bytes, and not only as a part of somebody else's name."""
        return any(not self._is_anothers(data, *match.span()) for match in self.pattern.finditer(data))

    @cached_property
    def _around(self) -> dict[tuple[int, int], set[bytes]]:
        """Longer names of others as bytes, by how many bytes they have before and behind hers."""
        found: dict[tuple[int, int], set[bytes]] = {}
        for data in (data for name in self.longer for data in _encoded(name)):
            for match in self.pattern.finditer(data):
                found.setdefault((match.start(), len(data) - match.end()), set()).add(data)
        return found

    def _is_anothers(self, data: bytes | mmap.mmap, start: int, stop: int) -> bool:
        for (before, behind), names in self._around.items():
            first, last = start - before, stop + behind
            if first >= 0 and data[first:last] in names:
                goes_on = _joined(data[max(first - 1, 0) : first + 1]) or _joined(data[last - 1 : last + 1])
                if not goes_on:
                    return True
        return False


def encoded(text: str) -> bytes:
    """A text as UTF-8; half a character, which JSON can hold, as the bytes that it would have."""
    return text.encode(errors="surrogatepass")


def _tells(text: str) -> bool:
    return len(encoded(text)) >= (SHORTEST_NUMBER if text.isdigit() else SHORTEST)


def _spellings(text: str) -> set[str]:
    """A text as plain files, JSON with and without other letters than ASCII, CSV, SQL, YAML, HTML and Markdown spell it,
    letters with their marks as one character or as two."""
    import yaml

    quoted = {json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False)}
    # pandas and PHP write a slash in JSON with a backslash before it.
    quoted |= {one.replace("/", "\\/") for one in quoted}
    escaped = html.escape(text)
    # Jinja2, which writes our own pages too, has numbers for both quotes.
    pages = {escaped, html.escape(text, quote=False), escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    yaml_quoted = yaml.safe_dump(text, default_style='"', width=float("inf")).strip()[1:-1]
    told = {text, text.replace('"', '""'), text.replace("'", "''"), yaml_quoted, escape.markdown(text), *pages, *quoted}
    told = {one for one in told if _tells(one)}
    return {unicodedata.normalize(form, one) for one in told for form in ("NFC", "NFD")} | told


def _encoded(name: str) -> Iterator[bytes]:
    """A name as every encoding and spelling that is searched has it."""
    yield from (encoded(spelling) for spelling in _spellings(name))
    yield from (name.encode(f"utf-16-{order}", errors="surrogatepass") for order in ("le", "be"))
    with suppress(UnicodeEncodeError):
        yield name.encode("cp1252")


def _joined(two: bytes) -> bool:
    """Whether these are two characters of one word."""
    return len(two) == 2 and all(_WORD.match(two[n : n + 1]) for n in range(2))


def _bounded(needle: bytes) -> bytes:
    before = rb"(?<![0-9A-Za-z_])" if _WORD.match(needle[:1]) else b""
    after = rb"(?![0-9A-Za-z_])" if _WORD.match(needle[-1:]) else b""
    return before + re.escape(needle) + after


def _traces(texts: Iterable[str]) -> set[bytes]:
    """Unsalted digests of a text as bytes, in hexadecimal and in base64, and what of its own base64 is always the same."""
    found: set[bytes] = set()
    for text in texts:
        data = encoded(text)
        for algorithm in ("sha256", "sha1", "md5", "sha512"):
            digest = hashlib.new(algorithm, data, usedforsecurity=False)
            found |= {digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode()}
            found.add(base64.b64encode(digest.digest()).rstrip(b"="))
        # Three alignments; the characters at both ends also depend on what stands beside the text, so that a short one
        # would be taken for its neighbours.
        for shift in range(3) if len(data) >= _LONG else ():
            packed = base64.b64encode(b"\x00" * shift + data)
            found.add(packed[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6])
    return found


def _other_encodings(texts: Iterable[str]) -> set[bytes]:
    """UTF-16 in both orders, and the encoding that spreadsheets of western Europe write, each as a word of its own."""
    found: set[bytes] = set()
    for text in (text for text in texts if _tells(text)):
        little, big = (re.escape(text.encode(f"utf-16-{order}", errors="surrogatepass")) for order in ("le", "be"))
        found |= {little + rb"(?![0-9A-Za-z_]\x00)", big + rb"(?!\x00[0-9A-Za-z_])"}
        with suppress(UnicodeEncodeError):
            found.add(_bounded(text.encode("cp1252")))
    return found
