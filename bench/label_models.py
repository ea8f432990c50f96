"""How good and how fast are label models without any label? Ours, majority vote, snorkel's and crowd-kit's.

Vote sets are made by the processes of `bench/_vote_sets.py`, by seeds that no setting was chosen on; the four domains of
the reference project, each by itself, are sets too (needs a run of it). Every method has one setting for all sets, its own
default; snorkel's seed is fixed. Accuracy counts the rows with a vote. Time is that of fitting and labelling, on one
thread, in seconds of the processor. Three times all sets are gone through, and each method has two turns at each of them:
told is the least of these six turns, as whoever else uses the machine can only make a turn longer, and what the ratios are
by the median turn beside it; of crowd-kit's Dawid-Skene there is one turn. At 100,000 x 10 each method has nine turns
between those of the others, and the median is told. Needs .venv-peers.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench._vote_sets import TOLD, TUNING, VoteSet, generated, made, of_the_reference, small_and_weak
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("PEERS", ".venv-peers"))
ROUNDS, TURNS, AT_LARGE = 3, 2, 9
OURS, MAJORITY, SNORKEL, CROWD_KIT, CROWD = "ours", "majority vote", "snorkel", "crowd-kit", "ours, crowd mode"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure() -> dict[str, Any]:
    """Accuracy and seconds of every method on every set, and what they come to.

    In a process that begins with one thread, as crowd-kit's does.
    """
    code = "import json; from bench import label_models; print(json.dumps(label_models.compared()))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def compared() -> dict[str, Any]:
    """`measure`, in this very process."""
    assert all(os.environ.get(name) == one for name, one in ONE_THREAD.items())
    sets = [*generated(TOLD), *of_the_reference()]
    ways = {OURS: _ours, MAJORITY: _majority, SNORKEL: _snorkel, CROWD: _crowd}
    for way in ways.values():
        way(made("independent", 2, TUNING[0], rows=200))
    measured = _in_rounds(ways, sets)
    large = made("independent", 2, TOLD[0], rows=100_000)
    at_large = _at_large(ways, large)
    for one, told in zip(sets, _crowd_kit(sets), strict=True):
        right = _accuracy(np.array(told["labels"]), one)
        once = told["processor"]
        measured[sets.index(one)][CROWD_KIT] = {"accuracy": right, "processor": once, "median processor": once}
    return {**_told(sets, measured, at_large), "small and weak": _small_and_weak()}


def _in_rounds(
    ways: dict[str, Callable[[VoteSet], np.ndarray]], sets: list[VoteSet]
) -> list[dict[str, dict[str, float]]]:
    """For each set what each way comes to: accuracy, and the processor's seconds of its least and of its median turn."""
    spent: list[dict[str, list[float]]] = [{name: [] for name in ways} for _ in sets]
    right: list[dict[str, float]] = [{} for _ in sets]
    for _ in range(ROUNDS):
        for place, one in enumerate(sets):
            for name, way in ways.items():
                for _ in range(TURNS):
                    labels, seconds = _timed(way, one)
                    spent[place][name].append(seconds)
                    right[place][name] = _accuracy(labels, one)
    return [
        {
            name: {"accuracy": right[p][name], "processor": min(took), "median processor": statistics.median(took)}
            for name, took in spent[p].items()
        }
        for p in range(len(sets))
    ]


def _at_large(ways: dict[str, Callable[[VoteSet], np.ndarray]], large: VoteSet) -> dict[str, float]:
    """The median of the processor's seconds of every way and of crowd-kit's, whose turns stand between ours: a machine that
    is slower for a while is so for all."""
    spent: dict[str, list[float]] = {name: [] for name in (*ways, CROWD_KIT)}
    for _ in range(AT_LARGE):
        for name, way in ways.items():
            spent[name].append(_timed(way, large)[1])
        spent[CROWD_KIT] += [told["processor"] for told in _crowd_kit([large])]
    return {name: statistics.median(found) for name, found in spent.items()}


def _small_and_weak() -> dict[str, Any]:
    """Points of accuracy above majority vote, as a share: mean, worst, and on what share of sets more than .02 are lost."""
    groups: dict[str, list[float]] = {}
    for name, one in small_and_weak():
        groups.setdefault(name, []).append(_accuracy(_ours(one), one) - _accuracy(_majority(one), one))
    groups["all"] = [gain for gains in groups.values() for gain in gains]
    return {
        name: {
            "sets": len(gains),
            "above majority vote": round(statistics.fmean(gains), 4),
            "least above majority vote": round(min(gains), 4),
            "share more than .02 below": round(statistics.fmean(gain < -0.02 for gain in gains), 4),
        }
        for name, gains in groups.items()
    }


def _told(
    sets: list[VoteSet], measured: list[dict[str, dict[str, float]]], at_large: dict[str, float]
) -> dict[str, Any]:
    names = list(measured[0])
    groups: dict[str, list[int]] = {}
    for place, one in enumerate(sets):
        groups.setdefault(one.name if one.process == "reference" else one.process, []).append(place)

    def gains(name: str, places: list[int]) -> list[float]:
        return [measured[p][name]["accuracy"] - measured[p][MAJORITY]["accuracy"] for p in places]

    def table(places: list[int]) -> dict[str, Any]:
        return {
            name: {
                "accuracy": round(statistics.fmean(measured[p][name]["accuracy"] for p in places), 4),
                "above majority vote": round(statistics.fmean(gains(name, places)), 4),
                "least above majority vote": round(min(gains(name, places)), 4),
                "median processor seconds": round(statistics.median(measured[p][name]["processor"] for p in places), 5),
            }
            for name in names
        }

    made_ones = [p for p, one in enumerate(sets) if one.process != "reference"]
    reference = [p for p, one in enumerate(sets) if one.process == "reference"]
    everything = [*made_ones, *reference]

    def faster(seconds: str) -> dict[str, float]:
        ratios = {name: [m[name][seconds] / m[OURS][seconds] for m in measured] for name in (SNORKEL, CROWD_KIT)}
        return {name: round(statistics.median(found), 1) for name, found in ratios.items()}

    return {
        "sets": len(sets),
        "all": table(everything),
        "generated": table(made_ones),
        "reference": table(reference),
        "by process": {name: table(places) for name, places in groups.items()},
        "times faster, median over the sets": faster("processor"),
        "times faster by the median turn, median over the sets": faster("median processor"),
        "100,000 x 10, processor seconds": {name: round(value, 4) for name, value in at_large.items()},
        "100,000 x 10, times faster": {
            name: round(at_large[name] / at_large[OURS], 1) for name in (SNORKEL, CROWD_KIT)
        },
    }


def _timed(way: Callable[[VoteSet], np.ndarray], one: VoteSet) -> tuple[np.ndarray, float]:
    """The labels, and the processor's seconds that they took."""
    busy = time.process_time()
    labels = way(one)
    return labels, time.process_time() - busy


def _accuracy(labels: np.ndarray, one: VoteSet) -> float:
    covered = (one.votes >= 0).any(axis=1)
    return float((labels == one.gold)[covered].mean())


def _ours(one: VoteSet) -> np.ndarray:
    return DawidSkene().fit_predict(one.votes, n_classes=one.classes)


def _majority(one: VoteSet) -> np.ndarray:
    return MajorityVote().fit_predict(one.votes, n_classes=one.classes)


def _crowd(one: VoteSet) -> np.ndarray:
    return Crowd().fit_predict(one.votes, n_classes=one.classes)


def _snorkel(one: VoteSet) -> np.ndarray:
    """As its tutorial does it; a label for every row, since abstaining from ties would cost it accuracy here."""
    from snorkel.labeling.model import LabelModel

    logging.disable(logging.WARNING)
    votes = np.maximum(one.votes, -1).astype(np.int64)
    model = LabelModel(cardinality=one.classes, verbose=False)
    model.fit(votes, seed=1, progress_bar=False)
    return model.predict_proba(votes).argmax(axis=1)


def _crowd_kit(sets: list[VoteSet]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, one in enumerate(sets):
            paths.append(f"{folder}/{number}.npz")
            np.savez(paths[-1], votes=one.votes)
        command = [PEERS / "bin/python", HERE / "_crowd_kit_side.py", *paths]
        env = {**os.environ, **ONE_THREAD}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as side:
            assert side.stdout
            for line in side.stdout:
                yield json.loads(line)
        assert side.returncode == 0
