"""Which rows were shown to somebody who drew them by a seed?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from governance.records.base import Count, Name, Record

#: so that drawing them again costs an auditor no more than a moment
MOST_ROWS = 10_000


class Challenge(Record):
    """Rows of a label set that an outsider's seed drew, with what was committed to of the same examples elsewhere.

    Whoever shows rows discloses them: the entry says who decided it. The seed and the commitments determine the rows, so
    that the entry names no example.
    """

    kind = "challenge"
    event = True

    seed: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    #: how many rows were drawn
    rows: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    #: the commitment to the labels, then those to the votes and the dataset behind them, where there are any
    commitments: Annotated[tuple[Name, ...], Field(min_length=1, max_length=3)]
    #: sizes of the log at earlier checkpoints that it is shown to have grown from
    since: tuple[Count, ...] = ()
    who: str
    reason: str

    @property
    def label(self) -> str:
        return f"{self.rows} rows shown by {self.who}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.name, "used", commitment) for commitment in self.commitments)


class Disclosure(Record):
    """Whole tables of rows were handed out in the bundle that the next entry describes; who decided it, and why."""

    kind = "disclosure"
    event = True

    #: the records of the tables, such as a label set
    tables: Annotated[tuple[Name, ...], Field(min_length=1)]
    rows: Count
    who: Annotated[str, StringConstraints(min_length=1)]
    reason: Annotated[str, StringConstraints(min_length=1)]

    @property
    def label(self) -> str:
        return f"{self.rows} rows handed out by {self.who}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.name, "used", table) for table in dict.fromkeys(self.tables))
