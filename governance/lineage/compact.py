"""What came of a record that a million others follow from? All edges of a log as arrays of integers, built once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from governance.errors import UnknownName
from governance.lineage.graph import Direction
from governance.store.edges import every_edge, every_name
from governance.store.trail import Trail

Ids = npt.NDArray[np.int32]
#: where in an array of edges, which may be longer than there are records
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """What was reached: numbers of records, nearest first, and how far away each is, two arrays of one length."""

    ids: Ids
    distances: Ids


class CompactGraph:
    """A log's edges in compressed rows: the neighbours of record `i` are `others[starts[i]:starts[i + 1]]`.

    It says which records are reached and how far away they are; `StoredGraph` also says over which edge.
    """

    def __init__(self, names: list[str], subjects: Ids, objects: Ids) -> None:
        """`names[i]` is the record that `subjects` and `objects`, one item an edge, call `i`."""
        self.names = names
        self._numbers: dict[str, int] | None = None
        self._rows = {
            "up": _compressed(subjects, objects, len(names)),
            "down": _compressed(objects, subjects, len(names)),
        }

    @classmethod
    def of(cls, trail: Trail) -> CompactGraph:
        """Reads every edge of the log once."""
        with trail.database.reading() as connection:
            names = every_name(connection, trail.log)
            parts = [np.array(part, dtype=np.int32) for part in every_edge(connection, trail.log)]
        edges = np.concatenate([np.empty((0, 2), dtype=np.int32), *parts])
        return cls(names, edges[:, 0], edges[:, 1])

    def number(self, name: str) -> int:
        """The number of a record. Raises UnknownName where no edge has it."""
        if self._numbers is None:
            self._numbers = {known: number for number, known in enumerate(self.names)}
        if name not in self._numbers:
            raise UnknownName("record with edges", name, [])
        return self._numbers[name]

    def spread(self, start: str, direction: Direction) -> Spread:
        """Everything reachable from `start`, each record once and without `start` itself, level by level."""
        starts, others = self._rows[direction]
        seen = np.zeros(len(self.names), dtype=bool)
        place = np.empty(len(self.names), dtype=np.int32)
        level = np.array([self.number(start)], dtype=np.int32)
        seen[level] = True
        levels = []
        while level.size:
            found = _neighbours(starts, others, level)
            found = found[~seen[found]]
            # Of those that are found twice the last one found stays: a sort would cost more than all the rest.
            place[found] = np.arange(found.size, dtype=np.int32)
            level = found[place[found] == np.arange(found.size, dtype=np.int32)]
            seen[level] = True
            levels.append(level)
        distances = np.arange(1, len(levels) + 1, dtype=np.int32)
        return Spread(np.concatenate(levels), np.repeat(distances, [found.size for found in levels]))


def _compressed(origins: Ids, others: Ids, count: int) -> tuple[Places, Ids]:
    starts = np.concatenate([[0], np.cumsum(np.bincount(origins, minlength=count))]).astype(np.int64)
    return starts, others[np.argsort(origins, kind="stable")]


def _neighbours(starts: Places, others: Ids, level: Ids) -> Ids:
    """The neighbours of every record of a level, one after the other."""
    first, counts = starts[level], starts[level + 1] - starts[level]
    ends = np.cumsum(counts)
    return others[np.arange(ends[-1]) + np.repeat(first - (ends - counts), counts)]
