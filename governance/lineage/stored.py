"""Which records lead here, and which follow from here, in a log too long to be read for it?"""

from __future__ import annotations

from dataclasses import dataclass

from governance.lineage.graph import Direction, Step
from governance.store.edges import follower, number_of
from governance.store.trail import Trail


@dataclass(frozen=True)
class Reached:
    """What was reached, nearest first; `cut` where the limit left some of it out."""

    steps: list[Step]
    cut: bool = False


class StoredGraph:
    """The edges of a log, followed both ways in the store's own table by its indexes.

    It answers as `Graph` does, which holds all edges in memory: the same records in the same order.
    """

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def reach(self, start: str, direction: Direction, *, limit: int | None = None) -> Reached:
        """Everything reachable from `start`, nearest first and then by name, each record once, at most `limit` of them."""
        steps: list[Step] = []
        with self.trail.database.reading() as connection:
            first = number_of(connection, self.trail.log, start)
            level = {} if first is None else {first: start}
            seen = set(level)
            follow = follower(connection, self.trail.log, direction)
            distance = 0
            while level:
                distance += 1
                new = [
                    (level[here], relation, name, there)
                    for here, relation, name, there in follow(list(level))
                    if there not in seen
                ]
                level = {}
                for via, relation, name, number in sorted(new):
                    if number in seen:
                        continue
                    if len(steps) == limit:
                        return Reached(steps, cut=True)
                    seen.add(number)
                    level[number] = name
                    steps.append(Step(name, distance, relation, via))
        return Reached(steps)
