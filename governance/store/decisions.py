"""Is a decision signed by whom it names, and how is one signed?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from governance.records import Approval, Expiry
from governance.store.checkpoint import is_signed
from governance.store.keys import public_hex

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Decision = TypeVar("Decision", Approval, Expiry)


def signed(decision: Decision, key: Ed25519PrivateKey | None) -> Decision:
    """The decision with a key's signature; without a key as it is, which tells as self-stated."""
    if key is None:
        return decision
    said = {**decision.body(), "public_key": public_hex(key)}
    # The key is in what is signed, so that nobody can put another one beside the signature.
    blank = type(decision).make(**{**said, "signature": "0" * 128})
    return type(decision).make(**{**said, "signature": key.sign(blank.statement()).hex()})


def genuine(decisions: Iterable[Approval | Expiry]) -> frozenset[str]:
    """The names of those decisions whose signature is that of the key which they name."""
    return frozenset(
        one.name
        for one in decisions
        if one.public_key is not None
        and one.signature is not None
        and is_signed(bytes.fromhex(one.public_key), one.statement(), bytes.fromhex(one.signature))
    )
