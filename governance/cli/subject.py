"""Which verbs are there about a person in the data? `labeltrail subject find`, `erase` and `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of
from governance.cli.tell import say

app = typer.Typer(
    name="subject",
    help="Find a person in the data, erase her, and show that nothing is left. PERSON is a value of the subject column, or "
    "an example's id where labeltrail.toml names no such column. Nothing that is kept names her.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Person = Annotated[
    str | None, typer.Argument(metavar="[PERSON]", help="Whom it is about; `-` reads the name from standard input.")
]
PersonFile = Annotated[
    Path | None, typer.Option("--person", metavar="FILE", help="Read the name from a file, away from shell histories.")
]
Texts = Annotated[
    Path | None, typer.Option("--text", metavar="FILE", help="Search these texts of hers too, one a line.")
]


def _person(given: str | None, file: Path | None) -> str:
    from governance.project.subject.verbs import person_given

    return person_given(given, file)


@app.command()
def find(
    context: typer.Context,
    person: Person = None,
    person_file: PersonFile = None,
    texts: Texts = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Name every place that holds a person: tables, DVC's cache of every revision, downloads, code, git, the store.

    Exit 0 nowhere, 1 somewhere, 4 where something could not be looked into. Example: labeltrail subject find person-4711
    """
    report = project_of(context).subject_find(_person(person, person_file), texts=texts, say=say)
    answer(report, as_json=as_json, as_md=as_md)


@app.command()
def erase(
    context: typer.Context,
    person: Person = None,
    person_file: PersonFile = None,
    texts: Texts = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, and change nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Complete an erasure that was cut off.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for the log; it must not name the person.")] = None,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a receipt that does not name the person.")
    ] = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Take a person out of every table and content here, destroy her keys, and say so in the log without naming her.

    Exit 0 erased and a search found nothing left, 1 she still stands somewhere or (--plan) something would be changed,
    4 she is nowhere here, or not everything could be searched, 5 somebody is at work in the project.

    Example: labeltrail subject erase --plan person-4711
    """
    project = project_of(context)
    if resume:
        answer(project.subject_resume(), as_json=as_json, as_md=as_md)
    whom = _person(person, person_file)
    if plan:
        answer(project.subject_plan(whom, texts=texts, say=say), as_json=as_json, as_md=as_md)
    report = project.subject_erase(whom, texts=texts, reason=reason, receipt=receipt, say=say)
    answer(report, as_json=as_json, as_md=as_md)


@app.command()
def verify(
    context: typer.Context,
    person: Person = None,
    person_file: PersonFile = None,
    texts: Texts = None,
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Search every store for a person, her texts, unsalted digests and other spellings; no list of deletions is read.

    Exit 0 nothing found, 1 found, 4 not everything could be searched. Example: labeltrail subject verify - < name.txt
    """
    report = project_of(context).subject_verify(_person(person, person_file), texts=texts, say=say)
    answer(report, as_json=as_json, as_md=as_md)
