"""Which command is watched?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, project_of
from governance.cli.tell import say, tell

#: everything after `--` belongs to the command
TAKES_A_COMMAND = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def run(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="What to run, after `--`.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the run; by default as its script is called.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Run your own script as it is and record its sources, rows, votes, label models, labels and trained models.

    Nothing that it computes is changed, and its exit code is answered; exit 3 where votes stand beside other rows than
    their own. Findings are told on stderr, with --json or --md on stdout after the script's own words.

    Example: labeltrail run -- python train.py
    """
    report = project_of(context).run(command, name=name)
    if as_json or as_md:
        tell(report, as_json=as_json, as_md=as_md)
    else:
        for block in report.blocks:
            say(str(block))
    sys.stdout.flush()
    raise typer.Exit(int(report.exit_code))
