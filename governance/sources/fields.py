"""What stands in the fields of a description, and what is wrong with them? All faults are collected, in order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, UnknownName
from governance.sources.licences import licence

_WHEN = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?")


def read_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in a file. Raises ConfigurationError (no file), InvalidRecord (not such a mapping)."""
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
    except (ValueError, RecursionError) as error:
        # PyYAML answers 2026-13-45 and a thousand brackets with errors that are not its own.
        raise InvalidRecord("file", str(error), "YAML whose dates and numbers there are", where=where) from None
    if not isinstance(given, dict):
        raise InvalidRecord("file", given, "a mapping from field to value", where=where)
    return given


class _Once(yaml.SafeLoader):
    """A SafeLoader that refuses a field that stands twice, where YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            named = (type(key.value).__name__, str(key.value))
            if named in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(named)
        return super().construct_mapping(node, deep)


class Fields:
    """The fields of one mapping of a description; what is wrong goes to `faults` and reads as nothing."""

    def __init__(
        self, given: Mapping[Any, Any], *, where: str, faults: list[GovernanceError] | None = None, within: str = ""
    ) -> None:
        self.given, self.where, self.within = given, where, within
        self.faults: list[GovernanceError] = [] if faults is None else faults

    def wrong(self, field: str, value: object, wanted: str, *, hint: str | None = None) -> None:
        """Notes a value that is not what its field wants."""
        self.faults.append(InvalidRecord(self._full(field), value, wanted, where=self.where, hint=hint))

    def only(self, known: Collection[str]) -> None:
        """Notes every field that there is not, with the one that was meant."""
        of = f"field of {self.within} in" if self.within else "field of"
        for field in self.given:
            if field not in known:
                self.faults.append(UnknownName(f"{of} a source's description ({self.where})", str(field), known))

    def text(self, field: str, *, optional: bool = True) -> str:
        value = self.given.get(field)
        if value is None and optional:
            return ""
        if not isinstance(value, str) or not (value.strip() or optional):
            self.wrong(field, value, "a text (in quotes where it looks like something else)")
            return ""
        return " ".join(value.split())

    def texts(self, field: str) -> list[str]:
        """A list of texts; one text alone is a list of one."""
        value = self.given.get(field)
        if value is None:
            return []
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) and item.strip() for item in listed):
            self.wrong(field, value, "a list of texts (in quotes where they look like something else)")
            return []
        return [" ".join(item.split()) for item in listed]

    def choice(self, field: str, known: Collection[str], *, optional: bool = True) -> str:
        """One of some words, with the one that was meant."""
        value = self.given.get(field)
        if value is None and optional:
            return ""
        if value not in known or not isinstance(value, str):
            near = get_close_matches(value, list(known), n=1, cutoff=0.5) if isinstance(value, str) else []
            hint = f"did you mean {near[0]}?" if near else None
            self.wrong(field, value, f"one of {', '.join(known)}", hint=hint)
            return ""
        return value

    def yes_or_no(self, field: str) -> bool:
        value = self.given.get(field)
        if not isinstance(value, bool):
            self.wrong(field, value, "true or false")
            return False
        return value

    def day(self, field: str) -> str:
        return self._shaped(field, _is_day, "a date YYYY-MM-DD in quotes")

    def when(self, field: str) -> str:
        """A year, a month or a day: nobody has to claim to know more than they do."""
        return self._shaped(field, _is_when, "a year YYYY, a month YYYY-MM or a date YYYY-MM-DD, in quotes")

    def address(self, field: str) -> str:
        return self._shaped(field, _ADDRESS.fullmatch, "an address that begins with https:// or http://")

    def digest(self, field: str, wanted: str) -> str:
        return self._shaped(field, re.compile("[0-9a-f]{64}").fullmatch, wanted)

    def licence(self, field: str) -> str:
        text = self.text(field, optional=False)
        try:
            return licence(text, where=self.where, field=self._full(field)) if text else ""
        except GovernanceError as error:
            self.faults.append(error)
            return ""

    def inner(self, field: str, known: Collection[str], *, optional: bool = True) -> Fields | None:
        """The fields inside a field; None where there are none."""
        value = self.given.get(field)
        if value is None and optional:
            return None
        if not isinstance(value, dict):
            self.wrong(field, value, f"a mapping with {', '.join(known)}")
            return None
        found = Fields(value, where=self.where, faults=self.faults, within=field)
        found.only(known)
        return found

    def pairs(self, field: str, parts: tuple[str, str], told: str) -> list[dict[str, str]]:
        """A list of mappings that hold two texts each."""
        value = self.given.get(field) or []
        if not isinstance(value, list):
            self.wrong(field, value, f"a list with {told} each")
            return []
        found = []
        for number, item in enumerate(value):
            name = f"{field}[{number}]"
            if not isinstance(item, dict) or set(item) != set(parts):
                self.wrong(name, item, told)
                continue
            inside = Fields(item, where=self.where, faults=self.faults, within=name)
            found.append({part: inside.text(part, optional=False) for part in parts})
        return found

    def _shaped(self, field: str, fits: Callable[[str], Any], wanted: str) -> str:
        value = self.given.get(field)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or not fits(value):
            self.wrong(field, value, wanted)
            return ""
        return value

    def _full(self, field: str) -> str:
        return f"{self.within}.{field}" if self.within else field


def _is_when(text: str) -> bool:
    return bool(_WHEN.fullmatch(text)) and _is_day(text + "2000-01-01"[len(text) :])


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False
