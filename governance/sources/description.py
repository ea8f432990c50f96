"""What does a source's owner say of it, and can it be taken at its word?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from governance.errors import GovernanceError
from governance.records.base import NAME
from governance.records.sources import Confidentiality, SourceKind
from governance.sources.fields import Fields, read_mapping

KINDS: tuple[str, ...] = get_args(SourceKind)
CONFIDENTIALITY: tuple[str, ...] = tuple(word for word in get_args(Confidentiality) if word)

_REQUIRED = ("summary", "owner", "origin", "collection")
_TEXTS = (
    *("intended_use", "prohibited_use", "author", "format", "legal_basis", "consent", "privacy_techniques"),
    *("proprietary", "teacher", "model", "trained_on", "knowledge", "annotators", "instructions"),
)
#: field → the fields inside it
_LICENCE = ("declared", "found", "note")
_PERSONAL = ("holds", "note", "classes")
_TERMS = ("text", "url", "date", "reviewer", "sha256")
_COLLECTED = ("from", "to")
_GEOGRAPHY = ("origin", "processing", "storage")
FIELDS = (
    *("kind", "version", "distribution", "checked_version", *_REQUIRED, *_TEXTS, "terms", "licence", "personal_data"),
    *("collected", "issued", "previous_issued", "geography", "confidentiality", "metadata_url", "author_key"),
    *("related", "contamination", "expiry"),
)
#: what a description says nothing of, as the record holds it
_SILENT: dict[str, Any] = {
    **dict.fromkeys((*(f"terms_{field}" for field in _TERMS[1:]), "issued", "previous_issued"), ""),
    **dict.fromkeys(("collected_from", "collected_to"), ""),
    **{f"geography_{field}": [] for field in _GEOGRAPHY},
}


@dataclass(frozen=True)
class Description:
    """The YAML beside a source's code, checked; `facts` are fields of `records.Source`.

    A source that stands on a distribution names it: its version is then the installed one, and `checked_version` is the
    release whose licence and terms somebody read.
    """

    name: str
    facts: dict[str, Any]
    version: str
    distribution: str
    checked_version: str


def read_description(path: Path) -> Description:
    """The description in a YAML file. Raises ConfigurationError, UnknownName (did you mean?) or InvalidRecord."""
    described, faults = judge_description(path)
    if faults:
        raise faults[0]
    return described


def judge_description(path: Path) -> tuple[Description, list[GovernanceError]]:
    """The description in a YAML file and everything that is wrong with it, in the order of its fields.

    Raises ConfigurationError or InvalidRecord for a file that is no mapping at all.
    """
    fields = Fields(read_mapping(path), where=str(path))
    fields.only(FIELDS)
    facts: dict[str, Any] = dict(_SILENT)
    facts["source_kind"] = fields.choice("kind", KINDS, optional=False)
    facts |= {field: fields.text(field, optional=False) for field in _REQUIRED}
    facts |= {field: fields.text(field) for field in _TEXTS}
    facts |= _terms(fields) | _licences(fields) | _personal_data(fields) | _where_and_when(fields)
    facts |= {
        "expiry": fields.day("expiry"),
        "confidentiality": fields.choice("confidentiality", CONFIDENTIALITY),
        "metadata_url": fields.address("metadata_url"),
        "author_key": fields.digest("author_key", "a public key, 64 hexadecimal digits"),
        "contamination": fields.pairs("contamination", ("domain", "reason"), "a domain and a reason"),
        "related": fields.pairs("related", ("source", "relation"), "a source and its relation"),
    }
    if facts["teacher"].startswith("model:") and not re.fullmatch(NAME, facts["teacher"]):
        wanted = "the whole name of a model version (`labeltrail show model` prints it), or what it is called elsewhere"
        fields.wrong("teacher", facts["teacher"], wanted)
    distribution = fields.text("distribution")
    described = Description(
        name=path.stem,
        facts=facts,
        version=fields.text("version", optional=bool(distribution)),
        distribution=distribution,
        checked_version=fields.text("checked_version", optional=not distribution),
    )
    return described, fields.faults


def _terms(fields: Fields) -> dict[str, str]:
    """One text, or a mapping that also says where, when and by whom the terms were read."""
    if not isinstance(fields.given.get("terms"), dict):
        return {"terms": fields.text("terms")}
    inner = fields.inner("terms", _TERMS)
    if inner is None:
        return {}
    return {
        "terms": inner.text("text"),
        "terms_url": inner.address("url"),
        "terms_date": inner.day("date"),
        "terms_reviewer": inner.text("reviewer"),
        "terms_sha256": inner.digest("sha256", "the SHA-256 of what was read, 64 hexadecimal digits"),
    }


def _licences(fields: Fields) -> dict[str, str]:
    inner = fields.inner("licence", _LICENCE, optional=False)
    if inner is None:
        return {}
    found = {f"licence_{field}": inner.licence(field) for field in ("declared", "found")}
    return {**found, "licence_note": inner.text("note")}


def _personal_data(fields: Fields) -> dict[str, Any]:
    inner = fields.inner("personal_data", _PERSONAL, optional=False)
    if inner is None:
        return {}
    holds, classes = inner.yes_or_no("holds"), inner.texts("classes")
    if classes and not holds:
        inner.wrong("classes", classes, "no classes where `holds` is false")
    return {"personal_data": holds, "personal_data_note": inner.text("note"), "personal_data_classes": classes}


def _where_and_when(fields: Fields) -> dict[str, Any]:
    told: dict[str, Any] = {field: fields.when(field) for field in ("issued", "previous_issued")}
    collected = fields.inner("collected", _COLLECTED)
    if collected is not None:
        begin, end = collected.when("from"), collected.when("to")
        # Of different precision only what both say can be compared: 2011 does not end before 2011-06.
        shared = min(len(begin), len(end))
        if begin[:shared] > end[:shared]:
            collected.wrong("to", end, f"no day before {begin}")
        told |= {"collected_from": begin, "collected_to": end}
    geography = fields.inner("geography", _GEOGRAPHY)
    if geography is not None:
        told |= {f"geography_{field}": geography.texts(field) for field in _GEOGRAPHY}
    return told
