"""Pairs of label sets whose differences are known, as files and records, for tests of `diff LABELS LABELS`."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from governance.config import Config, read_config
from governance.digest import canonical, decimal, file_digest, parse_canonical
from governance.facts import Facts
from governance.labelmodels import load
from governance.labelmodels._base import TIE, FittedLabelModel, normalised
from governance.labelmodels.dawid_skene import DawidSkene
from governance.parquet import content_digest, read_table, write_table
from governance.project.label_sets import LabelSet
from governance.records import Dataset, FileRef, LabelModel, Labels, Recipe, Record, Result, Votes
from governance.votes.analysis import vote_counts
from governance.votes.table import VoteTable, write_votes

CLASSES = ("no", "perhaps", "yes")
NUMBERS = 400


@dataclass(frozen=True)
class World:
    """What a label set comes from: text numbers by id, source versions by column, and how the label model is fitted."""

    texts: dict[str, int]
    sources: dict[str, int]
    classes: tuple[str, ...] = CLASSES
    strength: float = 20.0
    balance: tuple[float, ...] | None = None
    fit_domains: tuple[str, ...] = ()
    luck: int = 0
    #: votes that no book gives: (id, column) -> vote
    amended: dict[tuple[str, str], int] = field(default_factory=dict)

    def book(self, column: str) -> np.ndarray:
        """What a source version says of every text, int8."""
        return _book(self.luck, column, self.sources[column], len(self.classes))

    def vote(self, example: str, column: str) -> int:
        if (example, column) in self.amended:
            return self.amended[example, column]
        return int(self.book(column)[self.texts[example]])

    def table(self) -> VoteTable:
        ids, numbers = list(self.texts), np.array(list(self.texts.values()), dtype=np.int64)
        matrix = np.stack([self.book(column)[numbers] for column in self.sources], axis=1)
        rows, columns = {one: i for i, one in enumerate(ids)}, {one: j for j, one in enumerate(self.sources)}
        for (example, column), vote in self.amended.items():
            if example in rows and column in columns:
                matrix[rows[example], columns[column]] = vote
        return VoteTable(ids, tuple(self.sources), tuple(map(self.version, self.sources)), self.classes, matrix)  # type: ignore[arg-type]

    def version(self, column: str) -> str:
        return "source:" + hashlib.sha256(f"{column} {self.sources[column]}".encode()).hexdigest()

    def fitted(self, table: VoteTable | None = None) -> DawidSkene:
        votes = table or self.table()
        if self.fit_domains:
            votes = votes.take([i for i, one in enumerate(votes.ids.to_list()) if domain(one) in self.fit_domains])
        balance = list(self.balance) if self.balance else None
        return DawidSkene(strength=self.strength, balance=balance, tolerance=1e-2, max_iterations=12).fit(votes)

    def rows(self) -> pl.DataFrame:
        ids = list(self.texts)
        return pl.DataFrame(
            {"example_id": ids, "domain": [domain(i) for i in ids], "text": [f"text {n}" for n in self.texts.values()]}
        )


@lru_cache(maxsize=64)
def _book(luck: int, column: str, version: int, classes: int) -> np.ndarray:
    draw = np.random.default_rng([luck, sum(column.encode()), version])
    gold = np.random.default_rng([luck]).integers(0, classes, NUMBERS)
    wrong = draw.integers(0, classes, NUMBERS)
    said = np.where(draw.random(NUMBERS) < 0.65, gold, wrong)
    return np.where(draw.random(NUMBERS) < 0.6, said, draw.choice([-1, -1, -2, -3], NUMBERS)).astype(np.int8)


def domain(example: str) -> str:
    return "even" if int(example.rpartition("/")[2]) % 2 == 0 else "odd"


def world_of(draw: np.random.Generator, *, luck: int, rows: int = 50, sources: int = 5) -> World:
    return World(
        texts={f"e/{i}": int(draw.integers(NUMBERS)) for i in range(rows)},
        sources={f"s{j}": 0 for j in range(sources)},
        classes=CLASSES[: int(draw.integers(2, 4))],
        luck=luck,
    )


INJECTIONS = ("rows", "text", "source removed", "new source version", "source added", "parameter", "fit rows")


def changed_world(was: World, draw: np.random.Generator, kinds: set[str]) -> World:
    """The same world with some things injected."""
    texts, sources, now = dict(was.texts), dict(was.sources), was
    ids = [str(one) for one in draw.permutation(list(texts))]
    if "rows" in kinds:
        for one in ids[: int(draw.integers(1, 6))]:
            del texts[one]
        texts |= {f"e/{len(was.texts) + i}": int(draw.integers(NUMBERS)) for i in range(int(draw.integers(1, 6)))}
    if "text" in kinds:
        texts |= {one: int(draw.integers(NUMBERS)) for one in ids[10 : 10 + int(draw.integers(3, 12))] if one in texts}
    columns = [str(one) for one in draw.permutation(list(sources))]
    if "source removed" in kinds:
        del sources[columns[0]]
    if "new source version" in kinds:
        for column in columns[1 : int(draw.integers(2, 4))]:
            sources[column] += 1
    if "source added" in kinds:
        sources |= {f"t{j}": 0 for j in range(int(draw.integers(1, 3)))}
    if "parameter" in kinds:
        shares = draw.dirichlet([8.0] * len(was.classes))
        now = replace(now, strength=float(draw.choice([3.0, 60.0, 200.0])))
        now = replace(now, balance=tuple(float(s) for s in shares)) if draw.random() < 0.5 else now
    if "fit rows" in kinds:
        now = replace(now, fit_domains=() if was.fit_domains else ("even",))
    return replace(now, texts=texts, sources=sources)


def label_of(model: DawidSkene, votes: dict[str, int]) -> int:
    """The label of one row by adding up, one number after another."""
    if all(vote < 0 for vote in votes.values()):
        return -1
    scores = [math.log(share) for share in model.balance_]
    for j in model.order_:
        vote = votes[model.columns_[j]]
        if vote >= 0:
            scores = [score + float(model.log_likelihood_[j][k][vote]) for k, score in enumerate(scores)]
    best = max(scores)
    return next(k for k, score in enumerate(scores) if score >= best - TIE * max(1.0, abs(best)))


def causes_by_hand(was: World, now: World, one: DawidSkene, two: DawidSkene) -> dict[str, str]:
    """The cause of every changed row, one row and one step after another, every step for every row."""
    between = replace(now, strength=was.strength, balance=was.balance, fit_domains=was.fit_domains).fitted()
    causes = {example: "removed row" for example in was.texts if example not in now.texts}
    causes |= {example: "new row" for example in now.texts if example not in was.texts}
    shared = sorted(set(was.sources) & set(now.sources))
    for example in sorted(set(was.texts) & set(now.texts)):
        votes = {column: was.vote(example, column) for column in was.sources}
        final = {column: now.vote(example, column) for column in now.sources}
        path = [("", label_of(one, votes))]
        if was.texts[example] != now.texts[example]:
            votes |= {column: final[column] for column in shared}
        path.append(("changed text", label_of(one, votes)))
        for column in sorted(set(was.sources) - set(now.sources)):
            votes[column] = -1
            path.append(("source removed", label_of(one, votes)))
        for column in shared:
            if was.sources[column] != now.sources[column]:
                votes[column] = final[column]
                path.append(("new source version", label_of(one, votes)))
        assert all(max(votes[column], -1) == max(final[column], -1) for column in shared)
        votes = {column: final[column] if column in was.sources else -1 for column in now.sources}
        path += [("refit", label_of(between, votes)), ("parameter", label_of(two, votes))]
        for column in sorted(set(now.sources) - set(was.sources)):
            votes[column] = final[column]
            path.append(("source added", label_of(two, votes)))
        labels = [label for _, label in path]
        if labels[0] != labels[-1]:
            last = max(i for i in range(1, len(path)) if labels[i] == labels[-1] != labels[i - 1])
            causes[example] = path[last][0]
    return causes


def without_a_fit(
    model: FittedLabelModel, was: World, now: World, path: Path, draw: np.random.Generator
) -> FittedLabelModel:
    """The tables of a model under the columns of another world, made-up ones for added sources: nothing is refitted."""
    told = parse_canonical(model.to_bytes()[:-1], where="model")
    assert isinstance(told, dict)
    tables = dict(zip(told["columns"], told["state"]["log_likelihood"], strict=True))
    classes, columns = len(was.classes), list(now.sources)
    for column in columns:
        if column not in tables:
            shares = draw.dirichlet([1.0] * classes, size=classes) * 0.5 + 0.5 * np.eye(classes)
            tables[column] = [[decimal(float(x)) for x in row] for row in np.log(shares)]
    told["columns"], told["sources"] = columns, [now.version(column) for column in columns]
    told["state"]["log_likelihood"] = [tables[column] for column in columns]
    told["state"]["order"] = list(range(len(columns)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(canonical(told) + b"\n")
    return load(path)


def pair_without_a_fit(draw: np.random.Generator, *, luck: int) -> tuple[World, World, dict[str, str]]:
    """Two worlds and what was injected into each row: no two injections meet on a row, and no other row is touched."""
    was = world_of(draw, luck=luck, rows=60, sources=4)
    ids = [str(one) for one in draw.permutation(list(was.texts))]
    parts = {kind: ids[i * 10 : i * 10 + 10] for i, kind in enumerate(INJECTIONS[1:5])}
    injected = {one: kind for kind, some in parts.items() for one in some}
    classes = len(was.classes)

    def votes(column: str, some: list[str]) -> dict[tuple[str, str], int]:
        return {(one, column): int(draw.integers(-1, classes)) for one in some}

    def silent(column: str, but: list[str]) -> dict[tuple[str, str], int]:
        return {(one, column): -1 for one in ids if one not in but}

    gone, replaced = "gone", "s1"
    before = replace(
        was,
        sources={**was.sources, gone: 0},
        amended=silent(gone, parts["source removed"]) | votes(gone, parts["source removed"]),
    )
    # A new version says what the former one said, but for the rows that it was changed for.
    said = {(one, replaced): before.vote(one, replaced) for one in ids}
    after = replace(
        was,
        texts=was.texts | {one: (was.texts[one] + 1) % NUMBERS for one in parts["text"]},
        sources={**was.sources, replaced: 1, "come": 0},
        amended=said
        | {(one, column): int(draw.integers(-1, classes)) for one in parts["text"] for column in was.sources}
        | votes(replaced, parts["new source version"])
        | silent("come", parts["source added"])
        | votes("come", parts["source added"]),
    )
    named = {"text": "changed text"}
    rows = {f"e/{len(ids) + i}": int(draw.integers(NUMBERS)) for i in range(3)}
    texts = {one: number for one, number in after.texts.items() if one not in ids[40:43]} | rows
    amended = after.amended | {(one, replaced): -1 for one in rows} | {(one, "come"): -1 for one in rows}
    injected |= dict.fromkeys(ids[40:43], "removed row") | dict.fromkeys(rows, "new row")
    return before, replace(after, texts=texts, amended=amended), {i: named.get(k, k) for i, k in injected.items()}


def project_of(root: Path) -> Config:
    root.mkdir(parents=True, exist_ok=True)
    (root / "labeltrail.toml").write_text('[project]\nname = "worlds"\n')
    return read_config(root)


def recorded(
    config: Config,
    name: str,
    world: World,
    *,
    model: FittedLabelModel | None = None,
    labels: dict[str, int] | None = None,
) -> tuple[LabelSet, list[Record]]:
    """A world as files below artifacts/NAME and the records that name them. `labels` are written in the place of others."""
    folder = config.root / "artifacts" / name
    rows, table = world.rows(), world.table()
    fitted = model or world.fitted(table)
    paths = {what: folder / f"{what}.parquet" for what in ("rows", "votes", "labels")} | {
        "model": folder / "model.json"
    }
    write_table(rows, paths["rows"])
    write_votes(table, paths["votes"])
    paths["model"].write_bytes(fitted.to_bytes())
    given = pl.Series("label", fitted.predict(table), dtype=pl.Int8)
    if labels:
        given = pl.Series("label", [labels.get(i, k) for i, k in zip(table.ids, given, strict=True)], dtype=pl.Int8)
    proba = normalised(fitted.predict_scores(table))
    shares = [pl.Series(f"p_{one}", proba[:, k]) for k, one in enumerate(world.classes)]
    frame = pl.DataFrame([table.ids, given, *shares])
    write_table(frame, paths["labels"])
    columns = [{"name": column, "dtype": str(dtype)} for column, dtype in rows.schema.items()]
    dataset = Dataset.make(
        title="rows", role="screened", sha256=file_digest(paths["rows"]), content=content_digest(rows),
        rows=len(rows), columns=columns, domains={"even": 1, "odd": 1},
    )  # fmt: skip
    votes = Votes.make(
        title="votes", dataset=dataset.name, sha256=file_digest(paths["votes"]),
        content=content_digest(read_table(paths["votes"])),
        **vote_counts(table), revoted=1, revoted_differently=0,
    )  # fmt: skip
    label_model = LabelModel.make(
        title="model", method="dawid_skene", votes=votes.name, sha256=file_digest(paths["model"]), classes=world.classes,
        balance=["1.0"] * len(world.classes), balance_origin="estimated", parameters=fitted.parameters(),
        iterations=1, converged=True, objective="0.0", learned=[],
    )  # fmt: skip
    stated = Labels.make(
        title="labels of worlds", votes=votes.name, label_model=label_model.name, dataset=dataset.name,
        sha256=file_digest(paths["labels"]), content=content_digest(frame), rows=len(frame), covered=len(frame),
        classes={}, differs_from_majority=0,
    )  # fmt: skip
    outputs = [
        FileRef(path=path.relative_to(config.root).as_posix(), sha256=file_digest(path), bytes=path.stat().st_size)
        for path in paths.values()
    ]
    parameters = {
        "strength": repr(world.strength),
        "fit_domains": json.dumps(list(world.fit_domains)),
        "name": json.dumps(name),
    }
    recipe = Recipe.make(
        stage="combine", inputs=[], parameters=parameters, seed=1, code=[], distributions=[], python="3", threads=1,
        hash_seed="0",
    )  # fmt: skip
    made = [dataset, votes, label_model, stated]
    result = Result.make(
        stage="combine", recipe=recipe.name, outputs=outputs, generated=[record.name for record in made], used=[]
    )
    return LabelSet(stated, result), [*made, recipe, result]


def facts_of(*records: list[Record]) -> Facts:
    return Facts(record for some in records for record in some)
