"""Which tables does a store have? The first two are the truth, the secrets are its own, the rest is projected."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, MetaData, String, Text, text
from sqlmodel import AutoString, Field, SQLModel

#: our tables alone, so that opening a store never creates anybody else's
METADATA = MetaData()


#: rows lie in the order of their key: a second tree by SQLite's own row numbers would be one more page to write a row
_BY_KEY = {"sqlite_with_rowid": False}


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = METADATA  # type: ignore[misc]


class EntryRow(_Table, table=True):
    """One entry of a log: its canonical bytes and their leaf hash."""

    __tablename__: ClassVar[str] = "trail_entry"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    data: bytes = Field(sa_type=LargeBinary)
    leaf: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(_Table, table=True):
    """The tree head after each transaction, and the frontier from which the next one goes on."""

    __tablename__: ClassVar[str] = "trail_checkpoint"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    note: str = Field(sa_type=Text)
    frontier: str = Field(sa_type=Text)


class SecretRow(_Table, table=True):
    """The key under which subjects are pseudonyms; it never leaves the store."""

    __tablename__: ClassVar[str] = "trail_secret"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    secret: bytes = Field(sa_type=LargeBinary)


class SubjectKeyRow(_Table, table=True):
    """One random key for each subject; destroying it makes every commitment to that person's rows unverifiable."""

    __tablename__: ClassVar[str] = "trail_subject_key"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    pseudonym: bytes = Field(primary_key=True, sa_type=LargeBinary)
    key: bytes = Field(sa_type=LargeBinary)


class ErasedSubjectRow(_Table, table=True):
    """A subject whose key was destroyed, by pseudonym, and the entry of that erasure: whoever comes back is recognised."""

    __tablename__: ClassVar[str] = "trail_erased_subject"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    pseudonym: bytes = Field(primary_key=True, sa_type=LargeBinary)
    seq: int = Field(sa_type=BigInteger)


class ErasedLeafRow(_Table, table=True):
    """The leaf of a committed row that was erased or amended, so that the committed root still comes out.

    With its salt's key destroyed it is a random number to everybody.
    """

    __tablename__: ClassVar[str] = "trail_erased_leaf"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    of: str = Field(primary_key=True)
    row: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    leaf: bytes = Field(sa_type=LargeBinary)
    #: whether the row is still in the table, with a cell emptied that named an erased row
    amended: bool


class BlockLeavesRow(_Table, table=True):
    """The leaves behind a commitment to blocks of rows, 32 bytes each: with them a changed block can be named.

    They prove nothing by themselves: the log holds their root.
    """

    __tablename__: ClassVar[str] = "trail_block_leaves"  # type: ignore[misc]
    log: str = Field(primary_key=True)
    of: str = Field(primary_key=True)
    leaves: bytes = Field(sa_type=LargeBinary)


#: the kinds that are asked for by kind, and so often that nobody may read a long log for them
RARE = text("kind IN ('erasure', 'key')")


class RecordRow(_Table, table=True):
    """Every record once, with the entry that stated it first, by its number: `node` finds that by the name.

    By their names records would lie wherever their digests fall, each on another page to read, to journal and to write.
    """

    __tablename__: ClassVar[str] = "record"  # type: ignore[misc]
    __table_args__ = (Index("ix_record_rare", "log", "kind", "seq", sqlite_where=RARE, postgresql_where=RARE), _BY_KEY)
    log: str = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    name: str
    kind: str
    v: int
    seq: int = Field(sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)
    label: str = Field(sa_type=Text)


class NodeRow(_Table, table=True):
    """What a record is called in the other tables: a number in its log, in the order in which entries first name it."""

    __tablename__: ClassVar[str] = "node"  # type: ignore[misc]
    __table_args__ = (Index("ix_node_name", "log", "name", unique=True), _BY_KEY)
    # The log comes first, so that its last number is found at the end and not by reading all of them.
    log: str = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    name: str


class EdgeRow(_Table, table=True):
    """subject, W3C PROV relation, object: followed upwards by the primary key, downwards by the other index.

    Keys begin with a number, which is compared faster than the log's id, and mostly decides.

    What belongs together was mostly recorded together: by their numbers it lies together too, where by their names each
    step of a lineage would lie somewhere else in a table of any size.
    """

    __tablename__: ClassVar[str] = "edge"  # type: ignore[misc]
    __table_args__ = (Index("ix_edge_downwards", "object", "log", "relation", "subject"), _BY_KEY)
    subject: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    log: str = Field(primary_key=True)
    relation: str = Field(primary_key=True)
    object: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)


class SourceRow(_Table, table=True):
    """Source versions, for those who ask in SQL."""

    __tablename__: ClassVar[str] = "source"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    title: str
    source_kind: str
    version: str
    fingerprint: str
    owner: str
    licence_declared: str
    licence_found: str
    personal_data: bool


class ResultRow(_Table, table=True):
    """Results of runs."""

    __tablename__: ClassVar[str] = "result"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    stage: str
    recipe: str


class FileRow(_Table, table=True):
    """The files that results consist of; `result` is the number of the result."""

    __tablename__: ClassVar[str] = "file"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    result: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    path: str = Field(primary_key=True)
    sha256: str
    size: int = Field(sa_type=BigInteger)


class FindingRow(_Table, table=True):
    """Findings with what was measured beside the limit."""

    __tablename__: ClassVar[str] = "finding"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    check: str
    subject: str
    outcome: str
    measured: str | None
    limit: str | None
    says: str = Field(sa_type=Text)


class MetricRow(_Table, table=True):
    """Measured figures; `evaluation` is the number of the evaluation, `position` the figure's place in it."""

    __tablename__: ClassVar[str] = "metric"  # type: ignore[misc]
    __table_args__ = _BY_KEY
    log: str = Field(primary_key=True)
    evaluation: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    metric: str
    of: str
    slice: str
    value: str | None
    low: str | None
    high: str | None
    examples: int = Field(sa_type=BigInteger)


PROJECTED: tuple[type[Any], ...] = (RecordRow, NodeRow, EdgeRow, SourceRow, ResultRow, FileRow, FindingRow, MetricRow)


def projected_tables() -> list[Any]:
    """SQLAlchemy's tables of the projection."""
    return [model.__table__ for model in PROJECTED]


def _in_byte_order() -> None:
    """A server orders and indexes texts by their bytes: its locale differs between machines and changes with them."""
    for table in METADATA.tables.values():
        for column in table.columns:
            if isinstance(column.type, (String, AutoString)):
                column.type = column.type.with_variant(Text(collation="C"), "postgresql")


_in_byte_order()
