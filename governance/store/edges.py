"""Which edges are stored, and which of them begin at these records? Asked by the table's indexes, for very many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import Connection

#: from which column to which an edge is followed
_WAYS = {"up": ("subject", "object"), "down": ("object", "subject")}
#: most numbers in one question: SQLite is asked with a mark for each, in as many statements as there are counts
_AT_ONCE = 64

#: (number of a record, W3C PROV relation, name and number of a record one step away)
Edge = tuple[int, str, str, int]


def follower(connection: Connection, log: str, way: Literal["up", "down"]) -> Callable[[Sequence[int]], Iterator[Edge]]:
    """Answers every edge from some records to those one step away, in any order.

    The driver's own cursor is used: a lineage is many small questions, and SQLAlchemy takes longer than their answers.
    """
    here, there = _WAYS[way]
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    # CROSS JOIN keeps SQLite to this order; its planner would rather read every edge of the log.
    asked = (
        f'SELECT edge."{here}", edge.relation, node.name, node.number FROM edge CROSS JOIN node '  # noqa: S608 - our own
        f'WHERE edge.log = {mark} AND node.log = {mark} AND node.number = edge."{there}" AND edge."{here}"'
    )
    marks = [f"{asked} IN ({', '.join([mark] * count)})" for count in range(_AT_ONCE + 1)]
    cursor: Any = connection.connection.cursor()

    def follow(records: Sequence[int]) -> Iterator[Edge]:
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            yield from cursor.execute(marks[len(some)], (log, log, *some))

    return follow


def number_of(connection: Connection, log: str, name: str) -> int | None:
    """What a record is called in edges, or None where no edge names it."""
    found = _asked(connection, "SELECT number FROM node WHERE log = ? AND name = ?", log, name).fetchone()
    return int(found[0]) if found is not None else None


def every_name(connection: Connection, log: str) -> list[str]:
    """The records that edges name, each in the place of its number."""
    return [name for (name,) in _asked(connection, "SELECT name FROM node WHERE log = ? ORDER BY number", log)]


def every_edge(connection: Connection, log: str, *, at_once: int = 100_000) -> Iterator[list[tuple[int, int]]]:
    """(number of the subject, number of the object) of every edge of a log, in any order, many at a time."""
    cursor = _asked(connection, "SELECT subject, object FROM edge WHERE log = ?", log)
    while part := cursor.fetchmany(at_once):
        yield part


def _asked(connection: Connection, query: str, *values: str) -> Any:
    cursor: Any = connection.connection.cursor()
    cursor.execute(query if connection.dialect.name == "sqlite" else query.replace("?", "%s"), values)
    return cursor
