"""How do tables come off the disk and go back onto it, whole or not at all?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import sync_folder
from governance.errors import ConfigurationError, InvalidRecord

if TYPE_CHECKING:
    import polars as pl

#: how many rows Parquet keeps together, and how many are read at a time
ROW_GROUP = 262_144


def write_table(frame: pl.DataFrame, path: Path, *, metadata: Mapping[str, str] | None = None) -> None:
    """Writes `frame` as Parquet through a temporary file; the same frame gives the same bytes in one environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        # One compression level and one row-group size by name: defaults move between releases.
        frame.write_parquet(
            partial,
            compression="zstd",
            compression_level=3,
            row_group_size=ROW_GROUP,
            metadata=dict(metadata or {}) or None,
        )
        with open(partial, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(partial, path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def read_table(path: Path, *, columns: Iterable[str] = ()) -> pl.DataFrame:
    """The table in `path`, which must have `columns`.

    Raises ConfigurationError where there is no file, InvalidRecord where it is empty, truncated, not Parquet or lacks a
    column; the file is never changed.
    """
    import polars as pl

    _need_file(path)
    frame = _read(path, lambda: pl.read_parquet(path, glob=False))
    require_columns(frame, columns, where=str(path))
    return frame


def read_parts(
    path: Path, *, columns: Iterable[str] = (), rows: int = ROW_GROUP, without: str | None = None
) -> Iterator[pl.DataFrame]:
    """The table in `path` from its first row to its last, `rows` at a time; a table without rows is one part of none.

    Only one part is in memory, and a column `without` is left on the disk. Raises what `read_table` raises, and
    InvalidRecord where the file is replaced meanwhile.
    """
    import polars as pl

    _need_file(path)
    before = _state(path)
    scan: Any = pl.scan_parquet(path, glob=False)
    total = _read(path, lambda: scan.select(pl.len()).collect().item())
    if without is not None:
        scan = scan.select(pl.exclude(without))
    for start in range(0, max(total, 1), rows):
        part = _read(path, scan.slice(start, rows).collect)
        require_columns(part, columns, where=str(path))
        if _state(path) != before:
            wanted = "one file from its first row to its last"
            raise InvalidRecord("file", "replaced while it was read", wanted, where=str(path))
        yield part


def _need_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file", hint="`labeltrail repro` makes the files of the pipeline")
    if path.stat().st_size == 0:
        raise InvalidRecord("file", "0 bytes", "a Parquet table", where=str(path))


def _read(path: Path, read: Callable[[], Any]) -> Any:
    import polars as pl

    try:
        return read()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidRecord(
            "file", first, "a whole Parquet table", where=str(path), hint="the file is cut short or is no Parquet file"
        ) from None


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def read_metadata(path: Path) -> dict[str, str]:
    """The schema metadata of a Parquet file that `read_table` can read. Raises what `read_table` raises."""
    import polars as pl

    _need_file(path)
    try:
        return {key: value for key, value in pl.read_parquet_metadata(path).items() if key != "ARROW:schema"}
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidRecord("file", str(error).splitlines()[0], "a whole Parquet table", where=str(path)) from None


def require_columns(frame: pl.DataFrame, columns: Iterable[str], *, where: str) -> None:
    """Raises InvalidRecord that names the first of `columns` that `frame` lacks."""
    for column in columns:
        if column not in frame.columns:
            raise InvalidRecord("columns", frame.columns, f"a column {column!r}", where=where)


def content_digest(frame: pl.DataFrame) -> str:
    """SHA-256 over names, types and values in order, 64 hexadecimal digits.

    It does not move with the Parquet writer's version, its compression or its metadata. Values are hashed as Arrow's
    C++ and Rust writers agree on them: text as UTF-8 with 8-byte lengths, numbers little-endian, a null as a mark.
    """
    import polars as pl

    state = hashlib.sha256()
    for column in frame.iter_columns():
        state.update(f"{column.name}\x00{column.dtype}\x00{len(column)}\x00".encode())
        nulls = column.is_null()
        state.update(nulls.to_numpy().tobytes())
        if column.dtype == pl.String:
            filled = column.fill_null("")
            state.update(filled.str.len_bytes().cast(pl.Int64).to_numpy().astype("<i8").tobytes())
            state.update("".join(filled.to_list()).encode())
        elif column.dtype == pl.Boolean:
            state.update(column.fill_null(False).to_numpy().tobytes())
        elif column.dtype.is_numeric():
            values = column.fill_null(0).to_numpy()
            state.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
        elif isinstance(column.dtype, pl.List):
            lengths = column.list.len().fill_null(0).cast(pl.Int64).to_numpy()
            state.update(lengths.astype("<i8").tobytes())
            state.update(
                content_digest(column.drop_nulls().explode(empty_as_null=False).to_frame(column.name)).encode()
            )
        else:
            raise InvalidRecord(
                f"columns.{column.name}", str(column.dtype), "text, numbers, booleans or lists of these"
            )
    return state.hexdigest()
