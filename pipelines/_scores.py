"""Which predictor says what on which part of the examples, and how good is that?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from governance.checks import metrics
from governance.digest import decimal
from governance.records import Bin, Metric

#: beside the model stand always the labels it learned from, the plainest labels, and what gold would have taught
PREDICTORS = ("model", "label_model", "majority", "supervised")


@dataclass(frozen=True, eq=False)
class Predictor:
    """What one predictor says of every example: `there` (bool, examples) is false where it says nothing."""

    there: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray

    def on(self, rows: np.ndarray) -> np.ndarray:
        """Indices of those of `rows` (bool, examples) on which it says something."""
        return np.flatnonzero(rows & self.there)


@dataclass(frozen=True, eq=False)
class Slice:
    """A part of the examples by name: `rows` bool (examples); `of` are the predictors that may be judged there."""

    name: str
    rows: np.ndarray
    of: tuple[str, ...] = PREDICTORS
    reliability: bool = False


def measure(
    predictors: Mapping[str, Predictor], gold: np.ndarray, cut: Slice, *, seed: int, resamples: int, bins: int
) -> tuple[list[Metric], list[Bin]]:
    """Every figure of every predictor on one slice; what has no example has no value."""
    told: list[Metric] = []
    bars: list[Bin] = []
    for of in cut.of:
        predictor = predictors[of]
        rows = predictor.on(cut.rows)
        given = (gold[rows], predictor.predicted[rows], predictor.proba[rows])
        figures = metrics.figures(*given, seed=seed, resamples=resamples, bins=bins)
        told.extend(_metric(figure, of=of, where=cut.name) for figure in figures)
        if cut.reliability:
            bars.extend(_bin(bar, of=of, where=cut.name) for bar in metrics.reliability(*given, bins=bins))
    told.append(_share("coverage", predictors["label_model"].there[cut.rows], of="label_model", where=cut.name))
    return told, bars


def measure_source(column: str, votes: np.ndarray, gold: np.ndarray, cut: Slice) -> Iterator[Metric]:
    """Accuracy and coverage of one source on one slice; votes: int8 (examples)."""
    voted = cut.rows & (votes >= 0)
    yield _share("accuracy", (votes == gold)[voted], of=f"source {column}", where=cut.name)
    yield _share("coverage", (votes >= 0)[cut.rows], of=f"source {column}", where=cut.name)


def lengths(sizes: np.ndarray, limits: list[int]) -> Iterator[tuple[str, np.ndarray]]:
    """Parts by text length in characters: (name, bool (examples)); each limit belongs to the part below it."""
    for low, high in itertools.pairwise([0, *limits]):
        yield f"{low + 1} to {high} characters", (sizes > low) & (sizes <= high)
    longest = limits[-1] if limits else 0
    yield f"over {longest} characters", sizes > longest


def voting(counts: np.ndarray, most: int) -> Iterator[tuple[str, np.ndarray]]:
    """Parts by the number of voting sources, from none to `most` and more: (name, bool (examples))."""
    yield "none", counts == 0
    for number in range(1, most):
        yield str(number), counts == number
    yield f"{most} and more", counts >= most


def _metric(figure: metrics.Figure, *, of: str, where: str) -> Metric:
    return Metric(
        metric=figure.metric,
        of=of,
        slice=where,
        value=_text(figure.value),
        low=_text(figure.low),
        high=_text(figure.high),
        examples=figure.examples,
    )


def _share(metric: str, hits: np.ndarray, *, of: str, where: str) -> Metric:
    """A share with its Wilson interval."""
    right, count = int(hits.sum()), len(hits)
    bounds = metrics.wilson(right, count) if count else (None, None)
    figure = metrics.Figure(metric, right / count if count else None, *bounds, count)
    return _metric(figure, of=of, where=where)


def _bin(bar: metrics.ReliabilityBin, *, of: str, where: str) -> Bin:
    return Bin(
        of=of,
        slice=where,
        low=decimal(bar.low),
        high=decimal(bar.high),
        confidence=_text(bar.confidence),
        accuracy=_text(bar.accuracy),
        examples=bar.examples,
    )


def _text(value: float | None) -> str | None:
    return None if value is None else decimal(value)
