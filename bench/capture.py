"""What does `labeltrail run` cost a snorkel script of 10 functions on 20,000 rows, and does it change what comes out?"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from governance.project import Project
from governance.records import LabelModel, Source, Votes

ROWS, PAIRS = 20_000, 5
SCRIPT = """
import hashlib
import numpy as np, pandas as pd
from snorkel.labeling import PandasLFApplier, LabelingFunction
from snorkel.labeling.model import LabelModel
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

draw = np.random.default_rng(1)
words = [f"word{n}" for n in range(40)]
frame = pd.DataFrame({"example_id": [f"r/{n}" for n in range(ROWS)],
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
    """Pairs in turn, the script alone and captured: median ratios of wall and processor's time, and what was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        Project.init(root, name="bench", reference=False, key=False)
        (root / "train.py").write_text(SCRIPT.replace("ROWS", str(ROWS)))
        script = [sys.executable, "train.py"]
        watched = [sys.executable, "-m", "governance", "run", "--", *script]
        _timed(script, root), _timed(watched, root)
        pairs = [(_timed(script, root), _timed(watched, root)) for _ in range(PAIRS)]
        facts = Project.find(root).current_facts()
        recorded = {
            "sources": len(facts.of(Source)),
            "votes": facts.one(Votes).content,
            "seed": facts.one(LabelModel).parameters["seed"],
        }
    wall = [(alone[0], with_capture[0]) for alone, with_capture in pairs]
    busy = [(alone[1], with_capture[1]) for alone, with_capture in pairs]
    return {
        "rows": ROWS,
        "functions": 10,
        "pairs": PAIRS,
        "bit-equal": len({one[2] for pair in pairs for one in pair}) == 1,
        "median_seconds": {
            "alone": round(statistics.median(one for one, _ in wall), 2),
            "captured": round(statistics.median(other for _, other in wall), 2),
        },
        "median_ratio": round(statistics.median(other / one for one, other in wall), 3),
        "median_processor_ratio": round(statistics.median(other / one for one, other in busy), 3),
        "recorded": recorded,
    }


def _timed(command: list[str], root: Path) -> tuple[float, float, str]:
    """(seconds, seconds of the processor, what it printed)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    repository = str(Path(__file__).parents[1])
    done = subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": repository}
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout
