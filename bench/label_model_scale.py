"""What do many rows cost a label model: ten million in memory beside numpy's majority vote, and files beyond memory?

In memory. 10,000,000 rows x 10 sources of two classes, that err independently, so that all 3^10 patterns are there. A
majority vote by numpy counts each class, takes the largest and marks ties, in three ways; ours fits MAP Dawid-Skene with
its own settings and labels every row. They take turns in one process, and the ratio is the median over the turns. Peak
memory is that of a process which holds the matrix and does ours alone: the most that was resident, less what was resident
before.

Files. 50,000,000 votes, 10 sources in 25 files, are read into one state and fitted; peak memory is that of the whole
process.

Leaving out. 1,000,000 rows x 20 sources that err independently: the model is fitted once, and then once without each
source, and every row gets its label from each.

Sampled. 2,000,000 rows x 30 sources, nearly every row its own pattern, in files and in a memory that holds a part of them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROWS, SOURCES, ROUNDS = 10_000_000, 10, 3
FILES, FILE_ROWS = 25, 200_000
OUT_ROWS, OUT_SOURCES = 1_000_000, 20
WIDE_ROWS, WIDE_SOURCES, WIDE_FILES = 2_000_000, 30, 8


def measure() -> dict[str, Any]:
    """Seconds, ratios and megabytes, with one thread and with two."""
    told: dict[str, Any] = {"rows": ROWS, "sources": SOURCES, "rounds": ROUNDS}
    with tempfile.TemporaryDirectory() as folder:
        _part("write", folder, threads=2)
        for threads in (1, 2):
            told[f"threads {threads}"] = {
                "in memory": _part("in_memory", folder, threads=threads),
                "in memory, peak": _part("peak", folder, threads=threads),
                "files": _part("files", folder, threads=threads),
                "leaving out": _part("leaving_out", folder, threads=threads),
                "sampled": _part("sampled", folder, threads=threads),
            }
    one, two = told["threads 1"], told["threads 2"]
    told["bit-equal with one thread and with two"] = all(
        one[part].pop("digest") == two[part].pop("digest") for part in ("files", "leaving out", "sampled")
    )
    return told


def in_memory(_: Path) -> dict[str, Any]:
    """Seconds of numpy's majority vote, and of ours, in turns."""
    from governance.labelmodels.dawid_skene import DawidSkene

    matrix, gold = _votes(ROWS, SOURCES, seed=1)
    turns = []
    for _round in range(ROUNDS + 1):
        turn = {}
        for name, vote in MAJORITY.items():
            began = time.perf_counter()
            majority = vote(matrix)
            turn[name] = time.perf_counter() - began
        model, began = DawidSkene(), time.perf_counter()
        model.fit(matrix, n_classes=2)
        turn["fit"], began = time.perf_counter() - began, time.perf_counter()
        labels = model.predict(matrix)
        turn["predict"] = time.perf_counter() - began
        turns.append(turn)
    told = {f"{name}, seconds": _median(turn[name] for turn in turns[1:]) for name in turns[0]}
    ratios = {
        f"fit and predict / {name}": _median((turn["fit"] + turn["predict"]) / turn[name] for turn in turns[1:])
        for name in MAJORITY
    }
    right = {"majority vote": _right(majority, gold), "label model": _right(labels, gold)}
    return {**told, **ratios, "accuracy": right, "iterations": model.iterations_}


def peak(_: Path) -> dict[str, Any]:
    """Megabytes beyond the matrix."""
    from governance.labelmodels.dawid_skene import DawidSkene

    matrix, _gold = _votes(ROWS, SOURCES, seed=1)
    DawidSkene().fit(matrix[:1_000], n_classes=2)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _resident("VmRSS")
    model = DawidSkene().fit(matrix, n_classes=2)
    after_fit = _resident("VmHWM")
    model.predict(matrix)
    return {
        "matrix, MB": matrix.nbytes >> 20,
        "fit, MB beyond it": after_fit - before,
        "fit and predict, MB beyond it": _resident("VmHWM") - before,
    }


def write(folder: Path) -> dict[str, Any]:
    """The files that are read afterwards."""
    _write(folder / "files", FILES, FILE_ROWS, SOURCES)
    _write(folder / "wide", WIDE_FILES, WIDE_ROWS // WIDE_FILES, WIDE_SOURCES)
    return {}


def files(folder: Path) -> dict[str, Any]:
    """Seconds and peak memory of the state of all files and a fit of it."""
    return _of_files(folder / "files", memory=None)


def sampled(folder: Path) -> dict[str, Any]:
    """The same where patterns do not fit into the memory that was given."""
    told = _of_files(folder / "wide", memory=1 << 26)
    return {"rows": WIDE_ROWS, "sources": WIDE_SOURCES, **told}


def leaving_out(_: Path) -> dict[str, Any]:
    """Seconds of a first fit, and of all fits without one source, with the labels of all rows."""
    from governance.digest import sha256
    from governance.labelmodels.dawid_skene import DawidSkene
    from governance.votes.patterns import distinct

    matrix, _gold = _votes(OUT_ROWS, OUT_SOURCES, seed=2)
    began = time.perf_counter()
    model = DawidSkene().fit(matrix, n_classes=2)
    first, began = time.perf_counter() - began, time.perf_counter()
    votes = model.prepare(matrix)
    prepared, began = time.perf_counter() - began, time.perf_counter()
    seen, iterations = b"", 0
    for column in model.columns_:
        other = model.without([column], votes=votes)
        seen += other.pattern_labels(votes).tobytes()
        iterations += other.iterations_
    return {
        "rows": OUT_ROWS,
        "sources": OUT_SOURCES,
        "patterns": len(distinct(matrix, inverse=False)),
        "fit, seconds": round(first, 2),
        "prepare, seconds": round(prepared, 2),
        f"{OUT_SOURCES} fits without a source, seconds": round(time.perf_counter() - began, 2),
        "iterations": iterations,
        "digest": sha256(seen),
    }


def _of_files(folder: Path, *, memory: int | None) -> dict[str, Any]:
    from governance.digest import sha256
    from governance.labelmodels.dawid_skene import DawidSkene
    from governance.votes.streaming import MEMORY, state_of

    began = time.perf_counter()
    state = state_of(sorted(folder.glob("*.parquet")), memory=memory or MEMORY)
    read, began = time.perf_counter() - began, time.perf_counter()
    model = DawidSkene().fit_state(state)
    return {
        "votes": state.rows * len(state.columns),
        "patterns": len(state.patterns),
        "share of rows learned from": round(model.sampled_, 4),
        "read and count, seconds": round(read, 2),
        "fit, seconds": round(time.perf_counter() - began, 2),
        "peak memory of the process, MB": _resident("VmHWM"),
        "digest": sha256(model.to_bytes()) + state.digest,
    }


def _write(folder: Path, files: int, rows: int, sources: int) -> None:
    import polars as pl

    from governance.votes.table import ID_COLUMN, VoteTable, write_votes

    columns, names = [f"s{j}" for j in range(sources)], [f"source:{j:064x}" for j in range(sources)]
    for number in range(files):
        matrix, _gold = _votes(rows, sources, seed=100 + number)
        first = pl.int_range(number * rows, number * rows + rows)
        ids = pl.select(pl.format("r/{}", first).alias(ID_COLUMN)).to_series()
        table = VoteTable(ids, tuple(columns), tuple(names), ("negative", "positive"), matrix)
        write_votes(table, folder / f"{number:03}.parquet")


def _votes(rows: int, sources: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sources that vote on 20 to 80 % of the rows and are right on 55 to 85 % of those, each by itself; and gold."""
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, 2, rows, dtype=np.int8)
    matrix = np.empty((rows, sources), dtype=np.int8)
    for j in range(sources):
        chance, covers, right = draw.random(rows, dtype=np.float32), 0.2 + 0.6 * j / sources, 0.55 + 0.3 * (j % 7) / 6
        matrix[:, j] = np.where(chance < right * covers, gold, np.where(chance < covers, 1 - gold, -1))
    return matrix, gold


def _by_rows(matrix: np.ndarray) -> np.ndarray:
    """int8 (rows): the class with the most votes, -1 where none or several have them; as one writes it first."""
    return _most(np.stack([np.count_nonzero(matrix == k, axis=1) for k in range(2)]))


def _by_columns(matrix: np.ndarray) -> np.ndarray:
    """The same, one source after the other, in small integers."""
    counts = np.zeros((2, len(matrix)), dtype=np.int8)
    for votes in matrix.T:
        for k in range(2):
            counts[k] += votes == k
    return _most(counts)


def _by_blocks(matrix: np.ndarray) -> np.ndarray:
    """The same, by blocks that are turned first and stay in the processor's cache: as fast as we can make numpy do it."""
    step = 65_536
    return np.concatenate(
        [_by_columns(np.asfortranarray(matrix[start : start + step])) for start in range(0, len(matrix), step)]
    )


def _most(counts: np.ndarray) -> np.ndarray:
    most = counts.max(axis=0)
    tied = (counts == most).sum(axis=0) > 1
    return np.where(tied, -1, counts.argmax(axis=0)).astype(np.int8)


MAJORITY = {
    "numpy majority vote": _by_rows,
    "numpy majority vote by columns": _by_columns,
    "numpy majority vote in blocks": _by_blocks,
}


def _right(labels: np.ndarray, gold: np.ndarray) -> float:
    return round(float((labels == gold).mean()), 4)


def _median(values: Any) -> float:
    return round(statistics.median(values), 3)


def _resident(field: str) -> int:
    """Megabytes of this process's own memory: VmRSS now, VmHWM at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{field}:")[2].split()[0]) >> 10


def _part(name: str, folder: str, *, threads: int) -> dict[str, Any]:
    """What one measurement says, in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)}
    command = [sys.executable, "-m", "bench.label_model_scale", name, folder]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
