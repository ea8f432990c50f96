"""What was told, and what did only a person state?"""

from __future__ import annotations

from typing import Literal

from governance.records.base import Count, Digest, Name, Record
from governance.records.runs import FileRef


class Document(Record):
    """A card or report: what it is about and every record that it cites."""

    kind = "document"

    title: str
    document_kind: Literal["dataset_card", "model_card", "audit_report"]
    sha256: Digest
    about: tuple[Name, ...]
    cites: tuple[Name, ...]
    claims: Count
    not_recorded: Count

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(*self.about, *self.cites)


class Attestation(Record):
    """A statement that only a person can make, on one control."""

    kind = "attestation"

    control: str
    statement: str
    by: str
    role: str
    made: str
    expires: str

    @property
    def label(self) -> str:
        return f"{self.control}: {self.by}"


class Bundle(Record):
    """What was handed out together: every file besides the log itself and its checkpoint."""

    kind = "bundle"
    event = True

    files: tuple[FileRef, ...]

    @property
    def label(self) -> str:
        return f"bundle of {len(self.files)} files"
