"""Which verbs are there for the key that signs the log?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from governance.cli.options import Json, Markdown, answer, project_of

app = typer.Typer(help="The key that signs this log: show it, hand over to a new one, revoke it.", no_args_is_help=True)


class Reason(StrEnum):
    """Why a key is believed no more."""

    lost = "lost"
    compromised = "compromised"


@app.command()
def show(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """Every key that this log has had: since which entry, why, and whether its private half is at hand.

    Exit 3 where a change of the key is not valid.

    Example: labeltrail key show
    """
    answer(project_of(context).key_show(), as_json=as_json, as_md=as_md)


@app.command()
def rotate(context: typer.Context, as_json: Json = False, as_md: Markdown = False) -> None:
    """Make a new key and let the one in force hand over to it; a log that began without a key is given one.

    Whoever trusts an earlier key or checkpoint goes on doing so. Exit 2 where the private half of the key in force is not
    here, 3 where the log is not whole, 5 where somebody else changes the key at the same time.

    Example: labeltrail key rotate
    """
    answer(project_of(context).key_rotate(), as_json=as_json, as_md=as_md)


@app.command()
def revoke(
    context: typer.Context,
    reason: Annotated[
        Reason, typer.Option(help="lost: nobody has it any more; compromised: somebody else may have it.")
    ],
    as_json: Json = False,
    as_md: Markdown = False,
) -> None:
    """Put a new key in the place of one that is lost or in other hands. The old one is not needed for it.

    Whoever trusts the old key, or a checkpoint from before, is answered with exit 4 from now on and needs the new key by
    another way. Exit 3 where the log is not whole, 5 where somebody else changes the key at the same time.

    Example: labeltrail key revoke --reason lost
    """
    answer(project_of(context).key_revoke(reason=reason.value), as_json=as_json, as_md=as_md)
