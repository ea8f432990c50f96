"""Is a published log, a folder of tiles, whole, unchanged and whose?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from governance.errors import ConfigurationError, GovernanceError, InvalidRecord
from governance.proof.bundle import BundleCheck, is_of_its_log
from governance.proof.check import Check
from governance.proof.origin import vouched_for
from governance.records import KeyChange
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry, read_entry
from governance.store.tiles import CHECKPOINT, WIDTH, Tile, TilePath, bundle_paths, read_bundle, read_path, tiles


class Folder(Mapping[str, bytes]):
    """The files below a folder by path; each is read when it is asked for. Links are listed and not followed."""

    def __init__(self, root: Path) -> None:
        """Raises ConfigurationError where the folder cannot be listed."""
        self.root = root
        self._sizes: dict[str, int | None] = {}
        for folder, folders, names in os.walk(root, onerror=_refuse):
            for name in (*folders, *names):
                place = Path(folder, name)
                state = place.lstat()
                if not stat.S_ISDIR(state.st_mode):
                    path = place.relative_to(root).as_posix()
                    self._sizes[path] = state.st_size if stat.S_ISREG(state.st_mode) else None

    def is_plain(self, path: str) -> bool:
        """Whether it is an ordinary file, no link, pipe or device."""
        return self._sizes.get(path) is not None

    def __getitem__(self, path: str) -> bytes:
        if self._sizes[path] is None:
            raise InvalidRecord("file", path, "an ordinary file, no link and no device", where=str(self.root))
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            _refuse(error)
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


def _refuse(error: OSError) -> None:
    raise ConfigurationError(
        f"{error.filename}: {error.strerror}", hint="give yourself the right to read all of it"
    ) from None


def groups(paths: Iterable[str]) -> dict[tuple[str, int], list[tuple[TilePath, str]]]:
    """Paths by the tile that they hold some state of. Raises InvalidRecord for one that is no tile's."""
    found: dict[tuple[str, int], list[tuple[TilePath, str]]] = {}
    for path in paths:
        if path == CHECKPOINT:
            continue
        read = read_path(path)
        if read is None:
            raise InvalidRecord("path", path, "a checkpoint, tiles and entry bundles alone")
        found.setdefault(read.group, []).append((read, path))
    return found


def compare(tile: Tile, states: list[tuple[TilePath, str]], files: Mapping[str, bytes]) -> None:
    """Whether every state of a tile that lies there is what it was. Raises InvalidRecord for one that is not."""
    for read, path in states:
        if read.width > tile.width or tile.file(read.width) != (path, files[path]):
            raise InvalidRecord("tile", path, "what the entries give, no more and no less")


def check_folder(files: Mapping[str, bytes], *, anchor: str | None = None, key: bytes | None = None) -> BundleCheck:
    """1. every file is the checkpoint or a tile's  2. each entry is canonical  3. each tile is that of the entries, none is
    missing, and nothing lies beyond them  4. the entries are those of the checkpoint  5. somebody who is trusted vouches

    `files` may be a `Folder`; `anchor` and `key` are as for `check_bundle`. Of the entries only leaves stay in memory.
    """
    try:
        # 1.
        if CHECKPOINT not in files:
            raise InvalidRecord("files", f"{len(files)} files", f"{CHECKPOINT} among them")
        checkpoint = parse_note(files[CHECKPOINT].decode("utf-8", errors="replace"))
        found = groups(files)
        # 2. and 3.
        kept: list[tuple[int, Entry]] = []
        leaves: list[bytes] = []
        for tile in tiles(_entries(files, checkpoint, kept)):
            states = found.pop(tile.group, [])
            path, _ = tile.file(tile.width)
            if path not in {lies for _, lies in states}:
                raise InvalidRecord("files", f"{len(files)} files", f"{path} among them")
            compare(tile, states, files)
            if tile.level == 0:
                leaves.extend(tile.items)
        if found:
            raise InvalidRecord("file", next(iter(found.values()))[0][1], "no tile beyond the checkpoint")
        # 4.
        is_of_its_log(checkpoint, [entry for _, entry in kept], leaves)
        # 5.
        origin = vouched_for(checkpoint, kept, leaves, what="folder", anchor=anchor, key=key)
    except ConfigurationError:
        raise
    except GovernanceError as error:
        return BundleCheck((Check("folder", "broken", "folder", error.message, error.hint or ""),))
    return BundleCheck((origin,), len(leaves), checkpoint.origin)


def _entries(files: Mapping[str, bytes], checkpoint: Checkpoint, kept: list[tuple[int, Entry]]) -> Iterator[bytes]:
    """The bytes of every entry, each judged before it is handed on; `kept` gets those that name a key."""
    seq = 0
    for first in range(0, checkpoint.size, WIDTH):
        width = min(WIDTH, checkpoint.size - first)
        small, large = bundle_paths(first // WIDTH, width)
        path = large if large in files else small
        if path not in files:
            raise InvalidRecord("files", f"{len(files)} files", f"{path} among them")
        for data in read_bundle(files[path], prefix=4 if path == large else 2, width=width):
            entry = read_entry(data, where=f"entry {seq}")
            if seq == 0 or isinstance(entry.record, KeyChange):
                kept.append((seq, entry))
            seq += 1
            yield data
