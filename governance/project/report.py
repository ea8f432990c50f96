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
    exit_code: ExitCode = ExitCode.FINE
    #: a whole document that is printed as it is, in place of the blocks
    document: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The stable form: fields are added and never change their meaning within a `schema_version`."""
        return {"schema_version": SCHEMA_VERSION, "verb": self.verb, "exit_code": int(self.exit_code), **self.data}

    def to_markdown(self) -> str:
        """The same for a pull request or a ticket."""
        if self.document is not None:
            return self.document
        return "\n\n".join(block if isinstance(block, str) else _markdown_table(block) for block in self.blocks) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table of anything, as text; None is an empty cell."""
    cells = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)
    return Table(tuple(columns), cells, title)


def _markdown_table(shown: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(_cell(cell) for cell in cells) + " |"

    lines = [line(shown.columns), "|" + " --- |" * len(shown.columns), *(line(row) for row in shown.rows)]
    head = [f"**{_cell(shown.title)}**", ""] if shown.title else []
    return "\n".join([*head, *lines])


def _cell(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return " ".join(escaped.split())
