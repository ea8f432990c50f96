"""What did people state, in the files of decisions/attestations?"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.records import Attestation

_FIELDS = ("control", "statement", "by", "role", "made", "expires")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def read_attestations(decisions: Path) -> list[Attestation]:
    """Every attestation below `decisions`, by control; none where nobody has stated anything.

    Raises ConfigurationError (no YAML), UnknownName (a field that there is not) or InvalidRecord (file, field, given).
    """
    found: dict[str, tuple[str, Attestation]] = {}
    for path in sorted((decisions / "attestations").glob("*")):
        if path.name.startswith(".") or path.suffix == ".md":
            continue
        if path.suffix != ".yaml" or not path.is_file():
            raise InvalidRecord("file", path.name, "a file CONTROL.yaml", where="decisions/attestations")
        where = f"decisions/attestations/{path.name}"
        stated = _attestation(_document(path, where), where)
        if stated.control in found:
            other = found[stated.control][0]
            raise InvalidRecord(
                "control", stated.control, f"a control that {other} does not state as well", where=where
            )
        found[stated.control] = (where, stated)
    return [found[control][1] for control in sorted(found)]


def day(value: object, *, field: str, where: str) -> str:
    """A date as YYYY-MM-DD. Raises InvalidRecord."""
    # YAML reads an unquoted 2027-01-31 as a date of its own.
    text = value.isoformat() if type(value) is date else value
    try:
        if not isinstance(text, str) or not _DATE.match(text):
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise InvalidRecord(field, value, "a date YYYY-MM-DD", where=where) from None
    return text


def _document(path: Path, where: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{where}: {' '.join(str(error).split())}", hint="an attestation is YAML, in UTF-8"
        ) from None
    if not isinstance(document, dict):
        raise InvalidRecord("attestation", document, f"a mapping with {', '.join(_FIELDS)}", where=where)
    return document


def _attestation(document: dict[str, Any], where: str) -> Attestation:
    for field in document:
        if field not in _FIELDS:
            raise UnknownName(f"field of {where}", str(field), _FIELDS)
    fields: dict[str, str] = {}
    for field in _FIELDS:
        if field not in document:
            raise InvalidRecord(field, None, "a value", where=where, hint="`labeltrail attest` writes all six fields")
        value = document[field]
        if field in ("made", "expires"):
            fields[field] = day(value, field=field, where=where)
        elif not isinstance(value, str) or not value.strip():
            raise InvalidRecord(field, value, "text", where=where)
        else:
            fields[field] = value.strip()
    if fields["expires"] < fields["made"]:
        raise InvalidRecord(
            "expires", fields["expires"], f"a day on or after {fields['made']}, when it was made", where=where
        )
    return Attestation.make(**fields)
