"""How do answers and errors reach people and programs?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from governance.errors import GovernanceError

if TYPE_CHECKING:
    from governance.project.report import Report, Table


def tell(report: Report, *, as_json: bool, as_md: bool) -> None:
    """Prints an answer to stdout: data, Markdown, or text for a terminal."""
    if as_json:
        print(json.dumps(report.to_json(), indent=2, sort_keys=True, ensure_ascii=False))
    elif as_md or report.document is not None:
        print(report.to_markdown(), end="")
    else:
        _print_text(report)


def tell_error(error: GovernanceError, *, as_json: bool, verb: str) -> None:
    """One error: what was wrong and the way out; as data on stdout where a program asked."""
    if as_json:
        facts = {key: _plain(value) for key, value in error.facts().items()}
        told = {"schema_version": 1, "verb": verb, "exit_code": int(error.exit_code), **facts}
        print(json.dumps(told, indent=2, sort_keys=True))
        return
    from governance.project.report import visible

    print(f"error: {visible(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  {visible(error.hint)}", file=sys.stderr)


def status_of(command: Callable[[], int]) -> int:
    """The exit status of a command that stands beside the verbs: its own, or that of an error, which is told as theirs."""
    try:
        return command()
    except GovernanceError as error:
        tell_error(error, as_json=False, verb="")
        return int(error.exit_code)


def say(line: str) -> None:
    """Progress, for those who watch: on stderr, so that stdout stays the answer."""
    print(f"· {line}", file=sys.stderr, flush=True)


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)


def _print_text(report: Report) -> None:
    from rich.console import Console

    from governance.project.report import visible

    watched = sys.stdout.isatty()
    # Where nobody watches there is no width to fit into: a pipe gets every cell whole, and no padding behind it.
    console = Console(width=None if watched else 10_000, highlight=False, soft_wrap=not watched)
    with console.capture() as captured:
        for block in report.blocks:
            if isinstance(block, str):
                console.print(visible(block), markup=False)
            else:
                _print_table(console, block, watched=watched)
    print("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def _print_table(console, shown: Table, *, watched: bool) -> None:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    widths = [max(len(cell) for cell in column) for column in zip(shown.columns, *shown.rows, strict=True)]
    if watched and len(widths) > 3 and sum(widths) + 3 * len(widths) > console.width:
        # Too wide to be read as a table: one row under the other, each cell beside its heading.
        if shown.title:
            console.print(Text(shown.title, style="italic"))
        for row in shown.rows:
            console.print(Text(row[0], style="bold"))
            for heading, cell in zip(shown.columns[1:], row[1:], strict=True):
                if cell:
                    console.print(Text(f"  {heading}: {cell}"))
        console.print()
        return
    drawn = RichTable(box=box.SIMPLE_HEAD, title=shown.title or None, title_justify="left", pad_edge=False)
    for column in shown.columns:
        drawn.add_column(column, overflow="fold", no_wrap=not watched)
    for row in shown.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
