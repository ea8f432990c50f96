"""What do ten million rows of votes cost to write with commitments, beside plain polars, and to analyse, beside numpy?

Writing. Both sides begin with the votes and ids in memory and end with a Parquet file on the disk. Plain: polars writes
the frame (`write_parquet`, zstd level 3, row groups of 262,144 rows, the settings of `write_votes`), whose columns are
ready before the clock starts, and the file is synced. Ours: `write_votes` turns the matrix into columns, writes, syncs
and renames; then `commit_blocks` reads the file back, since what is committed to is what lies on the disk, hashes each
1,024 rows, and keeps leaves and root in a SQLite store. They take turns, and the ratio is the median over the turns;
processor time is told beside it, since both may use two cores. Making and checking the `VoteTable`, which holds the
votes, is timed by itself.

Analysis. The pass is the cheapest way that we know to count with numpy, for each source, how often it gave each value:
`bincount` of a column, column after column; it does not look at two sources together. Ours is what `vote_counts` does:
every count of `Analysis` (pairs of sources among them) and the distinct patterns. It is timed on two matrices: one of 300
different rows, as sources that look for words give them, and one in which sources err independently, so that most
rows are their own pattern.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from governance.store.blocks import commit_blocks
from governance.store.trail import Trail
from governance.votes.analysis import analyse_rows
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN, ID_COLUMN, VoteTable, write_votes

ROWS, SOURCES, ROUNDS = 10_000_000, 20, 3
CLASSES = ("negative", "positive")
ALIKE = 300


def measure() -> dict[str, Any]:
    """Medians of paired turns: seconds, seconds of the processor, ratios; and the most memory of this process."""
    told: dict[str, Any] = {"rows": ROWS, "sources": SOURCES, "rounds": ROUNDS}
    told["analysis"] = {"few patterns": _analysis(_few_patterns())}
    matrix = _independent()
    told["analysis"]["most rows a pattern"] = _analysis(matrix)
    told["writing"] = _writing(matrix)
    told["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return told


def _few_patterns() -> np.ndarray:
    draw = np.random.default_rng(1)
    return draw.integers(-1, 2, (ALIKE, SOURCES), dtype=np.int8)[draw.integers(0, ALIKE, ROWS)]


def _independent() -> np.ndarray:
    """Sources that vote on 10 to 67 % of the rows and are right on 80 % of those, each by itself."""
    draw = np.random.default_rng(2)
    truth = draw.integers(0, 2, ROWS, dtype=np.int8)
    matrix = np.empty((ROWS, SOURCES), dtype=np.int8)
    for j in range(SOURCES):
        chance, covers = draw.random(ROWS, dtype=np.float32), 0.1 + 0.03 * j
        matrix[:, j] = np.where(chance < 0.8 * covers, truth, np.where(chance < covers, 1 - truth, ABSTAIN))
    return matrix


def _analysis(matrix: np.ndarray) -> dict[str, Any]:
    def numpy_pass() -> None:
        for j in range(SOURCES):
            np.bincount(matrix[:, j] + np.int8(3), minlength=3 + len(CLASSES))

    def patterns() -> None:
        found.append(len(distinct(matrix, inverse=False)))

    def counts() -> None:
        analyse_rows(matrix, n_classes=len(CLASSES))

    found: list[int] = []
    turns = _turns({"numpy pass": numpy_pass, "counts": counts, "patterns": patterns})
    for turn in turns:
        turn["analysis"] = {unit: turn["counts"][unit] + turn["patterns"][unit] for unit in turn["counts"]}
    return {"patterns": found[-1], **_medians(turns), **_ratios(turns, "analysis", "numpy pass")}


def _writing(matrix: np.ndarray) -> dict[str, Any]:
    ids = pl.select(pl.format("r/{}", pl.int_range(ROWS)).alias(ID_COLUMN)).to_series()
    columns = tuple(f"s{j}" for j in range(SOURCES))
    sources = tuple(f"source:{j:064x}" for j in range(SOURCES))
    spent: dict[str, float] = {}
    with _timed(spent):
        table = VoteTable(ids, columns, sources, CLASSES, matrix)
    frame = pl.DataFrame([ids, *(pl.Series(name, matrix[:, j]) for j, name in enumerate(columns))])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        trail = Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="bench", create=True)
        names = iter(range(1_000_000))

        def plain() -> None:
            path = root / "plain.parquet"
            frame.write_parquet(path, compression="zstd", compression_level=3, row_group_size=262_144)
            with open(path, "rb") as stream:
                os.fsync(stream.fileno())

        def written() -> None:
            write_votes(table, root / "votes.parquet")

        def committed() -> None:
            of, statement = f"votes:{next(names):064x}", "impersonal:" + "7" * 64
            commit_blocks(trail, root / "votes.parquet", of=of, id_column=ID_COLUMN, statement=statement)

        turns = _turns({"plain": plain, "write_votes": written, "commit_blocks": committed})
        size = (root / "votes.parquet").stat().st_size
    for turn in turns:
        turn["with commitments"] = {unit: turn["write_votes"][unit] + turn["commit_blocks"][unit] for unit in spent}
    told = {**_medians(turns), **_ratios(turns, "with commitments", "plain")}
    return {"bytes": size, "making and checking the table, once": _rounded(spent), **told}


def _turns(ways: dict[str, Callable[[], None]]) -> list[dict[str, dict[str, float]]]:
    """Each way once a round, after one round that does not count."""
    turns: list[dict[str, dict[str, float]]] = []
    for _ in range(ROUNDS + 1):
        turn: dict[str, dict[str, float]] = {}
        for name, way in ways.items():
            turn[name] = {}
            with _timed(turn[name]):
                way()
        turns.append(turn)
    return turns[1:]


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    began, busy = time.perf_counter(), time.process_time()
    yield
    spent["seconds"] = time.perf_counter() - began
    spent["processor"] = time.process_time() - busy


def _medians(turns: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    return {
        f"median {unit}": {name: round(statistics.median(turn[name][unit] for turn in turns), 2) for name in turns[0]}
        for unit in ("seconds", "processor")
    }


def _ratios(turns: list[dict[str, dict[str, float]]], ours: str, theirs: str) -> dict[str, float]:
    return {
        name: round(statistics.median(turn[ours][unit] / turn[theirs][unit] for turn in turns), 2)
        for name, unit in (("median ratio", "seconds"), ("median processor ratio", "processor"))
    }


def _rounded(spent: dict[str, float]) -> dict[str, float]:
    return {unit: round(value, 2) for unit, value in spent.items()}
