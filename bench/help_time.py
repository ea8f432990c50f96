"""How long does `labeltrail --help` take beside the bare interpreter?"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

RUNS = 21
BARE = [sys.executable, "-c", "pass"]
HELP = [sys.executable, "-m", "governance", "--help"]


def measure() -> dict[str, Any]:
    """Median milliseconds of whole processes, the two commands taking turns after one warm-up each."""
    spent: dict[str, list[float]] = {"bare interpreter": [], "labeltrail --help": []}
    for run in range(RUNS + 1):
        for name, command in zip(spent, (BARE, HELP), strict=True):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if run:
                spent[name].append((time.perf_counter() - started) * 1000)
    medians = {name: round(statistics.median(times), 1) for name, times in spent.items()}
    extra = [b - a for a, b in zip(*spent.values(), strict=True)]
    return {
        "runs": RUNS,
        "median_ms": medians,
        "median_extra_ms": round(statistics.median(extra), 1),
        "ratio": round(medians["labeltrail --help"] / medians["bare interpreter"], 1),
    }
