"""`python tests/soak_erasing.py [ONE_IN]`: an erasure killed at every write call, in bench/results/soak_erasing.json.

With ONE_IN only every so-manieth of the calls is struck, and no result is written.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from crashing.erasing import Eraser
from crashing.injected import can_trace
from crashing.nursery import Nursery

RESULT = Path(__file__).parents[1] / "bench" / "results" / "soak_erasing.json"


def main(arguments: list[str]) -> int:
    """1 where anything was wrong after a kill and doing it again."""
    one_in = int(arguments[0]) if arguments else 1
    if not can_trace():
        print("strace is needed, and the right to trace", file=sys.stderr)
        return 2
    began = time.monotonic()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Nursery() as nursery:
        eraser = Eraser(Path(folder), nursery)
        calls = eraser.calls()[::one_in]
        for call in calls:
            for line in eraser.kill_at(call).wrong:
                wrong.append(f"{call}: {line}")
                print(wrong[-1], flush=True)
    told = {
        "kills": len(calls),
        "after which something was wrong or left of the person": len(wrong),
        "by call": dict(sorted(Counter(call.name for call in calls).items())),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "machine": {"python": platform.python_version(), "machine": platform.machine()},
    }
    print(json.dumps(told, indent=2, sort_keys=True))
    if one_in == 1:
        RESULT.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
