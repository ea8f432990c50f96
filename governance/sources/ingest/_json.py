"""How is a JSON export read, and what in it is of the wrong kind?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from governance.digest import write_atomically
from governance.errors import InvalidRecord

_SHOWN = 60


def read_json(path: Path, *, inside: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The objects in the list that a file is, or that stands under one of the names `inside` it. Raises InvalidRecord."""
    where = str(path)
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise InvalidRecord("file", f"another byte at {error.start}", "text in UTF-8", where=where) from None
    except json.JSONDecodeError as error:
        given = f"{error.msg} in line {error.lineno}"
        raise InvalidRecord(
            "file", given, "whole JSON", where=where, hint="the file is cut short or is no JSON"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidRecord("file", str(error)[:_SHOWN], "whole JSON", where=where) from None
    if isinstance(value, dict):
        value = next((value[name] for name in inside if isinstance(value.get(name), list)), value)
    if not isinstance(value, list):
        raise InvalidRecord("file", type(value).__name__, "a list of objects", where=where)
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise InvalidRecord(f"rows[{number}]", type(item).__name__, "an object", where=where)
    if not value:
        raise InvalidRecord("rows", 0, "at least one row", where=where)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant}, which is no number of JSON")


def write_json(value: object, path: Path) -> None:
    """Writes JSON as people can read it, whole or not at all."""
    write_atomically(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def objects(value: object) -> list[dict[str, Any]] | None:
    """A list of objects, an empty one for what is not there, and None for anything else."""
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    return None


def starts_json(head: bytes) -> bool:
    """Whether a file begins as a list or an object does."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def number_or_text(name: str) -> int | str:
    """An id as the tool writes it: a number where it is the text of one."""
    plain = name.isascii() and name.isdecimal() and str(int(name)) == name if len(name) < 16 else False
    return int(name) if plain else name
