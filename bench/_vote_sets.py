"""Which votes do label models compete on? Made by processes that are written down here, so that every true label is known.

Notation: an example has a class y, drawn from the class balance; source j votes v, or is silent. U(a, b) is uniform. Every
draw comes from one generator, seeded by the name of the process, the number of classes and the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SILENT = -1
ROWS = 5000
#: how many classes the sets of every process have
CLASSES = (2, 3, 5)
#: seeds on which settings were compared, and seeds that no setting has seen: figures are told of the latter alone
TUNING, TOLD = range(10), range(100, 105)


@dataclass(frozen=True, eq=False)
class VoteSet:
    """`votes` int8 (rows x sources) and `gold` int8 (rows), of `classes` classes."""

    name: str
    process: str
    classes: int
    votes: np.ndarray
    gold: np.ndarray


def independent(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Ten sources that err by themselves, as data programming supposes (Ratner et al. 2016).

    Balanced classes. Source j votes with probability U(.1, .7), is right with probability U(.5, .9), and names each
    other class equally often where it is wrong.
    """
    gold = draw.integers(0, classes, rows)
    return _sources(draw, gold, classes, sources=10), gold


def correlated(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """A leader and three that copy it (Bach et al. 2017 learn such structures).

    Ten sources as in `independent`; then sources 1 to 3 repeat what source 0 says or leaves unsaid, each on 80 % of the
    rows, drawn anew for each of them, and say their own on the rest.
    """
    gold = draw.integers(0, classes, rows)
    votes = _sources(draw, gold, classes, sources=10)
    for j in (1, 2, 3):
        votes[:, j] = np.where(draw.random(rows) < 0.8, votes[:, 0], votes[:, j])
    return votes, gold


def one_sided(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Keywords and patterns: each source can name one class only, or say nothing.

    Balanced classes, five sources a class. A source of class k votes on an example of class k with probability
    r ~ U(.1, .4), and on any other with probability r f / (classes - 1), where f ~ U(.1, .8).
    """
    gold = draw.integers(0, classes, rows)
    return _keywords(draw, gold, classes), gold


def unbalanced(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Rare classes: class k is 1/4 as frequent as class k - 1; the sources are those of `independent`."""
    balance = 0.25 ** np.arange(classes)
    gold = draw.choice(classes, rows, p=balance / balance.sum())
    return _sources(draw, gold, classes, sources=10), gold


def sparse(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Fifty sources of which one or two vote on an example: each votes with probability U(.01, .06); balanced classes."""
    gold = draw.integers(0, classes, rows)
    return _sources(draw, gold, classes, sources=50, covers=(0.01, 0.06)), gold


def crowd(draw: np.random.Generator, classes: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Hammers and spammers (Karger, Oh and Shah 2011): 150 workers, five of them asked about each example.

    Balanced classes. A worker is asked in proportion to 1 / rank, as few workers do most of the work. Three in ten answer
    at random; the others are right with probability U(.6, .95). A wrong answer names any other class.
    """
    gold = draw.integers(0, classes, rows)
    workers = 150
    right = np.where(draw.random(workers) < 0.3, 1 / classes, draw.uniform(0.6, 0.95, workers))
    share = 1 / (1 + draw.permutation(workers))
    # Five without repetition, in proportion to the shares: the smallest of exponential waiting times.
    asked = np.argpartition(draw.exponential(1.0, (rows, workers)) / share, 5, axis=1)[:, :5]
    votes = np.full((rows, workers), SILENT)
    chosen = np.take(right, asked)
    said = np.where(draw.random(asked.shape) < chosen, gold[:, None], _other(draw, gold[:, None], classes, asked.shape))
    np.put_along_axis(votes, asked, said, axis=1)
    return votes, gold


def weak(
    draw: np.random.Generator,
    rows: int,
    *,
    sources: int,
    right: tuple[float, float],
    rare: float,
    covers: tuple[float, float] = (1.0, 1.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Few sources that err by themselves, little better than chance, and a class that is rare: two classes."""
    gold = (draw.random(rows) < rare).astype(np.int8)
    return _sources(draw, gold, 2, sources=sources, covers=covers, right=right), gold


def rare_one_sided(draw: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The sources of `one_sided` with two classes, of which one has a fifth of the rows."""
    gold = (draw.random(rows) < 0.2).astype(np.int8)
    return _keywords(draw, gold, 2), gold


PROCESSES: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    process.__name__: process for process in (independent, correlated, one_sided, unbalanced, sparse, crowd)
}


def made(process: str, classes: int, seed: int, rows: int = ROWS) -> VoteSet:
    """One set: the same on every machine."""
    draw = np.random.default_rng([zlib.crc32(process.encode()), classes, seed])
    votes, gold = PROCESSES[process](draw, classes, rows)
    name = f"{process}, {classes} classes, seed {seed}"
    return VoteSet(name, process, classes, votes.astype(np.int8), gold.astype(np.int8))


def generated(seeds: Sequence[int] = TOLD, *, rows: int = ROWS) -> Iterator[VoteSet]:
    """Every process with each number of classes and each seed."""
    for process in PROCESSES:
        for classes in CLASSES:
            for seed in seeds:
                yield made(process, classes, seed, rows)


#: sets on which a label model has little to learn from: seeds that no setting has seen, and how many rows
SMALL_SEEDS, SMALL = range(200, 220), (300, 1000)
WEAK: dict[str, dict[str, Any]] = {
    "5 sources right on .55 to .75, classes 90 to 10": {"sources": 5, "right": (0.55, 0.75), "rare": 0.1},
    "the same, each on half of the rows": {"sources": 5, "right": (0.55, 0.75), "rare": 0.1, "covers": (0.5, 0.5)},
    "3 sources right on .6 to .8, classes 80 to 20": {"sources": 3, "right": (0.6, 0.8), "rare": 0.2},
    "the same, each on 30 to 80 % of the rows": {"sources": 3, "right": (0.6, 0.8), "rare": 0.2, "covers": (0.3, 0.8)},
    "6 sources right on .45 to .62, classes 70 to 30": {"sources": 6, "right": (0.45, 0.62), "rare": 0.3},
}


def small_and_weak(seeds: Sequence[int] = SMALL_SEEDS) -> Iterator[tuple[str, VoteSet]]:
    """Few rows, few or weak sources, a rare class: each set beside the name of its group."""
    for rows in SMALL:
        for process in PROCESSES:
            for seed in seeds[:5]:
                for classes in CLASSES:
                    yield f"{process}, {rows} rows", made(process, classes, seed, rows)
    for name, setting in WEAK.items():
        for seed in seeds:
            draw = np.random.default_rng([zlib.crc32(name.encode()), seed])
            votes, gold = weak(draw, SMALL[-1], **setting)
            yield name, VoteSet(f"{name}, seed {seed}", "weak", 2, votes.astype(np.int8), gold)
    for seed in seeds:
        votes, gold = rare_one_sided(np.random.default_rng([zlib.crc32(b"rare, one-sided"), seed]), SMALL[-1])
        name = "one-sided, classes 80 to 20"
        yield name, VoteSet(f"{name}, seed {seed}", "weak", 2, votes.astype(np.int8), gold)


def of_the_reference(folder: Path = Path("artifacts")) -> Iterator[VoteSet]:
    """The four domains of the reference project, each by itself; gold is the sign of the mean human rating, 0 left out."""
    import polars as pl

    from governance.votes.table import read_votes

    examples = pl.read_parquet(folder / "data/screened.parquet").filter(pl.col("rating") != 0)
    table = read_votes(folder / "votes/votes.parquet").wide()
    votes = pl.DataFrame({"example_id": table.ids, "row": pl.int_range(len(table.ids), eager=True)})
    joined = examples.join(votes, on="example_id", how="inner").sort("example_id")
    for domain in sorted(joined["domain"].unique()):
        here = joined.filter(pl.col("domain") == domain)
        matrix = table.matrix[here["row"].to_numpy()]
        yield VoteSet(domain, "reference", len(table.classes), matrix, here["gold"].to_numpy().astype(np.int8))


def _keywords(draw: np.random.Generator, gold: np.ndarray, classes: int) -> np.ndarray:
    """Votes, rows x sources, of five sources a class that name nothing else."""
    columns = []
    for k in np.repeat(np.arange(classes), 5):
        right, false = draw.uniform(0.1, 0.4), draw.uniform(0.1, 0.8)
        speaks = draw.random(len(gold)) < np.where(gold == k, right, right * false / (classes - 1))
        columns.append(np.where(speaks, k, SILENT))
    return np.column_stack(columns)


def _sources(
    draw: np.random.Generator,
    gold: np.ndarray,
    classes: int,
    *,
    sources: int,
    covers: tuple[float, float] = (0.1, 0.7),
    right: tuple[float, float] = (0.5, 0.9),
) -> np.ndarray:
    """Votes, rows x sources, of sources that err by themselves and alike on all classes."""
    columns = []
    for _ in range(sources):
        covered, accuracy = draw.uniform(*covers), draw.uniform(*right)
        said = np.where(draw.random(len(gold)) < accuracy, gold, _other(draw, gold, classes, gold.shape))
        columns.append(np.where(draw.random(len(gold)) < covered, said, SILENT))
    return np.column_stack(columns)


def _other(draw: np.random.Generator, gold: np.ndarray, classes: int, shape: tuple[int, ...]) -> np.ndarray:
    """A class that is not the true one, each equally likely."""
    return (gold + draw.integers(1, classes, shape)) % classes
