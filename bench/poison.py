"""What do copies of one bad source do to each label model, what do the checks flag, and what do they miss?

Honest sources are right on 90, 85, 80, 75 and 70 % of the rows on which they vote, independently of each other. A bad
source is wrong on 80 %, and so many copies of it stand beside it, that vote on its rows; each copy names another class
on its share of noise. Two classes, equally frequent. Accuracy is that of the labels, on all covered rows.

`always`: the same, over numbers of honest sources (right on 65 to 90 %), coverages, rows and classes: in how many vote
sets is every copy, and the bad source, flagged. `false alarms`: the same honest sources without a bad one.
"""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np

from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice, voices_of
from governance.votes import copies
from governance.votes.table import ABSTAIN

ROWS, SEEDS, WRONG = 2000, 5, 0.8
HONEST = (0.9, 0.85, 0.8, 0.75, 0.7)
NOISES, COPIES = (0.0, 0.1, 0.2), tuple(range(1, 11))
COVERAGES = (1.0, 0.7)
SNORKEL = "snorkel"
#: rows, honest sources, coverage, classes, copies
GRID = ((1000, 5000), (3, 5, 10), (0.5, 0.75, 1.0), (2, 4), (1, 3, 10))
GRID_SEEDS, QUIET_SEEDS = 10, 100


def measure() -> dict[str, Any]:
    """Mean accuracies over seeds, and counts of vote sets; everything is drawn from the seeds alone."""
    return {
        "rows": ROWS,
        "seeds": SEEDS,
        "honest": list(HONEST),
        "wrong": WRONG,
        "table": [
            _line(coverage, count, noise)
            for coverage in COVERAGES
            for count, noise in [(0, 0.0), *itertools.product(COPIES, NOISES)]
        ],
        "always": {str(noise): _always(noise) for noise in NOISES},
        "false alarms": _quiet(),
    }


def vote_set(
    seed: int,
    *,
    rows: int = ROWS,
    honest: tuple[float, ...] = HONEST,
    coverage: float = 1.0,
    classes: int = 2,
    copied: int | None = None,
    noise: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """(votes, gold, columns): the honest sources, and with `copied` the bad one and so many copies of it."""
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, classes, rows)

    def other(votes: np.ndarray, share: float) -> np.ndarray:
        wrong = (votes + draw.integers(1, classes, rows)) % classes
        return np.where((draw.random(rows) < share) & (votes >= 0), wrong, votes)

    def covering(votes: np.ndarray) -> np.ndarray:
        return np.where(draw.random(rows) < coverage, votes, ABSTAIN)

    votes = [covering(other(gold, 1 - accuracy)) for accuracy in honest]
    columns = [f"honest{j + 1}" for j in range(len(honest))]
    if copied is not None:
        bad = covering(other(gold, WRONG))
        votes += [bad, *(other(bad, noise) for _ in range(copied))]
        columns += ["bad", *(f"copy{j + 1}" for j in range(copied))]
    return np.stack(votes, axis=1).astype(np.int8), gold, tuple(columns)


def flagged(votes: np.ndarray, columns: tuple[str, ...], *, classes: int = 2) -> tuple[tuple[str, ...], ...]:
    """The groups that `near_copies` tells, under the limits of the reference project."""
    found = copies.suspects(copies.meetings(votes, n_classes=classes), columns)
    return copies.groups([pair.columns for pair in found], columns)


def _line(coverage: float, count: int, noise: float) -> dict[str, Any]:
    told: dict[str, list[float]] = {}
    caught, honest = [], []
    for seed in range(SEEDS):
        votes, gold, columns = vote_set(seed, coverage=coverage, copied=count, noise=noise)
        groups = flagged(votes, columns)
        named = {column for group in groups for column in group}
        bad = set(columns[len(HONEST) :])
        caught.append(len(named & bad) / len(bad))
        honest.append(len(named - bad))
        models = {
            "majority": MajorityVote(),
            "dawid_skene": DawidSkene(),
            "dawid_skene, balance given": DawidSkene(balance=[0.5, 0.5]),
            "one_voice": OneVoice(voices=voices_of(columns, groups)),
        }
        covered = (votes >= 0).any(axis=1)
        for name, model in models.items():
            label = model.fit(votes, n_classes=2).predict(votes)
            told.setdefault(name, []).append(float((label == gold)[covered].mean()))
        said = _snorkel(votes, seed)
        if said is not None:
            told.setdefault(SNORKEL, []).append(float((said == gold)[covered].mean()))
    return {
        "coverage": coverage,
        "copies": count,
        "noise": noise,
        "accuracy": {name: round(statistics.mean(values), 3) for name, values in told.items()},
        "of bad and copies flagged": round(statistics.mean(caught), 3),
        "honest flagged, mean": round(statistics.mean(honest), 2),
    }


def _snorkel(votes: np.ndarray, seed: int) -> np.ndarray | None:
    """snorkel's label model as it comes, or None where it is not installed."""
    try:
        from snorkel.labeling.model import LabelModel
    except ImportError:
        return None
    model = LabelModel(cardinality=2, verbose=False)
    model.fit(votes.astype(np.int64), seed=seed, progress_bar=False)
    return np.asarray(model.predict_proba(votes.astype(np.int64))).argmax(axis=1)


def _spread(number: int) -> tuple[float, ...]:
    return tuple(np.linspace(0.65, 0.9, number).tolist())


def _always(noise: float) -> dict[str, int]:
    """In how many vote sets every copy and the bad source are flagged, of how many."""
    found = [
        set(columns[number:]) <= {column for group in flagged(votes, columns, classes=classes) for column in group}
        for rows, number, coverage, classes, count in itertools.product(*GRID)
        for seed in range(GRID_SEEDS)
        for votes, _, columns in [
            vote_set(
                seed,
                rows=rows,
                honest=_spread(number),
                coverage=coverage,
                classes=classes,
                copied=count,
                noise=noise,
            )
        ]
    ]
    return {"vote sets": len(found), "all flagged": sum(found)}


def _quiet() -> dict[str, int]:
    """Vote sets of honest sources alone, and in how many of them anything is flagged."""
    found = [
        bool(flagged(votes, columns, classes=classes))
        for rows, number, coverage, classes in itertools.product(*GRID[:4])
        for seed in range(QUIET_SEEDS)
        for votes, _, columns in [
            vote_set(1000 + seed, rows=rows, honest=_spread(number), coverage=coverage, classes=classes)
        ]
    ]
    return {"vote sets": len(found), "something flagged": sum(found)}
