"""What does a document look like as a record?"""

from __future__ import annotations

from typing import Literal

from governance import records
from governance.claims import Document


def document_record(document: Document, *, sha256: str, form: Literal["Markdown", "HTML"]) -> records.Document:
    """The record of a rendered document: what it is about, what it cites, and how often it says `not recorded`."""
    return records.Document.make(
        title=f"{document.title} ({form})",
        document_kind=document.kind,
        sha256=sha256,
        about=list(document.about),
        cites=list(document.cites),
        claims=len(document.claims),
        not_recorded=len(document.gaps),
    )
