"""What does it cost to watch which files a stage opens: where nothing is opened, and where very much is?"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from governance.runs import observed

FOLDERS, FILES_EACH, OPENED, RUNS = 1_000, 10, 100_000, 9


def measure() -> dict[str, Any]:
    """Medians in milliseconds of beginning and ending a watch; seconds of opening files with and without one."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "labeltrail.toml").touch()
        for number in range(FOLDERS):
            inside = root / f"{number // 32}" / f"{number}"
            inside.mkdir(parents=True)
            for index in range(FILES_EACH):
                (inside / str(index)).touch()
        quiet = [_watched(root, lambda: None) for _ in range(RUNS)]
        many = root / "many"
        many.mkdir()
        for number in range(OPENED):
            (many / str(number)).touch()
        alone = {name: _seconds(lambda body=body: body(many)) for name, body in _BODIES.items()}
        watched = {name: _watched(root, lambda body=body: body(many)) for name, body in _BODIES.items()}
    return {
        f"nothing opened among {FOLDERS} folders and {FOLDERS * FILES_EACH} files, milliseconds": {
            "begin": round(1000 * statistics.median(begin for begin, _, _, _ in quiet), 1),
            "end": round(1000 * statistics.median(end for _, _, end, _ in quiet), 1),
        },
        f"{OPENED} files opened, seconds": {
            name: {
                "alone": round(alone[name], 2),
                "watched": round(body, 2),
                "end": round(end, 2),
                "seen": len(seen.reads),
            }
            for name, (_, body, end, seen) in watched.items()
        },
    }


def _watched(root: Path, body: Callable[[], object]) -> tuple[float, float, float, observed.Seen]:
    begin, inside = _seconds(lambda: observed.begin(root)), _seconds(body)
    seen: list[observed.Seen] = []
    end = _seconds(lambda: seen.append(observed.end()))
    return begin, inside, end, seen[0]


def _seconds(body: Callable[[], object]) -> float:
    started = time.perf_counter()
    body()
    return time.perf_counter() - started


def _by_python(folder: Path) -> None:
    for entry in os.scandir(folder):
        os.close(os.open(entry.path, os.O_RDONLY))


def _by_grep(folder: Path) -> None:
    subprocess.run(["grep", "-r", "x", folder], check=False, capture_output=True)


_BODIES = {"by Python": _by_python, "by grep": _by_grep}
