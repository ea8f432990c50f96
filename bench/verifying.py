"""How long does it take to verify a log of a million entries, beside hashing them in a plain loop?

The plain loop reads the same rows with sqlite3, hashes each to its leaf and pushes the leaf onto a frontier: it judges
nothing. `verify --log` also holds every leaf, position, root and signature against what is stored. The log is that of
250,000 runs; the two take turns in processes of their own, so that each one's memory can be told. Building the log takes
most of ten minutes. `python -m bench.verifying "log and tables" FOLDER` times the whole verification of a kept one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench._stores import large_store, open_store
from bench.recording import a_run
from governance.proof.log import LogCheck
from governance.store import keys, merkle

RUNS, RUNS_AT_ONCE, ROUNDS = 250_000, 2_500, 5
WAYS = ("plain loop", "verify --log")


def measure() -> dict[str, Any]:
    """Median seconds of both, the median of the ratios, and the most memory of each."""
    with large_store("verifying", _build) as trail:
        root = str(trail.database.path.parents[1]) if trail.database.path else ""
        size, checkpoints = trail.size(), len(trail.checkpoints())
        turns = [{way: _in_a_process(way, root) for way in WAYS} for _ in range(ROUNDS)]
    assert len({found["root"] for turn in turns for found in turn.values()}) == 1
    return {
        "entries": size,
        "checkpoints": checkpoints,
        "bytes": turns[0]["plain loop"]["bytes"],
        "rounds": ROUNDS,
        "median_seconds": {way: round(statistics.median(turn[way]["seconds"] for turn in turns), 2) for way in WAYS},
        "median_ratio": round(
            statistics.median(turn["verify --log"]["seconds"] / turn["plain loop"]["seconds"] for turn in turns), 2
        ),
        "most_memory_mb": {way: max(turn[way]["memory"] for turn in turns) for way in WAYS},
    }


def _build(root: Path) -> None:
    keys.create_key()
    trail = open_store(root, create=True)
    for first in range(0, RUNS, RUNS_AT_ONCE):
        trail.append(record for number in range(first, first + RUNS_AT_ONCE) for record in a_run(number))
    trail.database.close()


def _in_a_process(way: str, root: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "bench.verifying", way, root], check=True, capture_output=True)
    return json.loads(done.stdout)


def _plain_loop(root: Path) -> dict[str, Any]:
    frontier, count = merkle.Frontier(), 0
    connection = sqlite3.connect(root / ".labeltrail/trail.db")
    for (data,) in connection.execute("SELECT data FROM trail_entry ORDER BY log, seq"):
        frontier.push(hashlib.sha256(b"\x00" + data).digest())
        count += len(data)
    connection.close()
    return {"root": frontier.root().hex(), "bytes": count}


def _log_check(root: Path, *, contents: bool) -> dict[str, Any]:
    trail = open_store(root)
    check = LogCheck(trail, contents=contents)
    assert list(check.run()) == []
    newest = trail.checkpoints()[-1][1].split("\n")[2]
    return {"root": base64.b64decode(newest).hex()}


def main(way: str, root: Path) -> None:
    began = time.perf_counter()
    told = _plain_loop(root) if way == "plain loop" else _log_check(root, contents=way == "log and tables")
    spent = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**told, "seconds": spent, "memory": memory}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
