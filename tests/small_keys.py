"""Signing keys by number, always the same ones, and logs whose key was changed."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.digest import write_atomically
from governance.records import KeyChange, KeyReason
from governance.store import keys
from governance.store.keychain import Keychain, make_change
from governance.store.trail import Trail


def private(number: int) -> Ed25519PrivateKey:
    """One of many different keys."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def public(number: int) -> str:
    return keys.public_hex(private(number))


def hold(*numbers: int) -> None:
    """These keys are this user's: the last is the newest, the others were superseded by it."""
    for number in numbers:
        keys.key_path().unlink(missing_ok=True)
        for path in (keys.kept_path(public(number)), keys.key_path()):
            write_atomically(path, keys._text(private(number)), mode=0o600)


def begin(root: Path, number: int | None) -> Trail:
    """A log that began with a key, or without one."""
    if number is not None:
        hold(number)
    return Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="keys", create=True)


def change(chain: Keychain, number: int, *, reason: KeyReason = "rotated", old: int | None = None) -> KeyChange:
    """The key with this number follows on the key in force."""
    before = private(old) if old is not None and reason == "rotated" else None
    return make_change(chain, private(number), old=before, reason=reason, who="A. Ode")
