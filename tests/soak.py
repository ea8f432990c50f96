"""`python tests/soak.py [KILLS]`: SIGKILLs at random moments, and what came of them, in bench/results/soak.json."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from killing import CLAIMED_SECONDS, Killer, Strike
from small_project import make_project

RESULT = Path(__file__).parents[1] / "bench" / "results" / "soak.json"
KILLS, SEED, BESIDE_EACH_OTHER = 500, 20140601, 2


def main(arguments: list[str]) -> int:
    """Strikes so many times, at two projects beside each other. 1 where anything was wrong afterwards."""
    wanted = int(arguments[0]) if arguments else KILLS
    shares = [
        wanted // BESIDE_EACH_OTHER + (number < wanted % BESIDE_EACH_OTHER) for number in range(BESIDE_EACH_OTHER)
    ]
    with ProcessPoolExecutor(BESIDE_EACH_OTHER) as pool:
        done = list(pool.map(strikes, shares, range(SEED, SEED + BESIDE_EACH_OTHER)))
    struck = [strike for some in done for strike in some]
    after = sorted(strike.after for strike in struck)
    told = {
        "kills": len(struck),
        "victims": dict(sorted(Counter(strike.victim for strike in struck).items())),
        "seconds after the start": {"least": after[0], "median": after[len(after) // 2], "most": after[-1]},
        "kills after which something was wrong": sum(bool(strike.wrong) for strike in struck),
        "first seed": SEED,
        "machine": {"python": platform.python_version(), "machine": platform.machine()},
    }
    RESULT.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=2, sort_keys=True))
    return int(bool(told["kills after which something was wrong"]))


def strikes(wanted: int, seed: int) -> list[Strike]:
    """So many kills at one project; says how far it is, and everything that is wrong as it comes."""
    found: list[Strike] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/home"
        killer = Killer(make_project(Path(folder) / "project"), seed=seed, within=CLAIMED_SECONDS)
        while len(found) < wanted:
            if strike := killer.strike():
                found.append(strike)
                for wrong in strike.wrong:
                    print(f"{strike.victim} after {strike.after} s: {wrong}", flush=True)
                if len(found) % 25 == 0:
                    print(f"{len(found)} of {wanted} kills, {time.monotonic() - began:.0f} s", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
