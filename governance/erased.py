"""Which recorded contents lost rows since, and by which entries of the log?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.records import ErasedFile, Erasure, FileRef, Record

#: where, in the project's state, an erasure writes down what it is about to do; gone when it is done
INTENT = "erasing/intent.json"


@dataclass(frozen=True)
class Standing:
    """What stands in the place of a recorded content: a SHA-256, or None where nothing does; by which entries."""

    sha256: str | None
    bytes: int
    rows: int
    entries: tuple[int, ...]

    @property
    def says(self) -> str:
        """`erased by entry 41`, or `erased by entries 41 and 57`."""
        return by_entries(self.entries)

    @property
    def told(self) -> str:
        """The same with the number of rows."""
        rows = f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}" if self.rows else "a cell that named a row,"
        return f"{rows} {self.says}"

    def ref(self, path: str) -> FileRef | None:
        """The content that stands there, to be looked for."""
        return FileRef(path=path, sha256=self.sha256, bytes=self.bytes) if self.sha256 else None


class Erased:
    """Every content that erasures touched, by the SHA-256 under which a run recorded it.

    >>> Erased().of("00" * 32) is None
    True
    """

    def __init__(self, entries: Iterable[tuple[int, Record]] = ()) -> None:
        self._steps: dict[str, tuple[int, ErasedFile]] = {}
        for seq, record in entries:
            if isinstance(record, Erasure):
                self._steps |= {file.before: (seq, file) for file in record.files}

    def of(self, sha256: str) -> Standing | None:
        """What became of a content; None where no erasure touched it."""
        rows, entries, seen = 0, [], {sha256}
        now, size = sha256, 0
        while now in self._steps:
            seq, file = self._steps[now]
            rows, size = rows + file.rows, file.bytes
            entries.append(seq)
            if file.after is None or file.after in seen:
                return Standing(None, 0, rows, tuple(entries))
            now = file.after
            seen.add(now)
        return Standing(now, size, rows, tuple(entries)) if entries else None

    def stands_for(self, recorded: str, actual: str) -> Standing | None:
        """The standing of a recorded content where `actual` is what was left of it."""
        standing = self.of(recorded)
        return standing if standing and standing.sha256 == actual else None


def by_entries(entries: Iterable[int]) -> str:
    """`erased by entry 41`, or `erased by entries 41 and 57`."""
    named = [str(entry) for entry in dict.fromkeys(entries)]
    return f"erased by {'entry' if len(named) == 1 else 'entries'} {' and '.join(named)}"
