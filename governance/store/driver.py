"""How is a database asked where SQLAlchemy takes longer to think a statement through than the database to do it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Engine


class Driver:
    """The driver's own cursor under statements that SQLAlchemy has written once.

    Values are handed on as they are: texts, bytes, integers, truth values and None, which both drivers take.
    """

    def __init__(self, engine: Engine, lent: Any, connection: Connection | None = None) -> None:
        self._engine, self._lent, self._made = engine, lent, connection
        self._cursor: Any = lent.cursor()
        self._dialect = engine.dialect

    @classmethod
    def of(cls, connection: Connection) -> Driver:
        """The driver's connection under SQLAlchemy's."""
        return cls(connection.engine, connection.connection, connection)

    @property
    def connection(self) -> Connection:
        """The same connection for SQLAlchemy, made where somebody asks for it."""
        if self._made is None:
            self._made = Connection(self._engine, connection=self._lent)
        return self._made

    def close(self) -> None:
        """Gives the connection back to whoever lent it."""
        (self._made or self._lent).close()

    def give_up(self) -> None:
        """Closes the connection, which nobody may use again."""
        (self._made or self._lent).invalidate()

    def rows(self, query: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What a query answers."""
        text, names, given = _written(query, self._dialect)
        asked = {**given, **values}
        self._cursor.execute(text, [asked[name] for name in names] if names else asked)
        return list(self._cursor.fetchall())

    def insert(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows, each with a value for every column of the table."""
        text, names, _ = _written(_inserting(table), self._dialect)
        # Every table of ours has several columns, so that this answers tuples.
        self._cursor.executemany(text, map(itemgetter(*names), rows) if names else rows)


@cache
def _inserting(table: Any) -> Any:
    return table.insert()


#: by statement and database: there are few statements, and a dialect for each store that is opened
_known: dict[tuple[Any, str], tuple[str, Sequence[str], Mapping[str, Any]]] = {}


def _written(query: Any, dialect: Dialect) -> tuple[str, Sequence[str], Mapping[str, Any]]:
    """The text for a driver, the names of its values where it takes them by position, and values that it has already."""
    if (query, dialect.name) not in _known:
        compiled = query.compile(dialect=dialect)
        _known[query, dialect.name] = str(compiled), compiled.positiontup or (), compiled.params
    return _known[query, dialect.name]
