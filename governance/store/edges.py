"""Which edges are stored, and which of them begin at these records? Asked by the table's indexes, for very many of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from sqlalchemy import Connection

#: from which column to which an edge is followed
_WAYS = {"up": ("subject", "object"), "down": ("object", "subject")}
#: how a database takes a list of names as one value
_NAMES = {
    "sqlite": "SELECT value AS name FROM json_each(?)",
    "postgresql": "SELECT name FROM json_array_elements_text(CAST(%s AS json)) AS name",
}

#: (record, W3C PROV relation, record one step away)
Edge = tuple[str, str, str]


def follower(connection: Connection, log: str, way: Literal["up", "down"]) -> Callable[[Sequence[str]], list[Edge]]:
    """Answers every edge from some records to those one step away, in any order; one query a call.

    The driver's own cursor is used: a lineage is many small questions, and SQLAlchemy takes longer than their answers.
    """
    here, there = _WAYS[way]
    names = _NAMES[connection.dialect.name]
    mark = "?" if "?" in names else "%s"
    # CROSS JOIN keeps SQLite to this order; its planner would rather read every edge of the log.
    query = (
        f'SELECT edge."{here}", edge.relation, edge."{there}" FROM ({names}) AS asked '  # noqa: S608 - our own names
        f'CROSS JOIN edge WHERE edge.log = {mark} AND edge."{here}" = asked.name'
    )
    cursor = connection.connection.cursor()

    def follow(records: Sequence[str]) -> list[Edge]:
        cursor.execute(query, (json.dumps(records), log))
        return list(cursor.fetchall())

    return follow


def every_edge(connection: Connection, log: str, *, at_once: int = 100_000) -> Iterator[list[tuple[str, str]]]:
    """(subject, object) of every edge of a log, in any order, many at a time."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    cursor = connection.connection.cursor()
    cursor.execute(f"SELECT subject, object FROM edge WHERE log = {mark}", (log,))  # noqa: S608 - our own names
    while part := cursor.fetchmany(at_once):
        yield [(row[0], row[1]) for row in part]
