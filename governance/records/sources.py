"""What voted, on whose terms, and how would we notice that it changed?"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, model_validator

from governance.records.base import NAME, Digest, Name, Part, Record

SourceKind = Literal[
    "heuristic", "lexicon", "pattern", "distant", "pretrained", "distilled", "pseudo", "llm", "crowd", "gold"
]
Confidentiality = Literal["", "public", "internal", "confidential", "restricted"]

#: a year, a month or a day, or nothing where nobody recorded it
When = Annotated[str, StringConstraints(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")]
DigestOrNothing = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]


class Contamination(Part):
    """Examples that a source has already seen, so that its accuracy on them is no independent evidence."""

    domain: str
    reason: str


class Package(Part):
    """A distribution that a source stands on."""

    distribution: str
    version: str


class Related(Part):
    """Another source that this one has to do with, and how: a copy, the same data, the same people."""

    source: str
    relation: str


class Source(Record):
    """A source version: what its code does (fingerprint) and what its owner says of it (description).

    An empty field was not recorded.
    """

    kind = "source"
    v = 2

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

    # -- since v 2 -------------------------------------------------------------------------------------------------
    #: who wrote code and description, as they say; and the public key that is theirs, hexadecimal
    author: str = ""
    author_key: DigestOrNothing = ""
    #: where the terms were read, on which day and by whom, and the SHA-256 of what was read there
    terms_url: str = ""
    terms_date: When = ""
    terms_reviewer: str = ""
    terms_sha256: DigestOrNothing = ""
    collected_from: When = ""
    collected_to: When = ""
    issued: When = ""
    previous_issued: When = ""
    #: where the data comes from, and where it may be processed and stored
    geography_origin: tuple[str, ...] = ()
    geography_processing: tuple[str, ...] = ()
    geography_storage: tuple[str, ...] = ()
    format: str = ""
    metadata_url: str = ""
    legal_basis: str = ""
    #: where the documentation of consent lies
    consent: str = ""
    personal_data_classes: tuple[str, ...] = ()
    privacy_techniques: str = ""
    confidentiality: Confidentiality = ""
    #: copyrights, patents and trademarks of others in it
    proprietary: str = ""
    related: tuple[Related, ...] = ()
    #: of distilled models and pseudo-labels: the name of the teacher's model version, or what it is called elsewhere
    teacher: str = ""
    #: of pretrained and language models: which model answers, with its revision
    model: str = ""
    trained_on: str = ""
    #: of distant supervision: the knowledge base, with its release
    knowledge: str = ""
    #: of crowds and gold: who they are and how they were chosen, and what they were told to do
    annotators: str = ""
    instructions: str = ""

    @property
    def licence_conflict(self) -> bool:
        """Whether what the owner declares differs from what was found beside the data."""
        return self.licence_declared != self.licence_found

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.teacher) if re.fullmatch(NAME, self.teacher) else ()


#: the fields that a description of v 1 could not hold
_SINCE_V2 = frozenset(list(Source.model_fields)[list(Source.model_fields).index("author") :])


class SourceV1(Source):
    """A source version as it was described at first: all that could not be said then reads as not recorded."""

    kind = "source"
    v = 1

    @model_validator(mode="before")
    @classmethod
    def _knows_nothing_newer(cls, given: Any) -> Any:
        newer = sorted(_SINCE_V2 & set(given)) if isinstance(given, dict) else []
        if newer:
            raise ValueError(f"{newer[0]} is a field of v 2")
        return given

    def body(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude=set(_SINCE_V2))


class CodePart(Part):
    """One function that a source's votes depend on, as people read it: without comments, docstrings and layout."""

    path: str
    text: str


class SourceText(Record):
    """What the code of a source version says, for people; the fingerprint in the source version is what counts."""

    kind = "sourcetext"

    title: str
    source: Name
    parts: tuple[CodePart, ...]
    #: functions whose text is not kept here, because all of them together are too long
    left_out: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        # The title alone is what the source version is called.
        return f"code of {self.title}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.source)
