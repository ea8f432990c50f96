"""Which key signs this log, and how does another take its place?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from governance.config import Config
from governance.errors import BrokenEvidence, Busy, ConfigurationError
from governance.project import git
from governance.project.report import Report, table
from governance.proof.anchors import tracked
from governance.proof.log import LogCheck
from governance.records import KeyReason
from governance.store import keys
from governance.store.checkpoint import parse_note
from governance.store.keychain import Keychain, make_change
from governance.store.trail import Trail

_WHY = {
    "began": "the log began with it",
    "first": "the log's first",
    "rotated": "the key before handed over",
    "lost": "the key before was lost",
    "compromised": "the key before may be in other hands",
}


def show(trail: Trail) -> Report:
    """Every key that this log has had: since which entry, why, and whether its private half is at hand."""
    chain = trail.keychain()
    listed = [
        {
            "public_key": link.public_key,
            "since": link.since,
            "reason": link.reason,
            "who": link.who,
            "at_hand": keys.is_at_hand(link.public_key),
        }
        for link in chain.links
        if link.public_key
    ]
    rows = [
        (key["public_key"], key["since"], _WHY[str(key["reason"])], key["who"], "yes" if key["at_hand"] else "no")
        for key in listed
    ]
    newest = chain.newest
    told = {"log": trail.log, "public_key": newest.public_key, "keys": listed}
    if newest.public_key is None:
        return Report("key show", told, ("this log began without a key: `labeltrail key rotate` gives it one",))
    ended = [f"entry {link.since} revoked the key before it" for link in chain.links if _is_revocation(link.reason)]
    columns = ("key", "since entry", "why", "by", "private half at hand")
    return Report("key show", told, (table(columns, rows), f"in force: {newest.public_key}", *ended))


def rotate(config: Config, trail: Trail) -> Report:
    """The key in force hands over to a new one, or a log that began without a key is given one.

    1. the log is whole, and its key at hand and vouches for all of it  2. the new key is on the disk  3. an entry names it

    Raises ConfigurationError (the private half is not here, or entries wait to be adopted), BrokenEvidence, Busy.
    """
    chain = trail.keychain()
    first = chain.newest.public_key is None
    if not first and not keys.is_at_hand(chain.newest.public_key):
        raise ConfigurationError(
            f"the private half of {chain.newest.public_key}, which signs this log, is not at hand",
            hint="run this where it is; where it is gone for good, `labeltrail key revoke --reason lost`",
        )
    if not first and not chain.vouches(parse_note(trail.checkpoints()[-1][1])):
        hint = "look at what was entered (`labeltrail log --all`), then `labeltrail adopt`"
        raise ConfigurationError("the newest entries were recorded without the log's key", hint=hint)
    return _changed(config, trail, chain, reason="first" if first else "rotated")


def revoke(config: Config, trail: Trail, *, reason: Literal["lost", "compromised"]) -> Report:
    """A new key takes the place of one that is lost or in other hands, and that one vouches for nothing any more.

    Raises ConfigurationError for a log without a key, BrokenEvidence, Busy.
    """
    chain = trail.keychain()
    if reason not in ("lost", "compromised"):
        raise ConfigurationError(f"{reason!r} is no reason to revoke a key", hint="give lost or compromised")
    if chain.newest.public_key is None:
        raise ConfigurationError(
            "this log names no key that could be revoked", hint="`labeltrail key rotate` gives it one"
        )
    return _changed(config, trail, chain, reason=reason)


def _changed(config: Config, trail: Trail, chain: Keychain, *, reason: KeyReason) -> Report:
    # 1.
    broken = [c for c in LogCheck(trail, anchors=tracked(config, trail.log)).run() if c.state == "broken"]
    if broken:
        hint = "the key was not changed"
        raise BrokenEvidence(broken[0].culprit, expected="a whole log", actual=broken[0].says, hint=hint)
    before = chain.newest
    with keys.changing_keys(), _nobody_else(trail, chain):
        # 2.
        old = keys.load_key(before.public_key) if reason == "rotated" and before.public_key else None
        used = {link.public_key for link in chain.links if link.public_key}
        new, origin = keys.next_key(used=used, fresh=reason == "compromised")
        # 3.
        record = make_change(chain, new, old=old, reason=reason, who=git.who(config.root))
        since = trail.append([record]).positions[record.name]
    told = {
        "log": trail.log,
        "public_key": record.public_key,
        "previous": record.previous,
        "reason": reason,
        "since": since,
        "record": record.name,
    }
    says = [f"from entry {since} on this log is signed by {record.public_key}", f"that key is {origin}"]
    return Report(f"key {'revoke' if _is_revocation(reason) else 'rotate'}", told, (*says, *_next_steps(reason)))


def _next_steps(reason: KeyReason) -> Iterator[str]:
    if reason == "rotated":
        yield f"the key before is kept in {keys.key_path().parent / 'keys'}, since other logs may be signed by it"
        yield "whoever trusts the key before goes on trusting this log: it signed for the new one"
    if _is_revocation(reason):
        yield f"whoever trusts the key before is told that it was revoked ({reason}): give them the new one yourself"
        yield "what was recorded without a key meanwhile stays unknown until `labeltrail adopt`"
    if reason == "compromised":
        yield "the key before is kept, since other logs may be signed by it: revoke it there too"
    if reason == "first":
        yield "what was recorded before is unknown until you have looked at it and said `labeltrail adopt`"
    yield "next: `labeltrail checkpoint`, and give it to whoever keeps the last one"


@contextmanager
def _nobody_else(trail: Trail, chain: Keychain) -> Iterator[None]:
    """Two may change the key at once: one does, the other is told so and has changed nothing."""
    _still(trail, chain)
    try:
        yield
    except BrokenEvidence:
        _still(trail, chain)
        raise


def _still(trail: Trail, chain: Keychain) -> None:
    now = trail.keychain()
    if now != chain:
        raise Busy(
            f"somebody else changed the log's key meanwhile: entry {now.newest.since} ({now.newest.reason})",
            hint="`labeltrail key show` tells which key is in force now",
        )


def _is_revocation(reason: str) -> bool:
    return reason in ("lost", "compromised")
