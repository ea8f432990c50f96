"""What does `labeltrail run` cost a snorkel script of 10 functions on 20,000 rows, and does it change what comes out?

Every pair has rows, ids and a command line of its own, so that all of it is new to the trail; then the same command is
captured again, when only its execution is new.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from governance.project import Project
from governance.records import LabelModel, Source, Votes

ROWS, PAIRS = 20_000, 5
SCRIPT = """
import hashlib, sys
import numpy as np, pandas as pd
from snorkel.labeling import PandasLFApplier, LabelingFunction
from snorkel.labeling.model import LabelModel
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

draw = np.random.default_rng(int(sys.argv[1]))
words = [f"word{n}" for n in range(40)]
frame = pd.DataFrame({"example_id": [f"r{sys.argv[1]}/{n}" for n in range(ROWS)],
                      "text": [" ".join(draw.choice(words, 12)) for _ in range(ROWS)]})

def about(word, vote):
    return LabelingFunction(f"about_{word}", lambda x: vote if word in x.text else -1)

functions = [about(f"word{n}", n % 2) for n in range(10, 20)]
votes = PandasLFApplier(functions).apply(frame, progress_bar=False)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=500, seed=7, progress_bar=False)
shares = model.predict_proba(votes)
labels = model.predict(votes)
known = labels >= 0
trained = make_pipeline(CountVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
trained.fit(frame.text[known], labels[known])
state = hashlib.sha256()
for array in (votes, shares, labels, trained[-1].coef_):
    state.update(np.ascontiguousarray(array).tobytes())
print(state.hexdigest())
"""


def measure() -> dict[str, Any]:
    """Alone, captured and captured again, in turn: medians of ratios within each turn, and what was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        Project.init(root, name="bench", reference=False, key=False)
        (root / "train.py").write_text(SCRIPT.replace("ROWS", str(ROWS)))

        def turn(number: int) -> list[_Timed]:
            script = [sys.executable, "train.py", str(number)]
            watched = [sys.executable, "-m", "governance", "run", "--", *script]
            return [_timed(command, root) for command in (script, watched, watched)]

        turn(0)
        turns = [turn(number) for number in range(1, PAIRS + 1)]
        facts = Project.find(root).current_facts()
        recorded = {
            "sources": len(facts.of(Source)),
            "votes": facts.one(Votes).content,
            "seed": facts.one(LabelModel).parameters["seed"],
            "weights": facts.one(LabelModel).sha256,
        }
    return {
        "rows": ROWS,
        "functions": 10,
        "pairs": PAIRS,
        "bit-equal": all(len({one.printed for one in turn}) == 1 for turn in turns),
        "median_seconds": _medians(turns, lambda one: one.seconds),
        "median_processor_seconds": _medians(turns, lambda one: one.processor),
        "median_ratio": _ratio(turns, 1, lambda one: one.seconds),
        "median_processor_ratio": _ratio(turns, 1, lambda one: one.processor),
        "median_ratio_again": _ratio(turns, 2, lambda one: one.seconds),
        "median_processor_ratio_again": _ratio(turns, 2, lambda one: one.processor),
        "recorded": recorded,
    }


class _Timed(NamedTuple):
    """Seconds, seconds of the processor (with those of children), and what was printed."""

    seconds: float
    processor: float
    printed: str


def _medians(turns: list[list[_Timed]], of: Callable[[_Timed], float]) -> dict[str, float]:
    names = ("alone", "captured", "captured again")
    return {name: round(statistics.median(of(turn[at]) for turn in turns), 2) for at, name in enumerate(names)}


def _ratio(turns: list[list[_Timed]], at: int, of: Callable[[_Timed], float]) -> float:
    return round(statistics.median(of(turn[at]) / of(turn[0]) for turn in turns), 3)


def _timed(command: list[str], root: Path) -> _Timed:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    repository = str(Path(__file__).parents[1])
    done = subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": repository}
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _Timed(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)
