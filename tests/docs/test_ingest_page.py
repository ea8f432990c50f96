"""The page on votes from elsewhere tells the truth of this commit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from test_documents_are_true import run

PAGE = Path(__file__).parents[2] / "docs/ingest.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_page_on_votes_from_elsewhere_works_as_it_stands(tmp_path):
    """Its table is written, its commands run in order, and its Python example holds."""
    for kind, body in BLOCK.findall(PAGE.read_text()):
        if kind == "csv":
            (tmp_path / "crowd.csv").write_text(body)
        elif kind == "sh":
            done = run(body, tmp_path)
            assert done.returncode == 0, f"{body}\n{done.stdout}{done.stderr}"
        else:
            done = subprocess.run(
                [sys.executable, "-c", body], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")
    assert "mabye" in (tmp_path / "aside.jsonl").read_text()
