"""How does text from a record stay text, in Markdown and in YAML?"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: every character that can begin or end something in CommonMark, GitHub's tables, footnotes and mathematics
_MARKS = re.compile(r"([\\`*_\[\]<>|~&$])")
_LEADING = re.compile(r"^([#+\-=:]|\d{1,9}(?=[.)](?:\s|$)))")
# Cc control, Cf format (all bidirectional marks, zero-width characters and tags), Cs lone surrogates, Co and Cn unassigned
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
#: what readers of GitHub's Markdown turn into links and mentions, and the run of characters around it
_ADDRESS = re.compile(r"(?i)(?:https?|ftp|mailto|xmpp):|://|www\.|@\w")
_RUN = re.compile(r"([\w@:/.~%+=#?&-]+)")
_ENDING = ".:?"


def clean(text: str) -> str:
    """One line without control characters, bidirectional marks and invisible characters; white space collapsed."""
    spaced = "".join(" " if char.isspace() or unicodedata.category(char) in ("Zl", "Zp") else char for char in text)
    return " ".join("".join(char for char in spaced if unicodedata.category(char) not in _UNSEEN).split())


def markdown(text: str) -> str:
    """`text` as Markdown that reads as exactly this text: no markup, no link, no heading, no list, no table cell.

    Addresses and names behind an @ become code: there they read as they are, and no reader makes links of them.
    """
    # Every second piece is a run of the characters that addresses are made of.
    pieces = _RUN.split(clean(text))
    told = "".join(_MARKS.sub(r"\\\1", piece) if not i % 2 else _run(piece) for i, piece in enumerate(pieces))
    return _LEADING.sub(_lead, told)


def _run(piece: str) -> str:
    address = piece.rstrip(_ENDING)
    if not _ADDRESS.search(address):
        return _MARKS.sub(r"\\\1", piece)
    return f"`{address}`{piece[len(address) :]}"


def _lead(found: re.Match[str]) -> str:
    lead = found[0]
    # `1.` begins a list by its dot, anything else by itself.
    return f"&#{ord(lead[0])};{lead[1:]}" if lead[0].isdigit() else f"\\{lead}"


def code(text: str) -> str:
    """`text` as a Markdown code span, also where it holds backticks; not for table cells, which end at a bar."""
    text = clean(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def plain(value: Any) -> Any:
    """Strings inside front matter cleaned, all the way down."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def front_matter(value: dict[str, Any]) -> str:
    """YAML that reads back as `value`, through the safe dumper alone."""
    import yaml

    # A folded line could begin with `---` and end the front matter early.
    return yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, width=1_000_000)
