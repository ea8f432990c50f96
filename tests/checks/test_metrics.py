from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from governance.checks import metrics
from governance.errors import InvalidRecord


def drawn(count: int, classes: int, seed: int):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(classes), size=count)
    return rng.integers(0, classes, count), proba.argmax(axis=1), proba


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 10_000))
def test_figures_equal_an_independent_implementation(count, classes, seed):
    """Accuracy and macro precision, recall and F1 are those of scikit-learn, classes that nobody names included."""
    gold, predicted, proba = drawn(count, classes, seed)
    found = {figure.metric: figure for figure in metrics.figures(gold, predicted, proba, seed=0, resamples=2)}
    expected = precision_recall_fscore_support(gold, predicted, average="macro", zero_division=0)
    assert found["accuracy"].value == pytest.approx(accuracy_score(gold, predicted))
    for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
        assert found[name].value == pytest.approx(value)
    assert {figure.examples for figure in found.values()} == {count}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(2, 4), st.integers(1, 12), st.integers(0, 10_000))
def test_the_calibration_error_is_that_of_a_loop_over_bins(count, classes, bins, seed):
    """ECE and reliability bins equal a plain loop, every example stands in one bin, and edges run from 1/classes to 1."""
    gold, predicted, proba = drawn(count, classes, seed)
    bars = metrics.reliability(gold, predicted, proba, bins=bins)
    assert sum(bar.examples for bar in bars) == count
    assert (bars[0].low, bars[-1].high) == (1 / classes, 1.0)
    error = 0.0
    for index, bar in enumerate(bars):
        inside = [
            i
            for i in range(count)
            if (proba[i, predicted[i]] > bar.low or index == 0)
            and (proba[i, predicted[i]] <= bar.high or index == bins - 1)
        ]
        assert bar.examples == len(inside)
        if not inside:
            assert (bar.confidence, bar.accuracy) == (None, None)
            continue
        confidence = sum(proba[i, predicted[i]] for i in inside) / len(inside)
        accuracy = sum(gold[i] == predicted[i] for i in inside) / len(inside)
        assert bar.confidence == pytest.approx(confidence)
        assert bar.accuracy == pytest.approx(accuracy)
        error += abs(confidence - accuracy) * len(inside) / count
    (ece,) = [f for f in metrics.figures(gold, predicted, proba, seed=0, resamples=1, bins=bins) if f.metric == "ece"]
    assert ece.value == pytest.approx(error)


def test_wilson_gives_the_published_interval():
    """15 of 20 and the two ends give the intervals of the formula's own tables."""
    assert metrics.wilson(15, 20) == pytest.approx((0.5313, 0.8881), abs=1e-4)
    assert metrics.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert metrics.wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert metrics.wilson(0, 10)[0] == 0.0
    assert metrics.wilson(10, 10)[1] == 1.0
    for right, count in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(InvalidRecord, match="right, count"):
            metrics.wilson(right, count)


def test_intervals_hold_their_figure_and_shrink_with_more_examples():
    """Every interval holds what it bounds, and ten times as many examples narrow it."""
    widths = []
    for copies in (1, 10):
        gold, predicted, proba = (np.concatenate([part] * copies) for part in drawn(200, 2, 1))
        found = metrics.figures(gold, predicted, proba, seed=3)
        for figure in found[:4]:
            assert figure.low is not None and figure.high is not None and figure.value is not None
            assert figure.low < figure.value < figure.high
        widths.append([(figure.high or 0) - (figure.low or 0) for figure in found])
    assert all(many < few / 2 for few, many in zip(*widths, strict=True))


def simulated_confidence(kind, count, rng):
    """Confidences of two classes: spread out, or mostly near 1."""
    return rng.uniform(0.6, 0.95, count) if kind == "spread" else 0.5 + rng.beta(8, 1, count) / 2


@pytest.mark.parametrize(
    ("kind", "count", "shift"),
    [("spread", 800, 0.0), ("spread", 800, 0.03), ("spread", 800, 0.1), ("spread", 100, 0.05), ("near 1", 100, 0.0)],
)
def test_the_interval_of_the_calibration_error_holds_the_true_one(kind, count, shift):
    """In at least 90 % of 100 simulated samples the interval holds the population's error (stated 95 %, seeded)."""
    rng = np.random.default_rng(11)
    many = simulated_confidence(kind, 200_000, rng)
    # A shift of one sign gives each bin a gap of that sign, so that bins do not matter to the true error.
    true = float(np.mean(many - np.clip(many - shift, 0, 1)))
    held = 0
    for sample in range(100):
        confidence = simulated_confidence(kind, count, rng)
        right = rng.random(count) < confidence - shift
        proba = np.stack([confidence, 1 - confidence], axis=1)
        gold = np.where(right, 0, 1)
        figure = metrics.figures(gold, np.zeros(count, dtype=int), proba, seed=sample, resamples=100)[-1]
        assert figure.low is not None and figure.high is not None and figure.value is not None
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
        held += figure.low <= true <= figure.high
    assert held >= 90


def test_the_interval_of_the_calibration_error_says_something():
    """A model that is plainly overconfident gets a lower bound above 0, and an upper one not far above its error."""
    rng = np.random.default_rng(4)
    confidence = rng.uniform(0.6, 0.95, 2000)
    gold = np.where(rng.random(2000) < confidence - 0.1, 0, 1)
    proba = np.stack([confidence, 1 - confidence], axis=1)
    figure = metrics.figures(gold, np.zeros(2000, dtype=int), proba, seed=0)[-1]
    assert 0.04 < (figure.low or 0) < 0.1 < (figure.high or 0) < 0.15


def test_the_seed_decides_the_intervals():
    """The same seed gives the same figures, another seed other bootstrap intervals and the same values."""
    given_ = drawn(100, 2, 2)
    one, again, other = (metrics.figures(*given_, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert [f.value for f in one] == [f.value for f in other]


def test_no_examples_have_no_figures():
    """An empty slice has no value and no interval for any metric, and empty bins."""
    nothing = (np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty((0, 2)))
    assert [(f.value, f.low, f.high, f.examples) for f in metrics.figures(*nothing, seed=0)] == [
        (None, None, None, 0)
    ] * 5
    assert {bar.examples for bar in metrics.reliability(*nothing)} == {0}


HALF = np.array([[0.5, 0.5]])


@pytest.mark.parametrize(
    ("gold", "predicted", "proba", "options", "field"),
    [
        ([0, 1], [0], HALF, {}, "gold"),
        ([0], [0, 1], HALF, {}, "predicted"),
        ([2], [0], HALF, {}, "gold"),
        ([0], [-1], HALF, {}, "predicted"),
        ([0.5], [0], HALF, {}, "gold"),
        ([0], [0], HALF[0], {}, "proba"),
        ([0], [0], np.array([[0.7, 0.7]]), {}, "proba"),
        ([0], [0], np.array([[1.5, -0.5]]), {}, "proba"),
        ([0], [0], np.array([[np.nan, 1.0]]), {}, "proba"),
        ([0], [0], HALF, {"resamples": 0}, "resamples"),
        ([0], [0], HALF, {"bins": 0}, "bins"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(gold, predicted, proba, options, field):
    """Other lengths, unknown classes, and numbers that are no probabilities are refused."""
    with pytest.raises(InvalidRecord) as caught:
        metrics.figures(np.array(gold), np.array(predicted), proba, seed=0, **options)
    assert caught.value.field == field
