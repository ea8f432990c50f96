"""Which key signs a log from here on, and what became of the one before it?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from governance.digest import LARGEST_INTEGER, canonical
from governance.records.base import Digest, Record

#: 64 bytes of Ed25519, hexadecimal
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
#: the log began without a key; the key before it hands over; the key before it is gone; somebody else may hold it
KeyReason = Literal["first", "rotated", "lost", "compromised"]

_STATEMENT = b"labeltrail-key/1\n"


class KeyChange(Record):
    """The log's next key, which signs this entry and all later ones. A revoked key before it is believed no more."""

    kind = "key"
    event = True

    log: str
    #: how many changes this log has had with this one
    number: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
    #: the key that was in force, hexadecimal; absent where there was none
    previous: Digest | None
    public_key: Digest
    reason: KeyReason
    who: str
    #: by the key before it, only where that one hands over; and by the new key, which shows that somebody holds it
    signature_previous: Signature | None
    signature_new: Signature

    @property
    def label(self) -> str:
        said = {"first": "the first", "rotated": "rotated"}.get(self.reason, f"the one before was {self.reason}")
        return f"key {self.public_key[:16]} ({said}), by {self.who}"

    def statement(self) -> bytes:
        """What the signatures of this record sign."""
        return key_statement(
            log=self.log,
            number=self.number,
            previous=self.previous,
            public_key=self.public_key,
            reason=self.reason,
        )


def key_statement(*, log: str, number: int, previous: str | None, public_key: str, reason: KeyReason) -> bytes:
    """The bytes that both keys sign: what the record is for, and canonical JSON of what it says."""
    said = {"log": log, "number": number, "previous": previous, "public_key": public_key, "reason": reason}
    return _STATEMENT + canonical(said)
