"""What does `why` cost a row, once everything is loaded?

A project is made, run and recorded: 20,000 rows of 20 sources whose votes are made as in `bench.counterfactuals`, a label
model, labels, gold; every table is committed to row by row. `Project.explainer()` reads and checks all of it once, which is
timed by itself. Then 2,000 rows are asked for in a drawn order. Told is the median and the 99th percentile of the whole
answer: votes and contributions, the smallest flip, neighbours, calibration, and where the row's salted leaves stand; and
the same of the explanation alone.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from governance.labelmodels.explain import Apart
from governance.project import Project

ROWS, SOURCES, ASKED = 20_000, 20, 2_000

_MAKE = """
import numpy as np
import polars as pl
from bench.counterfactuals import independent

from governance.digest import decimal, file_digest, write_atomically
from governance.labelmodels._base import log_odds, normalised
from governance.labelmodels.dawid_skene import DawidSkene
from governance.parquet import content_digest, write_table
from governance.records import Dataset, LabelModel, Labels, Source, Votes
from governance.runs import stage
from governance.votes.table import VoteTable, write_votes

with stage("label") as run:
    rows, sources = run.params["rows"], run.params["sources"]
    matrix = independent(rows, sources)
    ids = [f"e/{i}" for i in range(rows)]
    gold = (np.random.default_rng(20).random(rows) < 0.7).astype(np.int8)
    domain = ["left" if i % 2 else "right" for i in range(rows)]
    frame = pl.DataFrame({"example_id": ids, "text": [f"text {i}" for i in range(rows)], "domain": domain, "gold": gold})
    paths = {name: run.output(f"artifacts/{name}") for name in ("d.parquet", "v.parquet", "l.parquet", "m.json")}
    write_table(frame, paths["d.parquet"])
    dataset = Dataset.make(
        title="d", role="screened", sha256=file_digest(paths["d.parquet"]), content=content_digest(frame), rows=rows,
        columns=[],
    )
    run.state(dataset)
    words = dict.fromkeys(("summary", "owner", "origin", "licence_declared", "licence_found", "collection"), "x")
    known = [
        Source.make(
            title=f"s{j}", source_kind="lexicon", version="1", fingerprint=f"{j + 1:064x}", personal_data=False, **words
        )
        for j in range(sources)
    ]
    for one in known:
        run.state(one)
    names = tuple(one.name for one in known)
    table = VoteTable(ids, tuple(f"s{j}" for j in range(sources)), names, ("no", "yes"), matrix)
    write_votes(table, paths["v.parquet"])
    parts = [
        {"source": one.name, "column": one.title, "votes": (0, 0), "abstained": 0, "errors": 0, "skipped": 0}
        for one in known
    ]
    counts = dict.fromkeys(("covered", "conflicts", "patterns", "revoted", "revoted_differently"), 0)
    votes = Votes.make(
        title="v", dataset=dataset.name, sha256=file_digest(paths["v.parquet"]), content="1" * 64, rows=rows,
        classes=table.classes, sources=parts, **counts,
    )
    run.state(votes)
    model = DawidSkene().fit(table)
    write_atomically(paths["m.json"], model.to_bytes())
    fitted = LabelModel.make(
        title="m", method=model.method, votes=votes.name, sha256=file_digest(paths["m.json"]), classes=table.classes,
        balance=[decimal(value) for value in model.balance_], balance_origin="estimated", parameters=model.parameters(),
        iterations=model.iterations_, converged=model.converged_, objective=decimal(model.objective_), learned=(),
    )
    run.state(fitted)
    scores, label = model.predict_scores(table), model.predict(table)
    proba, covered = normalised(scores), pl.Series("covered", label >= 0)
    labels = pl.DataFrame([
        table.ids, covered, pl.Series("majority", label, dtype=pl.Int8), pl.Series("label", label, dtype=pl.Int8),
        pl.Series("p_no", proba[:, 0]), pl.Series("p_yes", proba[:, 1]),
        pl.Series("log_odds", log_odds(scores)).set(~covered, None),
    ])
    write_table(labels, paths["l.parquet"])
    run.state(Labels.make(
        title="l", votes=votes.name, label_model=fitted.name, dataset=dataset.name, sha256=file_digest(paths["l.parquet"]),
        content=content_digest(labels), rows=rows, covered=int(covered.sum()), classes={"no": 0, "yes": 0},
        differs_from_majority=0,
    ))
"""

_DVC = """
stages:
  label:
    cmd: python -m pipelines.label
    deps: [pipelines/label.py]
    params: [seed, threads, label]
    outs:
      [artifacts/d.parquet, artifacts/v.parquet, artifacts/l.parquet, artifacts/m.json, artifacts/facts/label.jsonl,
       artifacts/runs/label.json]
"""


def measure() -> dict[str, Any]:
    """Milliseconds a row of the whole answer and of the explanation alone, and seconds of loading."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/home"
        root = Path(folder) / "project"
        _lay_down(root)
        Project.init(root)
        report = Project.find(root).repro()
        assert report.exit_code == 0, report.to_markdown()
        project = Project.find(root)
        began = time.perf_counter()
        explainer = project.explainer()
        loading = time.perf_counter() - began
        order = np.random.default_rng(3).permutation(ROWS)[:ASKED]
        asked = [explainer.examples[place] for place in order]
        answers = _spent(explainer.answer, asked)
        rows = list(explainer.beside.labels.matrix[order])
        apart = Apart(explainer.apart.model)
        return {
            "rows": ROWS,
            "sources": SOURCES,
            "asked": ASKED,
            "patterns": len(explainer.beside.index),
            "seconds to load": round(loading, 2),
            "whole answer, ms a row": _told(answers),
            "explanation and smallest flip alone, ms a row": _told(_spent(apart.explain, rows)),
        }


def _lay_down(root: Path) -> None:
    (root / "pipelines").mkdir(parents=True)
    (root / "labeltrail.toml").write_text('[project]\nname = "why"\n')
    (root / "params.yaml").write_text(f"seed: 3\nthreads: 1\nlabel: {{rows: {ROWS}, sources: {SOURCES}}}\n")
    (root / "dvc.yaml").write_text(_DVC)
    (root / "pipelines/__init__.py").write_text("")
    (root / "pipelines/label.py").write_text(_MAKE)
    # The stage draws its votes as the other measurement does.
    here = Path(__file__).parent
    (root / "bench").mkdir()
    (root / "bench/__init__.py").write_text("")
    (root / "bench/counterfactuals.py").write_text((here / "counterfactuals.py").read_text())


def _spent(ask: Callable[[Any], Any], asked: Sequence[Any]) -> list[tuple[float, float]]:
    """Seconds and seconds of the processor of each question, after a few that do not count."""
    for one in asked[:20]:
        ask(one)
    spent = []
    for one in asked:
        began, busy = time.perf_counter(), time.process_time()
        ask(one)
        spent.append((time.perf_counter() - began, time.process_time() - busy))
    return spent


def _told(spent: list[tuple[float, float]]) -> dict[str, float]:
    seconds = sorted(one for one, _ in spent)
    return {
        "median": round(1e3 * statistics.median(seconds), 3),
        "99th percentile": round(1e3 * seconds[int(0.99 * len(seconds))], 3),
        "processor, mean": round(1e3 * statistics.mean(busy for _, busy in spent), 3),
    }
