"""Which drills are there?"""

from __future__ import annotations

import typer

from governance.cli.options import Json, Markdown, answer, project_of
from governance.cli.tell import say

app = typer.Typer(help="Try out, on copies, what would be noticed.", no_args_is_help=True)


@app.command()
def tamper(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """Make every kind of tampering, each on a copy of the project, and say which `labeltrail verify` notices.

    Nothing of the project, its store or its key is touched. Exit 1 where something passes even before somebody who kept a
    checkpoint elsewhere; exit 3, and no drill, where the project is not whole now.

    Example: labeltrail drill tamper
    """
    answer(project_of(context).drill(say=say), as_json=as_json, as_md=as_md)
