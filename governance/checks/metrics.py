"""How well do predictions meet gold, and how sure can one be of each figure?

Accuracy has a Wilson interval; precision, recall and F1 (means over the classes that gold or predictions name, each
class counting the same) have percentile intervals of a seeded bootstrap over examples. The calibration error is stated
as measured, and has an interval that is wider than it need be rather than too narrow (see `_ece_interval`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np

METRICS = ("accuracy", "precision", "recall", "f1", "ece")
#: two-sided 95 % of the standard normal distribution
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Figure:
    """One metric over so many examples with its 95 % interval; None where there was nothing to measure."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    examples: int


@dataclass(frozen=True)
class ReliabilityBin:
    """Examples whose confidence lies in (low, high], the first bin with its low edge; None where it holds none."""

    low: float
    high: float
    confidence: float | None
    accuracy: float | None
    examples: int


def figures(
    gold: np.ndarray, predicted: np.ndarray, proba: np.ndarray, *, seed: int, resamples: int = 500, bins: int = 10
) -> tuple[Figure, ...]:
    """Every metric of METRICS, in that order.

    gold and predicted: class indices (examples); proba: probabilities, examples x classes. Raises InvalidRecord where
    they do not fit together.
    """
    import numpy as np

    gold, predicted, proba = _checked(gold, predicted, proba)
    count, classes = proba.shape
    if resamples < 1:
        raise InvalidRecord("resamples", resamples, "at least one resample")
    if not count:
        return tuple(Figure(name, None, None, None, 0) for name in METRICS)
    random = np.random.default_rng(seed)
    right = int((gold == predicted).sum())
    found = [Figure("accuracy", right / count, *wilson(right, count), count)]
    confusion = np.bincount(gold * classes + predicted, minlength=classes * classes)
    # Drawing examples again and counting pairs (gold, predicted) is drawing the counts from a multinomial distribution.
    again = random.multinomial(count, confusion / count, size=resamples)
    values, spread = _by_class(confusion[None, :], classes)[0], _by_class(again, classes)
    for index, name in enumerate(("precision", "recall", "f1")):
        found.append(Figure(name, float(values[index]), *_interval(spread[:, index]), count))
    place, confidence = _placed(predicted, proba, bin_edges(classes, bins))
    gap = confidence - (gold == predicted)
    error = float(np.abs(_gaps(place, gap, bins)).sum())
    found.append(Figure("ece", error, *_ece_interval(place, gap, confidence, bins, random, resamples), count))
    return tuple(found)


def wilson(right: float, count: float, *, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share (E. B. Wilson, 1927). Raises InvalidRecord without examples.

    Counts may be effective ones, which are no whole numbers.
    """
    if not 0 <= right <= count or not count:
        raise InvalidRecord("right, count", [right, count], "from 0 to count right of at least one")
    share = right / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # At the ends the interval touches 0 and 1 exactly, which rounding would miss.
    low = 0.0 if right == 0 else (centre - spread) / (1 + z * z / count)
    high = 1.0 if right == count else (centre + spread) / (1 + z * z / count)
    return low, high


def reliability(
    gold: np.ndarray, predicted: np.ndarray, proba: np.ndarray, *, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Confidence beside accuracy, in equally wide bins of P(predicted class) from 1/classes, where guessing stands."""
    import numpy as np

    gold, predicted, proba = _checked(gold, predicted, proba)
    edges = bin_edges(proba.shape[1], bins)
    place, confidence = _placed(predicted, proba, edges)
    number = np.bincount(place, minlength=bins)
    sure = np.bincount(place, weights=confidence, minlength=bins)
    right = np.bincount(place, weights=gold == predicted, minlength=bins)
    return tuple(
        ReliabilityBin(
            low=float(edges[index]),
            high=float(edges[index + 1]),
            confidence=float(sure[index] / number[index]) if number[index] else None,
            accuracy=float(right[index] / number[index]) if number[index] else None,
            examples=int(number[index]),
        )
        for index in range(bins)
    )


def bin_edges(classes: int, bins: int) -> np.ndarray:
    """The edges of `bins` equally wide bins from 1/classes to 1, float64 (bins + 1)."""
    import numpy as np

    if bins < 1:
        raise InvalidRecord("bins", bins, "at least one bin")
    return np.linspace(1 / classes, 1.0, bins + 1)


def _placed(predicted: np.ndarray, proba: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each example and P(predicted class), both (examples)."""
    import numpy as np

    confidence = np.take_along_axis(proba, predicted[:, None], axis=1)[:, 0]
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2), confidence


def _gaps(place: np.ndarray, gap: np.ndarray, bins: int) -> np.ndarray:
    """Confidence less accuracy of each bin, weighted by its share of examples; ECE is the sum of what these amount to."""
    import numpy as np

    return np.bincount(place, weights=gap, minlength=bins) / len(gap)


def _ece_interval(
    place: np.ndarray,
    gap: np.ndarray,
    confidence: np.ndarray,
    bins: int,
    random: np.random.Generator,
    resamples: int,
) -> tuple[float, float]:
    """Bounds of the calibration error of the population in these bins; each fails in at most about 2.5 % of samples.

    Measured gaps are true gaps plus noise, and noise cannot cancel between bins, so the measured error lies above the
    true one on average. Two facts bound the true one all the same, with |x| for the sum of absolute values over bins:
    |measured| <= |true| + |noise|, so |measured| less the 97.5 % quantile of |noise| is a lower bound; and
    |measured| >= |true| + sign(true) * noise, so |measured| plus 1.96 times the greatest standard error of a signed sum
    of gaps is an upper one. |noise| is taken as the greater of two: examples drawn again, and outcomes drawn from the
    confidence as if it were right, which holds where a few examples happen to agree. Four examples, two of them wholly
    wrong, are added to the standard error for the same reason (as Agresti and Coull, 1998, do for shares).
    """
    import numpy as np

    count, measured = len(gap), _gaps(place, gap, bins)
    again, calibrated = np.empty(resamples), np.empty(resamples)
    for index in range(resamples):
        drawn = random.integers(0, count, count)
        again[index] = np.abs(_gaps(place[drawn], gap[drawn], bins) - measured).sum()
        right = random.random(count) < confidence
        calibrated[index] = np.abs(_gaps(place, confidence - right, bins)).sum()
    noise = max(float(np.quantile(again, 0.975)), float(np.quantile(calibrated, 0.975)))
    error = float(np.abs(measured).sum())
    standard = math.sqrt((float(np.square(gap).sum()) + 2) / (count + 4) / (count + 4))
    return max(0.0, error - noise), min(1.0, error + Z_95 * standard)


def _by_class(confusion: np.ndarray, classes: int) -> np.ndarray:
    """Macro precision, recall and F1 (sets x 3) of flat confusion counts (sets x classes²).

    A class that gold has and no prediction names has precision 0, one that is only predicted recall 0.
    """
    import numpy as np

    table = confusion.reshape(-1, classes, classes).astype(np.float64)
    right, actual, named = np.diagonal(table, axis1=1, axis2=2), table.sum(axis=2), table.sum(axis=1)
    there = (actual + named) > 0
    parts = (right / np.maximum(named, 1), right / np.maximum(actual, 1), 2 * right / np.maximum(actual + named, 1))
    return np.stack([part.sum(axis=1) / there.sum(axis=1) for part in parts], axis=1)


def _interval(spread: np.ndarray) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(spread, [0.025, 0.975])
    return float(low), float(high)


def _checked(gold: np.ndarray, predicted: np.ndarray, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import numpy as np

    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or proba.shape[1] < 2:
        raise InvalidRecord("proba", list(proba.shape), "probabilities, examples x classes")
    if proba.size and not (proba.min() >= 0 and np.abs(proba.sum(axis=1) - 1).max() <= 1e-6):
        raise InvalidRecord("proba", "other numbers", "rows of probabilities that sum to 1")
    checked = []
    for name, given in (("gold", np.asarray(gold)), ("predicted", np.asarray(predicted))):
        if given.shape != (len(proba),):
            raise InvalidRecord(name, list(given.shape), f"one class index for each of {len(proba)} examples")
        if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= proba.shape[1]):
            raise InvalidRecord(name, str(given.dtype), f"class indices from 0 to {proba.shape[1] - 1}")
        checked.append(given.astype(np.int64))
    return checked[0], checked[1], proba
