"""How sure is the label model where sources repeat each other, and does a correction help on seeds that chose nothing?

Correlated vote sets: six honest sources (right on 85 to 65 %), of which one to three are followed by relatives, each of
which says on a share of the rows what its elder says and judges by itself on the others. ECE is that of `checks.metrics`
on all covered rows.

Corrections, none of which sees gold. `effective number`: every source's log-odds are divided by the number of voices it
counts for, 1 + the sum over others of the agreement that one truth does not explain, as a share of what it leaves
(`governance.votes.copies`). `temperature`: all log-odds are divided by one number, the mean of these. `one_voice`: groups
of suspected copies have one voice. Whatever is chosen here was chosen on the first seeds and is told for the others.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from governance.checks.metrics import figures
from governance.labelmodels._additive import evidence
from governance.labelmodels._base import normalised
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.one_voice import OneVoice, voices_of
from governance.votes import copies
from governance.votes.table import ABSTAIN, read_votes

ROWS, CHOOSING, UNSEEN = 2000, range(10), range(100, 120)
HONEST = (0.85, 0.8, 0.75, 0.7, 0.7, 0.65)
#: relatives of each of the first sources, and the share of rows on which they only repeat
FAMILIES = {
    "independent": ((), 0.0),
    "one family": ((3,), 0.6),
    "three families": ((2, 2, 2), 0.6),
    "close": ((3, 3), 0.9),
}
WAYS = ("as it is", "effective number", "temperature", "one_voice")


def measure() -> dict[str, Any]:
    """Mean ECE and accuracy for each process, on seeds that chose and on unseen ones; and on a run's domains, if any."""
    return {
        "rows": ROWS,
        "processes": {
            name: {"choosing": _over(CHOOSING, *family), "unseen": _over(UNSEEN, *family)}
            for name, family in FAMILIES.items()
        },
        "domains": _domains(),
    }


def related(seed: int, relatives: tuple[int, ...], repeats: float) -> tuple[np.ndarray, np.ndarray]:
    """(votes, gold) of sources, some of which have relatives."""
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, 2, ROWS)

    def judged(accuracy: float) -> np.ndarray:
        return np.where(draw.random(ROWS) < accuracy, gold, 1 - gold)

    votes = [judged(accuracy) for accuracy in HONEST]
    for j, number in enumerate(relatives):
        votes += [np.where(draw.random(ROWS) < repeats, votes[j], judged(HONEST[j])) for _ in range(number)]
    covered = draw.random((ROWS, len(votes))) < 0.7
    return np.where(covered, np.stack(votes, axis=1), ABSTAIN).astype(np.int8), gold


def burden(votes: np.ndarray, *, n_classes: int) -> np.ndarray:
    """For how many voices each source counts that one truth does not tell apart, float64 (sources), from 1."""
    one_truth = copies._OneTruth(copies.meetings(votes, n_classes=n_classes))
    sources = votes.shape[1]
    found = np.ones(sources)
    for i in range(sources):
        for j in range(sources):
            weighed = one_truth.weigh(i, j) if i != j else None
            if weighed is not None and weighed.expected < 1:
                left = (weighed.agreement - weighed.expected) / (1 - weighed.expected)
                found[i] += (
                    float(np.clip(left, 0, 1)) if weighed.agreement - weighed.expected > 2 * weighed.error else 0.0
                )
    return found


def corrected(votes: np.ndarray, *, n_classes: int = 2) -> dict[str, np.ndarray]:
    """P(class) of every row in each way, rows x classes."""
    model = DawidSkene().fit(votes, n_classes=n_classes)
    columns = tuple(str(j) for j in range(votes.shape[1]))
    found = copies.suspects(copies.meetings(votes, n_classes=n_classes), columns)
    groups = copies.groups([pair.columns for pair in found], columns)
    load = burden(votes, n_classes=n_classes)
    silent = np.maximum(votes, np.int8(ABSTAIN))
    parts = [evidence(model.log_likelihood_[j])[silent[:, j]] for j in range(votes.shape[1])]
    prior = np.log(model.balance_)[None, :]
    return {
        "as it is": model.predict_proba(votes),
        "effective number": normalised(prior + sum(part / load[j] for j, part in enumerate(parts))),
        "temperature": normalised(prior + sum(parts) / float(load.mean())),
        "one_voice": OneVoice(voices=voices_of(columns, groups)).fit(votes, n_classes=n_classes).predict_proba(votes),
    }


def _judged(proba: np.ndarray, gold: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    told = {
        one.metric: one.value for one in figures(gold[rows], proba[rows].argmax(1), proba[rows], seed=0, resamples=1)
    }
    return {"ece": float(told["ece"] or 0), "accuracy": float(told["accuracy"] or 0)}


def _over(seeds: range, relatives: tuple[int, ...], repeats: float) -> dict[str, dict[str, float]]:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for seed in seeds:
        votes, gold = related(seed, relatives, repeats)
        for way, proba in corrected(votes).items():
            found[way].append(_judged(proba, gold, (votes >= 0).any(axis=1)))
    return {
        way: {name: round(statistics.mean(one[name] for one in all_), 4) for name in ("ece", "accuracy")}
        for way, all_ in found.items()
    }


def _domains() -> dict[str, Any]:
    """The reference project's votes, domain by domain, where a run is here; nothing was chosen on them."""
    import polars as pl

    if not Path("artifacts/votes/votes.parquet").is_file():
        return {}
    examples = pl.read_parquet("artifacts/data/screened.parquet")
    table = read_votes(Path("artifacts/votes/votes.parquet")).wide().aligned_to(examples["example_id"])
    gold, domain = examples["gold"].to_numpy().astype(np.int64), examples["domain"].to_numpy()
    told = {}
    for name in sorted(set(domain.tolist())):
        here = domain == name
        votes = table.matrix[here]
        covered = (votes >= 0).any(axis=1)
        told[name] = {
            way: {key: round(value, 4) for key, value in _judged(proba, gold[here], covered).items()}
            for way, proba in corrected(votes).items()
        }
    return told
