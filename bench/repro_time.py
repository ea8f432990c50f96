"""What does `labeltrail repro` take on top of `dvc repro`, with nothing to do and with stages of ten seconds?"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NOTHING_RUNS, LONG_RUNS, LONG_SECONDS = 9, 3, 10
STAGE = """
import time

from governance.runs import stage

with stage("{name}") as run:
    time.sleep(run.params["seconds"])
    run.output("artifacts/{name}.txt").write_text("{name}")
"""
OUTS = "[artifacts/{0}.txt, artifacts/facts/{0}.jsonl, artifacts/runs/{0}.json]"


def measure() -> dict[str, Any]:
    """Median seconds of whole commands, the two taking turns on one project; long stages are forced each time."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = {**os.environ, "XDG_CONFIG_HOME": f"{folder}/.home", "PYTHONHASHSEED": "0"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        _lay_down(root)
        _run(["-m", "governance", "init", "--bare"], root, environment)
        nothing = _pairs(root, environment, runs=NOTHING_RUNS, force=[])
        text = (root / "params.yaml").read_text().replace("0.0", f"{LONG_SECONDS}.0")
        (root / "params.yaml").write_text(text)
        long = _pairs(root, environment, runs=LONG_RUNS, force=["--force"])
    return {
        "nothing to do, seconds": nothing,
        f"one stage of {LONG_SECONDS} s, seconds": long,
        "share more for the long stage": round(long["labeltrail repro"] / long["dvc repro"] - 1, 4),
    }


def _lay_down(root: Path) -> None:
    (root / "pipelines").mkdir()
    (root / "pipelines/__init__.py").touch()
    stages = ["stages:"]
    for name in ("one",):
        (root / f"pipelines/{name}.py").write_text(STAGE.format(name=name))
        stages += [f"  {name}:", f"    cmd: python -m pipelines.{name}", f"    deps: [pipelines/{name}.py]"]
        stages += [f"    params: [{name}]", f"    outs: {OUTS.format(name)}"]
    (root / "dvc.yaml").write_text("\n".join(stages) + "\n")
    (root / "params.yaml").write_text("one: {seconds: 0.0}\n")


def _pairs(root: Path, environment: dict[str, str], *, runs: int, force: list[str]) -> dict[str, float]:
    commands = {"dvc repro": ["-m", "dvc", "repro", *force], "labeltrail repro": ["-m", "governance", "repro", *force]}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        _run(command, root, environment)
    for _ in range(runs):
        for name, command in commands.items():
            started = time.perf_counter()
            _run(command, root, environment)
            spent[name].append(time.perf_counter() - started)
    medians = {name: round(statistics.median(times), 3) for name, times in spent.items()}
    medians["more"] = round(medians["labeltrail repro"] - medians["dvc repro"], 3)
    return medians


def _run(arguments: list[str], root: Path, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, *arguments], cwd=root, env=environment, check=True, capture_output=True)
