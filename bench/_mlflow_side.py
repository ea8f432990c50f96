"""MLflow records runs into its SQLite store and times itself: one line of JSON a turn, when it is asked for one.

It runs in an environment of its own (`make bench` makes it from constraints-peers.txt) and knows nothing of LabelTrail.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

PARAMETERS, METRICS, EDGES = 10, 5, 6


def _parameters(number: int) -> dict[str, str]:
    return {f"parameter_{index}": str(number * index) for index in range(PARAMETERS)}


def _metrics(number: int) -> dict[str, float]:
    return {f"metric_{index}": number / (index + 1) for index in range(METRICS)}


def with_inputs(number: int) -> None:
    """As its documentation shows it, an edge being an input of the run."""
    with mlflow.start_run():
        mlflow.log_params(_parameters(number))
        mlflow.log_metrics(_metrics(number))
        for index in range(EDGES):
            source = HTTPDatasetSource(f"https://example.org/{number}/{index}")
            mlflow.log_input(MetaDataset(source, name=f"edge_{index}"), context="used")


def with_inputs_at_once(number: int) -> None:
    """The same in as few calls as there can be."""
    with mlflow.start_run():
        mlflow.log_params(_parameters(number))
        mlflow.log_metrics(_metrics(number))
        sources = [HTTPDatasetSource(f"https://example.org/{number}/{index}") for index in range(EDGES)]
        datasets = [MetaDataset(source, name=f"edge_{index}") for index, source in enumerate(sources)]
        mlflow.log_inputs(datasets, ["used"] * EDGES, [None] * EDGES)


def with_tags(number: int) -> None:
    """As its documentation shows it, an edge being no more than a tag."""
    with mlflow.start_run():
        mlflow.log_params(_parameters(number))
        mlflow.log_metrics(_metrics(number))
        mlflow.set_tags({f"edge_{index}": f"{number}/{index}" for index in range(EDGES)})


def in_three_calls(number: int) -> None:
    """Its client in as few calls as there can be, an edge being no more than a tag."""
    client, now = MlflowClient(), int(time.time() * 1000)
    run = client.create_run(_experiment()).info.run_id
    client.log_batch(
        run,
        metrics=[Metric(name, value, now, 0) for name, value in _metrics(number).items()],
        params=[Param(name, value) for name, value in _parameters(number).items()],
        tags=[RunTag(f"edge_{index}", f"{number}/{index}") for index in range(EDGES)],
    )
    client.set_terminated(run)


def _experiment() -> str:
    found = mlflow.get_experiment_by_name("bench")
    assert found is not None
    return found.experiment_id


WAYS: dict[str, Callable[[int], None]] = {
    "an input an edge": with_inputs,
    "all inputs at once": with_inputs_at_once,
    "a tag an edge": with_tags,
    "three calls of the client": in_three_calls,
}


def main(database: Path, at_once: int) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    mlflow.set_experiment("bench")
    for number, _ in enumerate(sys.stdin):
        spent: dict[str, dict[str, list[float]]] = {"seconds": {}, "processor": {}}
        for name, record in WAYS.items():
            for run in range(number * at_once, (number + 1) * at_once):
                began, busy = time.perf_counter(), time.process_time()
                record(run)
                spent["seconds"].setdefault(name, []).append(time.perf_counter() - began)
                spent["processor"].setdefault(name, []).append(time.process_time() - busy)
        print(json.dumps({**spent, **_about(database)}), flush=True)


def _about(database: Path) -> dict[str, object]:
    with sqlite3.connect(database) as connection:
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    return {"version": mlflow.__version__, "journal": journal}


main(Path(sys.argv[1]), int(sys.argv[2]))
