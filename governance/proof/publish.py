"""How does the log get onto a static file server, and stay whole there whatever happens meanwhile?"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from governance.digest import sync_folder, write_atomically
from governance.errors import BrokenEvidence, Busy, ConfigurationError, InvalidRecord, MissingEvidence
from governance.proof.folder import Folder, compare, groups
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.tiles import CHECKPOINT, LARGE, read_path, tiles
from governance.store.trail import Trail

#: what a killed writer leaves of `write_atomically`
_LEFT_OVER = re.compile(r"(?:.*/)?\.[^/]+\.[0-9]+\.partial")
_BATCH = 4096


@dataclass(frozen=True)
class Published:
    """What lies in the folder now, and what was done for it."""

    checkpoint: Checkpoint
    written: int
    kept: int
    removed: int
    large: tuple[str, ...]


def publish(trail: Trail, folder: Path) -> Published:
    """1. nobody else publishes there  2. what lies there is an earlier state of this log  3. the missing tiles are written
    4. then the checkpoint, so that no reader sees one whose tiles are not there  5. what is superseded is taken away

    Raises MissingEvidence (no entry yet), BrokenEvidence (another log or history; nothing was written), ConfigurationError
    (the folder cannot be used), Busy.
    """
    # 1.
    with _alone_in(folder), _told(folder):
        # Read under the lock: of two that publish, the later one has at least the other's entries.
        stored = trail.checkpoints()
        if not stored:
            raise MissingEvidence("the log has no entry yet", hint="`labeltrail init` starts one")
        note = stored[-1][1]
        newest = parse_note(note)
        # 2.
        present = Folder(folder)
        left_over = [path for path in present if _LEFT_OVER.fullmatch(path) and present.is_plain(path)]
        here = {path for path in present if path not in left_over}
        if here:
            _refuse_other(trail, newest, present, here)
        # 3.
        written, large = _write_missing(trail, newest, folder, here)
        # 4.
        if CHECKPOINT not in here or present[CHECKPOINT] != note.encode():
            write_atomically(folder / CHECKPOINT, note.encode())
        # 5.
        superseded = [path for path in sorted(here) if (tile := read_path(path)) and tile.is_superseded(newest.size)]
        for path in (*left_over, *superseded):
            (folder / path).unlink(missing_ok=True)
        kept = len(here - {CHECKPOINT}) - len(superseded)
        return Published(newest, written, kept, len(superseded), tuple(large))


def _refuse_other(trail: Trail, newest: Checkpoint, present: Folder, here: set[str]) -> None:
    """Raises BrokenEvidence unless every file there is what this log gives, and the checkpoint one of this log."""
    odd = [path for path in sorted(here) if (path != CHECKPOINT and not read_path(path)) or not present.is_plain(path)]
    if odd:
        raise ConfigurationError(
            f"{present.root} holds {odd[0]}, which is no part of a published log",
            hint="name an empty folder, or one that was published to before",
        )
    found = groups(here)
    try:
        old = _old(present) if CHECKPOINT in here else None
        if old is not None and (old.origin, old.size <= newest.size) != (newest.origin, True):
            raise InvalidRecord(CHECKPOINT, f"{old.size} entries of {old.origin}", f"at most {newest.size} of this log")
        frontier = merkle.Frontier()
        for tile in tiles(_entries(trail, newest.size)):
            compare(tile, found.pop(tile.group, []), present)
            for leaf in tile.items if tile.level == 0 else ():
                if old is not None and frontier.size < old.size:
                    frontier.push(leaf)
        if found:
            raise InvalidRecord("tile", next(iter(found.values()))[0][1], "no tile beyond the newest checkpoint")
        if old is not None and frontier.root() != old.root:
            raise InvalidRecord(CHECKPOINT, f"{old.size} entries", "one that this log grew from")
    except InvalidRecord as error:
        raise BrokenEvidence(
            str(present.root),
            expected="an earlier state of this log",
            actual=f"{error.field} {error.given}",
            hint="nothing was written; name another folder, or find out who changed which of the two",
        ) from None


def _old(present: Folder) -> Checkpoint:
    return parse_note(present[CHECKPOINT].decode("utf-8", errors="replace"), where=str(present.root / CHECKPOINT))


def _write_missing(trail: Trail, newest: Checkpoint, folder: Path, here: set[str]) -> tuple[int, list[str]]:
    """How many tiles were written, and which bundles hold an entry that C2SP's form has no room for."""
    frontier = merkle.Frontier()
    written, large, parents = 0, [], set[Path]()
    for tile in tiles(_entries(trail, newest.size)):
        path, data = tile.file(tile.width)
        if path.startswith(f"tile/{LARGE}/"):
            large.append(path)
        if path not in here:
            write_atomically(folder / path, data)
            written += 1
            parents.update((folder / path).parents)
        for leaf in tile.items if tile.level == 0 else ():
            frontier.push(leaf)
    if frontier.root() != newest.root:
        expected, actual = newest.root.hex(), frontier.root().hex()
        raise BrokenEvidence(f"checkpoint {newest.size}", expected=expected, actual=actual, hint="`labeltrail verify`")
    # The folders that were made have to be there after a power cut too, before a checkpoint speaks of what is in them.
    for place in sorted(parents - set(folder.parents)):
        sync_folder(place)
    return written, large


def _entries(trail: Trail, size: int) -> Iterator[bytes]:
    """The bytes of the first `size` entries, a batch in memory at a time. Raises BrokenEvidence where one is gone."""
    expected = 0
    for start in range(0, size, _BATCH):
        for seq, data, _ in trail.raw_entries(start=start, stop=min(start + _BATCH, size)):
            if seq != expected:
                raise BrokenEvidence(
                    f"entry {expected}", expected="an entry", actual="none", hint="`labeltrail verify`"
                )
            expected += 1
            yield data


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Makes the folder and holds it against everybody else who publishes. Raises Busy, ConfigurationError."""
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be published to: {error.strerror}", hint="name a folder of its own"
        ) from None
    try:
        # On the folder itself: a lock file would lie among what is served.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Busy(f"somebody else is publishing to {folder}", hint="try again when it is done") from None
    finally:
        os.close(descriptor)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the system refuses, as one sentence."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some space, then publish again" if full else "name a folder that you may write, then publish again"
        place = error.filename or folder
        raise ConfigurationError(
            f"{place}: {error.strerror}; readers see the former checkpoint, and it is whole", hint=hint
        ) from None
