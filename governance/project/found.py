"""Where does a content lie that a record names by its digest: in the project, in DVC's cache, or in a commit?"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Self

from governance.config import Config
from governance.digest import canonical, file_digest, sha256, tree_digest
from governance.dvc.files import cache_folder, cached_file, parse_lock
from governance.erased import Erased
from governance.errors import GovernanceError
from governance.project import git
from governance.project.git import blob
from governance.records import FileRef

#: how many commits are looked through for a content
LOOK_BACK = 500


def commits(root: Path, path: str | None = None) -> list[str]:
    """Commits that a branch, a tag or HEAD reaches, newest first; with `path` those that touched it."""
    arguments = ["rev-list", f"--max-count={LOOK_BACK}", "--all"]
    if git.revision(root):
        arguments.append("HEAD")  # a machine that builds has often checked out a commit that no branch names
    # A version that a merge left behind is a version too.
    arguments += ["--full-history", "--", f":(literal){path}"] if path else []
    return (git.run_git(root, *arguments) or "").split()


class Finder:
    """Finds contents by digest and hashes whatever it hands out; what it takes out of git lies in a scratch folder."""

    def __init__(self, config: Config, *, erased: Erased | None = None) -> None:
        self.config = config
        self.erased = erased or Erased()
        self._digests: dict[Path, str] = {}
        self._md5s: dict[str, dict[str, None]] = {}
        self._locks_read: set[str] = set()
        self._locks = self._lock_history()
        self._touching: dict[str, list[str]] = {}
        self._blobs: dict[str, str] = {}
        self._sizes: dict[int, list[Path]] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    def file(self, ref: FileRef, *, revisions: Iterable[str] = ()) -> Path | None:
        """A file with the recorded bytes, for reading only; None where they are nowhere here.

        Of a content that lost rows to an erasure, what is left of it.
        """
        standing = self.erased.of(ref.sha256)
        if standing is not None and (left := standing.ref(ref.path)):
            ref = left
        revisions = list(revisions)
        for found in self._places(ref, revisions):
            if self._is(found, ref):
                return found
        content = self._committed(ref, revisions)
        if content is None:
            return None
        place = self.scratch() / f"{ref.sha256}{PurePosixPath(ref.path).suffix}"
        place.write_bytes(content)
        return place

    def scratch(self) -> Path:
        """A folder that goes away with this finder."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="labeltrail-")
        return Path(self._scratch.name)

    def md5s(self, path: str) -> list[str]:
        """Under which MD5s the locks that were read so far know a path, as DVC's remote may."""
        return list(self._md5s.get(path, {}))

    def text(self, ref: FileRef, *, revisions: Iterable[str] = ()) -> bytes | None:
        """The recorded bytes of a module, from the working tree or a commit; None where they are in neither."""
        here = self.config.root / ref.path
        return here.read_bytes() if self._is(here, ref) else self._committed(ref, revisions)

    def folder(self, ref: FileRef, *, revisions: Iterable[str] = ()) -> dict[str, str] | None:
        """The SHA-256 of every file of a recorded folder by path inside it; None where that folder is nowhere here."""
        here = self.config.root / ref.path
        if here.is_dir() and tree_digest(here) == ref.sha256:
            files = [path for path in here.rglob("*") if path.is_file()]
            named = {path.relative_to(here).as_posix(): path for path in files}
            return {name: file_digest(path) for name, path in named.items() if "__pycache__" not in name.split("/")}
        for revision in self._revisions(ref.path, revisions):
            files = self._tree(revision, ref.path)
            listed = [[name, files[name]] for name in sorted(files, key=PurePosixPath)]
            if files and sha256(canonical(listed)) == ref.sha256:
                return files
        return None

    def _is(self, path: Path, ref: FileRef) -> bool:
        if not path.is_file() or path.stat().st_size != ref.bytes:
            return False
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path] == ref.sha256

    def _places(self, ref: FileRef, revisions: list[str]) -> Iterator[Path]:
        """The project's own file, what some dvc.lock names for its path, then whatever DVC's cache has of this size."""
        path = ref.path
        yield self.config.root / path
        for revision in revisions:
            self._read_lock(blob(self.config.root, revision, "dvc.lock"))
        tried: set[str] = set()
        while True:
            for md5 in [md5 for md5 in self._md5s.get(path, {}) if md5 not in tried]:
                tried.add(md5)
                yield cached_file(self.config.root, md5)
            lock = next(self._locks, None)
            if lock is None:
                break
            self._read_lock(lock)
        # Between two commits several runs may have stood in a dvc.lock that nobody kept; their outputs are in the cache.
        yield from self._by_size().get(ref.bytes, [])

    def _by_size(self) -> dict[int, list[Path]]:
        if self._sizes is None:
            self._sizes = {}
            for place in sorted((cache_folder(self.config.root) / "files" / "md5").glob("*/*")):
                # A link to a place that is not mounted, or an entry that is collected meanwhile, is no content.
                with contextlib.suppress(OSError):
                    self._sizes.setdefault(place.stat().st_size, []).append(place)
        return self._sizes

    def _lock_history(self) -> Iterator[bytes]:
        here = self.config.root / "dvc.lock"
        yield here.read_bytes() if here.is_file() else b""
        for revision in commits(self.config.root, "dvc.lock"):
            yield blob(self.config.root, revision, "dvc.lock") or b""

    def _read_lock(self, lock: bytes | None) -> None:
        if not lock or sha256(lock) in self._locks_read:
            return
        self._locks_read.add(sha256(lock))
        # A lock of long ago that nobody can read leads nowhere, and is no reason to stop looking.
        with contextlib.suppress(GovernanceError):
            for stage in parse_lock(lock, where="dvc.lock").values():
                for file in (*stage.deps, *stage.outs):
                    if file.md5:
                        self._md5s.setdefault(file.path, {})[file.md5] = None

    def _revisions(self, path: str, first: Iterable[str]) -> list[str]:
        if path not in self._touching:
            self._touching[path] = commits(self.config.root, path)
        return list(dict.fromkeys([*first, *self._touching[path]]))

    def _committed(self, ref: FileRef, revisions: Iterable[str]) -> bytes | None:
        for revision in self._revisions(ref.path, revisions):
            content = blob(self.config.root, revision, ref.path)
            if content is not None and sha256(content) == ref.sha256:
                return content
        return None

    def _tree(self, revision: str, path: str) -> dict[str, str]:
        # Without --full-tree git would look for this folder's own path inside of that tree.
        listed = git.run_git(self.config.root, "ls-tree", "--full-tree", "-r", "-z", f"{revision}:./{path}") or ""
        files: dict[str, str] = {}
        for entry in listed.split("\0"):
            about, _, name = entry.partition("\t")
            if not name or "__pycache__" in name.split("/"):
                continue
            identifier = about.split()[-1]
            if identifier not in self._blobs:
                _, content, _ = git.ask_git(self.config.root, "cat-file", "--filters", f"{revision}:./{path}/{name}")
                self._blobs[identifier] = sha256(content)
            files[name] = self._blobs[identifier]
        return files
