"""Which verbs are there for the sources? They list, show, judge, decide, and ask a person about a few rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from governance.cli.options import Json, Markdown, answer, project_of


class _Sources(TyperGroup):
    """`labeltrail source` alone lists, and `labeltrail source NAME` shows: what people type first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not {"-h", "--help"} & set(args[:1]):
            first = next((word for word in args if not word.startswith("-")), None)
            if first is None:
                args = ["list", *args]
            elif first not in self.commands:
                args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="source",
    help="What votes: who made it, on whose terms, in which version, who approved it. Alone it lists the sources, with a "
    "source's name it shows that one.\n\nExample: labeltrail source afinn",
    cls=_Sources,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A source, or the name of one of its versions.")]
By = Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who decides; by default git's user name.")]
Role = Annotated[str, typer.Option(help="In which role.")]
Reason = Annotated[str, typer.Option(help="Why; the log keeps it.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """Which sources vote, on whose terms, how they do, and who approved them.

    Example: labeltrail source list
    """
    answer(project_of(context).source(), as_json=as_json, as_md=as_md)


@app.command()
def show(context: typer.Context, name: Name, as_json: Json = False, as_md: Markdown = False) -> None:
    """One source version: every field, what was not recorded, its code, and what came of it.

    Example: labeltrail source show afinn
    """
    answer(project_of(context).source(name), as_json=as_json, as_md=as_md)


@app.command()
def report(
    context: typer.Context,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw coverage, conflicts and agreement there.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """What each source of the current runs says: coverage, overlap, conflict, errors, who agrees with whom, who may be a
    copy, what was learned of it, and how often it is right where gold exists.

    Example: labeltrail source report --picture sources.svg
    """
    answer(project_of(context).source_report(picture=picture), as_json=as_json, as_md=as_md)


@app.command()
def ask(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where the rows are written to.")],
    rows: Annotated[int, typer.Option(metavar="K", help="How many rows.")] = 50,
    seed: Annotated[int, typer.Option(metavar="N", help="What draws them; the same gives the same rows.")] = 0,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Rows for a person to label, drawn with known chances, more often where the sources contradict each other.

    Example: labeltrail source ask look.csv --rows 50
    """
    answer(project_of(context).source_ask(file, rows=rows, seed=seed), as_json=as_json, as_md=as_md)


@app.command()
def take(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The rows of `source ask`, with labels.")],
    by: By = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the run is called.")] = "spot-check",
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """How often each source and the labels are right, by the answers to `source ask`, with intervals; it is recorded.

    Example: labeltrail source take look.csv --by "A. Ode"
    """
    answer(project_of(context).source_take(file, by=by, name=name), as_json=as_json, as_md=as_md)


@app.command()
def check(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE.yaml]...", help="Sources, or descriptions; by default all of the project."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Judge expiry on this day; by default today.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Whether the sources may be used: every fault of a description, and what was found: expired, not approved, licences
    that differ, facts that their kind needs, parts that cannot be seen through, teachers that learned from their pupils.

    Exit 2 where a description has a fault, 1 where something was found, 4 where something is not known.

    Example: labeltrail source check --as-of 2026-12-31
    """
    report = project_of(context).source_check(*(sources or ()), as_of=as_of or _today())
    answer(report, as_json=as_json, as_md=as_md)


@app.command()
def approve(
    context: typer.Context,
    name: Name,
    role: Role,
    reason: Reason,
    by: By = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Say that this very version of a source may be used; a newer one has to be approved anew. It is signed where your key
    is at hand, and self-stated otherwise.

    Exit 1 where you are its author: nothing is recorded then.

    Example: labeltrail source approve vader --by "A. Ode" --role "data steward" --reason "MIT, no personal data"
    """
    report = project_of(context).source_approve(name, role=role, reason=reason, by=by)
    answer(report, as_json=as_json, as_md=as_md)


@app.command()
def expire(
    context: typer.Context,
    name: Name,
    role: Role,
    reason: Reason,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="The first day on which it may not be used; by default today.")
    ] = None,
    by: By = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Say that this version of a source may not be used any more. Nothing is deleted; `labeltrail source check` finds it.

    Example: labeltrail source expire afinn --by "A. Ode" --role "data steward" --reason "two licences, unsettled"
    """
    report = project_of(context).source_expire(name, since=since or _today(), role=role, reason=reason, by=by)
    answer(report, as_json=as_json, as_md=as_md)


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()
