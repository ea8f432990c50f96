"""How do answers become the sections of a document, with an appendix of everything cited?"""

from __future__ import annotations

import re
from dataclasses import replace

from governance.claims import Answer, Block, Document, Gap, Note, Section, Table
from governance.claims.entry import appendix
from governance.facts import Facts


def section(title: str, *parts: Answer | Block | None, level: int = 2) -> Section:
    """A section of answers, tables and notes, in order; a sentence said twice is said once."""
    blocks: dict[Block, None] = {}
    for part in parts:
        for block in part.blocks if isinstance(part, Answer) else (part,):
            if block is not None and not (isinstance(block, Table) and not block.rows):
                blocks[block] = None
    # Notes open a section and silences close it.
    order = sorted(blocks, key=lambda block: 0 if isinstance(block, Note) else 2 if isinstance(block, Gap) else 1)
    return Section(title, anchor(title), tuple(order), level)


def anchor(title: str) -> str:
    """`MAP 1.1` as `map-1-1`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"


def with_appendix(document: Document, facts: Facts) -> Document:
    """The document and one line for every record that it cites."""
    return replace(document, appendix=appendix(facts, document.cites))
