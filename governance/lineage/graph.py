"""Which records lead here, and which follow from here?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

Direction = Literal["up", "down"]


class Step(NamedTuple):
    """A record that was reached: how far away, over which relation, from which record."""

    name: str
    distance: int
    relation: str
    via: str


class Graph:
    """Edges (subject, W3C PROV relation, object), followed both ways: up to origins, down to what came of them."""

    def __init__(self, edges: Iterable[tuple[str, str, str]]) -> None:
        self._up: dict[str, list[tuple[str, str]]] = {}
        self._down: dict[str, list[tuple[str, str]]] = {}
        for subject, relation, target in edges:
            self._up.setdefault(subject, []).append((relation, target))
            self._down.setdefault(target, []).append((relation, subject))

    def neighbours(self, name: str, direction: Direction) -> list[tuple[str, str]]:
        """(relation, record) one step away, in the order in which the edges were stated."""
        return (self._up if direction == "up" else self._down).get(name, [])

    def reach(self, start: str, direction: Direction) -> list[Step]:
        """Everything reachable from `start`, nearest first, each record once and without `start` itself.

        Ties are ordered by name, so that two stores with the same edges answer alike.
        """
        seen = {start}
        steps: list[Step] = []
        queue = deque([(start, 0)])
        while queue:
            level = sorted(queue)
            queue.clear()
            for name, distance in level:
                for relation, other in sorted(self.neighbours(name, direction)):
                    if other not in seen:
                        seen.add(other)
                        steps.append(Step(other, distance + 1, relation, name))
                        queue.append((other, distance + 1))
        return steps
