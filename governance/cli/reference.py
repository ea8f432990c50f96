"""What does the command reference say? Made from the live commands: `python -m governance.cli.reference > docs/cli.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

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
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        with typer.Context(command, info_name=name, parent=context) as inner:
            yield ""
            yield f"## labeltrail {name}"
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
