"""Does every sentence of a document name evidence that can be opened, or say that it is not recorded?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from governance.claims import RECORD, REPRO, Claim, Document, Gap, Note, Table, Tally
from governance.claims.states import STATES
from governance.claims.words import number
from governance.documents.markdown import legend, slug
from governance.errors import GovernanceError, MissingEvidence
from governance.facts import Facts

ATTEST = "labeltrail attest "
_EVIDENCE = re.compile(r"\[(`[a-z]+:[0-9a-f]{12}`(?:, `[a-z]+:[0-9a-f]{12}`)*)(?: and \d+ more in the appendix)?\]$")
_SILENCE = re.compile(
    r": not recorded — (?:(?:(?:set|change|state) .+, then )?(`+)labeltrail repro\1"
    r"|(?:no kind of record holds this yet; a stand-in, which leaves the gap: )?(`+)labeltrail attest \S.*\2)$"
)
_COUNTED = "| Counted in this document |"
_CONTROL = re.compile(rf"^#### .+ — ({'|'.join(STATES)})$")
_LINK = re.compile(r"^\d+\. \[(.+)\]\(#([^()\s]+)\)$")
_FULL = re.compile(r"`([a-z]+:[0-9a-f]{64})`$")
_NAME = re.compile(r"`([a-z]+:[0-9a-f]+)`")


@dataclass(frozen=True)
class Fault:
    """A sentence that nobody could check, and why."""

    place: str
    says: str
    why: str


def check_document(document: Document, facts: Facts) -> list[Fault]:
    """Faults of a document as data: evidence that is not in `facts`, silences without a way out, wrong tallies."""
    faults = []
    listed = {name for name, _, _ in document.appendix}
    for section in document.sections:
        for block in section.blocks:
            faults += [Fault(section.title, says, why) for says, why in _block_faults(block, document, facts)]
    faults += [Fault("appendix", name, "cited and not listed") for name in document.cites if name not in listed]
    faults += [Fault("appendix", name, "listed and not cited") for name in sorted(listed - set(document.cites))]
    faults += [Fault("about", name, "not in the facts") for name in document.about if name not in facts]
    return faults


def _block_faults(block: object, document: Document, facts: Facts) -> Iterator[tuple[str, str]]:
    match block:
        case Claim():
            yield from _unknown(block.text, block.evidence, facts)
        case Table():
            for row in block.rows:
                yield from _unknown(" | ".join(row.cells), row.evidence, facts)
        case Gap():
            if not (block.command == REPRO if block.sort == RECORD else block.command.startswith(ATTEST)):
                yield block.text, f"no command that fits what {block.sort!r} says, but {block.command!r}"
        case Tally():
            if Counter(_sorts(block, document)) != Counter({sort: count for sort, count in block.counts if count}):
                yield block.label, "the document does not hold so many"
        case Note():
            return
        case _:
            yield str(block), "no block that this library knows"


def _sorts(block: Tally, document: Document) -> Iterator[str]:
    if block.what == "gaps":
        yield from (silence.sort for silence in document.gaps)
    else:
        yield from (s.state for s in document.sections if s.state and block.group in ("", s.group))


def _unknown(says: str, evidence: tuple[str, ...], facts: Facts) -> Iterator[tuple[str, str]]:
    for name in evidence:
        if name not in facts:
            yield says, f"{name} is not in the facts"


def check_markdown(text: str, facts: Facts) -> list[Fault]:
    """Faults of rendered Markdown, read line by line without knowing the document that it was made of."""
    faults = []
    own = _own_lines(text)
    for place, line in _statements(text):
        why = "" if line in own else _line_fault(line, facts)
        if why:
            faults.append(Fault(f"line {place}", line, why))
    return faults


def _own_lines(text: str) -> set[str]:
    """Lines that speak of this text alone and are true of it: links to its headings, its legend, counts of its controls."""
    lines = text.split("\n")
    headings = {line.removeprefix("## ") for line in lines if line.startswith("## ")}
    links = {f"[{title}](#{slug(_plain(title))})" for title in headings}
    own = {line for line in lines if _LINK.match(line) and line.partition(" ")[2] in links}
    own |= {legend(state) for state in STATES}
    for head in (i for i, line in enumerate(lines) if line.startswith(_COUNTED)):
        states = [cell.strip() for cell in lines[head].split("|")[2:-1]]
        for line in lines[head + 2 :]:
            if not line.startswith("| "):
                break
            if _counts_hold(line, states, lines):
                own.add(line)
    return own


def _counts_hold(row: str, states: list[str], lines: list[str]) -> bool:
    """Whether `| MAP, …: 18 subcategories | 1 | 9 |` is what counting the controls of the group gives."""
    label, *counts = (cell.strip() for cell in row.split("|")[1:-1])
    group, total = re.match(r"\w+", label), re.search(r": (\d+) \w+$", label)
    if group is None or total is None:
        return False
    ends = Counter(
        found[1] for line in lines if line.startswith(f"#### {group[0]} ") and (found := _CONTROL.match(line))
    )
    return [str(ends[state]) for state in states] == counts and ends.total() == int(total[1]) == sum(map(int, counts))


def _plain(heading: str) -> str:
    return re.sub(r"\\(\W)|`", r"\1", heading)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line number, line) of everything that claims something: neither front matter, headings nor notes."""
    lines = text.split("\n")
    begin = 0
    if lines and lines[0] == "---" and "---" in lines[1:]:
        begin = lines.index("---", 1) + 1
    for place, line in enumerate(lines[begin:], start=begin + 1):
        following = lines[place] if place < len(lines) else ""
        head = line.startswith("|") and following.startswith("| ---")
        if not line or head or line.startswith(("#", "> ", "| ---")) or re.fullmatch(r"\*\*[^*]+\*\*", line):
            continue
        yield place, line


def _line_fault(line: str, facts: Facts) -> str:
    said = line.removesuffix(" |") if line.startswith("|") else line
    if _SILENCE.search(said):
        return ""
    cited = _EVIDENCE.search(said) or _FULL.search(said)
    if not cited:
        return "neither evidence nor `not recorded` with a command"
    for name in _NAME.findall(cited[0]):
        try:
            facts.resolve(name)
        except GovernanceError as error:
            return error.message
    return ""


def require_sound(faults: list[Fault], *, what: str) -> None:
    """Raises MissingEvidence, which names the first sentence that nobody could check."""
    if faults:
        first = faults[0]
        raise MissingEvidence(
            f"{what}: {number(len(faults), 'sentence')} cannot be checked, "
            f"the first in {first.place}: {first.says!r} ({first.why})"
        )
