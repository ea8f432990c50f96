"""Which facts are known, and how do they hang together? A set of records with the edges that they state themselves."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from governance.digest import canonical, parse_canonical
from governance.errors import AmbiguousName, ConfigurationError, InvalidRecord, UnknownName
from governance.records import Record, read_record

R = TypeVar("R", bound=Record)


class Facts:
    """Records by name, in the order in which they were stated; the same fact twice is one fact."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._by_name: dict[str, Record] = {record.name: record for record in records}

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __or__(self, other: Facts) -> Facts:
        return Facts([*self, *other])

    def get(self, name: str) -> Record | None:
        """The record of exactly this name, or None."""
        return self._by_name.get(name)

    def of(self, kind: type[R]) -> list[R]:
        """Every record of a kind, in order."""
        return [record for record in self if isinstance(record, kind)]

    def one(self, kind: type[R], **fields: object) -> R:
        """The one record of a kind with these field values. Raises UnknownName for none, AmbiguousName for several."""
        found = [r for r in self.of(kind) if all(getattr(r, key) == value for key, value in fields.items())]
        if not found:
            shown = ", ".join(f"{key}={value}" for key, value in fields.items()) or kind.kind
            raise UnknownName(f"{kind.kind} record", shown, [record.label for record in self.of(kind)])
        if len(found) > 1:
            raise AmbiguousName(kind.kind, [record.name for record in found])
        return found[0]

    def resolve(self, given: str, *, also: Iterable[str] = ()) -> Record:
        """The record with this name, a shortened name or an unmistakable title. Raises UnknownName, AmbiguousName.

        `also` are words that mean a record where it is asked for, and that are suggested too.
        """
        if given in self._by_name:
            return self._by_name[given]
        labels = {name: record.label for name, record in self._by_name.items()}
        return self._by_name[match_name(given, labels, also=also)]

    @cached_property
    def edges(self) -> list[tuple[str, str, str]]:
        """(subject, PROV relation, object), each once, in the order in which they were stated."""
        return list(dict.fromkeys(edge for record in self for edge in record.edges()))


def is_row_table(record: Record) -> bool:
    """Whether a record names a table with a row for each example, which is committed to row by row."""
    return record.kind in ("dataset", "votes", "labels", "predictions", "answers")


#: what hangs on a run and is called like it
_BESIDE_A_RUN = frozenset({"recipe", "execution", "commitment", "environment", "repro", "reproduction"})


def match_name(given: str, labels: dict[str, str], *, also: Iterable[str] = ()) -> str:
    """The one name that `given` shortens (at least 4 digits of the digest) or whose label it is.

    `also` is suggested besides labels and names. Raises UnknownName with suggestions, AmbiguousName with the candidates.
    """
    kind, colon, prefix = given.partition(":")
    matches: list[str] = []
    if colon and len(prefix) >= 4:
        matches = [name for name in labels if name.startswith(f"{kind}:{prefix}")]
    if not matches and not colon and len(given) >= 4:
        matches = [name for name in labels if name.partition(":")[2].startswith(given)]
    if not matches:
        matches = [name for name, label in labels.items() if label == given]
    if not matches:
        hint = "`labeltrail log --all` lists every record; a shortened name has at least 4 digits"
        if "/" in given and ":" not in given:
            hint = f"an example's label is explained by `labeltrail why {shlex.quote(given)}`"
        known = [*also, *labels.values(), *(short(name) for name in labels)]
        raise UnknownName("record", given, known, hint=hint, written=_of_shared(labels, but=set(also)))
    if len(matches) > 1:
        raise AmbiguousName(given, matches)
    return matches[0]


def _of_shared(labels: dict[str, str], *, but: set[str]) -> dict[str, str]:
    """For each label that several records have, what to write for the last one that tells most."""
    often = Counter(labels.values())
    shared = [(name, label) for name, label in labels.items() if often[label] > 1 and label not in but]
    # Later ones win: what hangs on a run stands behind the run's own result and what it made.
    shared.sort(key=lambda one: one[0].partition(":")[0] not in _BESIDE_A_RUN)
    return {label: short(name) for name, label in shared}


def short(name: str) -> str:
    """A name as people read it: the kind and 12 digits; `resolve` opens it."""
    kind, _, digest = name.partition(":")
    return f"{kind}:{digest[:12]}"


def facts_bytes(records: Iterable[Record]) -> bytes:
    """A facts file: canonical JSON, one record a line, so that two versions can be compared line by line."""
    return b"".join(record.canonical() + b"\n" for record in records)


def read_facts(path: Path) -> Facts:
    """The facts in a facts file. Raises ConfigurationError (no file) or InvalidRecord (which line, which field)."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file", hint="`labeltrail repro` makes the files of the pipeline"
        ) from None
    if data and not data.endswith(b"\n"):
        raise InvalidRecord("file", data[-20:], "a line feed at the end", where=str(path))
    records = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        where = f"{path}:{number}"
        record = read_record(parse_canonical(line, where=where), where=where)
        if canonical({"body": record.body(), "kind": record.kind, "v": record.v}) != line:
            raise InvalidRecord("line", line[:60], "a record in its one canonical form", where=where)
        records.append(record)
    return Facts(records)
