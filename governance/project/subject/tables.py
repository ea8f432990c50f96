"""Which rows of a table are a person's, and what is the table without them? Parquet, CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.config import Config
from governance.errors import GovernanceError
from governance.parquet import read_metadata, read_table, write_table
from governance.project.subject.person import SHORTEST_NUMBER, Person

if TYPE_CHECKING:
    import polars as pl

PARQUET = b"PAR1"
_DELIMITERS = ",\t;|"
#: under which name the cells of a row lie that are beyond its columns
_FURTHER = "\n"
#: smaller numbers mean nobody
_LONG_NUMBER = 10 ** (SHORTEST_NUMBER - 1)


class Table(ABC):
    """A table whose rows can be taken out one by one, while the others stay as they are."""

    columns: list[str]
    rows: int

    @abstractmethod
    def column(self, name: str) -> list[Any]:
        """The cells of a column, in row order."""

    @abstractmethod
    def write(self, target: Path, *, without: Collection[int], emptied: dict[str, set[int]]) -> None:
        """Writes it without some rows, and with some cells emptied, by column; rows are numbered as they are here."""

    def rows_of(self, person: Person, config: Config) -> set[int]:
        """The rows that are hers: by the subject column where it names somebody, and else by the ids of her rows."""
        whose = self.column(config.subject_column) if config.subject_column in self.columns else [None] * self.rows
        ids = self.column(config.id_column) if config.id_column in self.columns else [None] * self.rows
        return {
            number
            for number, (subject, example) in enumerate(zip(whose, ids, strict=True))
            if (said(subject) == person.subject if subject not in (None, "") else said(example) in person.ids)
        }

    def says_whose(self, config: Config) -> bool:
        """Whether it can be told of its rows whose they are."""
        return bool({config.id_column, config.subject_column} & set(self.columns))

    def naming(self, person: Person, config: Config, *, hers: Collection[int]) -> dict[str, set[int]]:
        """The rows of others in which a cell is nothing but one of her names, by column."""
        found: dict[str, set[int]] = {}
        for column in self.columns:
            if column in (config.id_column, config.subject_column):
                continue
            names = person.telling | person.numbers
            rows = {n for n, c in enumerate(self.column(column)) if isinstance(c, (str, int, float)) and c in names}
            if rows := rows - set(hers):
                found[column] = rows
        return found

    def texts(self) -> Iterator[str]:
        """Every cell that is a text or a long number, or holds such."""
        for column in self.columns:
            for cell in self.column(column):
                yield from _texts_in(cell)


def said(cell: Any) -> str:
    """A cell of a column of names; pandas makes decimal numbers of whole ones where some are missing."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _texts_in(cell: Any) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, (int, float)):
        if abs(cell) >= _LONG_NUMBER:
            yield said(cell)
    elif isinstance(cell, bytes):
        yield cell.decode("utf-8", "replace")
    elif isinstance(cell, (list, dict)):
        for inner in cell if isinstance(cell, list) else (*cell, *cell.values()):
            yield from _texts_in(inner)
    elif cell is not None:
        yield str(cell)


class ParquetTable(Table):
    """A Parquet file, with the metadata of its schema."""

    def __init__(self, path: Path) -> None:
        self.frame: pl.DataFrame = read_table(path)
        self.metadata = read_metadata(path)
        self.columns, self.rows = self.frame.columns, len(self.frame)

    def column(self, name: str) -> list[Any]:
        return self.frame[name].to_list()

    def write(self, target: Path, *, without: Collection[int], emptied: dict[str, set[int]]) -> None:
        import polars as pl

        row = pl.int_range(pl.len())
        cells = [
            pl.when(row.is_in(sorted(rows))).then(None).otherwise(pl.col(column)).alias(column)
            for column, rows in emptied.items()
        ]
        kept = self.frame.with_columns(cells).filter(~row.is_in(sorted(without)))
        write_table(kept, target, metadata=self.metadata)


class LineTable(Table):
    """A table of lines, of which those that stay keep their very bytes."""

    def __init__(self, head: list[bytes], lines: list[bytes], cells: list[dict[str, Any]]) -> None:
        self.head, self.lines, self.cells = head, lines, cells
        self.columns = list(dict.fromkeys(column for row in cells for column in row))
        self.rows = len(lines)

    def column(self, name: str) -> list[Any]:
        return [row.get(name) for row in self.cells]

    def write(self, target: Path, *, without: Collection[int], emptied: dict[str, set[int]]) -> None:
        told = list(self.head)
        for number, (line, cells) in enumerate(zip(self.lines, self.cells, strict=True)):
            if number in without:
                continue
            columns = {column for column, rows in emptied.items() if number in rows}
            told.append(self.line({**cells, **dict.fromkeys(columns)}, line) if columns else line)
        target.write_bytes(b"".join(told))

    def line(self, cells: dict[str, Any], was: bytes) -> bytes:
        """A row that was amended."""
        raise NotImplementedError


class JsonLines(LineTable):
    """One JSON object a line."""

    def line(self, cells: dict[str, Any], was: bytes) -> bytes:
        # Half a character is written as JSON writes it.
        return json.dumps(cells, ensure_ascii=False).encode(errors="backslashreplace") + (
            b"\n" if was.endswith(b"\n") else b""
        )


class CsvTable(LineTable):
    """Cells between delimiters, below a line with their names."""

    delimiter = ","

    def line(self, cells: dict[str, Any], was: bytes) -> bytes:
        told = io.StringIO()
        ending = "\r\n" if was.endswith(b"\r\n") else "\n"
        csv.writer(told, delimiter=self.delimiter, lineterminator=ending).writerow(
            ["" if cells[column] is None else cells[column] for column in self.columns if column in cells]
            + cells.get(_FURTHER, [])
        )
        return told.getvalue().encode()


def open_table(path: Path, config: Config) -> Table | None:
    """The table in a file, told by its content; None where it is none that has an id or a subject column.

    Raises InvalidRecord for Parquet that cannot be read.
    """
    wanted = {column for column in (config.id_column, config.subject_column, config.text_column) if column}
    with open(path, "rb") as stream:
        head = stream.read(1 << 16)
    if head.startswith(PARQUET):
        return ParquetTable(path)
    first = head.split(b"\n", 1)[0]
    if not any(column.encode() in first for column in wanted):
        return None
    found = _json_lines(path) if first.startswith(b"{") else _csv(path, first, wanted)
    return found if found is not None and wanted & set(found.columns) else None


def _json_lines(path: Path) -> Table | None:
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    # `splitlines` of bytes breaks at line feeds and carriage returns alone.
    try:
        cells = [json.loads(line) for line in lines]
    except ValueError:
        return None
    return JsonLines([], lines, cells) if all(isinstance(row, dict) for row in cells) else None


def _csv(path: Path, first: bytes, wanted: set[str]) -> Table | None:
    try:
        header = first.decode("utf-8-sig").strip("\r\n")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    delimiter = next((d for d in _DELIMITERS if wanted & set(next(csv.reader([header], delimiter=d), []))), None)
    if delimiter is None:
        return None
    lines = text.split("\n")
    lines = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    records: list[tuple[list[str], bytes]] = []
    before = 0
    try:
        reader = csv.reader(lines, delimiter=delimiter)
        for cells in reader:
            records.append((cells, "".join(lines[before : reader.line_num]).encode()))
            before = reader.line_num
    except csv.Error:
        return None
    columns = records[0][0]
    if len(set(columns)) < len(columns):
        return None  # two columns of one name: which cell is whose cannot be told
    bom = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    rows: list[tuple[dict[str, Any], bytes]] = [
        ({**dict(zip(columns, cells, strict=False)), _FURTHER: cells[len(columns) :]}, line)
        for cells, line in records[1:]
        if cells
    ]
    table = CsvTable([bom + records[0][1]], [line for _, line in rows], [cells for cells, _ in rows])
    table.columns, table.delimiter = columns, delimiter
    return table


def read_problem(error: GovernanceError) -> str:
    """Why a table could not be read, without anything of what stands in it."""
    return f"a table that cannot be read ({type(error).__name__})"
