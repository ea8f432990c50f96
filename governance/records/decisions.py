"""What did people decide about a version of something, who were they, and who says that it was them?"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from governance.digest import canonical
from governance.records.base import Count, Digest, Name, Record
from governance.records.keys import Signature

_STATEMENT = b"labeltrail-decision/1\n"


class _Decision(Record):
    """A decision about exactly one version: a newer one has to be decided about anew, and nothing deletes a decision."""

    #: what it is about, by the name that covers all of its content
    subject: Name
    title: str
    who: str
    role: str
    reason: str
    #: microseconds since 1970, UTC
    at: Count
    #: the key of who decided, and its signature over all of the above; without them `who` is self-stated
    public_key: Digest | None = None
    signature: Signature | None = None

    @model_validator(mode="after")
    def _signed_whole(self) -> Self:
        if (self.public_key is None) != (self.signature is None):
            raise ValueError("a key and its signature stand together or not at all")
        return self

    def statement(self) -> bytes:
        """What the signature signs."""
        said = self.body()
        del said["signature"]
        return decision_statement(self.kind, said)

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.name, "wasInfluencedBy", self.subject),)


class Approval(_Decision):
    """Somebody says that a version may be used."""

    kind = "approval"
    event = True

    @property
    def label(self) -> str:
        return f"approval of {self.title} by {self.who} ({self.role})"


class Expiry(_Decision):
    """Somebody says that a version may be used no longer."""

    kind = "expiry"
    event = True

    #: the first day on which it may not be used any more
    since: str

    @property
    def label(self) -> str:
        return f"expiry of {self.title} on {self.since} by {self.who} ({self.role})"


def decision_statement(kind: str, said: dict[str, object]) -> bytes:
    """The bytes that whoever decides signs: what the record is for, and canonical JSON of what it says."""
    return _STATEMENT + canonical({"kind": kind, **said})
