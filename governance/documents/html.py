"""How is a document spelled as one self-contained HTML page?"""

from __future__ import annotations

from pathlib import Path

from governance.claims import PERSON, UNHELD, Claim, Code, Document, Gap, Note, Table, Tally
from governance.claims.states import STATES
from governance.claims.words import number
from governance.documents.escape import clean
from governance.documents.templates import environment, render
from governance.facts import short


def render_html(document: Document, templates: Path) -> str:
    """The document through the template `KIND.html.j2` in `templates`. Raises ConfigurationError."""
    env = environment(templates, html=True, spell=_cleaned)
    env.filters["short"] = short
    env.filters["number"] = number
    env.filters["anchor"] = anchor
    env.filters["control_anchor"] = lambda control: control.lower().replace(" ", "-").replace(".", "-")
    env.tests["claim"] = lambda block: isinstance(block, Claim)
    env.tests["gap"] = lambda block: isinstance(block, Gap)
    env.filters["brief"] = lambda command: f"{command.partition(' --')[0]} …" if " --" in command else command
    env.filters["words"] = _words
    env.tests["code"] = lambda part: isinstance(part, Code)
    env.tests["of_person"] = lambda block: isinstance(block, Gap) and block.sort == PERSON
    env.tests["unheld"] = lambda block: isinstance(block, Gap) and block.sort == UNHELD
    env.tests["table"] = lambda block: isinstance(block, Table)
    env.tests["note"] = lambda block: isinstance(block, Note)
    env.tests["tally"] = lambda block: isinstance(block, Tally)
    text = render(env, f"{document.kind}.html.j2", document=document, states=STATES)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def anchor(name: str) -> str:
    """The place in the appendix where a record stands; letters, digits and hyphens only."""
    return "r-" + "".join(char if char.isascii() and char.isalnum() else "-" for char in short(name))


def _cleaned(value: object) -> object:
    """Control and bidirectional characters never reach the page; escaping follows after this."""
    return clean(value) if isinstance(value, str) and type(value) in (str, Code) else value


def _words(part: str) -> str:
    """A piece of an instruction with the blanks around it, which cleaning would take."""
    from markupsafe import Markup, escape

    return Markup("{}{}{}").format(" " * part.startswith(" "), escape(clean(part)), " " * part.endswith(" "))
