"""How is a document spelled in Markdown?"""

from __future__ import annotations

import re
from pathlib import Path

from governance.claims import PERSON, UNHELD, Block, Claim, Code, Document, Gap, Note, Section, Table, Tally
from governance.claims.states import STATES
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
    env.filters["body"] = lambda section: Safe(body(section))
    env.filters["contents"] = lambda sections: Safe(contents(sections))
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


def contents(sections: tuple[Section, ...]) -> str:
    """A link to each section of the top level, by the anchor that readers of Markdown give its heading."""
    top = [section.title for section in sections if section.level == 2]
    return "".join(f"{i}. [{escape.markdown(title)}](#{slug(title)})\n" for i, title in enumerate(top, 1))


def slug(title: str) -> str:
    """The anchor of a heading as GitHub makes it: lower case, blanks as hyphens, without any other mark."""
    return re.sub(r"[^\w\- ]", "", escape.clean(title).lower()).replace(" ", "-")


def body(section: Section) -> str:
    """What stands below a heading; counts of groups as one table, and the states with their meaning as another."""
    if section.anchor == "states":
        head = [_cells(["State", "Meaning"]), _cells(["---", "---"])]
        return "\n".join(["", *head, *(legend(state) for state in STATES)]) + "\n\n"
    tallies = [block for block in section.blocks if isinstance(block, Tally) and block.group]
    rest = [block for block in section.blocks if block not in tallies]
    told = "".join(block_lines(block, short_way=bool(section.state)) for block in rest)
    return told + (_counts(tallies) if tallies else "")


def legend(state: str) -> str:
    """One state with its symbol and meaning, as a row."""
    words = STATES[state]
    return _cells([f"{words.symbol} {state}", escape.markdown(words.meaning)])


def _counts(tallies: list[Tally]) -> str:
    """How many are in which state, one row a group; whoever reads the document can count again, and the lint does."""
    used = [state for state in STATES if any(state in dict(tally.counts) for tally in tallies)]
    lines = ["", _cells(["Counted in this document", *used]), _cells(["---"] * (len(used) + 1))]
    for tally in tallies:
        counts = dict(tally.counts)
        lines.append(_cells([escape.markdown(tally.label), *(str(counts.get(state, 0)) for state in used)]))
    return "\n".join(lines) + "\n\n"


def block_lines(block: Block, *, short_way: bool = False) -> str:
    """One block as lines of Markdown, each ending with a line feed; `short_way` where a list gives the way out in full."""
    match block:
        case Claim():
            who = "**A person states:** " if block.person else ""
            return f"- {who}{escape.markdown(block.text)} {evidence(block.evidence)}\n"
        case Gap():
            who = "**Only a person can state:** " if block.sort == PERSON else ""
            who = f"{', '.join(block.of)}: {who}" if block.of else who
            return f"- {who}{escape.markdown(block.text)}: {silence(block, short_way=short_way)}\n"
        case Note():
            return f"\n> {escape.markdown(block.text)}\n\n"
        case Tally():
            told = "; ".join(f"{escape.markdown(state)} {count}" for state, count in block.counts)
            # No claim about the world: whoever reads the document can count it, and the lint does.
            return f"\n> {escape.markdown(block.label)}: {told} (counted in this document)\n\n"
        case Table():
            return _table(block)


def silence(block: Gap, *, short_way: bool = False) -> str:
    """`not recorded — labeltrail repro`, with what to write first, or with what can only stand in."""
    command = block.command
    if short_way and " --" in command:
        command = f"{command.partition(' --')[0]} …"
    if block.sort == UNHELD:
        return (
            f"not recorded — no kind of record holds this yet; a stand-in, which leaves the gap: {escape.code(command)}"
        )
    first = f"{''.join(_part(part) for part in block.edit)}, then " if block.edit else ""
    return f"not recorded — {first}{escape.code(command)}"


def _part(part: str) -> str:
    """A piece of an instruction: code as code, words with the blanks around them."""
    if isinstance(part, Code):
        return escape.code(part)
    told = escape.markdown(part)
    return f"{' ' * part.startswith(' ')}{told}{' ' * (part.endswith(' ') and bool(told))}"


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
