"""The page on many rows runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from governance.votes.table import VoteTable, write_votes

PAGE = Path(__file__).parents[2] / "docs/many-rows.md"


def test_the_page_on_many_rows_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    """Every block, one after the other, on files of votes; it tells rows, patterns and what each source changed."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for part in range(2):
        ids = pl.Series("example_id", [f"d/{part}/{row}" for row in range(300)])
        matrix = rng.integers(-1, 2, (300, 3)).astype(np.int8)
        sources = tuple(f"source:{j:064x}" for j in range(3))
        table = VoteTable(ids, ("a", "b", "c"), sources, ("no", "yes"), matrix)
        write_votes(table, tmp_path / f"votes/{part}.parquet")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    exec("\n".join(blocks), {})  # noqa: S102 - the page is ours
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "600 rows, 27 patterns, learned from 1.0"
    assert [line.split()[0] for line in told[2:]] == ["a", "b", "c"]
    assert all(int(line.split()[1]) > 0 for line in told[2:])
