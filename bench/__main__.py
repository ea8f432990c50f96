"""`python -m bench [NAME …]`: runs the named measurements, or all, and writes bench/results/NAME.json."""

from __future__ import annotations

import json
import platform
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    known = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    unknown = set(names) - set(known)
    if unknown:
        print(f"no measurement is named {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"{name} …", flush=True)
        measured = import_module(f"bench.{name}").measure()
        measured["machine"] = {"python": platform.python_version(), "machine": platform.machine()}
        target = HERE / "results" / f"{name}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(json.dumps(measured, indent=2, sort_keys=True))
    return 0


raise SystemExit(main(sys.argv[1:]))
