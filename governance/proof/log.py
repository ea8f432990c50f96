"""Is the log whole and unchanged, and do the tables say what the log says?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from governance.errors import BrokenEvidence, GovernanceError, InvalidRecord
from governance.proof.check import Check
from governance.proof.growing import GrowingTree
from governance.records import Adoption, KeyChange, LogStart, Record
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry, read_entry
from governance.store.keychain import Keychain
from governance.store.keys import is_at_hand
from governance.store.memory import memory_path, recall
from governance.store.projection import project
from governance.store.tables import PROJECTED
from governance.store.trail import Trail

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: how the bytes of an entry end that says which key signs, or what its holder vouches for
_JUDGING = (b'"kind":"key","v":1}', b'"kind":"adoption","v":1}')


class LogCheck:
    """1. every entry is canonical and hashes to its leaf  2. positions have no gap  3. every checkpoint's root is that of
    the entries it covers, and the newest covers all  4. every checkpoint is this log's and signed by the key in force
    there, which follows on the one before it  5. the log goes on from what this person has seen of it, and from every
    checkpoint that left the house and is at hand  6. the tables equal a projection made anew

    All of it is read in one transaction, so that a writer at work looks like no fault, and entry by entry, so that a log
    of any length fits into memory. Without `contents`, entries are hashed, only those that change how checkpoints are
    judged are read, and 6. is left out.
    """

    def __init__(self, trail: Trail, *, anchors: Mapping[str, Checkpoint] | None = None, contents: bool = True) -> None:
        self.trail = trail
        self.anchors = dict(anchors or {})
        self.contents = contents
        self.entries: list[tuple[int, Entry]] = []
        self.size = 0
        self.keychain: Keychain | None = None
        self.checkpoints = 0
        #: the sizes whose checkpoint nobody signed or adopted
        self.unadopted: list[int] = []
        #: (position, last size that it speaks of)
        self._adoptions: list[tuple[int, int]] = []

    @property
    def public_key(self) -> str | None:
        """The key that is in force at the log's end, hexadecimal."""
        return self.keychain.newest.public_key if self.keychain else None

    def run(self) -> Iterator[Check]:
        # Consumed whole inside: a check that is yielded outside would hold the transaction open.
        with self.trail.database.reading() as connection:
            found = list(self._all(connection))
        yield from found

    def _all(self, connection: Connection) -> Iterator[Check]:
        outside = list(self._outside())
        tree = GrowingTree(
            self.trail.stored_entries(connection),
            roots_at={checkpoint.size for _, checkpoint, _ in outside},
            read=self._read,
        )
        checkpoints = list(self._checkpoints(self.trail.stored_checkpoints(connection), tree))
        self.size = tree.size
        if self.keychain is None:
            says = f"the log does not begin with the start of {self.trail.log}"
            tree.found.append(Check("log", "broken", "entry 0", says))
        yield from tree.found
        yield from checkpoints
        for where, checkpoint, hint in outside:
            yield from _grown_from(checkpoint, tree, where=where, hint=hint)
        # What this machine remembers does not count: whoever appends here renews that without looking.
        yield from self._unheard(max((checkpoint.size for checkpoint in self.anchors.values()), default=0))
        if self.contents and not tree.found:
            yield from self._projection(connection)

    def _read(self, first: int, data: list[bytes]) -> Iterator[tuple[int, Check]]:
        # 1.
        for place, entry_data in enumerate(data):
            seq = first + place
            if not (self.contents or seq == 0 or entry_data.endswith(_JUDGING)):
                continue
            try:
                entry = read_entry(entry_data, where=f"entry {seq}")
            except InvalidRecord as error:
                yield seq, Check("log", "broken", f"entry {seq}", error.message)
                continue
            if self.contents:
                self.entries.append((seq, entry))
            yield from self._judging(seq, entry.record)

    def _judging(self, seq: int, record: Record) -> Iterator[tuple[int, Check]]:
        """Takes in what says how checkpoints are to be judged: whose log this is, its keys, and what was adopted."""
        if seq == 0 and isinstance(record, LogStart) and record.log == self.trail.log:
            self.keychain = Keychain.begun(record)
        elif isinstance(record, Adoption):
            self._adoptions.append((seq, record.last))
        elif isinstance(record, KeyChange) and self.keychain:
            # 4.
            try:
                self.keychain = self.keychain.changed(seq, record)
            except BrokenEvidence as error:
                says = error.message.partition(": ")[2]
                yield seq, Check("log", "broken", f"entry {seq}", says, error.hint or "")

    def _checkpoints(self, stored: Iterable[tuple[Any, Any, Any]], tree: GrowingTree) -> Iterator[Check]:
        before, last = 0, None
        unsigned: list[range] = []
        for size, note, peaks in stored:
            self.checkpoints += 1
            culprit = f"checkpoint {size!r}"
            # 3.
            if type(size) is not int or not isinstance(note, str) or not isinstance(peaks, str):
                yield Check(
                    "checkpoints", "broken", culprit, "its size, note or frontier is not of the type it was stored in"
                )
                continue
            tree.grow(size)
            try:
                last = parse_note(note, where=culprit)
            except InvalidRecord as error:
                yield Check("checkpoints", "broken", culprit, error.message)
                before = size
                continue
            if last.size != size or last.origin != self.trail.log:
                yield Check("checkpoints", "broken", culprit, "it is not of this log and size")
            elif size > tree.size:
                gone = f"it covers {size} entries, the log holds {tree.size}: {tree.size} to {size - 1} are gone"
                yield Check("checkpoints", "broken", culprit, gone)
            elif tree.frontier.root() != last.root:
                yield Check(
                    "checkpoints", "broken", culprit, f"an entry from {before} to {size - 1} is not what it covered"
                )
            elif tree.frontier.to_text() != peaks:
                yield Check("checkpoints", "broken", culprit, "the frontier beside it was changed")
            # 4.
            if last.signatures and not (self.keychain and self.keychain.vouches(last)):
                yield Check("checkpoints", "broken", culprit, "its signature is not one of the key in force there")
            elif not last.signatures:
                unsigned.append(range(before, size))
            before = size
        tree.grow(None)
        yield from self._unsigned(unsigned)
        covered = last.size if last else 0
        if tree.size > covered:
            says = f"no checkpoint covers entries {covered} to {tree.size - 1}"
            yield Check("checkpoints", "broken", f"entry {covered}", says)

    def _unsigned(self, unsigned: list[range]) -> Iterator[Check]:
        """Where the log has a key, what it did not sign is unknown until its holder adopts it.

        Anybody who can write can enter an adoption: one counts where a signature covers it, for what came before it.
        """
        said = ((seq, last) for seq, last in self._adoptions if not any(seq in entered for entered in unsigned))
        adopted = max((min(seq, last) for seq, last in said), default=0)
        self.unadopted = [entered.stop for entered in unsigned if entered.stop > adopted]
        if self.public_key and self.unadopted:
            yield Check(
                "checkpoints",
                "unknown",
                f"checkpoint {self.unadopted[0]}",
                f"{len(self.unadopted)} of the log's checkpoints from here on are unsigned, though this log has a key",
                "look at what was entered (`labeltrail log --all`), then `labeltrail adopt` with the log's key at hand",
            )

    def _unheard(self, seen: int) -> Iterator[Check]:
        """Anybody who can write to the store can revoke its key and name their own: somebody else has to speak for that.

        That is whoever holds the new key here, or whoever gave us a checkpoint that covers the change.
        """
        links = self.keychain.links if self.keychain else ()
        for link in links:
            if link.reason in ("began", "rotated") or link.since < seen or is_at_hand(link.public_key):
                continue
            says = f"it gives the log another key ({link.reason}) without a word of the key before, {link.public_key}"
            hint = (
                "ask the log's owner whether that key is theirs, and verify with --since a checkpoint over this entry"
            )
            yield Check("checkpoints", "unknown", f"entry {link.since}", says, hint)

    def _outside(self) -> Iterator[tuple[str, Checkpoint, str]]:
        """Checkpoints that do not lie in the store: where, which, and what to do where the log did not grow from one."""
        seen = recall(self.trail.log)
        if seen is not None:
            hint = f"restore the newer store; if this one is meant, remove {memory_path(self.trail.log)}"
            yield "last seen from here", seen, hint
        for where, checkpoint in self.anchors.items():
            yield (
                f"in {where}",
                checkpoint,
                "restore the store that this checkpoint is of, and ask who changed this one",
            )

    def _projection(self, connection: Connection) -> Iterator[Check]:
        # 6.
        expected: dict[type[Any], dict[tuple[Any, ...], dict[str, Any]]] = {table: {} for table in PROJECTED}
        for table, row in project(self.trail.log, self.entries):
            expected[table][_key(table, row)] = row
        for table in PROJECTED:
            try:
                stored = {_key(table, row): row for row in self.trail.projected(table, connection=connection)}
            except GovernanceError as error:
                yield Check("projection", "broken", f"table {table.__tablename__}", error.message, _REBUILD)
                continue
            yield from _differences(table, expected[table], stored)


def _grown_from(checkpoint: Checkpoint, tree: GrowingTree, *, where: str, hint: str) -> Iterator[Check]:
    # 5.
    culprit = f"checkpoint {checkpoint.size}"
    if checkpoint.size > tree.size:
        says = f"the log ran backwards: {where} it had {checkpoint.size} entries, it has {tree.size}"
        yield Check("checkpoints", "broken", culprit, says, hint)
    elif tree.roots[checkpoint.size] != checkpoint.root:
        says = f"the log was rewritten: its first {checkpoint.size} entries are not those {where}"
        yield Check("checkpoints", "broken", culprit, says, hint)


_REBUILD = "the log is the truth: `labeltrail doctor --rebuild` projects the tables anew"


def _key(table: type[Any], row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.__table__.primary_key.columns if column.name != "log")


def _differences(
    table: type[Any], expected: dict[tuple[Any, ...], dict[str, Any]], stored: dict[tuple[Any, ...], dict[str, Any]]
) -> Iterator[Check]:
    name = table.__tablename__
    for key in sorted(set(expected) | set(stored), key=str):
        shown = f"table {name}, row {' '.join(str(part) for part in key)}"
        if key not in stored:
            yield Check("projection", "broken", shown, "the log has this row and the table does not", _REBUILD)
        elif key not in expected:
            yield Check("projection", "broken", shown, "the table has this row and the log does not", _REBUILD)
        else:
            for column, value in expected[key].items():
                if not _same(stored[key][column], value):
                    says = f"column {column} holds {stored[key][column]!r}, the log says {value!r}"
                    yield Check("projection", "broken", shown, says, _REBUILD)


def _same(stored: Any, expected: Any) -> bool:
    """Equal in value and in type, where SQLite keeps a truth value as 0 or 1."""
    if isinstance(expected, bool) and type(stored) is int:
        return stored == int(expected)
    return type(stored) is type(expected) and stored == expected
