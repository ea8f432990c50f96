"""What has been recorded, in which order, and what stands where? The log is the truth, the tables follow from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, bindparam, func, select, text

from governance.digest import make_folder
from governance.errors import BrokenEvidence, Busy, InvalidRecord
from governance.facts import Facts
from governance.records import Adoption, KeyChange, LogStart, Record
from governance.store import keys, merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.database import Database, file_faults
from governance.store.driver import Driver
from governance.store.entry import Entry, read_entry
from governance.store.keychain import Keychain
from governance.store.memory import recall, remember
from governance.store.pointer import NoLog, Pointer
from governance.store.projection import Numbers, named_by, project
from governance.store.tables import METADATA, RARE, CheckpointRow, EntryRow, NodeRow, RecordRow, projected_tables

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Appended:
    """What one transaction added: names with their positions, and the checkpoint that covers them."""

    checkpoint: Checkpoint
    positions: dict[str, int] = field(default_factory=dict)

    @property
    def signed(self) -> bool:
        return bool(self.checkpoint.signatures)


@dataclass(frozen=True)
class _Own:
    """What a trail entered last: its signed head, as it is stored, and how to go on from it."""

    checkpoint: Checkpoint
    note: str
    peaks: str
    frontier: merkle.Frontier
    #: the public key in force, hexadecimal
    signer: str
    #: the number that the next record gets which is named for the first time
    next_number: int

    def is_head(self, note: object, peaks: object) -> bool:
        """Whether the stored head is this very one."""
        return note == self.note and peaks == self.peaks


class Trail:
    """One log in one database. Appending is the only change that there is."""

    def __init__(self, database: Database, log: str) -> None:
        self.database = database
        self.log = database.log = log
        #: what this very object entered last, where the log's key signed it: none of that has to be judged again
        self._own: _Own | None = None

    @classmethod
    def open(cls, url: str, *, root: Path, project: str, create: bool = False, wait_seconds: float = 5.0) -> Trail:
        """The project's log. With `create`, a store and a log are made where there are none.

        Raises MissingEvidence (no store yet), ConfigurationError (not ours, or no file can be written), Busy,
        BrokenEvidence.
        """
        pointer = Pointer(root / ".labeltrail" / "log")
        with file_faults(pointer.path):
            database = Database(url, root=root, create=create, wait_seconds=wait_seconds)
            if database.outdated:
                _project_anew(database)
            if not create:
                return cls(database, pointer.chosen(database, project=project, create=False))
            if not pointer.path.is_file():
                make_folder(pointer.path.parent)
            # Two that open a new project at once must not start two logs.
            with _opening(pointer.path.with_name("open.lock"), wait_seconds):
                try:
                    log = pointer.chosen(database, project=project, create=True)
                except NoLog:
                    log = pointer.begin()
                    key = keys.load_key()
                    start = LogStart.make(log=log, project=project, public_key=keys.public_hex(key) if key else None)
                    cls(database, log).append([start])
                pointer.name(log)
        return cls(database, log)

    # -- writing ---------------------------------------------------------------------------------------------------

    def append(
        self,
        records: Iterable[Record],
        *,
        at: int | None = None,
        also: Callable[[Connection, dict[str, int]], None] | None = None,
        forgets: bool = False,
    ) -> Appended:
        """Enters records: 1. take the writer's place  2. leave out facts already entered  3. entries and leaves
        4. their projection  5. a checkpoint over all of it, and what `also` has to happen with it  6. commit, which leaves
        no copy of what is deleted in it where it `forgets`.

        `at` is in microseconds since 1970 UTC, by default now. Raises Busy, and BrokenEvidence for a change of the log's
        key that does not follow on the key in force; then nothing was entered.
        """
        at = time.time_ns() // 1000 if at is None else at
        given = {record.name: record for record in records}
        # 1.
        with self.database.entering(forgets=forgets) as driver:
            frontier, last = self._head(driver)
            own = self._own if self._own is not None and self._own.checkpoint is last else None
            # 2.
            numbers, known = self._named(driver, given.values(), own)
            entries = [Entry(at, record) for name, record in given.items() if name not in known]
            if not entries:
                if also is not None:
                    wanted = "a new record, with which what is asked for can happen"
                    raise InvalidRecord("records", "only what is entered already", wanted)
                return Appended(last if last is not None else Checkpoint(self.log, 0, merkle.EMPTY_ROOT))
            fresh = [entry.record for entry in entries]
            changes_keys = any(isinstance(record, KeyChange) for record in fresh)
            other = False
            if own is not None and not changes_keys:
                signers = _at_hand(own.signer)
            else:
                # Two signed histories of one log would vouch for nothing: what follows on another one stays unsigned.
                other = self.is_another_history(connection=driver.connection)
                signers = [] if other else self._signers(driver.connection, last, fresh)
            # 3.
            first = frontier.size
            rows = []
            for seq, entry in enumerate(entries, start=first):
                data = entry.to_bytes()
                leaf = merkle.leaf_hash(data)
                frontier.push(leaf)
                rows.append({"log": self.log, "seq": seq, "data": data, "leaf": leaf})
            driver.insert(_table(EntryRow), rows)
            # 4.
            grouped: dict[type[Any], list[dict[str, Any]]] = {}
            for table, row in project(self.log, enumerate(entries, start=first), numbers):
                grouped.setdefault(table, []).append(row)
            for table, projected in grouped.items():
                driver.insert(_table(table), projected)
            # 5.
            checkpoint = Checkpoint(self.log, frontier.size, frontier.root())
            for signer in signers:
                checkpoint = checkpoint.signed(signer)
            note, peaks = checkpoint.to_note(), frontier.to_text()
            row = {"log": self.log, "size": frontier.size, "note": note, "frontier": peaks}
            driver.insert(_table(CheckpointRow), [row])
            positions = {entry.record.name: first + i for i, entry in enumerate(entries)}
            if also is not None:
                also(driver.connection, positions)
            # 6.
        before = self._own.note if self._own is not None else ""
        alone = len(signers) == 1 and not changes_keys
        signer = keys.public_hex(signers[0]) if alone else ""
        self._own = _Own(checkpoint, note, peaks, frontier, signer, numbers.next) if alone else None
        if not other:
            remember(self.log, frontier.size, note, after=before)
        return Appended(checkpoint, positions)

    def _head(self, driver: Driver) -> tuple[merkle.Frontier, Checkpoint | None]:
        """The frontier to go on from. Refuses a log whose newest entries the newest checkpoint does not cover."""
        asked = {"log": self.log}
        found = driver.rows(_HEAD, asked) or driver.rows(_LAST, asked)
        last, *head = found[0]
        size = 0 if last is None else int(last) + 1
        if not head and size == 0:
            return merkle.Frontier(), None
        covered, note, peaks = head or (0, "", "")
        if covered != size:
            raise BrokenEvidence(f"log {self.log}", expected=f"{covered} entries", actual=f"{size}", hint=_LOOK)
        if self._own is not None and self._own.is_head(note, peaks):
            return merkle.Frontier(size, [*self._own.frontier.peaks]), self._own.checkpoint
        checkpoint = parse_note(note, where=f"checkpoint {size}")
        frontier = merkle.Frontier.from_text(size, peaks)
        if frontier.root() != checkpoint.root:
            raise BrokenEvidence(
                f"checkpoint {size}", expected=checkpoint.root.hex(), actual=frontier.root().hex(), hint=_LOOK
            )
        return frontier, checkpoint

    def _named(self, driver: Driver, records: Collection[Record], own: _Own | None) -> tuple[Numbers, set[str]]:
        """The numbers of those that these records name, their own among them, and which of these are entered already."""
        asked = list(named_by(records))
        numbers: dict[str, int] = {}
        known: set[str] = set()
        for start in range(0, len(asked), 500):  # SQLite's limit on bound values is 999 in old builds
            some = {f"n{number}": name for number, name in enumerate(asked[start : start + 500])}
            for name, number, seq in driver.rows(_named_among(len(some)), {"log": self.log, **some}):
                numbers[name] = number
                if seq is not None:
                    known.add(name)
        if own is not None:
            return Numbers(numbers, next_=own.next_number), known
        last = driver.rows(_LAST_NUMBER, {"log": self.log})
        return Numbers(numbers, next_=int(last[0][0]) + 1 if last else 0), known

    def _signers(
        self, connection: Connection, head: Checkpoint | None, records: list[Record]
    ) -> list[Ed25519PrivateKey]:
        """Who may sign what comes next: the key in force, over a head that it has signed itself.

        What somebody recorded without the key is never signed in passing: an adoption says that its holder has looked, and
        so does a change of the key, which the new key signs and the one that hands over to it as well.
        Raises BrokenEvidence for a head whose signature is not the log's, and for a change that is not valid.
        """
        if head is None:
            return _at_hand(records[0].public_key) if isinstance(records[0], LogStart) else []
        chain = self.keychain(connection=connection)
        vouched = chain.vouches(head)
        if head.signatures and not vouched:
            raise BrokenEvidence(
                f"checkpoint {head.size}", expected="a signature of the log's key", actual="another", hint=_LOOK
            )
        changes = [(seq, record) for seq, record in enumerate(records, head.size) if isinstance(record, KeyChange)]
        if not changes:
            adopting = any(isinstance(record, Adoption) for record in records)
            return _at_hand(chain.newest.public_key) if vouched or adopting else []
        before = chain.newest
        for seq, change in changes:
            chain = chain.changed(seq, change)
        hands_over = vouched and chain.end_of_trust(before) is None
        return _at_hand(chain.newest.public_key) + (_at_hand(before.public_key) if hands_over else [])

    # -- reading ---------------------------------------------------------------------------------------------------

    def is_another_history(self, *, connection: Connection | None = None) -> bool:
        """Whether this machine saw a checkpoint of the log that the store does not hold: rolled back, or written anew."""
        seen = recall(self.log)
        if seen is None:
            return False
        rows = _table(CheckpointRow)
        query = select(rows.c.note).where(rows.c.log == self.log, rows.c.size == seen.size)
        held = self._rows(query, connection)
        try:
            return not held or parse_note(str(held[0][0])).root != seen.root
        except InvalidRecord:
            return True

    def size(self) -> int:
        """How many entries the newest checkpoint covers."""
        rows = _table(CheckpointRow)
        with self.database.reading() as connection:
            query = select(func.max(rows.c.size)).where(rows.c.log == self.log)
            return int(connection.execute(query).scalar() or 0)

    def start(self) -> LogStart:
        """The first entry, which says whose log this is and which key signs it."""
        with self.database.reading() as connection:
            record = self._entry(connection, 0).record
        if not isinstance(record, LogStart):
            raise BrokenEvidence("entry 0", expected="the start of a log", actual=record.kind)
        return record

    def keychain(self, *, connection: Connection | None = None) -> Keychain:
        """The keys of this log, the newest of which is in force. Raises BrokenEvidence for a change that is not valid."""
        if connection is None:
            with self.database.reading() as reading:
                return self.keychain(connection=reading)
        rows = _table(RecordRow)
        here = (rows.c.log == self.log) & RARE & (rows.c.kind == KeyChange.kind)
        query = select(rows.c.seq).where(here).order_by(rows.c.seq)
        changes = [(seq, self._entry(connection, seq).record) for seq in connection.execute(query).scalars().all()]
        start = self._entry(connection, 0).record
        if not isinstance(start, LogStart):
            raise BrokenEvidence("entry 0", expected="the start of a log", actual=start.kind, hint=_LOOK)
        return Keychain.of(start, changes)

    def entries(self, *, start: int = 0, stop: int | None = None) -> list[tuple[int, Entry]]:
        """(position, entry) in order. Raises BrokenEvidence where an entry cannot be read."""
        return [(seq, _read(data, seq)) for seq, data, _ in self.raw_entries(start=start, stop=stop)]

    def raw_entries(
        self, *, start: int = 0, stop: int | None = None, connection: Connection | None = None
    ) -> list[tuple[Any, bytes, bytes]]:
        """(position, bytes, stored leaf hash) in order, unjudged."""
        rows = _table(EntryRow)
        query = select(rows.c.seq, rows.c.data, rows.c.leaf).where(rows.c.log == self.log, rows.c.seq >= start)
        if stop is not None:
            query = query.where(rows.c.seq < stop)
        found = self._rows(query.order_by(rows.c.seq), connection)
        return [(row[0], octets(row[1]), octets(row[2])) for row in found]

    def stored_entries(self, connection: Connection, *, at_once: int = 10_000) -> Iterator[list[tuple[Any, Any, Any]]]:
        """(position, bytes, leaf hash) of every entry in order, some thousands at a time, each cell as it is stored."""
        return self._in_parts(connection, "trail_entry", ("seq", "data", "leaf"), at_once)

    def stored_checkpoints(self, connection: Connection, *, at_once: int = 1_000) -> Iterator[tuple[Any, Any, Any]]:
        """(size, note, frontier) of every checkpoint, oldest first, read some at a time, each cell as it is stored."""
        for part in self._in_parts(connection, "trail_checkpoint", ("size", "note", "frontier"), at_once):
            yield from part

    def _in_parts(
        self, connection: Connection, table: str, columns: tuple[str, ...], at_once: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows by their first column, which is the key within a log. Each part goes on behind the last row before."""
        key, listed = columns[0], ", ".join(columns)
        # Plain text bypasses the types, so that a cell comes as it is; every name in it is our own.
        begun = f"SELECT {listed} FROM {table} WHERE log = :log"  # noqa: S608
        ended = f"ORDER BY {key} LIMIT {at_once}"
        query = text(f"{begun} {ended}").bindparams(log=self.log)
        while True:
            part = _raw(connection, query)
            if part:
                yield part
            if len(part) < at_once:
                return
            query = text(f"{begun} AND {key} > :after {ended}").bindparams(log=self.log, after=part[-1][0])

    def checkpoints(self, *, connection: Connection | None = None) -> list[tuple[Any, Any, Any]]:
        """(size, note, frontier) as stored, oldest first, unjudged."""
        rows = _table(CheckpointRow)
        query = select(rows.c.size, rows.c.note, rows.c.frontier).where(rows.c.log == self.log).order_by(rows.c.size)
        return [(row[0], row[1], row[2]) for row in self._rows(query, connection)]

    def projected(self, table: type[Any], *, connection: Connection | None = None) -> list[dict[str, Any]]:
        """The stored rows of one projected table by primary key, each cell as the database holds it, not as we read it."""
        rows = _table(table)
        names = [column.name for column in rows.columns]
        keys_ = ", ".join(f'"{column.name}"' for column in rows.primary_key.columns)
        listed = ", ".join(f'"{name}"' for name in names)
        # Plain text bypasses the types that would turn an empty text into False; every name in it is our own.
        query = text(f'SELECT {listed} FROM "{rows.name}" WHERE log = :log ORDER BY {keys_}')  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in self._rows(query.bindparams(log=self.log), connection)]

    def _rows(self, query: Any, connection: Connection | None) -> list[Any]:
        if connection is not None:
            return list(connection.execute(query))
        with self.database.reading() as reading:
            return list(reading.execute(query))

    def facts(self) -> Facts:
        """Every record of the log, in order."""
        return Facts(entry.record for _, entry in self.entries())

    def positions(self) -> dict[str, int]:
        """Where each record was entered."""
        rows = _table(RecordRow)
        with self.database.reading() as connection:
            query = select(rows.c.name, rows.c.seq).where(rows.c.log == self.log)
            return {row[0]: row[1] for row in connection.execute(query)}

    def rebuild(self) -> None:
        """Drops the projection and makes it again from the log, in one transaction, with the indexes of today."""
        with self.database.writing() as connection:
            for table in projected_tables():
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
                connection.execute(table.delete().where(table.c.log == self.log))
            self._project(connection)

    def _project(self, connection: Connection) -> None:
        """Fills the projected tables from the log. Read inside, since another writer may enter something up to then."""
        entries = [(seq, _read(data, seq)) for seq, data, _ in self.raw_entries(connection=connection)]
        driver, grouped = Driver.of(connection), dict[type[Any], list[dict[str, Any]]]()
        for table, row in project(self.log, entries):
            grouped.setdefault(table, []).append(row)
        for table, rows in grouped.items():
            driver.insert(_table(table), rows)

    def _entry(self, connection: Connection, seq: int) -> Entry:
        rows = _table(EntryRow)
        query = select(rows.c.data).where(rows.c.log == self.log, rows.c.seq == seq)
        data = connection.execute(query).scalar()
        if data is None:
            raise BrokenEvidence(f"entry {seq}", expected="an entry", actual="none", hint=_LOOK)
        return _read(octets(data), seq)


def _project_anew(database: Database) -> None:
    """Gives a store of an earlier version the projected tables of today, for every log in it: projections are rebuilt,
    never migrated."""
    with database.writing() as connection:
        # Asked again inside: somebody else may have done it since.
        if database.is_outdated(connection):
            METADATA.drop_all(connection, tables=projected_tables())
            METADATA.create_all(connection, tables=projected_tables())
            entries = _table(EntryRow).c
            for log in connection.execute(select(entries.log).distinct()).scalars().all():
                Trail(database, log)._project(connection)
    database.outdated = False


def _raw(connection: Connection, query: Any) -> list[tuple[Any, ...]]:
    """The driver's own rows, for very many of them: SQLAlchemy's cost as much again as reading them."""
    result = connection.execute(query)
    rows = list(result.cursor.fetchall()) if result.cursor else []
    result.close()
    return rows


_LOOK = "`labeltrail verify` names everything that does not fit"


def octets(value: object) -> bytes:
    """What SQLite answers for a cell of bytes; a cell that somebody changed may hold text or anything else."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _read(data: bytes, seq: int) -> Entry:
    try:
        return read_entry(data, where=f"entry {seq}")
    except InvalidRecord as error:
        raise BrokenEvidence(f"entry {seq}", expected=error.wanted, actual=error.given, hint=_LOOK) from None


def _at_hand(public: str | None) -> list[Ed25519PrivateKey]:
    """The private half of a key that the log names, where it is at hand. Any other proves nothing about the log."""
    key = keys.load_key(public) if public else None
    return [key] if key else []


@contextmanager
def _opening(lock: Path, wait_seconds: float) -> Iterator[None]:
    """The place of whoever may begin a log. Raises Busy where another process keeps it."""
    try:
        held = FileLock(lock).acquire(timeout=wait_seconds)
    except Timeout:
        raise Busy(f"another process is opening {lock.parent}", hint="try again when it is done") from None
    with held:
        yield


def _table(model: type[Any]) -> Any:
    return model.__table__


_heads, _entries, _nodes, _records = (_table(model).c for model in (CheckpointRow, EntryRow, NodeRow, RecordRow))
_log = bindparam("log")
#: what every appending asks first: the last position, and the newest checkpoint where there is one
_LAST = select(func.max(_entries.seq)).where(_entries.log == _log)
_HEAD = (
    select(_LAST.scalar_subquery(), _heads.size, _heads.note, _heads.frontier)
    .where(_heads.log == _log)
    .order_by(_heads.size.desc())
    .limit(1)
)
# By its order: SQLite would read every number of the log for the largest one.
_LAST_NUMBER = select(_nodes.number).where(_nodes.log == _log).order_by(_nodes.number.desc()).limit(1)


@cache
def _named_among(count: int) -> Any:
    """Which of so many names have which number, and where those of them that are entered were entered."""
    names = [bindparam(f"n{number}") for number in range(count)]
    entered = (_records.log == _nodes.log) & (_records.number == _nodes.number)
    both = _table(NodeRow).outerjoin(_table(RecordRow), entered)
    asked = select(_nodes.name, _nodes.number, _records.seq).select_from(both)
    return asked.where(_nodes.log == _log, _nodes.name.in_(names))
