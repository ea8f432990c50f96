"""Lineage from the stored edges is that of all edges held in memory."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import UnknownName
from governance.lineage.compact import CompactGraph
from governance.lineage.graph import Graph
from governance.lineage.stored import StoredGraph
from governance.project import Project
from governance.store.tables import EdgeRow, NodeRow
from governance.store.trail import Trail

#: few records, so that there are cycles, loops, several relations between two, and several ways to one
NAMES = st.sampled_from([f"{kind}:{digit * 64}" for kind in ("dataset", "résumé") for digit in "0123abc"])
EDGES = st.lists(st.tuples(NAMES, st.sampled_from(["used", "wasDerivedFrom"]), NAMES), unique=True, max_size=40)
WAYS = ("up", "down")


def stored(trail: Trail, edges: list[tuple[str, str, str]]) -> Trail:
    """Another log of the same database, with these edges."""
    log = secrets.token_hex(16)
    names = list(dict.fromkeys(name for subject, _, target in edges for name in (subject, target)))
    numbers = {name: number for number, name in enumerate(names)}
    with trail.database.writing() as connection:
        for name, number in numbers.items():
            connection.execute(NodeRow.__table__.insert(), {"log": log, "number": number, "name": name})
        for i, (s, r, o) in enumerate(edges):
            row = {"log": log, "subject": numbers[s], "relation": r, "object": numbers[o], "seq": i}
            connection.execute(EdgeRow.__table__.insert(), row)
    return Trail(trail.database, log)


@given(edges=EDGES, start=NAMES, limit=st.integers(1, 12))
def test_what_is_reached_in_the_store_is_what_is_reached_in_memory(trail, edges, start, limit):
    """The same records in the same order over the same edges, also around cycles; a limit keeps the nearest and says so."""
    graph, in_store = Graph(edges), StoredGraph(stored(trail, edges))
    for way in WAYS:
        steps = graph.reach(start, way)
        reached = in_store.reach(start, way)
        assert (reached.steps, reached.cut) == (steps, False)
        reached = in_store.reach(start, way, limit=limit)
        assert (reached.steps, reached.cut) == (steps[:limit], len(steps) > limit)


@given(edges=EDGES, start=NAMES)
def test_the_compact_graph_reaches_the_same_records_at_the_same_distances(trail, edges, start):
    """As arrays of integers, nearest first; what no edge knows is refused by name."""
    graph, compact = Graph(edges), CompactGraph.of(stored(trail, edges))
    if not any(start in (subject, target) for subject, _, target in edges):
        with pytest.raises(UnknownName):
            compact.spread(start, "up")
        return
    for way in WAYS:
        spread = compact.spread(start, way)
        reached = [(distance, compact.names[i]) for i, distance in zip(spread.ids, spread.distances, strict=True)]
        assert [distance for distance, _ in reached] == sorted(distance for distance, _ in reached)
        assert sorted(reached) == sorted((step.distance, step.name) for step in graph.reach(start, way))


def test_another_logs_edges_are_not_followed(trail):
    """Two logs of one database share records by name and nothing else."""
    one = stored(trail, [("a:1", "used", "b:2")])
    other = stored(trail, [("b:2", "used", "c:3")])
    assert [step.name for step in StoredGraph(one).reach("a:1", "up").steps] == ["b:2"]
    assert StoredGraph(other).reach("a:1", "up").steps == []
    assert CompactGraph.of(one).names == ["a:1", "b:2"]


def test_a_very_long_chain_is_followed_to_its_end(trail):
    """A thousand records, each from the one before it: neither depth nor width has a bound."""
    names = [f"dataset:{number:064x}" for number in range(1_001)]
    chain = stored(trail, [(names[i], "wasDerivedFrom", names[i - 1]) for i in range(1, len(names))])
    steps = StoredGraph(chain).reach(names[-1], "up").steps
    assert [step.name for step in steps] == names[-2::-1]
    assert steps[-1].distance == 1_000
    fan = stored(trail, [(name, "wasDerivedFrom", "source:1") for name in names])
    assert len(StoredGraph(fan).reach("source:1", "down").steps) == len(names)


def test_a_store_without_the_index_answers_alike_and_rebuilding_makes_it(trail):
    """A store made before the index was thought of is slower and no different."""
    (index,) = EdgeRow.__table__.indexes
    before = StoredGraph(trail).reach("dataset:" + "0" * 64, "down")
    with trail.database.writing() as connection:
        index.drop(connection)
    assert StoredGraph(trail).reach("dataset:" + "0" * 64, "down") == before
    assert len(before.steps) == 4
    trail.rebuild()
    with trail.database.writing() as connection, pytest.raises(Exception, match="exists"):
        index.create(connection)


def test_a_trace_with_a_limit_tells_the_nearest_and_that_there_are_more(project):
    """Of each direction so many records, and in which directions the rest was left out."""
    governed = Project.find(project)
    whole, cut = governed.trace("dataset"), governed.trace("dataset", limit=2)
    assert whole.data["store"]["cut"] == []
    assert cut.data["down"] == whole.data["down"][:2]
    assert "down" in cut.data["store"]["cut"]
    assert "There are more than these 2 records" in cut.to_markdown()
    assert governed.trace("dataset", limit=500).data == whole.data
