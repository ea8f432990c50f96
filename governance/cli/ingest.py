"""What does `labeltrail ingest` ask for?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of


def ingest(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The export, or the table.")],
    format: Annotated[
        str, typer.Option("--as", metavar="FORMAT", help="What it is; by default as it looks, which is told.")
    ] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="What to call the import; by default as the file.")] = "",
    classes: Annotated[str, typer.Option(metavar="A,B", help="All classes, in order; by default those in use.")] = "",
    id_column: Annotated[str, typer.Option(metavar="NAME", help="Where the ids of the examples stand.")] = "",
    text_column: Annotated[str, typer.Option(metavar="NAME", help="Where the texts stand.")] = "",
    source_column: Annotated[str, typer.Option(metavar="NAME", help="Who voted, in a table of a row a vote.")] = "",
    label_column: Annotated[str, typer.Option(metavar="NAME", help="The vote, in a table of a row a vote.")] = "",
    sources: Annotated[
        str, typer.Option(metavar="A,B", help="Which columns are sources, or what those of a matrix are called.")
    ] = "",
    question: Annotated[str, typer.Option(metavar="NAME", help="Which question, where a tool asked several.")] = "",
    kind: Annotated[str, typer.Option(metavar="KIND", help="The kind of source that columns are.")] = "",
    gold: Annotated[
        list[str] | None, typer.Option(metavar="ANNOTATOR", help="An annotator whose answers are gold; repeatable.")
    ] = None,
    ids: Annotated[Path | None, typer.Option(metavar="FILE", help="The ids of a matrix, one a row.")] = None,
    names: Annotated[
        str, typer.Option(metavar="WHY", help="State that the annotators' names are no personal data, and record them.")
    ] = "",
    quarantine: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put rows at fault there, one JSON object a line.")
    ] = None,
    owner: Annotated[str, typer.Option(metavar="WHO", help="Who answers for these sources.")] = "",
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Bring in votes that were given elsewhere: CSV, Parquet, .npy with ids, Label Studio, Argilla, crowd tables.

    Everybody who voted is a source. Annotators are called by a pseudonym that only this store can compute. A row at fault
    ends the import, and nothing is written; with --quarantine it is put aside, exit 1.

    Example: labeltrail ingest export.json --as label-studio --classes negative,positive
    """
    from governance.sources.ingest import Options

    options = Options(
        classes=_listed(classes),
        id_column=id_column,
        text_column=text_column,
        source_column=source_column,
        label_column=label_column,
        sources=_listed(sources),
        question=question,
        kind=kind,
        gold=tuple(gold or ()),
        ids=ids,
        aside=quarantine is not None,
    )
    report = project_of(context).ingest(
        file, format=format, name=name, options=options, names=names, quarantine=quarantine, owner=owner
    )
    answer(report, as_json=as_json, as_md=as_md)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()
