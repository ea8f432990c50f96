"""How is the database opened, locked and asked, and how do its faults become ours?"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect
from sqlalchemy.engine import make_url

from governance.errors import BrokenEvidence, Busy, ConfigurationError, GovernanceError, MissingEvidence
from governance.store.tables import METADATA, EntryRow

#: 'LTRA', so that another program's database is never taken for ours (sqlite.org/pragma.html#pragma_application_id)
APPLICATION_ID = 0x4C545241
_SQLITE_MAGIC = b"SQLite format 3\x00"
#: sqlite.org/rescode.html: the bytes on the disk are not, or cannot be seen to be, those of a store
_AT_READING = ("SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")


class Database:
    """A store's database; SQLite in a file, or whatever SQLAlchemy reaches by the same statements."""

    def __init__(self, url: str, *, root: Path, create: bool, wait_seconds: float = 5.0) -> None:
        self.path: Path | None = None
        try:
            self.url = make_url(url)
            self.url.get_dialect()
        except (exc.ArgumentError, exc.NoSuchModuleError, ValueError, ImportError):
            raise ConfigurationError(
                "the store in labeltrail.toml is no database that can be reached here",
                hint='wanted: store = "sqlite:///.labeltrail/trail.db"',
            ) from None
        if self.url.get_backend_name() == "sqlite":
            self.path = (root / (self.url.database or "")).resolve()
            self.url = self.url.set(database=str(self.path))
            _refuse_foreign_file(self.path, create=create)
        self.engine = self._engine(wait_seconds)
        with faults(self.shown):
            self._prepare(create=create)

    @property
    def shown(self) -> str:
        """The store as people know it; never a password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    def _engine(self, wait_seconds: float) -> Engine:
        if self.path is None:
            try:
                return create_engine(self.url)
            except ImportError as error:
                raise ConfigurationError(f"the driver of the store is not installed: {error}") from None
        engine = create_engine(self.url, connect_args={"timeout": wait_seconds})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def _prepare(self, *, create: bool) -> None:
        with self.engine.connect() as connection:
            tables = set(inspect(connection).get_table_names())
        if str(EntryRow.__tablename__) in tables:
            return
        if tables:
            raise ConfigurationError(
                f"{self.shown} is a database, but not a LabelTrail store (it holds {', '.join(sorted(tables)[:4])})",
                hint="name another store in labeltrail.toml",
            )
        if not create:
            raise ConfigurationError(f"{self.shown} is no LabelTrail store yet", hint="`labeltrail init` makes one")
        with self.writing() as connection:
            METADATA.create_all(connection)
            if self.path is not None:
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store."""
        with faults(self.shown), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one writer: what happens inside happens together or not at all. Raises Busy while somebody else writes."""
        with faults(self.shown), self.engine.connect() as connection:
            writer = connection.execution_options(labeltrail_write=True)
            with writer.begin():
                yield writer

    def close(self) -> None:
        self.engine.dispose()


def _refuse_foreign_file(path: Path, *, create: bool) -> None:
    """Raises ConfigurationError for a file that is no SQLite database or belongs to another application."""
    if not path.exists():
        if not create:
            raise MissingEvidence(
                f"{path}: no store here yet", hint="`labeltrail init` makes one, `labeltrail repro` fills it"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder, wanted a store", hint="name another store in labeltrail.toml")
    with open(path, "rb") as stream:
        head = stream.read(100)
    if head and not head.startswith(_SQLITE_MAGIC):
        raise ConfigurationError(f"{path} is not a LabelTrail store", hint="name another store in labeltrail.toml")
    # Bytes 68 to 71 of the header hold the application id (sqlite.org/fileformat2.html, 1.3.17).
    owner = int.from_bytes(head[68:72], "big")
    if head and owner not in (0, APPLICATION_ID):
        raise ConfigurationError(
            f"{path} is another application's database", hint="name another store in labeltrail.toml"
        )


def _on_connect(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we begin and commit ourselves
    cursor = connection.cursor()
    # Before 3.51.3 write-ahead logging can lose a reset; the rollback journal cannot.
    cursor.execute("PRAGMA journal_mode = DELETE")
    # The journal's end is the commit. FULL leaves it to the disk when the folder forgets the journal, and a power cut
    # before that would take back what was acknowledged, while the checkpoint that was remembered stays.
    cursor.execute("PRAGMA synchronous = EXTRA")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("labeltrail_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def faults(shown: str) -> Iterator[None]:
    """SQLAlchemy's errors never cross the front door: they become ours, with the store named."""
    try:
        yield
    except GovernanceError:
        raise
    except exc.OperationalError as error:
        says = str(error.orig)
        if "locked" in says or "busy" in says:
            raise Busy(f"{shown} is locked by another writer", hint="try again when it is done") from None
        if "readonly" in says or "unable to open" in says:
            raise ConfigurationError(f"{shown} cannot be written: {says}", hint="check its owner and rights") from None
        if "full" in says:
            raise ConfigurationError(
                f"{shown}: the disk is full; nothing was recorded", hint="free some space"
            ) from None
        if _at_writing(error.orig):
            raise ConfigurationError(
                f"{shown}: the disk failed ({says}); it is not known whether this was recorded",
                hint="look after the disk, then record it again: what was recorded already is entered once",
            ) from None
        raise _broken(shown, says) from None
    except exc.DatabaseError as error:
        raise _broken(shown, str(error.orig)) from None
    except (exc.SQLAlchemyError, sqlite3.Error, ValueError, OverflowError) as error:
        raise _broken(shown, f"{type(error).__name__}: {str(error).splitlines()[0]}") from None


def _at_writing(error: BaseException | None) -> bool:
    """Whether the disk failed other than at reading, so that nothing speaks against the bytes that are there."""
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.startswith("SQLITE_IOERR") and not name.startswith(_AT_READING)


def _broken(shown: str, says: str) -> BrokenEvidence:
    return BrokenEvidence(f"{shown}", expected="a whole store", actual=says, hint="restore it from a copy")


@contextmanager
def file_faults(where: Path) -> Iterator[None]:
    """The operating system's errors become ours, with the file named, or `where` for one that names none."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ConfigurationError(
            f"{error.filename or where}: {error.strerror or error}",
            hint="free some space" if full else "check that it can be written, and its disk",
        ) from None
