"""Which sources err together, and how much less does each of them count for it?

Two sources that err by themselves agree as often as their accuracies let them. Where classes are balanced and errors alike,
(agreement - 1/K) / (1 - 1/K) of two sources is a product, u_i u_j, of one number a source (Platanios et al. 2014 and Fu et
al. 2020 find accuracies so, without a label). Here u_i is the median over j of what each pair says of it, which a few pairs
of copies cannot move. What a pair agrees beyond that product, as a share of what it could, is what they have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: so many rows two sources must share before their agreement is looked at, and so many sources there must be
_SHARED, _FEWEST = 30, 4
#: common errors count where they are so many standard errors above nothing, and from this share
_SURE, _LEAST = 4.0, 0.3
#: bounds of u, and how often it is made anew, unless nothing moves by more than the last
_LOWEST, _HIGHEST, _ROUNDS, _STILL = 0.05, 0.98, 60, 1e-4
#: digits of a voice: how a sum was added up cannot be seen in them
_DIGITS = 6


def voices(patterns: np.ndarray, weights: np.ndarray, *, classes: int, judged: np.ndarray) -> np.ndarray:
    """1 / (1 + the shares of errors that a source has in common with others), float64 (sources): copies share one voice.

    patterns: int8 (patterns x sources); weights: (patterns). Only sources in `judged`, bool (sources), are looked at:
    those that name all classes. Of two sources that can name one class each, agreement says nothing.
    """
    import numpy as np

    found = np.ones(patterns.shape[1])
    if judged.sum() < _FEWEST:
        return found
    shared, agreed = _pairs(np.ascontiguousarray(patterns[:, judged]), weights.astype(np.float64), classes=classes)
    seen = shared >= _SHARED
    np.fill_diagonal(seen, val=False)
    if not seen.any():
        return found
    many = np.maximum(shared, 1.0)
    beyond = (agreed / many - 1 / classes) * classes / (classes - 1)
    alone = _alone(np.where(seen, beyond, np.nan))
    expected = alone[:, None] * alone[None, :]
    common = (beyond - expected - _SURE / np.sqrt(many)) / (1 - expected)
    common = np.where(seen & (common >= _LEAST), np.minimum(common, 1.0), 0.0)
    found[judged] = np.round(1 / (1 + common.sum(axis=1)), _DIGITS)
    return found


def _alone(beyond: np.ndarray) -> np.ndarray:
    """u, float64 (sources), from the agreement beyond chance, sources x sources, NaN where it was not looked at."""
    import numpy as np

    known = ~np.isnan(beyond)
    u = np.full(len(beyond), np.sqrt(max(float(np.median(beyond[known])), _LOWEST**2)))
    some = np.flatnonzero(known.any(axis=1))
    # NaN is sorted behind every number, so that the median of a row stands in the middle of what is known there.
    many, first = known[some].sum(axis=1), np.arange(len(some)) * len(beyond)
    below, above, beyond = first + (many - 1) // 2, first + many // 2, beyond[some]
    for _ in range(_ROUNDS):
        told = beyond / u
        told.sort(axis=1)
        middle = (told.take(below) + told.take(above)) / 2
        # Half of the way, in logarithms: two sources that explain each other would swing for ever.
        before = u[some]
        moved = np.sqrt(before * np.minimum(np.maximum(middle, _LOWEST), _HIGHEST))
        u[some] = moved
        if np.abs(moved - before).max() <= _STILL:
            break
    return u


def _pairs(patterns: np.ndarray, weights: np.ndarray, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """On how many rows two sources vote both, and say the same, float64 (sources x sources) each."""
    import numpy as np

    rows, sources = patterns.shape
    votes = (patterns >= 0).sum(axis=1).astype(np.float64)
    # What a pair of votes costs a sparse product is some ten times what a cell costs a dense one.
    if 10 * float((votes**2).sum()) < rows * sources**2:
        return _sparse_pairs(patterns, weights, classes=classes)
    shared, agreed = (np.zeros((sources, sources)) for _ in range(2))
    step = max(1, (1 << 20) // sources)
    for start in range(0, rows, step):
        block, weight = np.ascontiguousarray(patterns[start : start + step].T), weights[start : start + step]
        # Whole numbers below 2^24 are exact as short floats, and so are their sums.
        exact = np.float32 if float(weight.sum()) < 1 << 24 and (weight == np.floor(weight)).all() else np.float64
        weight = weight.astype(exact)
        for said, total in ((block >= 0, shared), *((block == k, agreed) for k in range(classes))):
            cells = said.astype(exact)
            np.add(total, (cells * weight) @ cells.T, out=total)
    return shared, agreed


def _sparse_pairs(patterns: np.ndarray, weights: np.ndarray, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The same, where few sources vote on a row: a cell for every source and what it says."""
    import numpy as np
    from scipy.sparse import csr_array

    row, source = np.nonzero(patterns >= 0)
    starts = np.searchsorted(row, np.arange(len(patterns) + 1))
    cell = source * classes + patterns[row, source]
    width = patterns.shape[1] * classes
    said = csr_array((np.ones(len(row)), cell, starts), shape=(len(patterns), width))
    weighted = csr_array((weights[row], cell, starts), shape=(len(patterns), width))
    both = (weighted.T @ said).tocoo()
    (one, first), (other, second) = (np.divmod(side, classes) for side in (both.row, both.col))
    place = one * patterns.shape[1] + other
    shape = (patterns.shape[1], patterns.shape[1])
    shared = np.bincount(place, both.data, minlength=shape[0] ** 2).reshape(shape)
    agreed = np.bincount(place, both.data * (first == second), minlength=shape[0] ** 2).reshape(shape)
    return shared, agreed
