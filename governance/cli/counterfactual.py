"""What would be without a source, and what hangs on it: `whatif` and `blast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of

Retrain = Annotated[
    bool,
    typer.Option("--retrain", help="Train the end model on the refitted labels too, and compare what it predicts."),
]


def whatif(
    context: typer.Context,
    without: Annotated[
        list[str],
        typer.Option("--without", metavar="SOURCE", help="A source's title, column or name; give it again for more."),
    ],
    retrain: Retrain = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw there which labels change, and accuracy before and after."),
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What the labels would be without some sources: with every table as it is, and learned again without them.

    Exit 4 where a part of the answer is unknown. Example: labeltrail whatif --without afinn
    """
    answer(project_of(context).whatif(*without, retrain=retrain, picture=picture), as_json=as_json, as_md=as_md)


def blast(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A source's title, column, name or shortened name.")],
    retrain: Retrain = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw there what it touched and what it decided.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What a source touched, what it decided, what would be predicted without it, and which records hang on it.

    Exit 4 where a part of the answer is unknown. Example: labeltrail blast afinn
    """
    answer(project_of(context).blast(source, retrain=retrain, picture=picture), as_json=as_json, as_md=as_md)
