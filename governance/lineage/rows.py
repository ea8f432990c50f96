"""Which recorded tables hold a row of this example, and what do the rows say?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from governance.digest import file_digest
from governance.erased import Erased
from governance.errors import BrokenEvidence, MissingEvidence, UnknownName
from governance.facts import Facts
from governance.parquet import read_table
from governance.records import LongVotes, Record, Result

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True)
class Held(Generic[R_co]):
    """A record, the result that made it, and the file that holds it, whose bytes were just hashed."""

    record: R_co
    result: Result
    path: Path


class Rows:
    """The newest table of each kind among some facts, read once; every file is held against its record before use."""

    def __init__(self, root: Path, facts: Facts, *, id_column: str, erased: Erased | None = None) -> None:
        self.root = root
        self.erased = erased or Erased()
        self.facts = facts
        self.id_column = id_column
        self._makers = {name: result for result in facts.of(Result) for name in result.generated}
        self._index: dict[str, tuple[Any, dict[str, int]]] = {}
        self._digests: dict[Path, str] = {}

    def held(self, kind: type[R], **fields: object) -> Held[R]:
        """The last stated record of a kind with its file. Raises MissingEvidence, BrokenEvidence."""
        found = [r for r in self.facts.of(kind) if all(getattr(r, field) == value for field, value in fields.items())]
        if not found:
            raise MissingEvidence(
                f"no record of kind {kind.kind} is here",
                hint="`labeltrail repro` makes and records it where a stage of dvc.yaml does so",
            )
        record = found[-1]
        result = self._makers[record.name]
        digest = getattr(record, "sha256", "")
        path = next((self.root / output.path for output in result.outputs if output.sha256 == digest), None)
        if path is None or not path.is_file():
            shown = path.relative_to(self.root) if path else "its file"
            raise MissingEvidence(f"{record.label}: {shown} is not here", hint="`dvc checkout` or `labeltrail repro`")
        actual = self._digest(path)
        standing = self.erased.of(digest)
        if standing and actual == digest:
            says = f"{path.relative_to(self.root)} holds rows that were {standing.says}"
            raise MissingEvidence(says, hint="`labeltrail subject erase` takes them out again")
        if actual != (standing.sha256 if standing else digest):
            raise BrokenEvidence(str(path.relative_to(self.root)), expected=digest, actual=actual, hint=_VERIFY)
        return Held(record, result, path)

    def ids(self, held: Held[Record]) -> list[str]:
        """The ids of a table's rows, in order."""
        return list(self._read(held.path)[1])

    def number(self, held: Held[Record], example: str) -> int:
        """The number of an example's row. Raises UnknownName with the nearest ids."""
        index = self._read(held.path)[1]
        number = index.get(example)
        if number is None:
            raise _unknown(example, index)
        return number

    def numbers(self, held: Held[Record], example: str) -> tuple[int, ...]:
        """The numbers of all rows of an example: votes in long form have one an answer. Raises UnknownName."""
        number = self.number(held, example)
        return tuple(self._standing(held, example)) if isinstance(held.record, LongVotes) else (number,)

    def row(self, held: Held[Record], example: str) -> tuple[int, dict[str, Any]]:
        """(row number, the row by column) of an example. Raises UnknownName with the nearest ids."""
        number = self.number(held, example)
        return number, self._read(held.path)[0].row(number, named=True)

    def frame(self, held: Held[Record]) -> Any:
        """The whole table, a polars frame."""
        return self._read(held.path)[0]

    def index(self, held: Held[Record]) -> dict[str, int]:
        """The number of a row of each example, by id."""
        return self._read(held.path)[1]

    def all(self, held: Held[Record], example: str) -> list[tuple[int, dict[str, Any]]]:
        """Every row of an example: votes in long form have one an answer. Raises UnknownName with the nearest ids."""
        self.number(held, example)
        frame = self._read(held.path)[0]
        return [(number, frame.row(number, named=True)) for number in self._standing(held, example)]

    def _standing(self, held: Held[Record], example: str) -> list[int]:
        """The numbers of the rows with this id, looked for in all of them."""
        return (self._read(held.path)[0][self.id_column] == example).arg_true().to_list()

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path]

    def _read(self, path: Path) -> tuple[Any, dict[str, int]]:
        known = self._index.get(str(path))
        if known is None:
            frame = read_table(path, columns=[self.id_column])
            index = {example: number for number, example in enumerate(frame[self.id_column].to_list())}
            known = self._index[str(path)] = (frame, index)
        return known


def _unknown(example: str, index: dict[str, int]) -> UnknownName:
    """What is said of an id that is none: of which ids it is the last part, else the nearest, else what one looks like."""
    ending = [known for known in index if known.rpartition("/")[2] == example][:3]
    near = example.rpartition("/")[0]
    known = [known for known in index if known.startswith(near)][:2000] or list(index)[:2000]
    first = next(iter(index), None)
    hint = f"an id looks like {shlex.quote(first)} here" if first else None
    if ending:
        known, hint = [], f"did you mean {' or '.join(map(shlex.quote, ending))}?"
    return UnknownName("example", example, known, hint=hint)


_VERIFY = "`labeltrail verify` names everything that does not fit"
