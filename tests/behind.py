"""What somebody with rights on the store can do behind LabelTrail's back, in a file and on a server alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from governance.config import CONFIG_NAME, read_config
from governance.store.database import Database
from governance.store.tables import METADATA

#: marks a test whose project is kept once in a file and once on a server
both_stores = pytest.mark.parametrize("store_kind", ["sqlite", "postgresql"])


class Behind:
    """Plain SQL over the tables of a store; `?` stands for a value."""

    def __init__(self, url: str, root: Path) -> None:
        given = make_url(url)
        self.server = given.get_backend_name() == "postgresql"
        if not self.server:
            given = given.set(database=str(root / (given.database or "")))
        self._engine = create_engine(given, poolclass=NullPool)

    @classmethod
    def of(cls, root: Path) -> Behind:
        """The store of the project in `root`."""
        return cls(read_config(root).store, root)

    def change(self, statement: str, values: tuple[Any, ...] = ()) -> int:
        """How many rows a statement changed."""
        with self.connected() as connection:
            return connection.exec_driver_sql(self._said(statement), values).rowcount

    def ask(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self.connected() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(self._said(statement), values)]

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection for several statements in one transaction."""
        with self._engine.begin() as connection:
            yield connection

    def _said(self, statement: str) -> str:
        return statement.replace("%", "%%").replace("?", "%s") if self.server else statement


def move(root: Path, url: str) -> None:
    """Moves the store of the project in `root` to another database, as it is."""
    database = Database(url, root=root, create=True)
    with Behind.of(root).connected() as before, database.writing() as after:
        for table in METADATA.sorted_tables:
            if rows := [row._asdict() for row in before.execute(table.select())]:
                after.execute(table.insert(), rows)
    database.close()
    (root / ".labeltrail" / "trail.db").unlink()
    config = root / CONFIG_NAME
    config.write_text(f"{config.read_text()}store = '{url}'\n")
