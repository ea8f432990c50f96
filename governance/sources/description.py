"""What does a source's owner say of it, and can it be taken at its word?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.records.sources import SourceKind
from governance.sources.licences import licence

KINDS: tuple[str, ...] = get_args(SourceKind)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

_TEXTS = ("summary", "owner", "origin", "collection")
_OPTIONAL_TEXTS = ("terms", "intended_use", "prohibited_use", "expiry")
#: field → the fields inside it
_NESTED = {
    "licence": ("declared", "found", "note"),
    "personal_data": ("holds", "note"),
}
FIELDS = ("kind", "version", "distribution", "checked_version", "contamination", *_TEXTS, *_OPTIONAL_TEXTS, *_NESTED)


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
    where = str(path)
    given = _mapping(path)
    for field in given:
        if field not in FIELDS:
            raise UnknownName(f"field of a source's description ({where})", str(field), FIELDS)
    if given.get("kind") not in KINDS:
        raise InvalidRecord("kind", given.get("kind"), f"one of {', '.join(KINDS)}", where=where)
    facts: dict[str, Any] = {"source_kind": given["kind"]}
    facts |= {field: _text(given, field, where=where) for field in _TEXTS}
    facts |= {field: _text(given, field, where=where, optional=True) for field in _OPTIONAL_TEXTS}
    if facts["expiry"] and not _DATE.fullmatch(facts["expiry"]):
        raise InvalidRecord("expiry", facts["expiry"], "a date YYYY-MM-DD in quotes", where=where)
    facts |= _licences(given, where)
    facts |= _personal_data(given, where)
    facts["contamination"] = _contamination(given.get("contamination") or [], where)
    distribution = _text(given, "distribution", where=where, optional=True)
    return Description(
        name=path.stem,
        facts=facts,
        version=_text(given, "version", where=where, optional=bool(distribution)),
        distribution=distribution,
        checked_version=_text(given, "checked_version", where=where, optional=not distribution),
    )


def _mapping(path: Path) -> dict[str, Any]:
    where = str(path)
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=_Once)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise ConfigurationError(
            f"{where}: no such file", hint="every source is described in a YAML file of its name beside its code"
        ) from None
    except UnicodeDecodeError:
        raise InvalidRecord("file", "other bytes", "text in UTF-8", where=where) from None
    except yaml.YAMLError as error:
        raise InvalidRecord(
            "file", " ".join(str(error).split()), "YAML in which each field stands once", where=where
        ) from None
    if not isinstance(given, dict):
        raise InvalidRecord("file", given, "a mapping from field to value", where=where)
    return given


class _Once(yaml.SafeLoader):
    """A SafeLoader that refuses a field that stands twice, where YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _text(given: dict[str, Any], field: str, *, where: str, optional: bool = False, prefix: str = "") -> str:
    value = given.get(field)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value.strip() or optional):
        raise InvalidRecord(
            f"{prefix}{field}", value, "a text (in quotes where it looks like something else)", where=where
        )
    return " ".join(value.split())


def _inner(given: dict[str, Any], field: str, where: str) -> dict[str, Any]:
    inner = given.get(field)
    if not isinstance(inner, dict):
        raise InvalidRecord(field, inner, f"a mapping with {', '.join(_NESTED[field])}", where=where)
    for key in inner:
        if key not in _NESTED[field]:
            raise UnknownName(f"field of {field} in a source's description ({where})", str(key), _NESTED[field])
    return inner


def _licences(given: dict[str, Any], where: str) -> dict[str, str]:
    inner = _inner(given, "licence", where)
    found = {
        f"licence_{field}": licence(
            _text(inner, field, where=where, prefix="licence."), where=where, field=f"licence.{field}"
        )
        for field in ("declared", "found")
    }
    return {**found, "licence_note": _text(inner, "note", where=where, optional=True, prefix="licence.")}


def _personal_data(given: dict[str, Any], where: str) -> dict[str, Any]:
    inner = _inner(given, "personal_data", where)
    holds = inner.get("holds")
    if not isinstance(holds, bool):
        raise InvalidRecord("personal_data.holds", holds, "true or false", where=where)
    note = _text(inner, "note", where=where, optional=True, prefix="personal_data.")
    return {"personal_data": holds, "personal_data_note": note}


def _contamination(given: Any, where: str) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise InvalidRecord("contamination", given, "a list of domains with reasons", where=where)
    found = []
    for number, item in enumerate(given):
        if not isinstance(item, dict) or set(item) != {"domain", "reason"}:
            raise InvalidRecord(f"contamination[{number}]", item, "a domain and a reason", where=where)
        prefix = f"contamination[{number}]."
        found.append({field: _text(item, field, where=where, prefix=prefix) for field in ("domain", "reason")})
    return found
