"""Scripts that know nothing of us, and how they are run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from governance.project import Project

#: rows, six functions of which one fails on some rows and two vote alike
HEAD = """
import hashlib, random, sys
import numpy as np, pandas as pd
from snorkel.labeling import LFApplier, PandasLFApplier, labeling_function, filter_unlabeled_dataframe
from snorkel.labeling.model import LabelModel, MajorityLabelVoter
from snorkel.utils import probs_to_preds

draw = np.random.default_rng(1)
words = ["good", "great", "bad", "awful", "film", "plot"]
N = 300
frame = pd.DataFrame({
    "example_id": [f"r/{n}" for n in range(N)],
    "text": [" ".join(draw.choice(words, 4)) for _ in range(N)],
})

@labeling_function()
def good(x): return 1 if "good" in x.text else -1
@labeling_function()
def great(x): return 1 if "great" in x.text else -1
@labeling_function()
def bad(x): return 0 if "bad" in x.text else -1
@labeling_function()
def awful(x): return 0 if "awful" in x.text else -1
@labeling_function()
def bad_again(x): return 0 if x.text.count("bad") else -1
@labeling_function()
def fragile(x):
    if x.text.startswith("good"): raise ValueError("not this one")
    if x.text.startswith("great"): raise TimeoutError("too slow")
    return 1 if x.text.endswith("great") else -1
functions = [good, great, bad, awful, bad_again, fragile]
"""
TRAIN = (
    HEAD
    + """
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
votes = PandasLFApplier(functions).apply(frame, progress_bar=False, fault_tolerant=True)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=50, progress_bar=False, seed=7)
shares = model.predict_proba(votes)
rows, part = filter_unlabeled_dataframe(X=frame, y=shares, L=votes)
trained = make_pipeline(CountVectorizer(), LogisticRegression()).fit(rows.text, probs_to_preds(part))
import torch
state = hashlib.sha256()
for array in (votes, shares, trained[-1].coef_):
    state.update(np.ascontiguousarray(array).tobytes())
state.update(repr((random.random(), np.random.rand(), torch.rand(1).item())).encode())
print(state.hexdigest())
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""
)
SHUFFLED = (
    HEAD
    + """
for seed in range(20):
    PandasLFApplier(functions).apply(frame.sample(frac=1, random_state=seed), progress_bar=False, fault_tolerant=True)
"""
)
PARALLEL = (
    HEAD
    + """
from snorkel.labeling.apply.dask import PandasParallelLFApplier
shuffled = frame.sample(frac=1, random_state=3)
PandasParallelLFApplier(functions).apply(shuffled, n_parallel=2, scheduler="threads", fault_tolerant=True)
"""
)
MAJORITY = (
    HEAD
    + """
import governance
with governance.capture("counted"):
    points = [dict(row) for row in frame.to_dict("records")]
    class Point(dict):
        __getattr__ = dict.__getitem__
    votes = LFApplier(functions).apply([Point(p) for p in points], progress_bar=False, fault_tolerant=True)
    MajorityLabelVoter(cardinality=2).predict(votes)
"""
)
#: the two other doors in a process of one's own
DOORS = {
    "autolog": HEAD
    + """
import governance
governance.autolog("counted")
PandasLFApplier(functions).apply(frame, progress_bar=False, fault_tolerant=True)
""",
    "decorator": HEAD
    + """
import governance
@governance.capture("counted")
def vote():
    return PandasLFApplier(functions).apply(frame, progress_bar=False, fault_tolerant=True)
vote()
""",
}
#: a function that hangs on some rows, held to a time by whoever asks for it
HANGING = (
    HEAD
    + """
import governance
@labeling_function()
def hangs(x):
    while x.text.startswith("film"): pass
    return -1
with governance.capture("limited", time_limit=0.02):
    PandasLFApplier([*functions, hangs]).apply(frame, progress_bar=False, fault_tolerant=True)
print("went on")
"""
)
HANGING_ELSEWHERE = (
    HEAD
    + """
import governance
from snorkel.labeling.apply.dask import PandasParallelLFApplier
with governance.capture("limited", time_limit=30):
    PandasParallelLFApplier(functions).apply(frame, n_parallel=2, scheduler="threads", fault_tolerant=True)
"""
)
#: answers that are no votes, which snorkel takes for some; and rows without usable ids
ODD = (
    HEAD
    + """
@labeling_function()
def float_vote(x): return 1.5 if x.text.startswith("good") else -1
@labeling_function()
def class_below_abstain(x): return -5 if x.text.startswith("good") else 1
@labeling_function()
def class_seven(x): return 7 if x.text.startswith("good") else -1
PandasLFApplier([float_vote, class_below_abstain, class_seven]).apply(frame, progress_bar=False)
"""
)
WRONG_LENGTH = (
    HEAD
    + """
@labeling_function()
def two_votes(x): return np.array([1, 0])
PandasLFApplier([two_votes, good]).apply(frame, progress_bar=False)
"""
)


#: doors of their own in one process, also where the command watches it already
TWICE = (
    HEAD
    + """
import governance
for name in ("first", "second"):
    with governance.capture(name):
        PandasLFApplier(functions[:2]).apply(frame, progress_bar=False)
"""
)
#: ends by itself, unlike what calls sys.exit, and a vectorizer among what it trains
AGAIN = (
    HEAD
    + """
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
votes = PandasLFApplier(functions[:4]).apply(frame, progress_bar=False)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=20, progress_bar=False, seed=3)
labels = model.predict(votes)
make_pipeline(CountVectorizer(), LogisticRegression()).fit(frame.text[labels >= 0], labels[labels >= 0])
"""
)
KILLED = (
    HEAD
    + """
import os, signal
PandasLFApplier(functions[:2]).apply(frame, progress_bar=False)
os.kill(os.getpid(), signal.SIGTERM)
"""
)


def project_with(folder: Path, **scripts: str) -> Path:
    """A project without a pipeline, and scripts by name."""
    folder.mkdir(exist_ok=True)
    Project.init(folder, name="bare", reference=False)
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def plain(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script alone."""
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def captured(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script under `labeltrail run`."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "governance", "run", "--", sys.executable, script, *arguments]
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def facts(folder: Path):
    """What the current runs state."""
    return Project.find(folder).current_facts()


def asked(folder: Path, verb: str, *arguments: str):
    """What a verb answers, as data."""
    return json.loads(json.dumps(getattr(Project.find(folder), verb)(*arguments).to_json()))
