"""How does somebody else's seed put the label set to the question?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.options import Force, Json, Markdown, answer, project_of


def challenge(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="Where to write it.")],
    seed: Annotated[str, typer.Option(metavar="TEXT", help="The auditor's own choice of a text; it draws the rows.")],
    rows: Annotated[int, typer.Option(metavar="NUMBER", help="How many rows.")] = 25,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why they are shown; the log keeps it.")] = "",
    since: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="The checkpoint that the auditor holds.")
    ] = None,
    verifier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write verify.py there, which checks it without LabelTrail.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Show rows of the labels that somebody else's seed draws, with votes, data and proofs, and no other row. That they
    were shown is entered into the log. Exit 4 where the rows are not committed to one by one.

    Example: labeltrail challenge --seed "lottery of 22 November" --rows 25 rows.zip
    """
    report = project_of(context).challenge(
        file, seed=seed, rows=rows, reason=reason, since=since, verifier=verifier, force=force
    )
    answer(report, as_json=as_json, as_md=as_md)
