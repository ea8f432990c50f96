"""What do the tables have to hold, given the log alone?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from governance.records import Evaluation, Finding, Record, Result, Source
from governance.store.entry import Entry
from governance.store.tables import (
    EdgeRow,
    FileRow,
    FindingRow,
    MetricRow,
    NodeRow,
    RecordRow,
    ResultRow,
    SourceRow,
)

Row = dict[str, Any]


class Numbers:
    """What the records of a log are called in its tables: numbers from 0, in the order in which entries first name them."""

    def __init__(self, known: Mapping[str, int] | None = None, *, next_: int = 0) -> None:
        """`known` holds at least those numbers that will be asked for again; `next_` is the first that is free."""
        self._known = dict(known or {})
        self.next = next_

    def of(self, name: str) -> tuple[int, bool]:
        """The number of a record, and whether it has it from now on."""
        number = self._known.setdefault(name, self.next)
        is_new = number == self.next
        self.next += is_new
        return number, is_new


def project(
    log: str, entries: Iterable[tuple[int, Entry]], numbers: Numbers | None = None
) -> Iterator[tuple[type[Any], Row]]:
    """(table, row) for every row that these entries bring. What an entry says again brings no second row.

    An edge belongs to the record that states it, and a fact is entered once, so that no two entries bring the same row.
    Entries that follow on others go on from the `numbers` of those.
    Texts have the sign for NUL where a record has NUL: PostgreSQL stores none, and both stores hold the same.
    """
    numbers = numbers or Numbers()
    for seq, entry in entries:
        yield from _named(log, seq, entry, numbers)
        for table, row in _of_kind(log, entry.record, numbers):
            yield table, _shown(row)


def named_by(records: Iterable[Record]) -> set[str]:
    """The names of these records and of all that their edges begin or end at."""
    records = tuple(records)
    ends = {name for record in records for subject, _, target in record.edges() for name in (subject, target)}
    return ends.union(record.name for record in records)


def _named(log: str, seq: int, entry: Entry, numbers: Numbers) -> Iterator[tuple[type[Any], Row]]:
    """The record itself, its edges, and a number for whatever is named here for the first time."""
    record = entry.record
    number, is_new = numbers.of(record.name)
    if is_new:
        yield NodeRow, {"log": log, "number": number, "name": record.name}
    about: Row = {"name": record.name, "kind": record.kind, "v": record.v, "seq": seq, "at": entry.at}
    yield RecordRow, _shown({"log": log, "number": number, **about, "label": record.label})
    for subject, relation, target in dict.fromkeys(record.edges()):
        row: Row = {"log": log, "relation": relation, "seq": seq}
        for end, name in (("subject", subject), ("object", target)):
            row[end], is_new = numbers.of(name)
            if is_new:
                yield NodeRow, {"log": log, "number": row[end], "name": name}
        yield EdgeRow, row


def _shown(row: Row) -> Row:
    for name, value in row.items():
        if type(value) is str and "\0" in value:
            row[name] = value.replace("\0", "\N{SYMBOL FOR NULL}")
    return row


def _of_kind(log: str, record: Record, numbers: Numbers) -> Iterator[tuple[type[Any], Row]]:
    if isinstance(record, Source):
        fields = ("title", "source_kind", "version", "fingerprint", "owner")
        terms = ("licence_declared", "licence_found", "personal_data")
        yield SourceRow, {"log": log, "name": record.name, **{f: getattr(record, f) for f in (*fields, *terms)}}
    elif isinstance(record, Result):
        yield ResultRow, {"log": log, "name": record.name, "stage": record.stage, "recipe": record.recipe}
        number, _ = numbers.of(record.name)
        for output in record.outputs:
            about = {"path": output.path, "sha256": output.sha256, "size": output.bytes}
            yield FileRow, {"log": log, "result": number, **about}
    elif isinstance(record, Finding):
        fields = ("check", "subject", "outcome", "measured", "limit", "says")
        yield FindingRow, {"log": log, "name": record.name, **{field: getattr(record, field) for field in fields}}
    elif isinstance(record, Evaluation):
        number, _ = numbers.of(record.name)
        for position, metric in enumerate(record.metrics):
            yield MetricRow, {"log": log, "evaluation": number, "position": position, **vars(metric)}
