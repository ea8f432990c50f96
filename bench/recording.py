"""How long does it take to record a full run, beside MLflow, both durable on the same disk? Needs .venv-peers.

A run has 10 parameters, 5 metrics and 6 edges. Ours is a recipe, an evaluation, a result and an execution, validated, named
by content, entered in the log and projected into tables, with a signed checkpoint, in one transaction of which nothing is
acknowledged before it outlives a power cut. The two take turns of a few runs each; only recording is timed, in seconds on
the wall and in seconds of the processor, which do not depend on what else the disk is doing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from governance.digest import sha256
from governance.records import Evaluation, Execution, Recipe, Record, Result
from governance.store import keys
from governance.store.trail import Trail

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("PEERS", ".venv-peers"))
#: turns, of which the first are not counted, and how many runs each side records in its turn
TURNS, WARM_UP, AT_ONCE = 20, 2, 5

#: sqlite.org/pragma.html#pragma_synchronous
SYNCHRONOUS = ("off", "normal", "full", "extra")


def measure() -> dict[str, Any]:
    """Median milliseconds of a run, ours and MLflow's in each of its ways, and the medians of the ratios of each turn."""
    # Not in memory: the folder for temporary files is often no disk.
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as folder:
        root = Path(folder).resolve()
        os.environ["XDG_CONFIG_HOME"] = str(root / "home")
        keys.create_key()
        trail = Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="bench", create=True)
        assert sum(len(record.edges()) for record in a_run(0)) == 6
        command = [PEERS / "bin/python", HERE / "_mlflow_side.py", root / "mlflow.db", str(AT_ONCE)]
        quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        with subprocess.Popen(
            command, env=quiet, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as peer:
            turns = [_turn(trail, peer, number) for number in range(TURNS + WARM_UP)][WARM_UP:]
            assert peer.stdin
            peer.stdin.close()
        about = _about(trail)
        trail.database.close()
    return _told(turns, about)


def _about(trail: Trail) -> dict[str, Any]:
    with trail.database.reading() as connection:
        journal, synchronous = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        )
    signed = "\u2014" in trail.checkpoints()[-1][1]
    kept = {"sqlite": sqlite3.sqlite_version, "journal": journal, "synchronous": SYNCHRONOUS[synchronous or 0]}
    return {**kept, "signed": signed}


def _turn(trail: Trail, peer: subprocess.Popen[str], number: int) -> dict[str, Any]:
    spent: dict[str, list[float]] = {"seconds": [], "processor": []}
    for run in range(number * AT_ONCE, (number + 1) * AT_ONCE):
        began, busy = time.perf_counter(), time.process_time()
        trail.append(a_run(run))
        spent["seconds"].append(time.perf_counter() - began)
        spent["processor"].append(time.process_time() - busy)
    assert peer.stdin
    assert peer.stdout
    peer.stdin.write("\n")
    peer.stdin.flush()
    theirs = json.loads(peer.stdout.readline())
    for measured, ours in spent.items():
        theirs[measured] = {"labeltrail": ours, **theirs[measured]}
    return theirs


def _told(turns: list[dict[str, Any]], about: dict[str, Any]) -> dict[str, Any]:
    names = list(turns[0]["seconds"])

    def medians(measured: str) -> dict[str, float]:
        spent = {name: [each for turn in turns for each in turn[measured][name]] for name in names}
        return {name: round(1000 * statistics.median(found), 2) for name, found in spent.items()}

    def ratios(measured: str) -> dict[str, float]:
        middle = [{name: statistics.median(turn[measured][name]) for name in names} for turn in turns]
        pairs = {name: [one[name] / one["labeltrail"] for one in middle] for name in names[1:]}
        return {name: round(statistics.median(found), 1) for name, found in pairs.items()}

    return {
        "rounds": TURNS * AT_ONCE,
        "a run": "10 parameters, 5 metrics, 6 edges",
        "median_ms": medians("seconds"),
        "median_ratio": ratios("seconds"),
        "median_processor_ms": medians("processor"),
        "median_processor_ratio": ratios("processor"),
        "labeltrail": about,
        "mlflow": {"version": turns[-1]["version"], "journal": turns[-1]["journal"], "synchronous": "full"},
    }


def a_run(number: int) -> list[Record]:
    """What one run records; making and naming the records is part of recording them."""

    def digest(what: str) -> str:
        return sha256(f"{what} {number}".encode())

    recipe = Recipe.make(
        stage="train",
        inputs=[
            {"path": f"data/{name}.parquet", "sha256": digest(name), "bytes": 4_096} for name in ("labels", "texts")
        ],
        parameters={f"parameter_{index}": str(number * index) for index in range(10)},
        seed=number,
        code=[{"path": "pipelines/train.py", "sha256": digest("code"), "bytes": 2_048}],
        distributions=[{"distribution": "numpy", "version": "2.0"}],
        python="3.11",
        threads=1,
        hash_seed="0",
    )
    dataset = f"dataset:{digest('dataset')}"
    figures = [
        {
            "metric": f"metric_{index}",
            "of": "model",
            "slice": "all",
            "value": repr(number / (index + 1)),
            "examples": 800,
        }
        for index in range(5)
    ]
    measured = Evaluation.make(
        title="figures",
        gold="gold",
        dataset=dataset,
        compared=[],
        sha256=digest("figures"),
        metrics=figures,
        classes=["no", "yes"],
    )
    # Six edges: two of the figures (dataset, result), two of the result (recipe, dataset), two of the execution.
    result = Result.make(
        stage="train",
        recipe=recipe.name,
        outputs=[{"path": "artifacts/figures.json", "sha256": digest("figures"), "bytes": 900}],
        generated=[measured.name],
        used=[dataset],
    )
    execution = Execution.make(
        stage="train",
        result=result.name,
        started=number,
        ended=number + 1,
        cpu=1,
        peak_memory=1,
        machine={"machine": "x86_64"},
        environment=f"environment:{sha256(b'environment')}",
        library=sha256(b"library"),
        revision=None,
        dirty=None,
        who="bench",
    )
    return [recipe, measured, result, execution]
