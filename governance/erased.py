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
        #: the erasures by their entries
        self.records = {seq: record for seq, record in entries if isinstance(record, Erasure)}
        self._steps: dict[str, tuple[int, ErasedFile]] = {
            file.before: (seq, file) for seq, record in self.records.items() for file in record.files
        }
        self._before: dict[str, list[str]] = {}
        for before, (_, file) in self._steps.items():
            if file.after is not None:
                self._before.setdefault(file.after, []).append(before)

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

    def steps(self, sha256: str) -> list[tuple[int, ErasedFile]]:
        """What erasures did to a content, one after another, each with its entry."""
        found: list[tuple[int, ErasedFile]] = []
        now: str | None = sha256
        while now in self._steps and self._steps[now] not in found:
            found.append(self._steps[now])
            now = found[-1][1].after
        return found

    def origins(self, sha256: str) -> list[str]:
        """The contents of which this one is what erasures left, the nearest of them first."""
        found: dict[str, None] = {}
        wanted = [sha256]
        while wanted:
            before = [was for was in self._before.get(wanted.pop(0), []) if was not in found]
            found |= dict.fromkeys(before)
            wanted += before
        return list(found)

    def stands_for(self, recorded: str, actual: str) -> Standing | None:
        """The standing of a recorded content where `actual` is what was left of it."""
        standing = self.of(recorded)
        return standing if standing and standing.sha256 == actual else None


def by_entries(entries: Iterable[int]) -> str:
    """`erased by entry 41`, or `erased by entries 41 and 57`."""
    named = [str(entry) for entry in dict.fromkeys(entries)]
    return f"erased by {'entry' if len(named) == 1 else 'entries'} {' and '.join(named)}"
