"""What do the tables have to hold, given the log alone?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from governance.records import Evaluation, Finding, Record, Result, Source
from governance.store.entry import Entry
from governance.store.tables import (
    EdgeRow,
    FileRow,
    FindingRow,
    MetricRow,
    RecordRow,
    ResultRow,
    SourceRow,
)

Row = dict[str, Any]


def project(log: str, entries: Iterable[tuple[int, Entry]]) -> Iterator[tuple[type[Any], Row]]:
    """(table, row) for every row that these entries bring. What an entry says again brings no second row.

    An edge belongs to the record that states it, and a fact is entered once, so that no two entries bring the same row.
    Texts have the sign for NUL where a record has NUL: PostgreSQL stores none, and both stores hold the same.
    """
    for table, row in _rows(log, entries):
        yield table, {name: _storable(value) if isinstance(value, str) else value for name, value in row.items()}


def _storable(text: str) -> str:
    return text.replace("\0", "\N{SYMBOL FOR NULL}") if "\0" in text else text


def _rows(log: str, entries: Iterable[tuple[int, Entry]]) -> Iterator[tuple[type[Any], Row]]:
    for seq, entry in entries:
        record = entry.record
        yield (
            RecordRow,
            {
                "log": log,
                "name": record.name,
                "kind": record.kind,
                "v": record.v,
                "seq": seq,
                "at": entry.at,
                "label": record.label,
            },
        )
        for subject, relation, target in dict.fromkeys(record.edges()):
            yield EdgeRow, {"log": log, "subject": subject, "relation": relation, "object": target, "seq": seq}
        yield from _of_kind(log, record)


def _of_kind(log: str, record: Record) -> Iterator[tuple[type[Any], Row]]:
    if isinstance(record, Source):
        fields = ("title", "source_kind", "version", "fingerprint", "owner")
        terms = ("licence_declared", "licence_found", "personal_data")
        yield SourceRow, {"log": log, "name": record.name, **{f: getattr(record, f) for f in (*fields, *terms)}}
    elif isinstance(record, Result):
        yield ResultRow, {"log": log, "name": record.name, "stage": record.stage, "recipe": record.recipe}
        for output in record.outputs:
            yield (
                FileRow,
                {
                    "log": log,
                    "result": record.name,
                    "path": output.path,
                    "sha256": output.sha256,
                    "size": output.bytes,
                },
            )
    elif isinstance(record, Finding):
        fields = ("check", "subject", "outcome", "measured", "limit", "says")
        yield FindingRow, {"log": log, "name": record.name, **{field: getattr(record, field) for field in fields}}
    elif isinstance(record, Evaluation):
        for position, metric in enumerate(record.metrics):
            yield MetricRow, {"log": log, "evaluation": record.name, "position": position, **metric.model_dump()}
