"""How is a document spelled in Markdown?"""

from __future__ import annotations

import re
from pathlib import Path

from governance.claims import Claim, Document, Gap, Note, Section, Table, Tally
from governance.documents import escape
from governance.documents.templates import Safe, environment, render
from governance.errors import InvalidRecord
from governance.facts import short

#: how many records a sentence names before it points at the appendix for the rest
SHOWN = 6


def render_markdown(document: Document, templates: Path) -> str:
    """The document through the template `KIND.md.j2` in `templates`. Raises ConfigurationError."""
    env = environment(templates, html=False, spell=_spelled)
    env.filters["evidence"] = lambda said: Safe(evidence(said.evidence))
    env.filters["code"] = lambda text: Safe(escape.code(text))
    env.filters["yaml"] = lambda value: Safe(escape.front_matter(value))
    env.filters["block"] = lambda block: Safe(block_lines(block))
    env.filters["heading"] = lambda section: Safe(heading(section))
    env.filters["short"] = short
    text = render(env, f"{document.kind}.md.j2", document=document)
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def evidence(names: tuple[str, ...]) -> str:
    """``[`evaluation:3fa9c1d2e4b5`, `model:…`]``, with a count of those that only the appendix lists."""
    shown = [escape.code(short(name)) for name in names[:SHOWN]]
    more = len(names) - len(shown)
    return f"[{', '.join(shown)}{f' and {more} more in the appendix' if more else ''}]"


def block_lines(block: Claim | Gap | Table | Note | Tally) -> str:
    """One block as lines of Markdown, each ending with a line feed."""
    match block:
        case Claim():
            who = "**A person states:** " if block.person else ""
            return f"- {who}{escape.markdown(block.text)} {evidence(block.evidence)}\n"
        case Gap():
            who = "**Only a person can state:** " if block.person else ""
            who = f"{', '.join(block.of)}: {who}" if block.of else who
            return f"- {who}{escape.markdown(block.text)}: {silence(block)}\n"
        case Note():
            return f"\n> {escape.markdown(block.text)}\n\n"
        case Tally():
            told = "; ".join(f"{escape.markdown(state)} {count}" for state, count in block.counts)
            # No claim about the world: whoever reads the document can count it, and the lint does.
            return f"\n> {escape.markdown(block.label)}: {told} (counted in this document)\n\n"
        case Table():
            return _table(block)


def silence(block: Gap) -> str:
    """`not recorded — labeltrail repro`, with what to write first."""
    first = f"edit {escape.code(block.edit)}, then " if block.edit else ""
    return f"not recorded — {first}{escape.code(block.command)}"


def heading(section: Section) -> str:
    """A heading, and the state of the control where the section is about one."""
    state = f" — {escape.markdown(section.state)}" if section.state else ""
    return f"{'#' * section.level} {escape.markdown(section.title)}{state}"


def _table(table: Table) -> str:
    columns = [*table.columns, "Evidence"]
    lines = ["", f"**{escape.markdown(table.caption)}**", "", _cells([escape.markdown(column) for column in columns])]
    lines.append(_cells(["---"] * len(columns)))
    lines += [_cells([*(_cell(cell) for cell in row.cells), evidence(row.evidence)]) for row in table.rows]
    return "\n".join(lines) + "\n\n"


def _cell(text: str) -> str:
    return escape.markdown(text) or "–"


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spelled(value: object) -> object:
    """What a template prints: our own markup as it is, everything else escaped."""
    if isinstance(value, Safe):
        return value
    if isinstance(value, str):
        return escape.markdown(value)
    if isinstance(value, (int, bool)):
        return str(value)
    raise InvalidRecord("template", type(value).__name__, "text, a number or the answer of a filter")
