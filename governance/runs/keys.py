"""Which keys of a document (JSON, JSON lines, YAML, a facts file) were added, removed or changed?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from governance.errors import InvalidRecord

#: what is read as a document of keys
SUFFIXES = (".json", ".jsonl", ".yaml", ".yml")


@dataclass(frozen=True)
class KeyChanges:
    """Dotted keys, sorted; never their values, which may be somebody's text."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def compare_keys(was: Path, now: Path, *, suffix: str) -> KeyChanges:
    """The keys that differ; `suffix` is one of SUFFIXES. Raises InvalidRecord where a file is not what that says."""
    one, two = (dict(_flat(_read(path, suffix), "")) for path in (was, now))
    return KeyChanges(
        added=tuple(sorted({*two} - {*one})),
        removed=tuple(sorted({*one} - {*two})),
        changed=tuple(sorted(key for key in {*one} & {*two} if one[key] != two[key])),
    )


def _read(path: Path, suffix: str) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if suffix == ".jsonl":
            # `splitlines` also breaks at U+2028 and U+0085, which JSON allows inside of a text.
            return _lines([json.loads(line) for line in text.split("\n") if line.strip(" \t\r")])
        return json.loads(text) if suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidRecord("file", first, f"{suffix[1:]} in UTF-8", where=path.name) from None


def _lines(items: list[Any]) -> Any:
    """Lines by number; records of a facts file by kind and title, so that one more does not move all behind it."""
    if not items or not all(isinstance(item, dict) and set(item) == {"kind", "v", "body"} for item in items):
        return items
    named: dict[str, Any] = {}
    places: Counter[str] = Counter()
    for item in items:
        body = item["body"] if isinstance(item["body"], dict) else {}
        title = next(
            (str(body[field]) for field in ("title", "check", "document_kind", "stage") if body.get(field)), ""
        )
        name = f"{item['kind']} “{title}”" if title else str(item["kind"])
        places[name] += 1
        named[f"{name} #{places[name]}" if places[name] > 1 else name] = body
    return named


def _flat(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Leaves by dotted key, as text that tells types apart; an empty object or list is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{place}[{index}]")
    else:
        yield place or "the whole", repr(value)
