"""A governed project of two short stages, made once for all tests that need one and copied for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from governance.project import Project

MAKE = """
import polars as pl

from governance.digest import file_digest
from governance.parquet import content_digest, write_table
from governance.records import Dataset
from governance.runs import stage
from pipelines.helper import TEXT

with stage("make") as run:
    rows = run.params["rows"]
    frame = pl.DataFrame({"example_id": [f"e/{i}" for i in range(rows)], "text": [f"{TEXT} {i}" for i in range(rows)]})
    out = run.output("artifacts/data/made.parquet")
    write_table(frame, out)
    run.state(
        Dataset.make(
            title="made", role="screened", sha256=file_digest(out), content=content_digest(frame), rows=rows, columns=[]
        )
    )
    run.measure("rows_per_second", 1000.0)
"""

COUNT = """
import json

from governance.digest import canonical
from governance.parquet import read_table
from governance.records import Dataset, Finding
from governance.runs import stage

with stage("count") as run:
    made = run.use(run.facts("make").one(Dataset))
    frame = read_table(run.input("artifacts/data/made.parquet"), columns=["example_id", "text"])
    run.output("artifacts/count.json").write_bytes(canonical({"rows": len(frame)}))
    run.state(
        Finding.make(
            check="rows", subject=made.name, outcome="pass", measured=repr(float(len(frame))), says=f"{len(frame)} rows"
        )
    )
"""

DVC = """
stages:
  count:
    cmd: python -m pipelines.count
    deps: [pipelines/count.py, artifacts/data/made.parquet, artifacts/facts/make.jsonl]
    params: [seed, threads]
    outs: [artifacts/count.json, artifacts/facts/count.jsonl, artifacts/runs/count.json]
  make:
    cmd: python -m pipelines.make
    deps: [pipelines/make.py, pipelines/helper.py]
    params: [seed, threads, make]
    outs: [artifacts/data/made.parquet, artifacts/facts/make.jsonl, artifacts/runs/make.json]
"""


def lay_down(root: Path) -> None:
    """The files of the small project."""
    (root / "pipelines").mkdir(parents=True)
    files = {
        "labeltrail.toml": '[project]\nname = "small"\n',
        "params.yaml": "seed: 3\nthreads: 1\nmake: {rows: 12}\n",
        "dvc.yaml": DVC,
        "pipelines/__init__.py": "",
        "pipelines/helper.py": 'TEXT = "a text"\n',
        "pipelines/make.py": MAKE,
        "pipelines/count.py": COUNT,
    }
    for name, text in files.items():
        (root / name).write_text(text)


def make_project(root: Path) -> Path:
    """A small project that has run once and is recorded and committed."""
    lay_down(root)
    assert Project.init(root).exit_code == 0
    report = Project.find(root).repro()
    assert report.exit_code == 0, report.to_markdown()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def dvc(root: Path, *arguments: str) -> None:
    """DVC as anybody may call it, without our wrapper."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)


def copy_of(project: Path, target: Path) -> Path:
    """A copy that a test may break."""
    shutil.copytree(project, target, symlinks=True)
    return target


def flip(path: Path, position: int, bit: int = 0) -> None:
    """Changes one bit of a file in place."""
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1 << bit
    path.chmod(0o644)
    path.write_bytes(bytes(data))


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """A project that is made once for all test processes of a run; its signing key lies in `home` beside it."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    base = shared / f"once_{name}"
    base.mkdir(exist_ok=True)
    with FileLock(base / "lock"):
        if not (base / "made").exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XDG_CONFIG_HOME", str(base / "home"))
                make(base / "project")
            (base / "made").touch()
    return base / "project"
