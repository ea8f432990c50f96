"""What do the two commands beside the stages answer where there is nothing to tell?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.results import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", ["pipelines.results", "pipelines.summary"])
def test_outside_a_project_they_say_what_every_verb_says(tmp_path, module):
    """Exit 2, one sentence and the way out; no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {tmp_path} is not a LabelTrail project")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [(["-C", "elsewhere"], "-C"), (["--check"], "--check"), (["--write", "a", "--check", "b"], "not allowed with")],
    ids=["no_such_option", "no_file", "both"],
)
def test_what_the_table_of_results_does_not_take_is_a_usage_error(given, said, capsys):
    """Exit 2, which is named; nothing is written."""
    with pytest.raises(SystemExit) as caught:
        main(given)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err
