"""How is the database opened, locked and asked, and how do its faults become ours?"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from weakref import WeakSet, finalize

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import make_url

from governance.digest import make_folder
from governance.errors import BrokenEvidence, Busy, ConfigurationError, GovernanceError, MissingEvidence
from governance.store import server
from governance.store.driver import Driver
from governance.store.server import Server
from governance.store.tables import METADATA, EntryRow, projected_tables

#: 'LTRA', so that another program's database is never taken for ours (sqlite.org/pragma.html#pragma_application_id)
APPLICATION_ID = 0x4C545241
#: by which a connection is known that keeps its journal
_KEEPS = "labeltrail keeps its journal"
#: what becomes of the rollback journal when a transaction has ended: it is removed, or emptied and kept for the next one.
# Write-ahead logging would lose what was acknowledged: before 3.51.3 by its reset, in any version where the same process
# reads the file as a file, which drops the locks by which others see that it is still writing.
_REMOVED, _KEPT = "PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = PERSIST"
_SETTINGS = (
    # The journal's end is the commit. FULL leaves it to the disk when the folder forgets the journal, and a power cut
    # before that would take back what was acknowledged, while the checkpoint that was remembered stays.
    "PRAGMA synchronous = EXTRA",
    # A journal that is kept would stay as large as its largest transaction; here at most 1 MiB.
    "PRAGMA journal_size_limit = 1048576",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
)
_SQLITE_MAGIC = b"SQLite format 3\x00"
#: files that were opened as stores in this process, by device and inode, and what is held while one is looked at
_OURS: set[tuple[int, int]] = set()
_LOOKING = threading.Lock()
#: whose connections a process that was forked must not use, and what it leaves alone: to close it would end its parent's
#: transaction (sqlite.org/howtocorrupt.html, 2.7)
_ENGINES: WeakSet[Engine] = WeakSet()
_LEFT_ALONE: list[Any] = []
#: sqlite.org/rescode.html: the bytes on the disk are not, or cannot be seen to be, those of a store
_AT_READING = ("SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")


class Database:
    """A store's database: SQLite in a file, or a PostgreSQL server, asked by the same statements."""

    def __init__(self, url: str, *, root: Path, create: bool, wait_seconds: float = 5.0) -> None:
        self.path: Path | None = None
        self.wait_seconds = wait_seconds
        #: the log that is written to; on a server each log has a writer of its own
        self.log = ""
        self.carries_password = False
        #: whether its projected tables are of another shape than ours, as an earlier version of us made them
        self.outdated = False
        given = _parsed(url)
        if given.get_backend_name() == "sqlite":
            self.path = (root / (given.database or "")).resolve()
            _refuse_foreign_file(self.path, create=create)
            self.engine = _sqlite_engine(given.set(database=str(self.path)), wait_seconds)
            self.shown = str(self.path)
            # Also where nobody closes it, at the latest at the end of the process.
            finalize(self, _dispose, self.engine, os.getpid())
        else:
            reached = Server.of(given)
            self.engine = reached.engine()
            self.shown = reached.shown
            self.carries_password = bool(reached.secrets)
        _ENGINES.add(self.engine)
        try:
            self._prepare(create=create)
        except ConfigurationError:
            if self.path is not None and self.path.exists():
                _OURS.discard(_inode(self.path))
            raise

    def _prepare(self, *, create: bool) -> None:
        with self.reading() as connection:
            if self._has_store(connection):
                self.outdated = self.is_outdated(connection)
                return
        if not create:
            raise ConfigurationError(f"{self.shown} is no LabelTrail store yet", hint="`labeltrail init` makes one")
        with self.writing() as connection:
            # Asked again inside: somebody else may have made it since.
            if not self._has_store(connection):
                METADATA.create_all(connection, checkfirst=False)
                if self.path is not None:
                    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    def _has_store(self, connection: Connection) -> bool:
        if self.path is None:
            return server.has_store(connection, self.shown)
        tables = set(self._columns(connection))
        if tables and str(EntryRow.__tablename__) not in tables:
            raise ConfigurationError(
                f"{self.shown} is a database, but not a LabelTrail store (it holds {', '.join(sorted(tables)[:4])})",
                hint="name another store in labeltrail.toml",
            )
        return bool(tables)

    def _columns(self, connection: Connection) -> dict[str, set[str]]:
        """The columns of every table of ours that is there, and in a file of others' too."""
        if self.path is None:
            return server.columns(connection)
        query = "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        found: dict[str, set[str]] = {}
        for table, column in connection.exec_driver_sql(query):
            found.setdefault(table, set()).add(column)
        return found

    def is_outdated(self, connection: Connection) -> bool:
        """Whether a projected table is not there or has other columns than ours."""
        there = self._columns(connection)
        ours = ((table.name, {column.name for column in table.columns}) for table in projected_tables())
        return any(there.get(name) != columns for name, columns in ours)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store."""
        with faults(self.shown), self.engine.connect() as connection:
            if self.path is None:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, *, forgets: bool = False) -> Iterator[Connection]:
        """The one writer: what happens inside happens together or not at all. Raises Busy while somebody else writes.

        Where it `forgets`, no file holds afterwards what was in the store before, copies that somebody made apart.
        Raises StoreLost where the server goes away, which says whether anything can have been recorded.
        """
        with self.entering(forgets=forgets) as driver:
            yield driver.connection

    @contextmanager
    def entering(self, *, forgets: bool = False) -> Iterator[Driver]:
        """`writing` for those who enter so often that SQLAlchemy takes longer than they do."""
        with faults(self.shown), self._begun(forgets=forgets) as driver:
            yield driver

    def _begun(self, *, forgets: bool) -> AbstractContextManager[Driver]:
        return self._on_a_server() if self.path is None else self._in_a_file(forgets=forgets)

    @contextmanager
    def _on_a_server(self) -> Iterator[Driver]:
        with self.engine.connect() as connection:
            # Whoever has waited for the lock has to see what was committed meanwhile, with each statement anew.
            connection.execution_options(isolation_level="READ COMMITTED")
            transaction = connection.begin()
            try:
                server.take_lock(connection, self.log, wait_seconds=self.wait_seconds)
                yield Driver.of(connection)
            except BaseException:
                # Where the server is gone it takes everything back by itself; what went wrong first is what is told.
                with suppress(exc.SQLAlchemyError):
                    transaction.rollback()
                raise
            try:
                with faults(self.shown, committing=True):
                    transaction.commit()
            except BaseException:
                connection.invalidate()
                raise

    @contextmanager
    def _in_a_file(self, *, forgets: bool) -> Iterator[Driver]:
        lent = self.engine.raw_connection()
        driver, asked = Driver(self.engine, lent), cast(sqlite3.Connection, lent.driver_connection)
        try:
            if forgets and lent.info.pop(_KEEPS, None):
                asked.execute(_REMOVED)
            asked.execute("BEGIN IMMEDIATE")
            try:
                yield driver
            except BaseException:
                with suppress(sqlite3.Error):
                    asked.rollback()
                raise
            try:
                asked.commit()
            except BaseException:
                # SQLite keeps a transaction open that it could not commit, and it would be lent out again.
                driver.give_up()
                raise
            # Whoever writes once leaves no journal behind, and whoever goes on need not make it anew each time.
            if not forgets and _KEEPS not in lent.info:
                with suppress(sqlite3.Error):  # what was asked for is done
                    asked.execute(_KEPT)
                    lent.info[_KEEPS] = True
        finally:
            driver.close()

    def close(self) -> None:
        self.engine.dispose()


def _parsed(url: str) -> URL:
    try:
        given = make_url(url)
        given.get_dialect()
        known = given.get_backend_name() in ("sqlite", "postgresql")
        if known:
            return given
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError, ImportError):
        pass
    # The text is not repeated: there may be a password in it.
    raise ConfigurationError(
        "the store in labeltrail.toml is no database that can be reached here",
        hint='wanted: store = "sqlite:///.labeltrail/trail.db" or "postgresql+psycopg://USER@HOST/DATABASE"',
    )


def _sqlite_engine(url: URL, wait_seconds: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": wait_seconds})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "close", _on_close)
    return engine


def _refuse_foreign_file(path: Path, *, create: bool) -> None:
    """Raises ConfigurationError for a file that is no SQLite database or belongs to another application.

    A file is read at most once in a process, before the process opens it as a store: POSIX takes all locks of a process off
    a file when it closes the file anywhere, so that another thread of it, writing, would be alone no longer.
    """
    with _LOOKING:
        if not path.exists():
            if not create:
                raise MissingEvidence(
                    f"{path}: no store here yet", hint="`labeltrail init` makes one, `labeltrail repro` fills it"
                )
            make_folder(path.parent)
            with suppress(OSError):  # SQLite says better what is in its way
                path.touch()
                _OURS.add(_inode(path))
            return
        if path.is_dir():
            raise ConfigurationError(
                f"{path} is a folder, wanted a store", hint="name another store in labeltrail.toml"
            )
        if _inode(path) not in _OURS:
            _look_at(path)
            _OURS.add(_inode(path))


def _inode(path: Path) -> tuple[int, int]:
    told = path.stat()
    return told.st_dev, told.st_ino


def _look_at(path: Path) -> None:
    with open(path, "rb") as stream:
        head = stream.read(100)
    # A power cut while a store was being made can leave empty pages, and beside them the journal that takes them back.
    unmade = not any(head) and path.with_name(f"{path.name}-journal").is_file()
    if head and not head.startswith(_SQLITE_MAGIC) and not unmade:
        raise ConfigurationError(f"{path} is not a LabelTrail store", hint="name another store in labeltrail.toml")
    # Bytes 68 to 71 of the header hold the application id (sqlite.org/fileformat2.html, 1.3.17).
    owner = int.from_bytes(head[68:72], "big")
    if head and owner not in (0, APPLICATION_ID):
        raise ConfigurationError(
            f"{path} is another application's database", hint="name another store in labeltrail.toml"
        )


def _after_fork() -> None:
    """A process that was forked asks by connections of its own."""
    for engine in list(_ENGINES):
        _LEFT_ALONE.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_after_fork)


def _on_connect(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we begin and commit ourselves
    try:
        for setting in (_REMOVED, *_SETTINGS):
            connection.execute(setting)
    except sqlite3.Error:
        connection.close()  # with its locks: nobody would come back to it
        raise


def _on_begin(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:  # a writer's is begun already
        driver.execute("BEGIN")


def _on_close(connection: sqlite3.Connection, record: Any) -> None:
    if record.info.pop(_KEEPS, None):
        with suppress(sqlite3.Error):
            connection.execute(_REMOVED)


def _dispose(engine: Engine, process: int) -> None:
    if process == os.getpid():
        engine.dispose()


@contextmanager
def faults(shown: str, *, committing: bool = False) -> Iterator[None]:
    """SQLAlchemy's errors never cross the front door: they become ours, with the store named."""
    try:
        yield
    except GovernanceError:
        raise
    except exc.DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            gone = error.connection_invalidated
            raise server.fault(shown, error.orig, gone=gone, committing=committing) from None
        operational = isinstance(error, exc.OperationalError)
        raise _sqlite_fault(shown, error.orig, operational=operational) from None
    except sqlite3.Error as error:  # from the driver itself, whose cursor those use who ask very often
        operational = isinstance(error, sqlite3.OperationalError)
        raise _sqlite_fault(shown, error, operational=operational) from None
    except (exc.SQLAlchemyError, ValueError, OverflowError) as error:
        raise _broken(shown, f"{type(error).__name__}: {str(error).splitlines()[0]}") from None
    except Exception as error:
        if not server.is_drivers(error):
            raise
        gone = getattr(error, "sqlstate", None) is None  # nothing that the server said
        raise server.fault(shown, error, gone=gone, committing=committing) from None


def _at_writing(error: BaseException | None) -> bool:
    """Whether the disk failed other than at reading, so that nothing speaks against the bytes that are there."""
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.startswith("SQLITE_IOERR") and not name.startswith(_AT_READING)


def _sqlite_fault(shown: str, error: sqlite3.Error, *, operational: bool) -> GovernanceError:
    says = str(error)
    if operational and ("locked" in says or "busy" in says):
        return Busy(f"{shown} is locked by another writer", hint="try again when it is done")
    if operational and ("readonly" in says or "unable to open" in says):
        hint = "check its owner and rights, and that there is space"
        return ConfigurationError(f"{shown} cannot be written: {says}", hint=hint)
    if operational and "full" in says:
        return ConfigurationError(f"{shown}: the disk is full; nothing was recorded", hint="free some space")
    if operational and _at_writing(error):
        return ConfigurationError(
            f"{shown}: the disk failed ({says}); it is not known whether this was recorded",
            hint="look after the disk, then record it again: what was recorded already is entered once",
        )
    return _broken(shown, says)


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
