"""What does a store keep of the subjects that it forgot? The leaves of their rows, and a pseudonym that has no key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, inspect, select

from governance.erased import Erased, by_entries
from governance.errors import ExitCode, GovernanceError
from governance.records import Erasure
from governance.store.tables import METADATA, RARE, ErasedLeafRow, ErasedSubjectRow, RecordRow, SubjectKeyRow

if TYPE_CHECKING:
    from governance.store.trail import Trail

_CHUNK = 400


class ReturnedSubject(GovernanceError):
    """Rows of somebody who was erased are here again."""

    exit_code = ExitCode.FINDINGS

    def __init__(self, entries: Iterable[int]) -> None:
        self.entries = sorted(set(entries))
        super().__init__(
            f"it holds rows of a person who was {by_entries(self.entries)}",
            hint="take the person out of what the stage reads; `labeltrail subject erase` takes her out of what lies here",
        )


@dataclass(frozen=True)
class KeptLeaf:
    """The leaf of an erased row; an amended one is of a row that is still in the table."""

    leaf: bytes
    amended: bool


def erasures(trail: Trail) -> Erased:
    """What the erasures of this log did to recorded contents."""
    rows: Any = RecordRow.__table__  # type: ignore[attr-defined]
    with trail.database.reading() as connection:
        query = select(rows.c.seq).where(rows.c.log == trail.log, RARE, rows.c.kind == Erasure.kind)
        found = sorted(connection.execute(query).scalars())
    return Erased((seq, entry.record) for at in found for seq, entry in trail.entries(start=at, stop=at + 1))


def kept_leaves(trail: Trail, of: str) -> dict[int, KeptLeaf]:
    """The leaves that the store keeps for a record's table, by the row's number when it was committed."""
    rows: Any = ErasedLeafRow.__table__  # type: ignore[attr-defined]
    with trail.database.reading() as connection:
        if not _is_there(connection, rows.name):
            return {}
        query = select(rows.c.row, rows.c.leaf, rows.c.amended).where(rows.c.log == trail.log, rows.c.of == of)
        return {row[0]: KeptLeaf(bytes(row[1]), bool(row[2])) for row in connection.execute(query.order_by(rows.c.row))}


def erased_subjects(trail: Trail, *, connection: Connection | None = None) -> dict[bytes, int]:
    """The entry that erased each subject, by pseudonym."""
    if connection is None:
        with trail.database.reading() as reading:
            return erased_subjects(trail, connection=reading)
    rows: Any = ErasedSubjectRow.__table__  # type: ignore[attr-defined]
    if not _is_there(connection, rows.name):
        return {}
    query = select(rows.c.pseudonym, rows.c.seq).where(rows.c.log == trail.log)
    return {bytes(row[0]): row[1] for row in connection.execute(query)}


def keep_leaves(trail: Trail, connection: Connection, leaves: Mapping[str, Mapping[int, KeptLeaf]]) -> None:
    """Keeps leaves by record and row number, inside of a transaction; what is kept already stays as it is."""
    rows: Any = ErasedLeafRow.__table__  # type: ignore[attr-defined]
    METADATA.create_all(connection, tables=[rows])
    for of, numbered in leaves.items():
        query = select(rows.c.row, rows.c.amended).where(rows.c.log == trail.log, rows.c.of == of)
        known = {row[0]: bool(row[1]) for row in connection.execute(query)}
        # A row that was amended once and is erased now keeps its leaf under the same number.
        gone = [number for number, kept in numbered.items() if known.get(number) and not kept.amended]
        for number in gone:
            here = (rows.c.log == trail.log) & (rows.c.of == of) & (rows.c.row == number)
            connection.execute(rows.update().where(here).values(amended=False))
        fresh = [
            {"log": trail.log, "of": of, "row": number, "leaf": kept.leaf, "amended": kept.amended}
            for number, kept in numbered.items()
            if number not in known
        ]
        for start in range(0, len(fresh), _CHUNK):
            connection.execute(insert(rows), fresh[start : start + _CHUNK])


def destroy_keys(
    trail: Trail, connection: Connection, pseudonyms: Iterable[bytes], *, whose: bytes, entry: int
) -> None:
    """Destroys the keys of subjects and notes which entry did, inside of a transaction.

    `whose` is the person; names that an earlier entry erased with her stay with her, also where they did not come back.
    """
    keys: Any = SubjectKeyRow.__table__  # type: ignore[attr-defined]
    rows: Any = ErasedSubjectRow.__table__  # type: ignore[attr-defined]
    METADATA.create_all(connection, tables=[rows])
    known = erased_subjects(trail, connection=connection)
    names = sorted({*pseudonyms, *(name for name, seq in known.items() if seq == known.get(whose))})
    for start in range(0, len(names), _CHUNK):
        some = names[start : start + _CHUNK]
        connection.execute(delete(keys).where(keys.c.log == trail.log, keys.c.pseudonym.in_(some)))
        connection.execute(delete(rows).where(rows.c.log == trail.log, rows.c.pseudonym.in_(some)))
        connection.execute(insert(rows), [{"log": trail.log, "pseudonym": name, "seq": entry} for name in some])


def _is_there(connection: Connection, name: str) -> bool:
    # A store that was made before this table was thought of has erased nobody.
    return inspect(connection).has_table(name)
