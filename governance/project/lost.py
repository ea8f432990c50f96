"""Which rows that the earlier of two runs had did an erasure take out before the later one?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from governance.erased import Erased, by_entries
from governance.facts import Facts
from governance.runs.differences import FileChange, file_changes
from governance.runs.runfile import RunFile

#: how many files one sentence names
_NAMED = 4


class Lost:
    """Holds the erasures of a log against pairs of runs. An erasure counts where it was entered before the later run was,
    and the later run has other bytes in the place of those that lost rows."""

    def __init__(self, known: Facts, erased: Erased) -> None:
        self.erased = erased
        self._places = {record.name: place for place, record in enumerate(known)}

    def rows(self, change: FileChange, *, now: RunFile) -> dict[int, int]:
        """By entry: how many rows a changed content lost to an erasure that came before the later run."""
        if change.was is None:
            return {}
        found: dict[int, int] = {}
        for entry, file in self.erased.steps(change.was.sha256):
            if self._is_before(entry, now):
                found[entry] = found.get(entry, 0) + file.rows
        return found

    def inputs(self, was: RunFile, now: RunFile) -> dict[str, dict[int, int]]:
        """The same of everything that both read, by path."""
        return self._of(file_changes(was.recipe.inputs, now.recipe.inputs), now)

    def outputs(self, was: RunFile, now: RunFile) -> dict[str, dict[int, int]]:
        """The same of everything that both made, by path."""
        return self._of(file_changes(was.result.outputs, now.result.outputs), now)

    def told(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Each erasure between two runs as data: its entry, record and time, and the rows that each file lost to it."""
        found: dict[int, dict[str, int]] = {}
        for path, entries in (self.inputs(was, now) | self.outputs(was, now)).items():
            for entry, rows in entries.items():
                found.setdefault(entry, {})[path] = rows
        records = self.erased.records
        return [
            {"entry": entry, "erasure": records[entry].name, "at": records[entry].at, "files": found[entry]}
            for entry in sorted(found)
        ]

    def _of(self, changes: Iterable[FileChange], now: RunFile) -> dict[str, dict[int, int]]:
        lost = {change.path: self.rows(change, now=now) for change in changes}
        return {path: entries for path, entries in lost.items() if entries}

    def _is_before(self, entry: int, now: RunFile) -> bool:
        place = self._places.get(self.erased.records[entry].name)
        # A run that is not in the trail yet is newer than whatever is.
        return place is not None and place < self._places.get(now.result.name, place + 1)


def lost_says(lost: dict[str, dict[int, int]], *, what: str) -> list[str]:
    """One clause on each of the first files, such as `input data/posts.csv lost 2 rows, erased by entry 28`."""
    told = [f"{what} {path} {_rows(entries)}" for path, entries in list(lost.items())[:_NAMED]]
    more = len(lost) - _NAMED
    return told + ([f"{more} more {what}s lost rows too"] if more > 0 else [])


def erased_says(one: dict[str, Any]) -> str:
    """An erasure between two runs in a sentence; what `told` answers."""
    named: Sequence[tuple[str, int]] = list(one["files"].items())
    files = ", ".join(f"{path} ({rows:,})" for path, rows in named[:_NAMED])
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"entry {one['entry']}, an erasure, took rows out of what the earlier run read or made: {files}{more}"


def _rows(entries: dict[int, int]) -> str:
    rows = sum(entries.values())
    counted = f"{rows:,} {'row' if rows == 1 else 'rows'}" if rows else "a cell that named a row"
    return f"lost {counted}, {by_entries(entries)}"
