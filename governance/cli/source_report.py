"""How do people ask what the sources say, in figures and in a picture?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of


def source_report(
    context: typer.Context,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw coverage, conflicts and agreement there.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What each source of the current runs says: coverage, overlap, conflict, errors, who agrees with whom, who may be a
    copy, what was learned of it, and how often it is right where gold exists.

    Example: labeltrail source-report --picture sources.svg
    """
    answer(project_of(context).source_report(picture=picture), as_json=as_json, as_md=as_md)
