"""Which checkpoint did this person see last? Kept outside the store, so that one rolled back or rewritten is noticed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from governance.digest import write_atomically
from governance.errors import InvalidRecord
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.keys import key_path


def memory_path(log: str) -> Path:
    """Where the newest checkpoint of a log is remembered, beside the user's signing key."""
    return key_path().parent / "seen" / log


def remember(checkpoint: Checkpoint) -> None:
    """Keeps the newest checkpoint of its log; where the user's folder cannot be written there is no memory."""
    seen = recall(checkpoint.origin)
    if seen is not None and seen.size > checkpoint.size:
        return
    with contextlib.suppress(OSError):
        # The log itself is on the disk by now. A power cut in these seconds may take the memory of it, and nothing else.
        note = checkpoint.to_note().encode()
        write_atomically(memory_path(checkpoint.origin), note, mode=0o600, synchronised=False)


def recall(log: str) -> Checkpoint | None:
    """The remembered checkpoint of a log, or None where this person has not seen it or the note is of no known form."""
    try:
        return parse_note(memory_path(log).read_text(encoding="utf-8"), where=f"remembered checkpoint of {log}")
    except (OSError, UnicodeDecodeError, InvalidRecord):
        return None
