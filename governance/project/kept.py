"""How do a stage's former outputs survive a run that does not come to its end?"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from governance.config import Config
from governance.digest import file_md5, write_atomically
from governance.dvc.files import LockedStage, Stage, parse_lock, read_stages
from governance.errors import GovernanceError

#: the project's lock, which whoever changes its outputs holds
LOCK = "repro.lock"
_FOLDER = "kept"
_LOCK = "dvc.lock"
#: written last: without it the folder is of a start that was cut short, when nothing had been touched
_WHOLE = ".whole"


class Kept:
    """The outputs as they lay there before a run, as second names of the same files: DVC may remove the first ones.

    The folder outlives a process that is killed, so that whoever comes next can put things back.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder

    @classmethod
    def before_run(cls, config: Config, stages: Iterable[Stage]) -> Self:
        """Keeps every output of these stages, and DVC's lock. Raises OSError."""
        kept = cls(config.root, config.state / _FOLDER)
        shutil.rmtree(kept.folder, ignore_errors=True)
        kept.folder.mkdir(parents=True)
        for stage in stages:
            for path in stage.outs:
                kept._keep(path)
        # DVC writes its lock into the same file again, so that a second name would not help.
        if (config.root / _LOCK).is_file():
            shutil.copyfile(config.root / _LOCK, kept.folder / _LOCK)
        (kept.folder / _WHOLE).touch()
        return kept

    def _keep(self, path: str) -> None:
        origin, target = self.root / path, self.folder / path
        if not origin.is_file():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(origin, target, follow_symlinks=False)
        except OSError:
            # Another file system, or one without links: a copy does the same, more slowly.
            shutil.copy2(origin, target, follow_symlinks=False)

    def roll_back(self, stages: Iterable[Stage]) -> list[str]:
        """Puts back what stages had made before, where DVC has not committed what they made since; answers their names.

        1. a lock that DVC did not finish writing is the former one again  2. what DVC committed stays
        3. of any other stage that changed an output, every former output is back under its name
        """
        # 1.
        before, now = self._lock(self.folder / _LOCK), self._lock(self.root / _LOCK)
        if before is not None and (now is None or not before.keys() <= now.keys()):
            write_atomically(self.root / _LOCK, (self.folder / _LOCK).read_bytes())
            now = before
        back = []
        for stage in stages:
            # 2.
            locked = (now or {}).get(stage.name)
            if locked != (before or {}).get(stage.name) or settled(self.root, stage, locked):
                continue
            # 3.
            if [path for path in stage.outs if self._give_back(path)]:
                back.append(stage.name)
        return back

    def _give_back(self, path: str) -> bool:
        """Whether the former output was put back; not where it lies there untouched, or there was none."""
        target, kept = self.root / path, self.folder / path
        if not (kept.is_file() or kept.is_symlink()) or (target.exists() and _same(target, kept)):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(kept, target)
        return True

    @staticmethod
    def _lock(path: Path) -> dict[str, LockedStage] | None:
        try:
            return parse_lock(path.read_bytes(), where=_LOCK)
        except (OSError, GovernanceError):
            return None

    def let_go(self) -> None:
        """Forgets what was kept."""
        with contextlib.suppress(OSError):
            # Half a folder must never be taken for a whole one.
            (self.folder / _WHOLE).unlink(missing_ok=True)
            shutil.rmtree(self.folder)


def settled(root: Path, stage: Stage, locked: LockedStage | None) -> bool:
    """Whether a stage's outputs are those of its entry in DVC's lock."""
    md5s = {file.path: file.md5 for file in locked.outs} if locked else {}
    # A folder's MD5 is of DVC's own making; what lies in it is not kept either.
    files = [path for path in stage.outs if not (root / path).is_dir()]
    return all((root / path).is_file() and file_md5(root / path) == md5s.get(path) for path in files)


def recover(config: Config) -> list[str]:
    """Rolls back what a killed repro left in between, and answers the stages whose former outputs are back.

    Only for whoever holds the project's lock: a repro that is still at work has outputs in between too. Raises
    ConfigurationError, InvalidRecord for a dvc.yaml that cannot be read while there is something to roll back.
    """
    kept = Kept(config.root, config.state / _FOLDER)
    back = kept.roll_back(read_stages(config.root).values()) if (kept.folder / _WHOLE).is_file() else []
    kept.let_go()
    return back


def left_by_a_kill(config: Config) -> bool:
    """Whether a killed repro left something in between that nobody has rolled back yet. Changes nothing."""
    whole = config.state / _FOLDER / _WHOLE
    if not whole.is_file():
        return False
    try:
        lock = os.open(config.state / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # whoever is at work has a lock file
    try:
        # Shared, so that two who ask do not see each other; whoever is at work holds it alone.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return whole.is_file()
    except OSError:
        return False
    finally:
        os.close(lock)


def _same(one: Path, other: Path) -> bool:
    first, second = one.stat(), other.stat()
    if (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino):
        return True
    return first.st_dev != second.st_dev and (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
