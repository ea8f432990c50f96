"""Which key is in force where in a log, and does trust in one key or checkpoint reach the newest key?

The first entry names a log's key, or none; each key change names the next. A key hands over by signing for the one after
it; a revocation (lost, compromised) is no such word, and neither is a first key: trust ends there and begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from governance.errors import BrokenEvidence
from governance.records import KeyChange, KeyReason, LogStart, Record, key_statement
from governance.store.checkpoint import Checkpoint, is_signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


#: the way on from where trust ended
NEW_WORD = "ask for the new key, or for a checkpoint that it signed, by another way than this log"


@dataclass(frozen=True)
class Link:
    """A key, the entry since which it is in force, and why it came."""

    since: int
    public_key: str | None
    reason: Literal["began", "first", "rotated", "lost", "compromised"] = "began"
    who: str = ""

    @property
    def key(self) -> bytes:
        """The public key, 32 bytes; nothing where there is none."""
        return bytes.fromhex(self.public_key or "")


@dataclass(frozen=True)
class Keychain:
    """The keys of one log in the order in which they came into force. Never empty."""

    log: str
    links: tuple[Link, ...]

    @classmethod
    def begun(cls, start: LogStart) -> Keychain:
        """The chain of a log that has only begun."""
        return cls(start.log, (Link(0, start.public_key),))

    @classmethod
    def of(cls, start: LogStart, later: Iterable[tuple[int, Record]]) -> Keychain:
        """The chain after all entries (position, record) behind the first. Raises BrokenEvidence for an invalid change."""
        chain = cls.begun(start)
        for seq, record in later:
            if isinstance(record, KeyChange):
                chain = chain.changed(seq, record)
        return chain

    def changed(self, seq: int, change: KeyChange) -> Keychain:
        """The chain with one more key. Raises BrokenEvidence, which names the entry, where the change is not valid:

        1. it follows on this very chain  2. somebody holds the new key  3. the key before it hands over, or says nothing
        """
        # 1.
        _hold(seq, "a change of this log's key", self.log, change.log)
        _hold(seq, f"change {len(self.links)} of the log's key", len(self.links), change.number)
        _hold(seq, "a change of the key in force", self.newest.public_key, change.previous)
        if change.public_key in {link.public_key for link in self.links}:
            raise _not_valid(seq, "a key that this log never had", change.public_key)
        if (change.reason == "first") != (change.previous is None):
            raise _not_valid(seq, "a reason that fits the key before", change.reason)
        # 2.
        new = Link(seq, change.public_key, change.reason, change.who)
        if not is_signed(new.key, change.statement(), bytes.fromhex(change.signature_new)):
            raise _not_valid(seq, "a signature of the new key", "another")
        # 3.
        if change.reason != "rotated":
            _hold(seq, "no signature of the key before", None, change.signature_previous)
        elif not is_signed(self.newest.key, change.statement(), bytes.fromhex(change.signature_previous or "")):
            raise _not_valid(seq, "a signature of the key before", "another")
        return Keychain(self.log, (*self.links, new))

    @property
    def newest(self) -> Link:
        return self.links[-1]

    def at(self, size: int) -> Link:
        """The key in force for a checkpoint over so many entries: the newest that they name."""
        return next((link for link in reversed(self.links) if link.since < size), self.links[0])

    def find(self, public: bytes) -> Link | None:
        """The link of a key, or None where the log never named it."""
        return next((link for link in self.links if link.public_key == public.hex()), None)

    def vouches(self, checkpoint: Checkpoint) -> bool:
        """Whether the key in force signed this checkpoint."""
        key = self.at(checkpoint.size).key
        return bool(key) and checkpoint.signed_by(key)

    def end_of_trust(self, link: Link) -> Link | None:
        """The first change after `link` that its key did not sign for, or None where trust reaches the newest key."""
        later = self.links[self.links.index(link) + 1 :]
        return next((after for after in later if after.reason != "rotated"), None)


def make_change(
    chain: Keychain, new: Ed25519PrivateKey, *, old: Ed25519PrivateKey | None, reason: KeyReason, who: str
) -> KeyChange:
    """The record with which `new` follows on the key in force; `old` is that one's private half where it hands over."""
    public = new.public_key().public_bytes_raw().hex()
    said: dict[str, Any] = {
        "log": chain.log,
        "number": len(chain.links),
        "previous": chain.newest.public_key,
        "public_key": public,
        "reason": reason,
    }
    statement = key_statement(**said)
    return KeyChange.make(
        **said,
        who=who,
        signature_previous=old.sign(statement).hex() if old else None,
        signature_new=new.sign(statement).hex(),
    )


def told_end(link: Link, *, trusted: str) -> str:
    """Why trust does not reach over a change, in one sentence."""
    if link.reason == "first":
        return f"entry {link.since} named the log's first key, for which {trusted} cannot vouch"
    return f"entry {link.since} revoked {trusted} ({link.reason})"


def _hold(seq: int, what: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise _not_valid(seq, f"{what}, {expected}" if expected is not None else what, actual)


def _not_valid(seq: int, expected: object, actual: object) -> BrokenEvidence:
    hint = "nothing after it can be believed: ask the log's owner who entered it"
    return BrokenEvidence(f"entry {seq}", expected=expected, actual=actual, hint=hint)
