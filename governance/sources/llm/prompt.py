"""What exactly is sent to the model for one example?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.digest import sha256
from governance.errors import InvalidRecord
from governance.sources.llm.description import FewShot, LlmDescription

_PLACES = re.compile(r"\{(text|classes)\}")


@dataclass(frozen=True)
class Request:
    """The body that is sent, its digest, and the one part of it that belongs to the example."""

    body: bytes
    sha256: str
    asked: str


class Prompt:
    """Makes requests; the few-shot examples are read when the first one is made."""

    def __init__(self, description: LlmDescription, classes: Sequence[str], *, root: Path) -> None:
        self._description, self._classes, self._root = description, tuple(classes), root
        self._shots: list[dict[str, str]] | None = None

    def request(self, text: str) -> Request:
        """The request for an example. Raises InvalidRecord where a few-shot example cannot be read."""
        description = self._description
        if self._shots is None:
            self._shots = self._read_shots(description.few_shot) if description.few_shot else []
        asked = fill(description.prompt, text, self._classes)
        system = fill(description.system, "", self._classes)
        messages = [{"role": "system", "content": system}] if system else []
        messages += [*self._shots, {"role": "user", "content": asked}]
        body: dict[str, Any] = {"messages": messages, "model": description.model, **description.parameters}
        # Half a character cannot be sent as UTF-8; JSON writes it as an escape.
        data = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
        return Request(data, sha256(data), asked)

    def _read_shots(self, few: FewShot) -> list[dict[str, str]]:
        import polars as pl

        from governance.parquet import read_table

        where = str(self._root / few.table)
        frame = read_table(self._root / few.table, columns=[few.id_column, few.text_column, few.label_column])
        rows = {
            str(example): (text, given)
            for example, text, given in frame.filter(pl.col(few.id_column).cast(pl.String).is_in(list(few.ids)))
            .select(few.id_column, few.text_column, few.label_column)
            .rows()
        }
        shots: list[dict[str, str]] = []
        for number, example in enumerate(few.ids):
            # An id may tell whose example it is, so the place in the list is named.
            if example not in rows:
                raise InvalidRecord(f"few_shot.ids[{number}]", "no such row", "the id of a row", where=where)
            text, given = rows[example]
            if not isinstance(text, str):
                raise InvalidRecord(f"few_shot.ids[{number}]", type(text).__name__, "a row with a text", where=where)
            shots.append({"role": "user", "content": fill(self._description.prompt, text, self._classes)})
            shots.append({"role": "assistant", "content": self._named(given, number, where)})
        return shots

    def _named(self, given: Any, number: int, where: str) -> str:
        if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < len(self._classes):
            return self._classes[given]
        if given in self._classes:
            return str(given)
        raise InvalidRecord(f"few_shot.ids[{number}]", "another label", "a row labelled with a class", where=where)


def fill(template: str, text: str, classes: Sequence[str]) -> str:
    """`{text}` and `{classes}` filled in, once: braces in a text stay what they are."""
    told = {"text": text, "classes": ", ".join(classes)}
    return _PLACES.sub(lambda place: told[place[1]], template)
