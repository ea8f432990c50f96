"""A governed project whose input is a CSV in which a person has several rows, made once and copied."""

from __future__ import annotations

from pathlib import Path

from small_project import git

from governance.project import Project

READ = """
import polars as pl

from governance.digest import file_digest
from governance.parquet import content_digest, write_table
from governance.records import Dataset
from governance.runs import stage

with stage("read") as run:
    frame = pl.read_csv(run.input("data/posts.csv"), infer_schema=False)
    out = run.output("artifacts/posts.parquet")
    write_table(frame, out)
    notes = run.output("artifacts/lengths.jsonl")
    lines = [f'{{"example_id": "{i}", "length": {len(t)}}}' for i, t in frame.select("example_id", "text").rows()]
    notes.write_text("\\n".join(lines) + "\\n")
    run.state(
        Dataset.make(
            title="posts",
            role="screened",
            sha256=file_digest(out),
            content=content_digest(frame),
            rows=len(frame),
            columns=[],
        )
    )
"""

MARK = """
import polars as pl

from governance.digest import file_digest
from governance.parquet import content_digest, read_table, write_table
from governance.records import Dataset
from governance.runs import stage

with stage("mark") as run:
    posts = run.use(run.facts("read").one(Dataset))
    frame = read_table(run.input("artifacts/posts.parquet")).select("example_id", pl.col("text").str.len_bytes())
    out = run.output("artifacts/marks.parquet")
    write_table(frame, out)
    run.state(
        Dataset.make(
            title="marks",
            role="collected",
            sha256=file_digest(out),
            content=content_digest(frame),
            rows=len(frame),
            columns=[],
            derived_from=[posts.name],
        )
    )
"""

DVC = """
stages:
  read:
    cmd: python -m pipelines.read
    deps: [pipelines/read.py, data/posts.csv]
    params: [seed, threads]
    outs: [artifacts/posts.parquet, artifacts/lengths.jsonl, artifacts/facts/read.jsonl, artifacts/runs/read.json]
  mark:
    cmd: python -m pipelines.mark
    deps: [pipelines/mark.py, artifacts/posts.parquet, artifacts/facts/read.jsonl]
    params: [seed, threads]
    outs: [artifacts/marks.parquet, artifacts/facts/mark.jsonl, artifacts/runs/mark.json]
"""

#: id, author, the post that it answers, text
POSTS = [
    ("post-0001", "author-anna", "", "the first of all posts"),
    ("post-0002", "author-bert", "post-0001", 'a "quoted" answer, with a comma'),
    ("post-0003", "author-anna", "post-0002", "two lines\nin one post"),
    ("post-0004", "author-carl", "post-0003", "somebody else entirely"),
    ("post-0005", "author-bert", "", "the last of these posts"),
    ("post-0006", "author-carl", "post-0005", "grüße aus köln"),
]


def csv_of(posts: list[tuple[str, ...]]) -> str:
    """The posts as a CSV that quotes what has to be quoted."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text

    return "\n".join(",".join(map(cell, row)) for row in [("example_id", "author", "answers", "text"), *posts]) + "\n"


def make_people_project(root: Path) -> Path:
    """Two runs are recorded: in the first one a person wrote who is in no row of the second."""
    (root / "pipelines").mkdir(parents=True)
    (root / "data").mkdir()
    files = {
        "labeltrail.toml": '[project]\nname = "people"\nsubject_column = "author"\n',
        "params.yaml": "seed: 3\nthreads: 1\n",
        "dvc.yaml": DVC,
        ".gitignore": "/data\n",
        "pipelines/__init__.py": "",
        "pipelines/read.py": READ,
        "pipelines/mark.py": MARK,
        "data/posts.csv": csv_of([*POSTS, ("post-0007", "author-dora", "", "a post that was taken back")]),
    }
    for name, text in files.items():
        (root / name).write_text(text)
    assert Project.init(root).exit_code == 0
    assert Project.find(root).repro().exit_code == 0
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    (root / "data/posts.csv").write_text(csv_of(POSTS))
    assert Project.find(root).repro().exit_code == 0
    git(root, "commit", "-qam", "second")
    return root
