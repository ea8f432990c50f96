"""Where do the large stores lie that are measured? In BENCH_STORES, to be kept for the next time, or nowhere afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.store.trail import Trail


@contextmanager
def large_store(name: str, build: Callable[[Path], None]) -> Iterator[Trail]:
    """The log in a store that `build` fills in a folder of its own, with a home of its own."""
    kept = os.environ.get("BENCH_STORES")
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as folder:
        root = Path(kept or folder).resolve() / name
        os.environ["XDG_CONFIG_HOME"] = str(root / "home")
        done = root / "built"
        if not done.exists():
            root.mkdir(parents=True)
            build(root)
            done.touch()
        trail = open_store(root)
        yield trail
        trail.database.close()


def open_store(root: Path, *, create: bool = False) -> Trail:
    """The log in a folder."""
    return Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="bench", create=create)
