"""A governed project of one stage that votes on a CSV and labels it; made once and copied."""

from __future__ import annotations

import random
from pathlib import Path

from small_project import git

from governance.project import Project

LABEL = """
import polars as pl

from governance.digest import decimal, file_digest, write_atomically
from governance.labelmodels._base import normalised
from governance.labelmodels.dawid_skene import DawidSkene
from governance.parquet import content_digest, read_table, write_table
from governance.records import Dataset, LabelModel, Labels, Votes
from governance.runs import stage
from governance.sources.applying import apply_sources
from governance.sources.registry import registered
from governance.votes.analysis import vote_counts
from governance.votes.table import write_votes

with stage("label") as run:
    run.input("pipelines/sources")
    frame = pl.read_csv(run.input("posts.csv"), infer_schema=False)
    rows = run.output("artifacts/rows.parquet")
    write_table(frame, rows)
    columns = [{"name": name, "dtype": str(dtype)} for name, dtype in frame.schema.items()]
    dataset = Dataset.make(
        title="posts", role="screened", sha256=file_digest(rows), content=content_digest(frame), rows=len(frame),
        columns=columns, domains={name: count for name, count in frame["domain"].value_counts().rows()},
    )
    run.state(dataset)
    sources = registered("pipelines.sources")
    applied = apply_sources(
        sources, frame["example_id"], frame["text"].to_list(), classes=["bad", "good"], progress=run.progress, revote=4,
        seed=run.seed,
    )
    table, path = applied.table, run.output("artifacts/votes.parquet")
    write_votes(table, path)
    for one in sources:
        run.state(one.record)
    votes = Votes.make(
        title="votes", dataset=dataset.name, sha256=file_digest(path), content=content_digest(read_table(path)),
        **vote_counts(table, error_types=applied.error_types), revoted=applied.revoted, revoted_differently=0,
    )
    run.state(votes)
    model = DawidSkene(strength=float(run.params["strength"])).fit(table)
    saved = run.output("artifacts/label_model.json")
    write_atomically(saved, model.to_bytes())
    fitted = LabelModel.make(
        title="label model", method=model.method, votes=votes.name, sha256=file_digest(saved), classes=table.classes,
        balance=[decimal(share) for share in model.balance_], balance_origin=model.balance_origin_,
        parameters=model.parameters(), iterations=model.iterations_, converged=model.converged_,
        objective=decimal(model.objective_), learned=[],
    )
    run.state(fitted)
    proba = normalised(model.predict_scores(table))
    labels = pl.DataFrame([
        table.ids, pl.Series("covered", table.voting > 0), pl.Series("label", model.predict(table), dtype=pl.Int8),
        *(pl.Series(f"p_{name}", proba[:, k]) for k, name in enumerate(table.classes)),
    ])
    out = run.output("artifacts/labels.parquet")
    write_table(labels, out)
    run.state(
        Labels.make(
            title="labels of posts", votes=votes.name, label_model=fitted.name, dataset=dataset.name,
            sha256=file_digest(out), content=content_digest(labels), rows=len(labels),
            covered=int(labels["covered"].sum()), classes={}, differs_from_majority=0,
        )
    )
"""

DVC = """
stages:
  label:
    cmd: python -m pipelines.label
    deps: [posts.csv, pipelines/__init__.py, pipelines/label.py, pipelines/sources]
    params: [seed, threads, label]
    outs:
      - artifacts/rows.parquet
      - artifacts/votes.parquet
      - artifacts/label_model.json
      - artifacts/labels.parquet
      - artifacts/facts/label.jsonl
      - artifacts/runs/label.json
"""

SOURCE = '''
"""Does a post use a word of one side only?"""

from governance.sources import ABSTAIN, source

GOOD, BAD = {{{good}}}, {{{bad}}}


@source("{name}")
def {name}(text: str) -> int:
    """Good, bad, or nothing to say."""
    said = set(text.split())
    if bool(said & GOOD) == bool(said & BAD):
        return ABSTAIN
    return 1 if said & GOOD else 0
'''

DESCRIPTION = """
kind: lexicon
version: "1"
summary: Votes for the side of which a post uses a word.
owner: us
origin: written for this project
licence: {declared: MIT, found: MIT}
collection: By hand.
personal_data: {holds: false}
"""

GOOD, BAD = ["good", "great", "fine", "lovely"], ["bad", "late", "poor", "awful"]
PLAIN = ["post", "phone", "today", "again", "maybe", "blue"]


def write_source(root: Path, name: str, good: list[str], bad: list[str]) -> None:
    """A source of two word lists, with its description."""
    words = {"good": ", ".join(map(repr, good)), "bad": ", ".join(map(repr, bad))}
    (root / f"pipelines/sources/{name}.py").write_text(SOURCE.format(name=name, **words))
    (root / f"pipelines/sources/{name}.yaml").write_text(DESCRIPTION)


def posts(seed: int = 4, rows: int = 120) -> dict[str, tuple[str, str]]:
    """(domain, text) by id."""
    draw = random.Random(seed)  # noqa: S311 - made-up texts need no secrecy
    made = {}
    for number in range(rows):
        side, other = (GOOD, BAD) if draw.random() < 0.55 else (BAD, GOOD)
        words = draw.choices(side, k=draw.randint(0, 3)) + draw.choices(other, k=draw.choice([0, 0, 1]))
        words += draw.choices(PLAIN, k=3)
        draw.shuffle(words)
        made[f"p/{number:03}"] = ("forum" if number % 3 else "mail", " ".join(words))
    return made


def write_posts(root: Path, made: dict[str, tuple[str, str]]) -> None:
    lines = [f"{example},{domain},{text}" for example, (domain, text) in made.items()]
    (root / "posts.csv").write_text("\n".join(["example_id,domain,text", *lines]) + "\n")


def make_labelled_project(root: Path) -> Path:
    """Three sources vote on 120 posts; it has run once and is recorded and committed."""
    (root / "pipelines/sources").mkdir(parents=True)
    files = {
        "labeltrail.toml": '[project]\nname = "labelled"\n',
        "params.yaml": "seed: 3\nthreads: 1\nlabel: {strength: 10}\n",
        "dvc.yaml": DVC,
        "pipelines/__init__.py": "",
        "pipelines/sources/__init__.py": "",
        "pipelines/label.py": LABEL,
    }
    for name, text in files.items():
        (root / name).write_text(text)
    write_source(root, "plain", GOOD[:2], BAD[:2])
    write_source(root, "rare", GOOD[2:], BAD[2:])
    write_source(root, "mixed", [GOOD[1], GOOD[2]], [BAD[1], BAD[3]])
    write_posts(root, posts())
    assert Project.init(root).exit_code == 0
    report = Project.find(root).repro()
    assert report.exit_code == 0, report.to_markdown()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root
