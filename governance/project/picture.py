"""How does an answer come with a picture: in a file, where one is named, and in a notebook?"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from governance.digest import write_atomically
from governance.errors import ConfigurationError, InvalidRecord
from governance.project.report import Report, Table, visible


@dataclass(frozen=True)
class Pictured(Report):
    """An answer, which a notebook shows as tables and the picture."""

    svg: str = ""

    def _repr_html_(self) -> str:
        """Tables and picture; every text is escaped, and nothing is run or loaded."""
        shown = "\n".join(_html(block) for block in self.blocks)
        return f"<div>\n{shown}\n{self.svg}</div>\n"


def need_svg(place: Path | None) -> None:
    """Said before anything is worked out. Raises InvalidRecord."""
    if place is not None and place.suffix.lower() != ".svg":
        raise InvalidRecord("picture", place.name, "a file name that ends in .svg")


def pictured(report: Report, svg: str, *, place: Path | None) -> Pictured:
    """`report` with its picture, which is written where a place is named. Raises ConfigurationError."""
    data, blocks = dict(report.data), report.blocks
    if place is not None:
        _write(place, svg)
        data["picture"] = str(place)
        blocks = (*blocks, f"the picture is in {place}")
    return Pictured(report.verb, data, blocks, report.exit_code, svg=svg)


def _write(path: Path, svg: str) -> None:
    try:
        write_atomically(path, svg.encode())
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror or error}", hint="name a file in a folder that is there"
        ) from None


def _html(block: str | Table) -> str:
    if isinstance(block, str):
        return f"<p>{escape(visible(block))}</p>"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.columns)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
    title = f"<caption>{escape(block.title)}</caption>" if block.title else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
