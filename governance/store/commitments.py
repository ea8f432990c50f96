"""How do rows stay outside the log and still cannot change unnoticed? Each row is a salted leaf, the log holds the root."""

from __future__ import annotations

import json
import math
import secrets
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from governance.digest import LARGEST_INTEGER, canonical, decimal, framed, keyed, keyed_frame
from governance.errors import BrokenEvidence, InvalidRecord, MissingEvidence
from governance.parquet import read_table
from governance.records import Commitment
from governance.store import merkle
from governance.store.forgetting import ReturnedSubject, destroy_keys, erased_subjects, kept_leaves
from governance.store.tables import SecretRow, SubjectKeyRow

if TYPE_CHECKING:
    import polars as pl

    from governance.store.trail import Trail

SCHEME = "rows/v1"
_CHUNK = 400
_AT_ONCE = 65_536
#: how the one writer of canonical JSON writes a text (RFC 8785 section 3.2.2.2)
_quoted = json.encoder.encode_basestring


@dataclass(frozen=True)
class CommittedRows:
    """The leaves behind a commitment and whose rows they are, in row order; an erased row has no id."""

    commitment: Commitment
    leaves: list[bytes]
    ids: list[str]


@dataclass(frozen=True)
class OpenedRow:
    """What shows one committed row and no other: SHA-256(0x00 || salt || row) is its leaf."""

    number: int
    row: bytes
    salt: bytes


class RowTable:
    """The rows of a Parquet table as a store commits to them.

    leaf = SHA-256(0x00 || salt || canonical row), salt = HMAC-SHA256(key of the subject; scheme, name of the record, row
    number). The same rows in the same store give the same leaves. Where rows were erased since, the others keep the
    numbers under which they were committed, and the store keeps the leaves of those that are gone.
    """

    def __init__(self, trail: Trail, path: Path, *, of: str, id_column: str, subject_column: str = "") -> None:
        self.of = of
        self.frame = read_table(path, columns=[id_column])
        subjects_from = subject_column if subject_column in self.frame.columns else id_column
        self.ids = _texts(self.frame[id_column])
        self.subjects = self.ids if subjects_from == id_column else _texts(self.frame[subjects_from])
        self.id_column, self.subject_column = id_column, subject_column
        self.kept = kept_leaves(trail, of)
        gone = {number for number, kept in self.kept.items() if not kept.amended}
        self.rows = len(self.ids) + len(gone)
        #: under which number each row of the file was committed
        self.numbers = [number for number in range(self.rows) if number not in gone] if gone else range(self.rows)
        self.keys = SubjectKeys(trail)
        self._at_hand: Mapping[str, bytes] = {}
        #: what is the same in the salt of every row
        self._salted = framed(SCHEME.encode(), of.encode()) + (8).to_bytes(8, "big")

    def have_at_hand(self, keys: Mapping[str, bytes]) -> None:
        """Takes keys of subjects that were asked for once, so that a row does not ask the store again."""
        self._at_hand = keys

    def leaf(self, position: int) -> bytes:
        """The salted leaf of the row at a position of the file, 32 bytes.

        Raises MissingEvidence where its subject has no key.
        """
        kept = self.kept.get(self.numbers[position])
        if kept is not None:
            return kept.leaf
        opened = self.opened(position)
        return merkle.leaf_hash(opened.salt + opened.row)

    def opened(self, position: int) -> OpenedRow:
        """The row at a position of the file, with the salt that makes it its leaf; an amended row is no longer that row.

        Raises MissingEvidence where its subject has no key.
        """
        number, subject = self.numbers[position], self.subjects[position]
        key = self._at_hand.get(subject) or self.keys.of([subject], make=False)[subject]
        return OpenedRow(number, canonical_row(self.frame, position), self._salt(key, number))

    def at(self, number: int) -> OpenedRow | bytes:
        """The row that was committed under a number, or its leaf alone where it was erased or amended since.

        Raises MissingEvidence where its subject has no key.
        """
        kept = self.kept.get(number)
        return kept.leaf if kept else self.opened(bisect_left(self.numbers, number))

    def leaves(self, *, make_keys: bool) -> Iterator[bytes]:
        """The leaf of each row, in order.

        With `make_keys` a subject without a key gets a random one; otherwise MissingEvidence is raised. Raises
        ReturnedSubject where the table holds rows of somebody who was erased.
        """
        keys = self.keys.of(self.subjects, make=make_keys)
        rows = zip(self.subjects, canonical_rows(self.frame), strict=True)
        if not self.kept:
            yield from merkle.leaf_hashes(
                self._salt(keys[subject], number) + row for number, (subject, row) in enumerate(rows)
            )
            return
        for number in range(self.rows):
            kept = self.kept.get(number)
            if kept is not None:
                if kept.amended:
                    next(rows)
                yield kept.leaf
                continue
            subject, row = next(rows)
            yield merkle.leaf_hash(self._salt(keys[subject], number) + row)

    def committed(self, *, make_keys: bool) -> CommittedRows:
        """All leaves and the commitment to them. Raises what `leaves` raises."""
        leaves = list(self.leaves(make_keys=make_keys))
        ids = [""] * self.rows
        for number, example in zip(self.numbers, self.ids, strict=True):
            ids[number] = example
        root = merkle.root(leaves).hex()
        commitment = Commitment.make(
            of=self.of,
            scheme=SCHEME,
            rows=len(leaves),
            root=root,
            columns=self.frame.columns,
            id_column=self.id_column,
            subject_column=self.subject_column,
        )
        return CommittedRows(commitment, leaves, ids)

    def _salt(self, key: bytes, number: int) -> bytes:
        return keyed_frame(key, self._salted + number.to_bytes(8, "big"))


def commit_rows(
    trail: Trail,
    path: Path,
    *,
    of: str,
    id_column: str,
    subject_column: str = "",
    make_keys: bool = True,
    keys: SubjectKeys | None = None,
) -> CommittedRows:
    """The commitment to every row of a Parquet table, in row order, as `RowTable` describes it.

    Several tables of the same rows are committed to sooner with the same `keys`.
    """
    table = RowTable(trail, path, of=of, id_column=id_column, subject_column=subject_column)
    table.keys = keys or table.keys
    return table.committed(make_keys=make_keys)


def canonical_row(frame: pl.DataFrame, position: int) -> bytes:
    """The bytes that `canonical_rows` gives for the row at a position, without making a table of one row."""
    template, order = _laid_out(tuple(frame.columns))
    cells = frame.row(position)
    return (template % tuple([_cell(cells[place]) for place in order])).encode()


@lru_cache(maxsize=64)
def _laid_out(columns: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """A row as an object, with a place for each cell, and which column goes where."""
    order = sorted(range(len(columns)), key=columns.__getitem__)
    return _template([columns[place] for place in order]), tuple(order)


def _template(columns: Sequence[str]) -> str:
    """A row as an object, with a place for each cell; the columns come sorted."""
    # The brackets of an object around one null, by the one writer that decides what a key may be.
    keys = [canonical({column: None})[1 : -len("null}")].decode().replace("%", "%%") for column in columns]
    return "{" + ",".join(f"{key}%s" for key in keys) + "}"


def _cell(value: Any) -> str:
    """The canonical text of one cell; what is of a plain type is written without a round through a writer of objects."""
    if type(value) is str:
        return _quoted(value)
    if type(value) is float and math.isfinite(value):
        return f'"{value!r}"'
    if type(value) is int and abs(value) <= LARGEST_INTEGER:
        return str(value)
    if value is None:
        return "null"
    return canonical(_plain(value)).decode()


def canonical_rows(frame: pl.DataFrame) -> Iterator[bytes]:
    """RFC 8785 bytes of each row as an object; floats as their shortest decimal strings."""
    columns = sorted(frame.columns)
    row = _template(columns)
    for part in frame.iter_slices(_AT_ONCE):
        for cells in zip(*(_cells(part[column]) for column in columns), strict=True):
            yield (row % cells).encode()


def _cells(column: pl.Series) -> Iterator[str]:
    """The canonical text of each cell; columns of one plain type are written without asking each cell what it is."""
    import polars as pl

    values, kind = column.to_list(), column.dtype
    if kind == pl.String:
        return ("null" if value is None else _quoted(value) for value in values)
    if kind == pl.Boolean:
        words = {None: "null", True: "true", False: "false"}
        return (words[value] for value in values)
    if kind == pl.Float64 and column.is_finite().all():
        return ("null" if value is None else f'"{value!r}"' for value in values)
    small = kind.is_integer() and all(abs(int(end or 0)) <= LARGEST_INTEGER for end in (column.min(), column.max()))  # type: ignore[arg-type]
    if small:
        return ("null" if value is None else str(value) for value in values)
    return (canonical(_plain(value)).decode() for value in values)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _texts(column: pl.Series) -> list[str]:
    """The values of a column that has to have a non-empty text in every row."""
    return [_text(value, column.name) for value in column.to_list()]


def _text(value: object, column: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRecord(column, value, "a non-empty text in every row")
    return value


def _key(value: object, what: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise BrokenEvidence(what, expected="32 bytes", actual=type(value).__name__)
    return value


class SubjectKeys:
    """One random key for each subject, found by a pseudonym that only this store can compute.

    Those that keep what they were told are for whoever holds the project's lock, so that nobody is erased meanwhile.
    """

    def __init__(self, trail: Trail, *, keeping: bool = False) -> None:
        self._trail = trail
        self._kept: dict[str, bytes] | None = {} if keeping else None

    def of(self, subjects: Iterable[str], *, make: bool) -> dict[str, bytes]:
        """The key of each subject, 32 bytes; missing ones are made in one transaction, or MissingEvidence is raised.

        Raises ReturnedSubject where one of them was erased.
        """
        wanted = sorted(set(subjects))
        if self._kept is None:
            return self._asked(wanted, make=make)
        asked = [subject for subject in wanted if subject not in self._kept]
        if asked:
            self._kept |= self._asked(asked, make=make)
        return {subject: self._kept[subject] for subject in wanted}

    def _asked(self, wanted: list[str], *, make: bool) -> dict[str, bytes]:
        with self._trail.database.reading() as connection:
            secret = self._secret(connection)
            names = {subject: self.pseudonym(secret, subject) for subject in wanted} if secret else {}
            self._refuse_erased(connection, names)
            known = self._stored(connection, list(names.values())) if secret else {}
        if secret and all(name in known for name in names.values()):
            return {subject: known[name] for subject, name in names.items()}
        if not make:
            gone = sum(names.get(subject) not in known for subject in wanted)
            raise MissingEvidence(f"the keys of {gone} of {len(wanted)} subjects are not in this store")
        with self._trail.database.writing() as connection:
            # Asked again inside: another process may have made keys since, and those must win.
            secret = self._secret(connection) or self._new_secret(connection)
            names = {subject: self.pseudonym(secret, subject) for subject in wanted}
            self._refuse_erased(connection, names)
            known = self._stored(connection, list(names.values()))
            fresh = {name: secrets.token_bytes(32) for name in names.values() if name not in known}
            rows = [{"log": self._trail.log, "pseudonym": name, "key": key} for name, key in fresh.items()]
            for start in range(0, len(rows), _CHUNK):
                connection.execute(insert(SubjectKeyRow), rows[start : start + _CHUNK])
        known |= fresh
        return {subject: known[name] for subject, name in names.items()}

    def at_hand(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The keys of those subjects that have one, 32 bytes each; nobody who was erased is among them."""
        with self._trail.database.reading() as connection:
            secret = self._secret(connection)
            names = {subject: self.pseudonym(secret, subject) for subject in set(subjects)} if secret else {}
            erased = erased_subjects(self._trail, connection=connection)
            known = self._stored(connection, list(names.values())) if names else {}
        return {subject: known[name] for subject, name in names.items() if name in known and name not in erased}

    def erased(self, subject: str) -> int | None:
        """The entry that erased a subject, or None."""
        with self._trail.database.reading() as connection:
            secret = self._secret(connection)
            known = erased_subjects(self._trail, connection=connection) if secret else {}
        return known.get(self.pseudonym(secret, subject)) if secret else None

    def erased_with(self, subject: str, among: Iterable[str]) -> set[str]:
        """Those names that were erased by the entry that erased a subject: the ids of her rows, where these come back."""
        with self._trail.database.reading() as connection:
            secret = self._secret(connection)
            known = erased_subjects(self._trail, connection=connection) if secret else {}
        entry = known.get(self.pseudonym(secret, subject)) if secret else None
        return {name for name in set(among) if known.get(self.pseudonym(secret, name)) == entry} if entry else set()

    def destroy(self, connection: Connection, names: Iterable[str], *, subject: str, entry: int) -> None:
        """Destroys the keys under a subject's names inside of a transaction; an entry is known to have erased them."""
        secret = self._secret(connection) or self._new_secret(connection)
        pseudonyms = [self.pseudonym(secret, name) for name in names]
        whose = self.pseudonym(secret, subject)
        destroy_keys(self._trail, connection, pseudonyms, whose=whose, entry=entry)

    def secret(self, connection: Connection, *, make: bool) -> bytes:
        """The secret of the store, 32 bytes, inside of a transaction. Raises MissingEvidence where it has none."""
        secret = self._secret(connection) or (self._new_secret(connection) if make else b"")
        if not secret:
            raise MissingEvidence("the secret under which rows are committed to is not in this store")
        return secret

    def known(self, subjects: Iterable[str]) -> set[bytes]:
        """The pseudonyms of those subjects that have a key."""
        with self._trail.database.reading() as connection:
            secret = self._secret(connection)
            names = [self.pseudonym(secret, subject) for subject in sorted(set(subjects))] if secret else []
            return set(names) & set(self._stored(connection, names)) if names else set()

    def _refuse_erased(self, connection: Connection, names: dict[str, bytes]) -> None:
        erased = erased_subjects(self._trail, connection=connection)
        if back := [erased[name] for name in names.values() if name in erased]:
            raise ReturnedSubject(back)

    @staticmethod
    def pseudonym(secret: bytes, subject: str) -> bytes:
        """What the store calls a subject, 16 bytes."""
        return keyed(secret, b"subject", subject.encode(errors="surrogatepass"))[:16]

    def _secret(self, connection: Connection) -> bytes:
        rows = SecretRow.__table__  # type: ignore[attr-defined]
        secret = connection.execute(select(rows.c.secret).where(rows.c.log == self._trail.log)).scalar()
        return _key(secret, "the secret of the store") if secret is not None else b""

    def _new_secret(self, connection: Connection) -> bytes:
        secret = secrets.token_bytes(32)
        connection.execute(insert(SecretRow), [{"log": self._trail.log, "secret": secret}])
        return secret

    def _stored(self, connection: Connection, names: list[bytes]) -> dict[bytes, bytes]:
        rows = SubjectKeyRow.__table__  # type: ignore[attr-defined]
        query = select(rows.c.pseudonym, rows.c.key).where(rows.c.log == self._trail.log)
        if len(names) <= _CHUNK:
            query = query.where(rows.c.pseudonym.in_(names))
        return {row[0]: _key(row[1], "the key of a subject") for row in connection.execute(query)}
