"""What does one entry of the log look like in bytes?"""

from __future__ import annotations

from dataclasses import dataclass

from governance.digest import canonical, parse_canonical
from governance.errors import InvalidRecord
from governance.records import Record, read_record


@dataclass(frozen=True)
class Entry:
    """A record and when it was entered, in microseconds since 1970 UTC."""

    at: int
    record: Record

    def to_bytes(self) -> bytes:
        """RFC 8785 of at, body, kind and v."""
        record = self.record
        return canonical({"at": self.at, "body": record.body(), "kind": record.kind, "v": record.v})


def read_entry(data: bytes, *, where: str) -> Entry:
    """The entry in canonical bytes. Raises InvalidRecord where they are anything else."""
    value = parse_canonical(data, where=where)
    if not isinstance(value, dict) or set(value) != {"at", "body", "kind", "v"} or type(value["at"]) is not int:
        raise InvalidRecord(
            "entry", sorted(value) if isinstance(value, dict) else value, "at, body, kind and v", where=where
        )
    at = value.pop("at")
    entry = Entry(at, read_record(value, where=where))
    if entry.to_bytes() != data:
        raise InvalidRecord("entry", data[:60], "a record in its one canonical form", where=where)
    return entry
