"""How do a stage's former outputs survive a run that does not come to its end?"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from governance.config import Config
from governance.digest import file_digest, file_md5, write_atomically
from governance.dvc.files import LockedStage, Stage, parse_lock, read_stages
from governance.dvc.locks import is_dvc_at_work
from governance.errors import Busy, GovernanceError
from governance.project import git
from governance.project.watched import clear_stale

#: the project's lock, which whoever changes its outputs holds
LOCK = "repro.lock"
_FOLDER, _LOCK = "kept", "dvc.lock"
#: written last: without it the folder is of a start that was cut short, when nothing had been touched
_INDEX = "index.json"


class Kept:
    """The outputs as they lay there before a run, as second names of the same files: DVC may remove the first ones.

    The folder outlives a process that is killed, so that whoever comes next can put things back. Second names are numbers,
    since an output may lie outside the project.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        #: what has been put back
        self.restored: set[str] = set()

    @classmethod
    def before_run(cls, config: Config, stages: Iterable[Stage]) -> Self:
        """Keeps every output of these stages, and DVC's lock. Raises OSError."""
        kept = cls(config.root, config.state / _FOLDER)
        shutil.rmtree(kept.folder, ignore_errors=True)
        kept.folder.mkdir(parents=True)
        paths = dict.fromkeys(path for stage in stages for path in stage.outs)
        names = {path: str(number) for number, path in enumerate(paths) if kept._keep(path, str(number))}
        # DVC writes its lock into the same file again, so that a second name would not help.
        locked = (config.root / _LOCK).is_file()
        if locked:
            shutil.copyfile(config.root / _LOCK, kept.folder / _LOCK)
        index = {"names": names, "locked": locked, "revision": git.revision(config.root)}
        write_atomically(kept.folder / _INDEX, json.dumps(index).encode())
        return kept

    def _keep(self, path: str, name: str) -> bool:
        origin, target = self.root / path, self.folder / name
        if not origin.is_file():
            return False
        try:
            os.link(origin, target, follow_symlinks=False)
        except OSError:
            # Another file system, or one without links: a copy does the same, more slowly.
            shutil.copy2(origin, target, follow_symlinks=False)
        return True

    def index(self) -> dict[str, Any] | None:
        """What was kept, or None where nothing whole is kept."""
        try:
            return json.loads((self.folder / _INDEX).read_bytes())
        except (OSError, ValueError):
            return None

    def roll_back(self, stages: Iterable[Stage]) -> list[str]:
        """Puts back what stages had made before, where DVC has not committed what they made since; answers their names.

        1. a lock that DVC did not finish writing is the former one again  2. what nobody changed, and what DVC committed,
        stays  3. of any other stage every former output is back under its name
        """
        index = self.index()
        if index is None:
            return []
        names: dict[str, str] = index["names"]
        # 1.
        before, now = self._lock(self.folder / _LOCK), self._lock(self.root / _LOCK)
        if index["locked"] and before is not None and now is None:
            write_atomically(self.root / _LOCK, (self.folder / _LOCK).read_bytes())
            now = before
        back = []
        for stage in stages:
            # 2. Asked first whether anything was touched: hashing every output of every stage may take long.
            changed = [path for path in stage.outs if path in names and self._is_changed(path, names[path])]
            locked = (now or {}).get(stage.name)
            if not changed or locked != (before or {}).get(stage.name) or settled(self.root, stage, locked):
                continue
            # 3.
            if [path for path in changed if self._give_back(path, names[path])]:
                back.append(stage.name)
        return back

    def _is_changed(self, path: str, name: str) -> bool:
        target = self.root / path
        return not target.exists() or not _same(target, self.folder / name)

    def _give_back(self, path: str, name: str) -> bool:
        target, kept = self.root / path, self.folder / name
        # Where a folder stands now, somebody else's files may be in it.
        if target.is_dir() or not (kept.is_file() or kept.is_symlink()):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(kept, target)
        self.restored.add(path)
        return True

    @staticmethod
    def _lock(path: Path) -> dict[str, LockedStage] | None:
        """What a lock holds; None where it is not there, or was cut off while it was written."""
        try:
            data = path.read_bytes()
            return parse_lock(data, where=_LOCK) if data.endswith(b"\n") else None
        except (OSError, GovernanceError):
            return None

    def let_go(self) -> None:
        """Forgets what was kept."""
        with contextlib.suppress(OSError):
            # Half a folder must never be taken for a whole one.
            (self.folder / _INDEX).unlink(missing_ok=True)
            shutil.rmtree(self.folder)


def settled(root: Path, stage: Stage, locked: LockedStage | None) -> bool:
    """Whether a stage's outputs are those of its entry in DVC's lock; folders, whose MD5 is DVC's own, pass."""
    md5s = {file.path: file.md5 for file in locked.outs} if locked else {}
    for path in stage.outs:
        md5, place = md5s.get(path), root / path
        if place.is_dir() and (md5 or "").endswith(".dir"):
            continue
        if md5 is None or not place.is_file() or file_md5(place) != md5:
            return False
    return True


def recover(config: Config) -> list[str]:
    """Rolls back what a killed repro left in between, and answers the stages whose former outputs are back; notes of a
    killed `labeltrail run` are removed.

    Only for whoever holds the project's lock: a repro that is still at work has outputs in between too. Where another
    commit was checked out since, somebody has chosen other files, and nothing is rolled back. Raises Busy where a DVC is
    at work, ConfigurationError, InvalidRecord for a dvc.yaml that cannot be read; each while there is something to do.
    """
    clear_stale(config)
    kept = Kept(config.root, config.state / _FOLDER)
    index = kept.index()
    back: list[str] = []
    if index is not None and index["revision"] == git.revision(config.root):
        if is_dvc_at_work(config.root):
            raise Busy("a DVC is at work here, after a repro that was killed", hint="try again when it is done")
        back = kept.roll_back(read_stages(config.root).values())
    kept.let_go()
    return back


def left_by_a_kill(config: Config) -> bool:
    """Whether a killed repro left something in between that nobody has rolled back yet. Changes nothing."""
    kept = Kept(config.root, config.state / _FOLDER)
    if kept.index() is None:
        return False
    try:
        lock = os.open(config.state / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # whoever is at work has a lock file
    try:
        # Shared, so that two who ask do not see each other; whoever is at work holds it alone.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return kept.index() is not None
    except OSError:
        return False
    finally:
        os.close(lock)


def _same(one: Path, other: Path) -> bool:
    """Whether two names are of one file, or the second is a copy of the first."""
    first, second = one.lstat(), other.lstat()
    if (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino):
        return True
    alike = (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
    return alike and file_digest(one) == file_digest(other)
