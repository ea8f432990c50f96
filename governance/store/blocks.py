"""How is a large table of nobody's data committed to at about the cost of writing it? A leaf for each 1,024 rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select

from governance.digest import keyed
from governance.errors import InvalidRecord
from governance.parquet import read_parts
from governance.records import Commitment
from governance.store import merkle
from governance.store.commitments import SubjectKeys
from governance.store.tables import METADATA, BlockLeavesRow

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from governance.store.trail import Trail

SCHEME = "blocks/v1"
BLOCK = 1024
#: what to do where a single row is asked for
BY_ROW = 'set `commit = "rows"` in labeltrail.toml, and `labeltrail sync` commits to the same tables again by row'
_AT_ONCE = 256 * BLOCK
_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")


def commit_blocks(
    trail: Trail, path: Path, *, of: str, id_column: str, statement: str, first_time: bool = True
) -> Commitment:
    """The commitment to a Parquet table, block by block.

    leaf = SHA-256(0x00 || salt || canonical block), salt = HMAC-SHA256(secret of the store; scheme, name of the record,
    block number): nobody's rows, so that no key is made for anybody. For the first time the leaves are kept in the store.
    Raises InvalidRecord, and MissingEvidence where the secret is gone.
    """
    parts = read_parts(path, columns=[id_column], rows=_AT_ONCE)
    first = next(parts)
    counted = _Rows()
    leaves = _leaves(trail, counted.of(chain([first], parts), id_column), of, make=first_time)
    if first_time:
        _keep(trail, of, leaves)
    return Commitment.make(
        of=of,
        scheme=SCHEME,
        rows=counted.rows,
        root=merkle.root(leaves).hex(),
        columns=first.columns,
        id_column=id_column,
        subject_column="",
        statement=statement,
    )


def wrong_block(trail: Trail, path: Path, commitment: Commitment) -> str:
    """Which block of a table that does not give its committed root is the first that is another one, in words."""
    leaves = _leaves(trail, read_parts(path, rows=_AT_ONCE), commitment.of, make=False)
    kept = _kept(trail, commitment.of)
    says = f"its blocks do not give the committed root of {commitment.rows} rows"
    if merkle.root(kept).hex() != commitment.root:
        return f"{says}, and which one is wrong cannot be told: this store does not hold their leaves"
    longest = max(len(kept), len(leaves))
    first = next((n for n in range(longest) if kept[n : n + 1] != leaves[n : n + 1]), None)
    if first is None:
        return f"{says}: the commitment names other rows or columns than its blocks have"
    return f"{says}: block {first} (rows {first * BLOCK} to {(first + 1) * BLOCK - 1}) is the first that does not fit"


def block_of(number: int) -> int:
    """The block in which a row stands; both are counted from 0."""
    return number // BLOCK


def canonical_blocks(frame: pl.DataFrame) -> Iterator[bytes]:
    """The bytes of each block of 1,024 rows, column by column; a table without rows has one block of none.

    Numbers are little-endian with 8 bytes unless said otherwise: how many rows and columns; then of each column the name
    and the type, each after its length, a byte that is 1 where cells are null, then a bit for each row, and the values.
    Numbers have the width of their type, floats are their IEEE 754 bits, so that -0.0 is not 0.0; every NaN is the one
    quiet NaN, since Parquet's dictionaries do not keep NaNs apart. Texts are their lengths in 4 bytes each, then UTF-8.
    Lists are their lengths, then all of their elements as a column. Raises InvalidRecord for a column of another type.
    """
    return (b"".join(pieces) for pieces in _in_pieces(frame))


def _in_pieces(frame: pl.DataFrame) -> Iterator[list[Any]]:
    """Each block of `canonical_blocks` as buffers that follow each other, good until the next one is asked for."""
    heads = [_counted(name.encode()) + _counted(_type(name, kind).encode()) for name, kind in frame.schema.items()]
    width = _eight(len(heads))
    for part in frame.iter_slices(_AT_ONCE) if len(frame) else [frame]:
        columns = list(_pieces(heads, part))
        for start in range(0, max(len(part), 1), BLOCK):
            rows = _eight(min(BLOCK, len(part) - start))
            yield [rows, width, *(next(column) for column in columns)]


def _pieces(heads: list[bytes], part: pl.DataFrame) -> Iterator[Iterator[Any]]:
    """The bytes of each column, or of a run of plain columns together, for each block in turn."""
    run: list[tuple[bytes, np.ndarray]] = []
    for head, column in zip(heads, part.iter_columns(), strict=True):
        if column.dtype.is_integer() and not column.null_count():
            run.append((head + b"\x00", column.to_numpy()))
            continue
        if run:
            yield _side_by_side(run)
            run = []
        yield _after(head, _blocks(column))
    if run:
        yield _side_by_side(run)


def _after(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    return (head + cells for cells in blocks)


def _side_by_side(run: list[tuple[bytes, np.ndarray]]) -> Iterator[Any]:
    """For each block the head and the cells of column after column; whole numbers without nulls are copied at once."""
    import numpy as np

    rows = len(run[0][1])
    whole = rows // BLOCK
    wide = [len(head) + BLOCK * numbers.itemsize for head, numbers in run]
    laid = np.empty((whole, sum(wide)), dtype=np.uint8)
    at = 0
    for (head, numbers), width in zip(run, wide, strict=True):
        cells = numbers[: whole * BLOCK].astype(numbers.dtype.newbyteorder("<"), copy=False)
        laid[:, at : at + len(head)] = np.frombuffer(head, dtype=np.uint8)
        laid[:, at + len(head) : at + width] = cells.view(np.uint8).reshape(whole, width - len(head))
        at += width
    yield from laid
    if rows % BLOCK or not rows:
        rest = ((head, numbers[whole * BLOCK :]) for head, numbers in run)
        yield b"".join(
            head + numbers.astype(numbers.dtype.newbyteorder("<"), copy=False).tobytes() for head, numbers in rest
        )


def _blocks(column: pl.Series) -> Iterator[bytes]:
    """Which cells of a column are null, and its values, for each block; a null has the value 0 or nothing."""
    import numpy as np
    import polars as pl

    nulls: Any = column.is_null().to_numpy()
    some = column.null_count() > 0
    values = _values(column)
    for start in range(0, max(len(column), 1), BLOCK):
        stop = min(start + BLOCK, len(column))
        here = some and nulls[start:stop].any()
        marks = b"\x01" + np.packbits(nulls[start:stop], bitorder="little").tobytes() if here else b"\x00"
        if isinstance(column.dtype, pl.List):
            inner = column[start:stop].drop_nulls().explode(empty_as_null=False)
            yield marks + values(start, stop) + b"".join(_blocks(inner))
        else:
            yield marks + values(start, stop)


def _values(column: pl.Series) -> Any:
    """What answers the bytes of a column's values from one row to another."""
    import numpy as np
    import polars as pl

    if column.dtype == pl.Null:
        return lambda *_: b""
    if isinstance(column.dtype, pl.List):
        lengths = column.list.len().fill_null(0).to_numpy().astype("<u8")
        return lambda start, stop: lengths[start:stop].tobytes()
    if column.dtype == pl.String:
        filled = column.fill_null("")
        lengths = filled.str.len_bytes().to_numpy().astype("<u4")
        ends = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        text = (filled.str.join("").item() or "").encode()
        return lambda start, stop: lengths[start:stop].tobytes() + text[ends[start] : ends[stop]]
    numbers = column.fill_null(False if column.dtype == pl.Boolean else 0).to_numpy()
    if column.dtype.is_float() and np.isnan(numbers).any():
        numbers = np.where(np.isnan(numbers), numbers.dtype.type(np.nan), numbers)
    data = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)
    return lambda start, stop: data[start:stop].tobytes()


def _type(name: str, kind: pl.DataType) -> str:
    import polars as pl

    if isinstance(kind, pl.List):
        return f"list of {_type(name, kind.inner)}"  # type: ignore[arg-type]
    plain = str(kind)
    if plain not in (*_NUMBERS, "String", "Boolean", "Null"):
        raise InvalidRecord(f"columns.{name}", plain, "text, numbers of up to 64 bits, booleans or lists of these")
    return plain


def _need_ids(ids: pl.Series, name: str) -> None:
    wanted = "a non-empty text in every row"
    if str(ids.dtype) != "String":
        raise InvalidRecord(name, str(ids.dtype), wanted)
    if ids.null_count() or (ids == "").any():
        raise InvalidRecord(name, "rows without one", wanted)


class _Rows:
    """How many rows went by, each with an id."""

    def __init__(self) -> None:
        self.rows = 0

    def of(self, parts: Iterable[pl.DataFrame], id_column: str) -> Iterator[pl.DataFrame]:
        for part in parts:
            _need_ids(part[id_column], id_column)
            self.rows += len(part)
            yield part


def _leaves(trail: Trail, parts: Iterable[pl.DataFrame], of: str, *, make: bool) -> list[bytes]:
    """The leaf of each block; every part but the last holds whole blocks.

    A column that has no canonical form is refused before the store makes a secret.
    """
    keys, database = SubjectKeys(trail), trail.database
    blocks = chain.from_iterable(_in_pieces(part) for part in parts)
    first = next(blocks)
    with database.writing() if make else database.reading() as connection:
        secret = keys.secret(connection, make=make)
    about = (SCHEME.encode(), of.encode())
    leaves = []
    for number, pieces in enumerate(chain([first], blocks)):
        leaf = hashlib.sha256(b"\x00" + keyed(secret, *about, _eight(number)[::-1]))
        for piece in pieces:
            leaf.update(piece)
        leaves.append(leaf.digest())
    return leaves


def _keep(trail: Trail, of: str, leaves: list[bytes]) -> None:
    rows: Any = BlockLeavesRow.__table__  # type: ignore[attr-defined]
    with trail.database.writing() as connection:
        METADATA.create_all(connection, tables=[rows])
        here = select(rows.c.of).where(rows.c.log == trail.log, rows.c.of == of)
        if connection.execute(here).first() is None:
            connection.execute(insert(rows), [{"log": trail.log, "of": of, "leaves": b"".join(leaves)}])


def _kept(trail: Trail, of: str) -> list[bytes]:
    rows: Any = BlockLeavesRow.__table__  # type: ignore[attr-defined]
    with trail.database.reading() as connection:
        if not inspect(connection).has_table(rows.name):
            return []
        data = connection.execute(select(rows.c.leaves).where(rows.c.log == trail.log, rows.c.of == of)).scalar()
    kept = data if isinstance(data, bytes) else b""
    return [kept[at : at + 32] for at in range(0, len(kept), 32)]


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _counted(data: bytes) -> bytes:
    return _eight(len(data)) + data
