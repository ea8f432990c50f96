"""What voted, on whose terms, and how would we notice that it changed?"""

from __future__ import annotations

from typing import Literal

from governance.records.base import Digest, Part, Record

SourceKind = Literal[
    "heuristic", "lexicon", "pattern", "distant", "pretrained", "distilled", "pseudo", "llm", "crowd", "gold"
]


class Contamination(Part):
    """Examples that a source has already seen, so that its accuracy on them is no independent evidence."""

    domain: str
    reason: str


class Package(Part):
    """A distribution that a source stands on."""

    distribution: str
    version: str


class Source(Record):
    """A source version: what its code does (fingerprint) and what its owner says of it (description)."""

    kind = "source"

    title: str
    source_kind: SourceKind
    version: str
    fingerprint: Digest
    #: what the fingerprint could not see through, by name
    opaque: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    summary: str
    owner: str
    origin: str
    licence_declared: str
    licence_found: str
    licence_note: str = ""
    terms: str = ""
    collection: str
    intended_use: str = ""
    prohibited_use: str = ""
    personal_data: bool
    personal_data_note: str = ""
    expiry: str = ""
    contamination: tuple[Contamination, ...] = ()

    @property
    def licence_conflict(self) -> bool:
        """Whether what the owner declares differs from what was found beside the data."""
        return self.licence_declared != self.licence_found
