"""What can somebody do who can write to the database, and has not the log's key?"""

from __future__ import annotations

from governance.proof.drill.scene import NothingThere, Scene
from governance.records import LogStart, Source, read_record
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry
from governance.store.keychain import Keychain, make_change
from governance.store.tables import CheckpointRow, EntryRow, RecordRow, SourceRow, SubjectKeyRow

_DAY = 86_400 * 1_000_000


def a_bit_of_an_entry(scene: Scene) -> None:
    """One bit of one entry is flipped."""
    row = _middle(scene)
    data = bytearray(row["data"])
    data[len(data) // 2] ^= 1
    scene.change(EntryRow, {"data": bytes(data)}, seq=row["seq"])


def an_entry_with_its_hash(scene: Scene) -> None:
    """An entry says something else, and its hash fits again."""
    seq, entry = altered(scene.entries())
    data = entry.to_bytes()
    scene.change(EntryRow, {"data": data, "leaf": merkle.leaf_hash(data)}, seq=seq)


def two_entries_swapped(scene: Scene) -> None:
    """Two entries change places, with their hashes."""
    rows = scene.rows(EntryRow)
    if len(rows) < 3:
        raise NothingThere("the log has fewer than three entries")
    one, other = rows[1], rows[-1]
    for seq, row in ((one["seq"], other), (other["seq"], one)):
        scene.change(EntryRow, {"data": row["data"], "leaf": row["leaf"]}, seq=seq)


def an_entry_taken_out(scene: Scene) -> None:
    """An entry is deleted, and the following ones move up."""
    rows = scene.rows(EntryRow)
    gone = _middle(scene)["seq"]
    scene.remove(EntryRow, seq=gone)
    for row in rows[gone + 1 :]:
        scene.change(EntryRow, {"seq": row["seq"] - 1}, seq=row["seq"])


def an_entry_back_dated(scene: Scene) -> None:
    """The newest entry says that it was entered a month earlier, and its hash fits."""
    rows = scene.rows(EntryRow)
    entry = scene.entries()[-1]
    data = Entry(entry.at - 30 * _DAY, entry.record).to_bytes()
    scene.change(EntryRow, {"data": data, "leaf": merkle.leaf_hash(data)}, seq=rows[-1]["seq"])


def an_entry_twice(scene: Scene) -> None:
    """The newest entry is entered once more, with its hash, and no checkpoint over it."""
    last = scene.rows(EntryRow)[-1]
    scene.add(EntryRow, {**last, "seq": last["seq"] + 1})


def the_newest_entries_cut_off(scene: Scene) -> None:
    """The entries of the newest transaction are deleted, its checkpoint is not."""
    heads = [row["size"] for row in scene.rows(CheckpointRow)]
    if len(heads) < 2:
        raise NothingThere("the log has a single transaction")
    for seq in range(heads[-2], heads[-1]):
        scene.remove(EntryRow, seq=seq)


def a_licence_in_the_tables(scene: Scene) -> None:
    """A projected table says another licence than the log."""
    rows = scene.rows(SourceRow)
    if not rows:
        raise NothingThere("no source is recorded")
    scene.change(SourceRow, {"licence_declared": "CC0-1.0 OR MIT"}, name=rows[0]["name"])


def a_record_out_of_the_tables(scene: Scene) -> None:
    """A record is deleted from the tables, and stays in the log."""
    scene.remove(RecordRow, name=scene.rows(RecordRow)[-1]["name"])


def a_signature_taken_off(scene: Scene) -> None:
    """The newest checkpoint loses its signature."""
    size, head = _head(scene)
    scene.change(CheckpointRow, {"note": Checkpoint(head.origin, head.size, head.root).to_note()}, size=size)


def another_keys_signature(scene: Scene) -> None:
    """The newest checkpoint is signed by a key that is not the log's."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    size, head = _head(scene)
    forged = Checkpoint(head.origin, head.size, head.root).signed(Ed25519PrivateKey.generate())
    scene.change(CheckpointRow, {"note": forged.to_note()}, size=size)


def everything_rewritten_without_the_key(scene: Scene) -> None:
    """An entry is changed, and all hashes, checkpoints and tables are made anew; only the signatures are missing."""
    entries = scene.entries()
    seq, entry = altered(entries)
    scene.rewrite([*entries[:seq], entry, *entries[seq + 1 :]], key=None)


def a_key_of_their_own(scene: Scene) -> None:
    """The log's key is declared lost right after its start, and a stranger's signs another history in its place."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    entries = scene.entries()
    seq, entry = altered(entries)
    first, *others = [*entries[:seq], entry, *entries[seq + 1 :]]
    if not isinstance(first.record, LogStart):
        raise NothingThere("the log has no start")
    key = Ed25519PrivateKey.generate()
    change = make_change(Keychain.begun(first.record), key, old=None, reason="lost", who="somebody")
    scene.rewrite([first, Entry(first.at, change), *others], key=key, at_once=True)


def another_log_in_its_place(scene: Scene) -> None:
    """The log of another project lies under this one's id, signed by that one's key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    first, *others = scene.entries()
    start = LogStart.make(log="0" * 32, project="another", public_key=public)
    scene.rewrite([Entry(first.at, start), *others], key=key)


def the_key_of_a_person_exchanged(scene: Scene) -> None:
    """The key behind the salts of one person's rows is another one."""
    row = _subject(scene)
    scene.change(SubjectKeyRow, {"key": bytes(32)}, pseudonym=row["pseudonym"])


def the_key_of_a_person_destroyed(scene: Scene) -> None:
    """The key behind the salts of one person's rows is gone, and no erasure is recorded."""
    scene.remove(SubjectKeyRow, pseudonym=_subject(scene)["pseudonym"])


def _middle(scene: Scene) -> dict:
    rows = scene.rows(EntryRow)
    if len(rows) < 2:
        raise NothingThere("the log has no entry but its start")
    return rows[len(rows) // 2]


def _head(scene: Scene) -> tuple[int, Checkpoint]:
    row = scene.rows(CheckpointRow)[-1]
    return row["size"], parse_note(row["note"])


def _subject(scene: Scene) -> dict:
    rows = scene.rows(SubjectKeyRow)
    if not rows:
        raise NothingThere("no rows are committed to")
    return rows[0]


def altered(entries: list[Entry]) -> tuple[int, Entry]:
    """What no file of the project says again: who ran something; where nobody did, a source with another licence."""
    for seq, entry in reversed(list(enumerate(entries))):
        if entry.record.event and "who" in entry.record.body():
            return seq, _with(entry, who="somebody else")
    for seq, entry in enumerate(entries):
        if isinstance(entry.record, Source):
            return seq, _with(entry, licence_declared="CC0-1.0 OR MIT")
    raise NothingThere("the log holds neither anybody's name nor a source")


def _with(entry: Entry, **fields: str) -> Entry:
    record = entry.record
    value = {"kind": record.kind, "v": record.v, "body": {**record.body(), **fields}}
    return Entry(entry.at, read_record(value, where="drill"))


TAMPERINGS = (
    a_bit_of_an_entry,
    an_entry_with_its_hash,
    two_entries_swapped,
    an_entry_taken_out,
    an_entry_back_dated,
    an_entry_twice,
    the_newest_entries_cut_off,
    a_licence_in_the_tables,
    a_record_out_of_the_tables,
    a_signature_taken_off,
    another_keys_signature,
    everything_rewritten_without_the_key,
    a_key_of_their_own,
    another_log_in_its_place,
    the_key_of_a_person_exchanged,
    the_key_of_a_person_destroyed,
)
