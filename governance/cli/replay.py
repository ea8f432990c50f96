"""Do a language model's stored answers still give its votes?"""

from __future__ import annotations

from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of


def replay(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source that is a language model.")],
    sample: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="Only K of its answers, drawn by --seed; by default all.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="What draws the sample.")] = 0,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Read a model's stored answers again with the parser as it is now, and say which votes come out otherwise. Nobody is
    asked, no network is needed. Exit 1 where the parser was edited or a vote differs, 3 where answers were altered.

    Example: labeltrail replay judge --sample 100
    """
    answer(project_of(context).replay(source, sample=sample, seed=seed), as_json=as_json, as_md=as_md)
