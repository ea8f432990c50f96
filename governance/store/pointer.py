"""Which of the logs in a store is this project's?"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from governance.digest import write_atomically
from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord, MissingEvidence
from governance.records import LogStart
from governance.store.database import Database
from governance.store.entry import read_entry
from governance.store.tables import EntryRow

_BEGINS = "new"


class NoLog(MissingEvidence):
    """The store is there and holds no log of this project yet."""


@dataclass(frozen=True)
class Pointer:
    """The file that names the project's log: its id, or `new` and the id of one that is about to begin."""

    path: Path

    def chosen(self, database: Database, *, project: str, create: bool) -> str:
        """The id of the log that is named here, or of the only one in a file of one's own.

        Raises NoLog where one has to begin, BrokenEvidence where the named one is gone, and ConfigurationError where it
        cannot be told whose a log is.
        """
        words = self._words()
        if words[:1] == [_BEGINS]:
            # Whoever was killed between the first entry and the last word here goes on with what was begun.
            if words[1:] and _has(database, words[1]):
                return words[1]
            raise NoLog(f"{database.shown}: no log of this project yet", hint="`labeltrail init` starts one")
        if words:
            if not _has(database, words[0]):
                hint = f"restore the store from a copy; or, to start a new log, remove {self.path}"
                there = _told(_logs(database)) or "none"
                raise BrokenEvidence(database.shown, expected=f"the log {words[0]}", actual=there, hint=hint)
            return words[0]
        return self._unnamed(database, project=project, create=create)

    def begin(self) -> str:
        """The id of a log that is about to begin, noted before its first entry is written."""
        words = self._words()
        log = words[1] if words[:1] == [_BEGINS] and words[1:] else secrets.token_hex(16)
        write_atomically(self.path, f"{_BEGINS} {log}\n".encode())
        return log

    def name(self, log: str) -> None:
        """Names the project's log from now on."""
        if self._words() != [log]:
            write_atomically(self.path, log.encode() + b"\n")

    def _words(self) -> list[str]:
        return self.path.read_text(encoding="ascii", errors="replace").split() if self.path.is_file() else []

    def _unnamed(self, database: Database, *, project: str, create: bool) -> str:
        logs = _logs(database)
        if not logs:
            raise NoLog(f"{database.shown}: no log yet", hint="`labeltrail init` starts one")
        if database.path is not None and len(logs) == 1:
            return next(iter(logs))
        # A server holds many projects, and going on with somebody else's log would mix two histories.
        goes_on = f"to go on with one, write its id into {self.path}"
        if database.path is not None:
            raise ConfigurationError(f"{database.shown} holds {len(logs)} logs: {_told(logs)}", hint=goes_on)
        same = {log: name for log, name in logs.items() if name == project}
        if create and same:
            raise ConfigurationError(
                f"{database.shown} holds a log of a project named {project} already: {_told(same)}",
                hint=f"{goes_on}; to begin another beside it, write {_BEGINS} into that file",
            )
        hint = f"`labeltrail init` starts one; {goes_on}: {_told(same or logs)}"
        raise NoLog(f"{database.shown}: no log of this project is named in {self.path}", hint=hint)


def _has(database: Database, log: str) -> bool:
    rows = EntryRow.__table__.c  # type: ignore[attr-defined]
    with database.reading() as connection:
        return connection.execute(select(rows.seq).where(rows.log == log).limit(1)).first() is not None


def _logs(database: Database) -> dict[str, str]:
    """The project's name by the id of the log, as its first entry says; empty where that cannot be read."""
    rows = EntryRow.__table__.c  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    with database.reading() as connection:
        for log in connection.execute(select(rows.log).distinct()).scalars():
            first = connection.execute(select(rows.data).where(rows.log == log, rows.seq == 0)).scalar()
            found[str(log)] = _project(first)
    return found


def _project(first: object) -> str:
    try:
        record = read_entry(first, where="entry 0").record if isinstance(first, bytes) else None
    except InvalidRecord:
        return ""
    return record.project if isinstance(record, LogStart) else ""


def _told(logs: dict[str, str]) -> str:
    told = [f"{log} ({name or 'unknown project'})" for log, name in sorted(logs.items(), key=lambda item: item[::-1])]
    return ", ".join([*told[:8], *([f"and {len(told) - 8} more"] if len(told) > 8 else [])])
