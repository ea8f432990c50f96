"""Does every benchmark still find what it measures?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: halves of a comparison that run where the other library is installed, and that library
SIDES = {"_crowd_kit_side": "crowdkit", "_mlflow_side": "mlflow"}
SCRIPT = """
import importlib, json, sys
said = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(f"bench.{name}")
        said[name] = None
    except ImportError as error:
        said[name] = [error.name, str(error)]
print(json.dumps(said))
"""


def test_every_module_of_the_benchmarks_imports():
    """Only the other side of a comparison may lack its library; nothing lacks a name of ours."""
    names = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "__main__")
    assert {"overconfidence", "label_models", *SIDES} <= set(names)
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", SCRIPT, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert set(said) == set(names)
    lacking = {name: told for name, told in said.items() if told is not None}
    assert {name: told for name, told in lacking.items() if told[0] != SIDES.get(name, "")} == {}
