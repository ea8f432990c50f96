"""How does a person state what no record can show?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import yaml

from governance.controls import load_framework
from governance.digest import write_atomically
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.project.report import Report

ATTESTATIONS = "decisions/attestations"


def attest(
    root: Path,
    *,
    framework: str,
    control: str,
    statement: str,
    by: str,
    role: str,
    made: str,
    expires: str,
    replace: bool,
) -> Report:
    """Writes a statement into decisions/, where git carries it and the next audit reads it.

    Raises UnknownName (no such control), InvalidRecord (an empty text, a date that is none or already over).
    """
    known = [item.id for item in load_framework(framework).subcategories]
    if control not in known:
        raise UnknownName(f"control of {framework}", control, known)
    for field, value in (("statement", statement), ("by", by), ("role", role)):
        if not value.strip():
            raise InvalidRecord(field, value, "a text")
    if _date("expires", expires) <= _date("made", made):
        raise InvalidRecord("expires", expires, f"a date after {made}")
    fields = {"control": control, "statement": statement, "by": by, "role": role, "made": made, "expires": expires}
    path = root / ATTESTATIONS / f"{control.replace(' ', '-')}.yaml"
    if path.exists() and not replace:
        raise ConfigurationError(
            f"{path.relative_to(root)} states something on {control} already",
            hint="read it, and give --replace to put yours in its place; git keeps the former one if it was committed",
        )
    write_atomically(path, yaml.safe_dump(fields, sort_keys=True, allow_unicode=True).encode())
    shown = path.relative_to(root).as_posix()
    says = f"wrote {shown}: {control}, stated by {by} ({role}) until {expires}"
    return Report("attest", {"path": shown, **fields}, (says, "next: commit it, then `labeltrail repro`"))


def _date(field: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidRecord(field, text, "a date as YYYY-MM-DD") from None
