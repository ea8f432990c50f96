"""What does one entry of the log look like in bytes?"""

from __future__ import annotations

import json
from dataclasses import dataclass

from governance.digest import LARGEST_INTEGER, canonical, parse_canonical, sha256
from governance.errors import InvalidRecord
from governance.records import Record, read_record


@dataclass(frozen=True)
class Entry:
    """A record and when it was entered, in microseconds since 1970 UTC."""

    at: int
    record: Record

    def to_bytes(self) -> bytes:
        """RFC 8785 of at, body, kind and v."""
        # "at" sorts before "body", with which the record's own bytes begin.
        at = b"%d" % self.at if type(self.at) is int and 0 <= self.at <= LARGEST_INTEGER else canonical(self.at)
        return b'{"at":' + at + b"," + self.record.canonical()[1:]


def read_entry(data: bytes, *, where: str) -> Entry:
    """The entry in canonical bytes. Raises InvalidRecord where they are anything else."""
    entry = _as_written(data)
    return entry if entry is not None else _examined(data, where=where)


def _as_written(data: bytes) -> Entry | None:
    """The entry that would be written as just these bytes, or None where there is none: why not is another question."""
    try:
        value = json.loads(data.decode("utf-8"))
        at = value.pop("at")
        entry = Entry(at, read_record(value, where=""))
        if type(at) is not int or entry.to_bytes() != data:
            return None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, InvalidRecord):
        return None
    # The rest of these bytes is what the record's name covers; to make them anew would take as long as all of this, and
    # to keep them with each record of a long log as much memory again.
    vars(entry.record).pop("_canonical")
    vars(entry.record)["name"] = f"{entry.record.kind}:{sha256(b'{' + data.partition(b',')[2])}"
    return entry


def _examined(data: bytes, *, where: str) -> Entry:
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
