"""What do the verbs share: their options, the project they work on, how they answer?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from governance.cli.tell import tell

Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, with a schema_version.")]
Markdown = Annotated[bool, typer.Option("--md", help="Answer as Markdown.")]


def project_of(context: typer.Context) -> Any:
    """The project that the command line means: the one at -C DIR, or around the current folder."""
    from governance.project import Project

    return Project.find(context.obj)


def answer(report: Any, *, as_json: bool, as_md: bool = False) -> None:
    """Prints a report and ends with its exit code."""
    tell(report, as_json=as_json, as_md=as_md)
    raise typer.Exit(int(report.exit_code))
