"""Is the log whole and unchanged, and do the tables say what the log says?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.errors import GovernanceError, InvalidRecord
from governance.proof.check import Check
from governance.records import LogStart
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry, read_entry
from governance.store.projection import project
from governance.store.tables import PROJECTED
from governance.store.trail import Trail


class LogCheck:
    """1. every entry is canonical and hashes to its leaf  2. positions have no gap  3. every checkpoint's root is that of
    the entries it covers, and the newest covers all  4. every checkpoint is this log's and signed by its key
    5. the tables equal a projection made anew"""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.entries: list[tuple[int, Entry]] = []
        self.checkpoints = 0

    @property
    def public_key(self) -> str | None:
        """The key that the log's first readable entry names, hexadecimal."""
        first = self.entries[0][1].record if self.entries else None
        return first.public_key if isinstance(first, LogStart) else None

    def run(self) -> Iterator[Check]:
        leaves: list[bytes] = []
        broken = False
        for check in self._entries(leaves):
            broken = broken or check.state == "broken"
            yield check
        yield from self._checkpoints(leaves)
        if not broken:
            yield from self._projection()

    def _entries(self, leaves: list[bytes]) -> Iterator[Check]:
        for seq, data, stored in self.trail.raw_entries():
            # 2.
            if seq != len(leaves):
                yield Check("log", "broken", f"entry {len(leaves)}", f"entries {len(leaves)} to {seq - 1} are gone")
                return
            # 1.
            leaf = merkle.leaf_hash(data)
            if leaf != stored:
                yield Check("log", "broken", f"entry {seq}", "its bytes do not hash to the leaf that was recorded")
            leaves.append(leaf)
            try:
                self.entries.append((seq, read_entry(data, where=f"entry {seq}")))
            except InvalidRecord as error:
                yield Check("log", "broken", f"entry {seq}", error.message)
        first = self.entries[0][1].record if self.entries else None
        if not isinstance(first, LogStart) or first.log != self.trail.log:
            yield Check("log", "broken", "entry 0", f"the log does not begin with the start of {self.trail.log}")

    def _checkpoints(self, leaves: list[bytes]) -> Iterator[Check]:
        stored = self.trail.checkpoints()
        frontier = merkle.Frontier()
        before, last = 0, None
        for size, note, peaks in stored:
            culprit = f"checkpoint {size}"
            # 3.
            while frontier.size < min(size, len(leaves)):
                frontier.push(leaves[frontier.size])
            try:
                last = parse_note(note, where=culprit)
            except InvalidRecord as error:
                yield Check("checkpoints", "broken", culprit, error.message)
                before = size
                continue
            if last.size != size or last.origin != self.trail.log:
                yield Check("checkpoints", "broken", culprit, "it is not of this log and size")
            elif size > len(leaves):
                gone = f"it covers {size} entries, the log holds {len(leaves)}: {len(leaves)} to {size - 1} are gone"
                yield Check("checkpoints", "broken", culprit, gone)
            elif frontier.root() != last.root:
                yield Check(
                    "checkpoints", "broken", culprit, f"an entry from {before} to {size - 1} is not what it covered"
                )
            elif frontier.to_text() != peaks:
                yield Check("checkpoints", "broken", culprit, "the frontier beside it was changed")
            # 4.
            yield from self._signature(last, newest=size == stored[-1][0])
            before = size
        self.checkpoints = len(stored)
        if len(leaves) > (last.size if last else 0):
            covered = last.size if last else 0
            yield Check(
                "checkpoints",
                "broken",
                f"entry {covered}",
                f"no checkpoint covers entries {covered} to {len(leaves) - 1}",
            )

    def _signature(self, checkpoint: Checkpoint, *, newest: bool) -> Iterator[Check]:
        public = self.public_key
        culprit = f"checkpoint {checkpoint.size}"
        if checkpoint.signatures and not (public and checkpoint.signed_by(bytes.fromhex(public))):
            yield Check("checkpoints", "broken", culprit, "its signature is not one of this log's key")
        elif public and not checkpoint.signatures and newest:
            yield Check(
                "checkpoints",
                "unknown",
                culprit,
                "the newest checkpoint is unsigned, though this log has a key",
                "append with the log's key at hand, and the next checkpoint covers everything before it",
            )

    def _projection(self) -> Iterator[Check]:
        # 5.
        expected: dict[type[Any], dict[tuple[Any, ...], dict[str, Any]]] = {table: {} for table in PROJECTED}
        for table, row in project(self.trail.log, self.entries):
            expected[table][_key(table, row)] = row
        for table in PROJECTED:
            try:
                stored = {_key(table, row): row for row in self.trail.projected(table)}
            except GovernanceError as error:
                yield Check("projection", "broken", f"table {table.__tablename__}", error.message, _REBUILD)
                continue
            yield from _differences(table, expected[table], stored)


_REBUILD = "the log is the truth: `labeltrail doctor --rebuild` projects the tables anew"


def _key(table: type[Any], row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.__table__.primary_key.columns)


def _differences(
    table: type[Any], expected: dict[tuple[Any, ...], dict[str, Any]], stored: dict[tuple[Any, ...], dict[str, Any]]
) -> Iterator[Check]:
    name = table.__tablename__
    for key in sorted(set(expected) | set(stored), key=str):
        shown = f"table {name}, row {' '.join(str(part) for part in key[1:])}"
        if key not in stored:
            yield Check("projection", "broken", shown, "the log has this row and the table does not", _REBUILD)
        elif key not in expected:
            yield Check("projection", "broken", shown, "the table has this row and the log does not", _REBUILD)
        else:
            for column, value in expected[key].items():
                if stored[key][column] != value or type(stored[key][column]) is not type(value):
                    says = f"column {column} holds {stored[key][column]!r}, the log says {value!r}"
                    yield Check("projection", "broken", shown, says, _REBUILD)
