"""Who vouches for a checkpoint, given a key or a checkpoint that somebody trusts?

Trust in a key reaches the key in force where each key since has signed for the next one; it ends at a revocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from governance.errors import InvalidRecord
from governance.proof.check import Check
from governance.records import LogStart
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry
from governance.store.keychain import NEW_WORD, Keychain, Link, told_end


def log_start(entries: Sequence[Entry]) -> LogStart:
    """The first entry's record. Raises InvalidRecord where it is not the beginning of a log."""
    first = entries[0].record if entries else None
    if not isinstance(first, LogStart):
        raise InvalidRecord("first entry", first.kind if first else None, "the beginning of a log")
    return first


def vouched_for(
    mine: Checkpoint,
    entries: Iterable[tuple[int, Entry]],
    leaves: list[bytes],
    *,
    what: str,
    anchor: str | None,
    key: bytes | None,
) -> Check:
    """Who vouches for a checkpoint over these entries: fine, or unknown where nobody does (any more).

    Of the entries, each with its position, the first one and those that change the key are enough.
    Raises InvalidRecord where what is trusted contradicts it, BrokenEvidence for a change of the key that is not valid.
    """
    placed = list(entries)
    keychain = Keychain.of(log_start([entry for _, entry in placed]), ((seq, entry.record) for seq, entry in placed))
    if key is not None:
        return by_key(mine, keychain, key, what=what)
    if anchor is None:
        return by_nobody(what=what)
    trusted = parse_note(anchor, where="the checkpoint that was given")
    if trusted.origin != mine.origin:
        raise InvalidRecord("checkpoint", trusted.origin, f"a checkpoint of the log {mine.origin}")
    if not 0 < trusted.size <= mine.size or merkle.root(leaves[: trusted.size]) != trusted.root:
        raise InvalidRecord("checkpoint", f"{trusted.size} entries", "one that this log grew from, not another history")
    return by_older(mine, keychain, trusted, what=what)


def by_nobody(*, what: str) -> Check:
    """Neither a key nor a checkpoint is trusted."""
    hint = "give --since or --key, got some other way (verify.py: --checkpoint or --key)"
    return Check(what, "unknown", "origin", "internally consistent, origin unknown", hint)


def by_key(mine: Checkpoint, keychain: Keychain, key: bytes, *, what: str) -> Check:
    """What a trusted key (32 bytes) says of a checkpoint. Raises InvalidRecord where it contradicts it."""
    link = keychain.find(key)
    if link is None or not keychain.vouches(mine):
        raise InvalidRecord("key", key.hex(), "a key that the log names, the newest of which signed the checkpoint")
    ended = keychain.end_of_trust(link)
    if ended:
        return _ended(ended, what=what, trusted="the key that was given")
    if link == keychain.newest:
        return Check(what, "fine", what, "signed by the key that was given")
    says = (
        f"signed by the log's newest key, which the key that was given hands over to in entry {keychain.newest.since}"
    )
    return Check(what, "fine", what, says)


def by_older(mine: Checkpoint, keychain: Keychain, trusted: Checkpoint, *, what: str) -> Check:
    """What a trusted checkpoint says of one that grew from it. Raises InvalidRecord where nobody signed what came after."""
    fine = Check(what, "fine", what, "of the log whose checkpoint was given")
    if trusted.size == mine.size:
        return fine
    if not keychain.vouches(mine):
        raise InvalidRecord(
            "checkpoint", f"{trusted.size} entries", "one over all entries, or a signed newest checkpoint"
        )
    ended = keychain.end_of_trust(keychain.at(trusted.size))
    return _ended(ended, what=what, trusted="the key of the checkpoint that was given") if ended else fine


def _ended(link: Link, *, what: str, trusted: str) -> Check:
    says = f"internally consistent, but {told_end(link, trusted=trusted)}"
    return Check(what, "unknown", "origin", says, NEW_WORD)
