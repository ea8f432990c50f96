"""How is a PostgreSQL server reached, what is a store in it, and what do its faults mean?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from governance.digest import sha256
from governance.errors import BrokenEvidence, Busy, ConfigurationError, GovernanceError, StoreLost
from governance.store.tables import METADATA, EntryRow

DRIVER = "postgresql+psycopg"
_SECRETS = ("password", "sslpassword")
_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """Where a store's database is. The password is kept apart, so that nothing that is shown can hold it."""

    url: URL
    secrets: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, url: URL) -> Server:
        """Raises ConfigurationError where a part of a password could be taken for the host."""
        if "@" in (url.host or ""):
            raise ConfigurationError(
                "the store in labeltrail.toml has more than one @", hint="write an @ within a name or password as %40"
            )
        secrets = {name: url.query[name] for name in _SECRETS if name in url.query}
        if url.password is not None:
            secrets["password"] = str(url.password)
        plain = url.difference_update_query(_SECRETS)
        plain = URL.create(DRIVER, plain.username, None, plain.host, plain.port, plain.database, plain.query)
        return cls(plain, secrets)

    @property
    def shown(self) -> str:
        """Host, port and database as people know them, from the URL or from libpq's variables."""
        host = self.url.host or _one(self.url.query.get("host")) or os.environ.get("PGHOST") or "the local socket"
        port = self.url.port or _one(self.url.query.get("port")) or os.environ.get("PGPORT") or 5432
        user = self.url.username or os.environ.get("PGUSER")
        database = self.url.database or os.environ.get("PGDATABASE") or user or "the user's own"
        return f"PostgreSQL at {host}, port {port}, database {database}"

    def engine(self) -> Engine:
        """Connections are made when they are needed and closed after: a forked process shares none, none is left open."""
        # Statements that a server prepares belong to one connection, which a pooler in between may exchange.
        asked: dict[str, Any] = {"prepare_threshold": None, "client_encoding": "utf8", **self.secrets}
        if "connect_timeout" not in self.url.query:
            asked["connect_timeout"] = _CONNECT_SECONDS
        if "application_name" not in self.url.query:
            asked["application_name"] = "labeltrail"
        try:
            return create_engine(self.url, connect_args=asked, poolclass=NullPool, hide_parameters=True)
        except ImportError:
            raise ConfigurationError(
                "the store is on a PostgreSQL server, and its driver is not installed",
                hint='pip install "labeltrail[postgres]"',
            ) from None


def lock_number(log: str) -> int:
    """The advisory lock of a log: the first 64 bits of its id's SHA-256, signed as PostgreSQL wants them."""
    return int.from_bytes(bytes.fromhex(sha256(log.encode()))[:8], "big", signed=True)


def take_lock(connection: Connection, log: str, *, wait_seconds: float) -> None:
    """The writer's place until the transaction ends, taken before anything is looked at. No log: who makes the tables."""
    wait = f"{max(1, round(wait_seconds * 1000))}ms"  # 0 would be for ever
    # A role or database may have been set to answer before its entries are on disk; those of a trail are not.
    durable = (
        "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
    )
    connection.execute(text(f"SELECT set_config('lock_timeout', :wait, true), {durable}"), {"wait": wait})
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": lock_number(log)})


def has_store(connection: Connection, shown: str) -> bool:
    """Whether our tables are there. Raises ConfigurationError where a table of one of our names is not ours.

    Other tables may stand beside them and are not touched.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"{shown} holds text in {encoding}, and a trail is UTF-8",
            hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )
    there = columns(connection)
    ours = str(EntryRow.__tablename__)
    if ours in there and there[ours] == {column.name for column in METADATA.tables[ours].columns}:
        return True
    if there:
        raise ConfigurationError(
            f"{shown} has a table of one of our names that is not ours ({', '.join(sorted(there)[:4])})",
            hint="give the trail a database of its own, or a schema: add ?options=-csearch_path%3DNAME to the store",
        )
    return False


def columns(connection: Connection) -> dict[str, set[str]]:
    """The columns of everything that has the name of a table of ours; of what is no table an empty name."""
    query = text(
        "SELECT c.relname, c.relkind, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.oid IN (SELECT to_regclass(quote_ident(n)) FROM unnest(CAST(:names AS text[])) AS n) "
        "AND a.attnum > 0 AND NOT a.attisdropped"
    )
    there: dict[str, set[str]] = {}
    for table, kind, column in connection.execute(query, {"names": list(METADATA.tables)}):
        there.setdefault(table, set()).add(column if kind in ("r", "p") else "")
    return there


def settings(connection: Connection) -> tuple[str, list[str]]:
    """The server's version, and which of the settings that keep acknowledged entries through a power cut are off."""
    wanted = ("fsync", "full_page_writes", "server_version", "synchronous_commit")
    query = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    found = {row[0]: row[1] for row in connection.execute(query, {"names": list(wanted)})}
    return found.pop("server_version"), sorted(name for name, setting in found.items() if setting == "off")


_STATES: dict[str, tuple[type[GovernanceError], str, str]] = {
    "55P03": (Busy, "is locked by another writer", "try again when it is done"),
    "40P01": (Busy, "is locked by another writer", "try again when it is done"),
    "40001": (Busy, "was changed by another writer", "try again"),
    "53300": (Busy, "serves as many clients as it may", "try again when one is done"),
    "57014": (Busy, "broke off: {says}; nothing was recorded", "try again, or raise its statement_timeout"),
    "53100": (ConfigurationError, "has a full disk; nothing was recorded", "free some space on the server"),
    "53200": (ConfigurationError, "has no memory left; nothing was recorded", "free some on the server"),
    "25006": (ConfigurationError, "may only be read: {says}", "name the primary server, or ask whoever runs this one"),
    "42501": (ConfigurationError, "does not let this role: {says}", "docs/stores.md has the GRANT statements"),
    "54000": (ConfigurationError, "cannot hold this: {says}; nothing was recorded", "shorten the name or path"),
}


def is_drivers(error: BaseException) -> bool:
    """Whether this comes from the driver itself, whose cursor those use who ask very often. It is not imported for that."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def fault(shown: str, error: BaseException | None, *, gone: bool, committing: bool) -> GovernanceError:
    """What an error of the driver means to us; its text is the server's own first line, which names no value.

    `gone` says that the connection is lost, `committing` that the server had been asked to keep what was recorded.
    """
    state = getattr(error, "sqlstate", None) or ""
    says = _first_line(error)
    if gone or state.startswith(("08", "57P")) or state == "25P03":
        return StoreLost(shown, says, recorded="unknown" if committing else "no")
    if state in _STATES:
        kind, told, hint = _STATES[state]
        return kind(f"{shown} {told.format(says=says)}", hint=hint)
    if not state and type(error).__name__ in ("OperationalError", "ProgrammingError"):
        # No connection: no such host, nobody there, a wrong password, no such database. libpq's own line says which.
        hint = "check `store` in labeltrail.toml, that the server runs, and the password in PGPASSWORD or ~/.pgpass"
        return ConfigurationError(f"{shown} cannot be reached: {says}", hint=hint)
    return BrokenEvidence(shown, expected="a whole store", actual=says, hint="restore it from a copy")


def _first_line(error: BaseException | None) -> str:
    """What the server said, without DETAIL, which repeats values; or libpq's last line, which says what went wrong."""
    diagnosis = getattr(error, "diag", None)
    if diagnosis is not None and diagnosis.message_primary:
        return str(diagnosis.message_primary)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _one(value: str | Iterable[str] | None) -> str | None:
    return value if isinstance(value, str) or value is None else ",".join(value)
