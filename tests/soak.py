"""`python tests/soak.py [KILLS]`: SIGKILLs at random moments, and what came of them, in bench/results/soak.json."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from killing import Killer, Strike
from small_project import make_project

RESULT = Path(__file__).parents[1] / "bench" / "results" / "soak.json"
KILLS, SEED = 500, 20140601


def main(arguments: list[str]) -> int:
    """Strikes so many times at one project. 1 where anything was wrong afterwards."""
    wanted = int(arguments[0]) if arguments else KILLS
    strikes: list[Strike] = []
    rounds, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/home"
        killer = Killer(make_project(Path(folder) / "project"), seed=SEED)
        while len(strikes) < wanted:
            rounds += 1
            if strike := killer.strike():
                strikes.append(strike)
                for wrong in strike.wrong:
                    print(f"{strike.victim} after {strike.after} s: {wrong}", flush=True)
                if len(strikes) % 25 == 0:
                    print(f"{len(strikes)} kills, {time.monotonic() - began:.0f} s", flush=True)
    after = sorted(strike.after for strike in strikes)
    told = {
        "kills": len(strikes),
        "rounds": rounds,
        "victims": dict(sorted(Counter(strike.victim for strike in strikes).items())),
        "seconds after the start": {"least": after[0], "median": after[len(after) // 2], "most": after[-1]},
        "kills after which something was wrong": sum(bool(strike.wrong) for strike in strikes),
        "seed": SEED,
        "machine": {"python": platform.python_version(), "machine": platform.machine()},
    }
    RESULT.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=2, sort_keys=True))
    return int(bool(told["kills after which something was wrong"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
