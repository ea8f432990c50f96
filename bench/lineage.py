"""How long does it take to follow a lineage among ten million edges, and to count what a bad source has touched?

The graph is described in bench/_lineage_graph.py. Its edges lie in the store's own table, with the indexes that every store
has. A closure is everything that led to a record, at most 1,000 of them, asked of an open store, with distance, relation
and way. The blast radius is counted over arrays that were read from the store once; reading them is told apart.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import _lineage_graph as graph
from bench._stores import large_store, open_store
from governance.lineage.compact import CompactGraph
from governance.lineage.stored import StoredGraph
from governance.store.projection import Numbers
from governance.store.trail import Trail

STARTS, LIMIT, ROUNDS = 300, 1_000, 15


def measure() -> dict[str, Any]:
    """Percentiles in milliseconds over random records, and seconds of the blast radius of each shared source."""
    with large_store("lineage", _build) as trail:
        closures = _closures(trail)
        blast = _blast(trail)
    return {"closure": closures, "blast radius": blast}


def _build(root: Path) -> None:
    """Numbered as recording would number them; each table filled in the order of its key, which gives the same table."""
    trail = open_store(root, create=True)
    trail.database.close()
    connection = sqlite3.connect(root / ".labeltrail/trail.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;")
    names = ("ix_edge_downwards", "ix_node_name")
    indexes = [connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone() for name in names]
    connection.executescript("".join(f"DROP INDEX {name};" for name in names))
    connection.executescript("CREATE TEMP TABLE raw (s, r, o, n);")
    numbers = Numbers()
    known: list[tuple[str, int, str]] = []

    def numbered(name: str) -> int:
        number, is_new = numbers.of(name)
        if is_new:
            known.append((trail.log, number, name))
        return number

    connection.execute("BEGIN")
    edges = ((numbered(s), r, numbered(o), number // 10) for number, (s, r, o) in enumerate(graph.edges()))
    connection.executemany("INSERT INTO raw VALUES (?, ?, ?, ?)", edges)
    connection.execute(
        "INSERT INTO edge (log, subject, relation, object, seq) SELECT ?, s, r, o, n FROM raw ORDER BY s, r, o",
        (trail.log,),
    )
    connection.executemany("INSERT INTO node (log, number, name) VALUES (?, ?, ?)", known)
    connection.execute("COMMIT")
    for (index,) in indexes:
        connection.execute(index)
    connection.close()


def _closures(trail: Trail) -> dict[str, Any]:
    chance = random.Random(2)  # noqa: S311 - which records are asked about
    stored, spent = StoredGraph(trail), []
    starts = list(_starts(chance, STARTS))
    for round_ in range(2):
        for start in starts:
            began, busy = time.perf_counter(), time.process_time()
            reached = stored.reach(start, "up", limit=LIMIT)
            taken = (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
            if round_:  # the first round brings the pages into memory
                spent.append((len(reached.steps), reached.steps[-1].distance, *taken))
    nodes, depth, wall, processor = (sorted(column) for column in zip(*spent, strict=True))
    return {
        "edges": _count(trail),
        "starts": STARTS,
        "limit": LIMIT,
        "records reached, p50 and most": [statistics.median(nodes), nodes[-1]],
        "steps deep, p50 and most": [statistics.median(depth), depth[-1]],
        "p50_ms": round(statistics.median(wall), 2),
        "p90_ms": round(wall[int(0.9 * len(wall))], 2),
        "p50_processor_ms": round(statistics.median(processor), 2),
    }


def _starts(chance: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        pipeline, run = chance.randrange(graph.PIPELINES), chance.randrange(graph.RUNS)
        yield graph.name("dataset", pipeline, run, chance.randrange(3))


def _count(trail: Trail) -> int:
    with trail.database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM edge").scalar() or 0)


def _blast(trail: Trail) -> dict[str, Any]:
    began = time.perf_counter()
    compact = CompactGraph.of(trail)
    loaded = time.perf_counter() - began
    counting, naming, reached = [], [], 0
    for round_ in range(ROUNDS):
        began = time.perf_counter()
        spread = compact.spread(graph.source(round_ % graph.GROUPS), "down")
        counted = time.perf_counter()
        names = [compact.names[number] for number in spread.ids.tolist()]
        naming.append(time.perf_counter() - counted)
        counting.append(counted - began)
        reached = len(names)
    return {
        "records reached": reached,
        "rounds": ROUNDS,
        "median_seconds": round(statistics.median(counting), 3),
        "median_seconds_to_name_them": round(statistics.median(naming), 3),
        "seconds to read the arrays from the store, once": round(loaded, 1),
        "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
