"""What does the command reference say? Made from the live commands: `python -m governance.cli.reference > docs/cli.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from governance.cli.app import app


def reference() -> str:
    """The reference as Markdown: every verb with its help, its example and its options."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def _lines() -> Iterator[str]:
    group = get_command(app)
    context = typer.Context(group, info_name="labeltrail")
    yield "# Command reference"
    yield ""
    yield f"{group.help}"
    yield ""
    yield "`labeltrail [-C DIR] VERB …` works on the project in DIR, or on the one around the current folder."
    yield "Tables go to stdout; progress, warnings and errors go to stderr."
    yield ""
    yield f"{group.epilog}"
    yield from _verbs(group, context)


def _verbs(group: Any, outer: Any) -> Iterator[str]:
    """Every verb of a group; a verb that is a group itself is told by its own verbs."""
    for name, command in group.commands.items():
        with typer.Context(command, info_name=name, parent=outer) as inner:
            if hasattr(command, "commands"):
                yield from _verbs(command, inner)
                continue
            yield ""
            yield f"## {inner.command_path}"
            yield ""
            about, _, example = (command.help or "").partition("Example: ")
            yield about.strip()
            if example:
                yield ""
                yield "```sh"
                yield example.strip()
                yield "```"
            yield ""
            yield "| argument or option | what it does |"
            yield "| --- | --- |"
            for parameter in command.get_params(inner):
                told = parameter.get_help_record(inner) or (parameter.name or "", getattr(parameter, "help", "") or "")
                yield "| " + " | ".join(f"`{part}`" if i == 0 else _cell(part) for i, part in enumerate(told)) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    sys.stdout.write(reference())
