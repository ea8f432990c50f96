"""How long do all leave-one-out counterfactuals of 20 sources on 1,000,000 rows take?

Votes are made by a process that leaves hardly two rows alike, which is the most that a method on patterns can be asked:
two classes (30 and 70 %); a source votes on 20 to 60 % of the rows, each row by itself, and is right on 58 to 90 % of them.
Beside them stands a matrix as sources that look for words give it: 400 different rows of the first one, drawn with
frequencies that fall as those of words do.

The clock starts with the matrix and a fitted label model. It stops when the labels of every row are known without each
source in turn, with the tables as they are and with the label model fitted again, from its start to its own tolerance.
Finding the patterns is part of it. Beside it stands one of these refits by the public interface, on the matrix without
that column, and whether it gives the same.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from governance.labelmodels.counterfactual import Counterfactuals, counterfactuals
from governance.labelmodels.dawid_skene import DawidSkene

ROWS, SOURCES, ALIKE = 1_000_000, 20, 400


def measure() -> dict[str, Any]:
    """Seconds, patterns, iterations and flips on both matrices, and the greatest difference from a refit by itself."""
    every = independent()
    told = {"most rows a pattern": _measured(every), "few patterns": _measured(_few(every))}
    return {"rows": ROWS, "sources": SOURCES, "threads": _threads(), **told}


def independent(rows: int = ROWS, sources: int = SOURCES, seed: int = 20) -> np.ndarray:
    """Votes of sources that err each by itself, int8 (rows x sources)."""
    draw = np.random.default_rng(seed)
    truth = (draw.random(rows) < 0.7).astype(np.int8)
    matrix = np.full((rows, sources), -1, dtype=np.int8)
    for j in range(sources):
        covers = 0.2 + 0.4 * j / (sources - 1)
        right = 0.58 + 0.32 * ((7 * j) % sources) / (sources - 1)
        chance = draw.random(rows, dtype=np.float32)
        matrix[:, j] = np.where(chance < covers * right, truth, np.where(chance < covers, 1 - truth, -1))
    return matrix


def _few(matrix: np.ndarray) -> np.ndarray:
    draw = np.random.default_rng(21)
    share = 1 / np.arange(1, ALIKE + 1)
    return np.ascontiguousarray(matrix[draw.choice(ALIKE, size=len(matrix), p=share / share.sum())])


def _threads() -> int:
    return min(2, os.cpu_count() or 1)


def _measured(matrix: np.ndarray) -> dict[str, Any]:
    began = time.perf_counter()
    model = DawidSkene().fit(matrix, n_classes=2)
    fitted = time.perf_counter() - began
    began, busy = time.perf_counter(), time.process_time()
    found = counterfactuals(model, matrix, threads=_threads())
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return {
        "seconds": round(seconds, 2),
        "seconds of the processor": round(busy, 2),
        "seconds of the one fit with all sources": round(fitted, 2),
        "patterns": len(found.counts),
        "iterations, all models": sum(one.model.iterations_ for one in found.each if isinstance(one.model, DawidSkene)),
        "rows whose label changes, frozen": [found.changed(one.frozen) for one in found.each],
        "rows whose label changes, refitted": [
            found.changed(one.refitted) if one.refitted is not None else None for one in found.each
        ],
        "one refit by itself": _beside(matrix, found, place=SOURCES // 2),
    }


def _beside(matrix: np.ndarray, found: Counterfactuals, *, place: int) -> dict[str, Any]:
    one, kept = found.each[place], np.arange(matrix.shape[1]) != place
    assert one.refitted is not None
    assert isinstance(one.model, DawidSkene)
    began = time.perf_counter()
    alone = DawidSkene().fit(np.ascontiguousarray(matrix[:, kept]), n_classes=2)
    labels = alone.predict(np.ascontiguousarray(matrix[:, kept]))
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "labels that differ": int((labels != one.refitted[found.inverse]).sum()),
        "greatest difference of log P(vote | class)": float(
            np.abs(one.model.log_likelihood_ - alone.log_likelihood_).max()
        ),
    }
