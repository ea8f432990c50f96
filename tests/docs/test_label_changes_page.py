"""The page on changed labels works as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from governance.lineage.changes import CAUSES

ROOT, PAGE = Path(__file__).parents[2], "docs/label-changes.md"


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_command_of_the_page_runs_and_every_cause_is_explained(reference):
    """In order, in a project that has run; the words of its table are those of the code, and the files hold every row."""
    for block in re.findall(r"^```sh\n(.*?)^```", (ROOT / PAGE).read_text(), re.MULTILINE | re.DOTALL):
        done = run(block, reference)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    rows = re.findall(r"^\| ([a-z ,]+) \|", (ROOT / PAGE).read_text(), re.MULTILINE)
    assert {cause for row in rows for cause in row.split(", ")} == {"cause", *CAUSES}
    told = json.loads(run("labeltrail diff labels --json", reference).stdout)
    table = pl.read_parquet(reference / "changed.parquet")
    assert len(table) == told["changed"] == sum(told["causes"].values()) > 0
    assert set(told["causes"]) <= {"new source version", "refit"}
    assert (ROOT / "README.md").read_text().count(f"({PAGE})") == 1
