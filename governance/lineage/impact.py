"""Which records hang on a record: what was made of it, and what was decided about that?

Followed are derivations and decisions. That one stage made several things does not make one of them hang on another.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.facts import Facts
from governance.lineage.graph import Graph

_FOLLOWED = frozenset({"wasDerivedFrom", "wasInfluencedBy"})
#: what says something of the others, and is told after them
_LAST = ("finding", "sourcetext", "commitment")


@dataclass(frozen=True)
class Hanging:
    """A record that comes from another one, and over how many steps."""

    name: str
    label: str
    distance: int


def hanging(start: str, facts: Facts) -> dict[str, list[Hanging]]:
    """Everything among some facts that comes from the record `start`, by kind; the nearest kinds first."""
    graph = Graph(edge for edge in facts.edges if edge[1] in _FOLLOWED)
    found: dict[str, list[Hanging]] = {}
    for step in graph.reach(start, "down"):
        record = facts.get(step.name)
        if record is not None:
            found.setdefault(record.kind, []).append(Hanging(step.name, record.label, step.distance))
    return {kind: found[kind] for kind in sorted(found, key=lambda kind: (kind in _LAST, found[kind][0].distance))}
