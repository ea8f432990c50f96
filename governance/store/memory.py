"""Which checkpoint did this person see last? Kept outside the store, so that one rolled back or rewritten is noticed."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from governance.digest import write_atomically
from governance.errors import InvalidRecord
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.keys import key_path


def memory_path(log: str) -> Path:
    """Where the newest checkpoint of a log is remembered, beside the user's signing key."""
    return _beside(key_path(), log)


@lru_cache(maxsize=4)
def _beside(key: Path, log: str) -> Path:
    return key.parent / "seen" / log


def remember(log: str, size: int, note: str, *, after: str = "") -> None:
    """Keeps the newest checkpoint of a log; where the user's folder cannot be written there is no memory.

    `after` is a note of the same log, known to be older, that may be the remembered one.
    """
    path = memory_path(log)
    with contextlib.suppress(OSError):
        # The log itself is on the disk by now. A power cut in these seconds may take the memory of it, and nothing else.
        if after and len(note) >= len(after) and _replaced(path, after.encode(), note.encode()):
            return
        seen = recall(log)
        if seen is None or seen.size <= size:
            write_atomically(path, note.encode(), mode=0o600, synchronised=False)


def _replaced(path: Path, old: bytes, new: bytes) -> bool:
    """Whether the file held `old` and now holds `new`, which is no shorter, by the one call that writes it."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return os.read(descriptor, len(old) + 1) == old and os.pwrite(descriptor, new, 0) == len(new)
    finally:
        os.close(descriptor)


def recall(log: str) -> Checkpoint | None:
    """The remembered checkpoint of a log, or None where this person has not seen it or the note is of no known form."""
    try:
        return parse_note(memory_path(log).read_text(encoding="utf-8"), where=f"remembered checkpoint of {log}")
    except (OSError, UnicodeDecodeError, InvalidRecord):
        return None
