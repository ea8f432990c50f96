"""What do tables say: a column a source, or a row a vote?"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.digest import write_atomically
from governance.errors import InvalidRecord
from governance.sources.ingest._base import Gathered, Gathering, Options, by_example, plain, whole, word_of

#: columns by which a table of votes is told, the first of each being the one that is written
SOURCES = ("source", "worker", "annotator", "labeler", "labeller")
LABELS = ("vote", "label")
IDS = ("example_id", "id", "task", "item")
REPEAT = "repeat"
_PEOPLE_COLUMNS = SOURCES[1:]
_DELIMITERS = ",\t;|"


@dataclass(frozen=True)
class Cells:
    """A table as it stands in a file: the names of its columns, and each row's cells."""

    columns: list[str]
    rows: Sequence[Sequence[Any]]
    where: str

    def record(self, row: int) -> object:
        return plain(dict(zip(self.columns, self.rows[row], strict=False)))

    def place(self, column: str, *, option: str) -> int:
        """Where a column stands. Raises InvalidRecord with the way to name it."""
        if column not in self.columns:
            shown = [name[:40] for name in self.columns[:12]]
            hint = f"{option} says which column it is"
            raise InvalidRecord("columns", shown, f"a column {column!r}", where=self.where, hint=hint)
        return self.columns.index(column)


def gather(cells: Cells, path: Path, options: Options, *, long: bool | None = None) -> Gathered:
    """The votes in a table; whether a row is a vote is told by its columns where `long` does not say it."""
    if not cells.rows:
        raise InvalidRecord("rows", 0, "at least one row", where=cells.where)
    if long is None:
        long = bool(options.source_column) or (
            _known(cells, SOURCES) is not None and _known(cells, LABELS) is not None and not options.sources
        )
    return _long(cells, path, options) if long else _wide(cells, path, options)


def _known(cells: Cells, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in cells.columns), None)


def _chosen(cells: Cells, given: str, names: Sequence[str], *, option: str) -> int:
    return cells.place(given or _known(cells, names) or names[0], option=option)


def _text_at(cells: Cells, options: Options) -> int | None:
    if options.text_column:
        return cells.place(options.text_column, option="--text-column")
    return cells.columns.index("text") if "text" in cells.columns else None


def _wide(cells: Cells, path: Path, options: Options) -> Gathered:
    """1. which columns are what  2. row by row: the id, the text, a vote a cell; an empty cell was not asked"""
    # 1.
    id_at = _chosen(cells, options.id_column, IDS, option="--id-column")
    text_at = _text_at(cells, options)
    names = options.sources or tuple(n for at, n in enumerate(cells.columns) if at not in (id_at, text_at))
    places = [cells.place(name, option="--sources") for name in names]
    layout = {"form": "wide", "id_column": cells.columns[id_at]}
    if text_at is not None:
        layout["text_column"] = cells.columns[text_at]
    gathering = Gathering(path, options, cells.record, indices=True, in_order=True, layout=layout)
    kind = options.kind or "heuristic"
    if not options.sources:
        gathering.notes.append(f"sources, which are all other columns: {len(names)} of kind {kind} (--sources, --kind)")
    voters = [gathering.voter(kind, name) for name in names]
    # 2.
    for number, row in enumerate(cells.rows):
        if _another_length(gathering, cells, number, row):
            continue
        text = row[text_at] if text_at is not None else None
        example = gathering.example(number, row[id_at], column=cells.columns[id_at], text=text)
        if example is None:
            continue
        for name, place, voter in zip(names, places, voters, strict=True):
            label = _label(gathering, number, name, row[place])
            if label is not None:
                gathering.answer(number, example, voter, label, column=name)
    return gathering.whole()


def _long(cells: Cells, path: Path, options: Options) -> Gathered:
    """1. which columns are what  2. row by row: an example, a source, a vote, and for the how many-th time"""
    # 1.
    id_at = _chosen(cells, options.id_column, IDS, option="--id-column")
    source_at = _chosen(cells, options.source_column, SOURCES, option="--source-column")
    label_at = _chosen(cells, options.label_column, LABELS, option="--label-column")
    repeat_at = cells.columns.index(REPEAT) if REPEAT in cells.columns else None
    text_at = _text_at(cells, options)
    people = cells.columns[source_at] in _PEOPLE_COLUMNS
    kind = options.kind or ("crowd" if people else "heuristic")
    layout = {"form": "long"}
    layout |= {
        f"{what}_column": cells.columns[at] for what, at in (("id", id_at), ("source", source_at), ("label", label_at))
    }
    if text_at is not None:
        layout["text_column"] = cells.columns[text_at]
    if repeat_at is not None:
        layout["repeat_column"] = REPEAT
    indices = cells.columns[label_at] == LABELS[0]
    gathering = Gathering(path, options, cells.record, many_rows=True, indices=indices, layout=layout)
    gathering.notes.append(f"a row a vote; those in column {cells.columns[source_at]!r} are of kind {kind} (--kind)")
    # 2.
    for number, row in enumerate(cells.rows):
        if _another_length(gathering, cells, number, row):
            continue
        text = row[text_at] if text_at is not None else None
        name, label = row[source_at], _label(gathering, number, cells.columns[label_at], row[label_at])
        name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
        silent = name in (None, "") and row[label_at] in (None, "")
        example = gathering.example(number, row[id_at], column=cells.columns[id_at], text=text)
        if example is None or silent:
            continue
        if not isinstance(name, str) or not name.strip():
            gathering.fault(number, cells.columns[source_at], None, "who or what gave this vote")
            continue
        if label is None:
            if row[label_at] in (None, ""):
                gathering.fault(number, cells.columns[label_at], None, "a vote")
            continue
        repeat = _repeat(gathering, number, row[repeat_at]) if repeat_at is not None else -1
        if repeat is not None:
            voter = gathering.voter(kind, name)
            gathering.answer(number, example, voter, label, column=cells.columns[label_at], repeat=repeat)
    return gathering.whole()


def _another_length(gathering: Gathering, cells: Cells, number: int, row: Sequence[Any]) -> bool:
    if len(row) == len(cells.columns):
        return False
    gathering.fault(number, "", f"{len(row)} cells", f"{len(cells.columns)} cells, as many as there are columns")
    return True


def _label(gathering: Gathering, number: int, column: str, cell: object) -> object:
    """The text of a cell, or None for an empty one and for one that is no label at all."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool) or not isinstance(cell, (str, int)):
        gathering.fault(number, column, cell, "a class by name or index")
        return None
    return str(cell)


def _repeat(gathering: Gathering, number: int, cell: object) -> int | None:
    found = whole(str(cell)) if isinstance(cell, (str, int)) and not isinstance(cell, bool) else None
    if found is None or found < 0:
        gathering.fault(number, REPEAT, cell, "a whole number from 0")
        return None
    return found


def read_csv(path: Path, *, names: Sequence[str] = ()) -> Cells:
    """The cells of a text table, in which one of `names` may be a column.

    Raises InvalidRecord: no UTF-8, quotes that never end, a column that stands twice.
    """
    where = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRecord("file", f"another byte at {error.start}", "text in UTF-8", where=where) from None
    if not text.strip():
        raise InvalidRecord("file", "no line", "a line with the names of the columns", where=where)
    delimiter = delimiter_of(text, names)
    limit = csv.field_size_limit(sys.maxsize)  # a text may be longer than the limit of the standard library
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise InvalidRecord("file", str(error), "a whole table, quoted as CSV is", where=where) from None
    finally:
        csv.field_size_limit(limit)
    columns = rows[0]
    for name in columns:
        if columns.count(name) > 1 or not name.strip():
            raise InvalidRecord("columns", name[:40], "each column once, with a name", where=where)
    return Cells(columns, rows[1:], where)


def delimiter_of(text: str, names: Sequence[str] = ()) -> str:
    """What parts the names of the columns in the first line: what leaves a known name whole, else the most frequent."""
    head = text.split("\n", 1)[0].rstrip("\r")
    known = {*names, *IDS}
    for mark in _DELIMITERS:
        if known & set(next(csv.reader([head], delimiter=mark), [])):
            return mark
    return max(_DELIMITERS, key=lambda mark: (head.count(mark), -_DELIMITERS.index(mark)))


def header_of(head: bytes) -> list[str]:
    """The names of the columns in the first bytes of a text table; none where it is no text."""
    first = head.split(b"\n", 1)[0].rstrip(b"\r")
    try:
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        return []
    if not text.isprintable() and "\t" not in text:
        return []
    return next(csv.reader([text], delimiter=delimiter_of(text)), [])


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Writes a text table, whole or not at all."""
    told = io.StringIO(newline="")
    # With both in the line's end, both are quoted inside of a cell (RFC 4180 section 2.6).
    writer = csv.writer(told, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_atomically(path, told.getvalue().encode())


def table_of(gathered: Gathered) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows that hold what was gathered, in the form that it came in. Raises InvalidRecord where none do."""
    layout = gathered.layout
    return _long_rows(gathered) if layout.get("form") == "long" or not is_once(gathered) else _wide_rows(gathered)


def is_once(gathered: Gathered) -> bool:
    """Whether each source answered at most once on an example, so that one cell holds it."""
    return not gathered.answers[:, 2].any()


def _wide_rows(gathered: Gathered) -> tuple[list[str], list[list[Any]]]:
    layout = gathered.layout
    id_column, text_column = layout.get("id_column", "example_id"), layout.get("text_column", "text")
    texts = gathered.texts or (None,) * len(gathered.ids)
    columns = [id_column, *([text_column] if gathered.texts else []), *(voter.name for voter in gathered.voters)]
    one_name_each(columns)
    rows: list[list[Any]] = []
    for name, text, answers in zip(gathered.ids, texts, by_example(gathered), strict=True):
        cells: list[Any] = [None] * len(gathered.voters)
        for voter, _, vote in answers:
            cells[voter] = word_of(vote, gathered.classes)
        rows.append([name, *([text] if gathered.texts else []), *cells])
    return columns, rows


def _long_rows(gathered: Gathered) -> tuple[list[str], list[list[Any]]]:
    layout = gathered.layout
    columns = [
        layout.get("source_column", SOURCES[0]),
        layout.get("id_column", IDS[0]),
        layout.get("label_column", LABELS[0]),
    ]
    told = "repeat_column" in layout or not _in_order(gathered)
    columns += ([REPEAT] if told else []) + ([layout.get("text_column", "text")] if gathered.texts else [])
    one_name_each(columns)
    one_name_each([voter.name for voter in gathered.voters])
    texts = gathered.texts or (None,) * len(gathered.ids)
    rows: list[list[Any]] = []
    for name, text, answers in zip(gathered.ids, texts, by_example(gathered), strict=True):
        tail = [text] if gathered.texts else []
        for voter, repeat, vote in answers:
            head = [gathered.voters[voter].name, name, word_of(vote, gathered.classes)]
            rows.append([*head, *([repeat] if told else []), *tail])
        if not answers:
            rows.append([None, name, None, *([None] if told else []), *tail])
    return columns, rows


def _in_order(gathered: Gathered) -> bool:
    """Whether repeats count from 0 without a gap, so that the order of the rows tells them."""
    seen: dict[tuple[int, int], int] = {}
    for example, voter, repeat, _ in gathered.answers.tolist():
        if repeat != seen.get((example, voter), 0):
            return False
        seen[example, voter] = repeat + 1
    return True


def one_name_each(names: Sequence[str]) -> None:
    """Raises InvalidRecord where a table would have two columns, or two sources, of one name."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidRecord("sources", name, "a name for each that no other has, nor a column of the table")
