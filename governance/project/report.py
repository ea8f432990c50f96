"""What does a verb answer, before anybody prints it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.errors import ExitCode

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Table:
    """Rows under headings; cells are plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Report:
    """One answer: data for programs, lines and tables for people, and the exit code."""

    verb: str
    data: dict[str, Any]
    blocks: tuple[str | Table, ...] = ()
    #: an ExitCode, or that of a command which somebody else wrote
    exit_code: int = ExitCode.FINE
    #: a whole document that is printed as it is, in place of the blocks
    document: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The stable form: fields are added and never change their meaning within a `schema_version`."""
        return {"schema_version": SCHEMA_VERSION, "verb": self.verb, "exit_code": int(self.exit_code), **self.data}

    def to_markdown(self) -> str:
        """The same for a pull request or a ticket."""
        if self.document is not None:
            return self.document
        shown = (
            _escaped(visible(block)) if isinstance(block, str) else _markdown_table(block) for block in self.blocks
        )
        return "\n\n".join(shown) + "\n"


#: C0 and C1 controls and the marks that turn the direction of text: whoever wrote a description must not steer a terminal
_UNSEEN = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")
_UNSEEN |= dict.fromkeys((0x200E, 0x200F, 0x061C), "\ufffd")


def visible(text: str) -> str:
    """`text` without control characters and marks of direction; white space stays white space."""
    return " ".join(text.split()).translate(_UNSEEN) if not text.isprintable() else text


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table of anything, as text; None is an empty cell."""
    cells = tuple(tuple("" if cell is None else visible(str(cell)) for cell in row) for row in rows)
    return Table(tuple(columns), cells, title)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 entry`, `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def outcome_told(outcome: str, *, well: bool) -> str:
    """How a stage ended, for people: where the repro ended well, a stage that it did not reach was not asked for."""
    return "not asked for" if well and outcome == "not reached" else outcome


def _markdown_table(shown: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(_cell(cell) for cell in cells) + " |"

    lines = [line(shown.columns), "|" + " --- |" * len(shown.columns), *(line(row) for row in shown.rows)]
    head = [f"**{_cell(shown.title)}**", ""] if shown.title else []
    return "\n".join([*head, *lines])


def _cell(text: str) -> str:
    return " ".join(_escaped(text).replace("|", "\\|").replace("`", "\\`").split())


def _escaped(text: str) -> str:
    """Nothing in it becomes a link, an image or a tag."""
    for mark in ("\\", "[", "]", "*", "_"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("<", "&lt;")
