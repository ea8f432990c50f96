"""How do a stage's former outputs survive a run that fails?"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path


class Kept:
    """The outputs as they lay there before a run, as second names of the same files: DVC may remove the first ones."""

    def __init__(self, root: Path, folder: Path, paths: Iterable[str]) -> None:
        self.root, self.folder = root, folder
        shutil.rmtree(folder, ignore_errors=True)
        for path in paths:
            origin = root / path
            if not origin.is_file():
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(origin, target, follow_symlinks=False)
            except OSError:
                # Another file system, or one without links: a copy does the same, more slowly.
                shutil.copy2(origin, target, follow_symlinks=False)

    def give_back(self, paths: Iterable[str]) -> list[str]:
        """Puts outputs that are gone back under their names and answers which of `paths` are still not there."""
        lost = []
        for path in paths:
            target, kept = self.root / path, self.folder / path
            if not target.exists() and kept.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(kept, target)
            if not target.exists():
                lost.append(path)
        return lost

    def let_go(self) -> None:
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)
