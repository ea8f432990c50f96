"""What is still to be done of an erasure that was entered in the log? It is written down first, without a name."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from governance.config import Config
from governance.digest import file_digest, sync_folder, write_atomically
from governance.dvc.relock import swapped
from governance.erased import INTENT
from governance.errors import Busy, ConfigurationError
from governance.project.subject.ours import dvc_files

FOLDER, _INTENT = INTENT.split("/")
_SAFE = 0o444  # DVC keeps its contents so


@dataclass
class Intent:
    """Files to put in their places, contents to remove, and MD5s that DVC's files have to name from then on."""

    record: str = ""
    #: (number in the folder, target, SHA-256 before, SHA-256 after, whether DVC's cache keeps it)
    moves: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    #: (path, SHA-256): only what is still that content is removed
    removals: list[tuple[str, str]] = field(default_factory=list)
    swaps: dict[str, tuple[str, int]] = field(default_factory=dict)

    def write(self, config: Config) -> None:
        write_atomically(folder(config) / _INTENT, json.dumps(asdict(self)).encode(), mode=0o600)


def folder(config: Config) -> Path:
    """Where contents wait until the log names them."""
    return config.state / FOLDER


def read_intent(config: Config) -> Intent | None:
    """What an erasure that was cut off left to be done; None where there is none."""
    try:
        given = json.loads((folder(config) / _INTENT).read_bytes())
        moves = [(m[0], m[1], m[2], m[3], bool(m[4])) for m in given["moves"]]
        swaps = {md5: (new[0], int(new[1])) for md5, new in given["swaps"].items()}
        return Intent(given["record"], moves, [(r[0], r[1]) for r in given["removals"]], swaps)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise ConfigurationError(
            f"{folder(config) / _INTENT} cannot be read", hint="remove that folder and erase again"
        ) from None


def drop(config: Config) -> None:
    """Forgets an intent, the list first: half a folder must never be taken for a whole one."""
    (folder(config) / _INTENT).unlink(missing_ok=True)
    shutil.rmtree(folder(config), ignore_errors=True)


def refuse_unfinished(config: Config) -> None:
    """Raises Busy where an erasure was cut off: whoever runs stages now would run them on half of it."""
    if (folder(config) / _INTENT).is_file():
        hint = "`labeltrail subject erase --resume` completes it"
        raise Busy("an erasure was cut off before it was done", hint=hint)


def complete(config: Config, intent: Intent, *, step: Callable[[str], None] = lambda _: None) -> list[str]:
    """1. new contents take their places  2. DVC's files name them  3. the old ones go; answers what could not be done.

    Each step can be done again: whatever is done already is left as it is.
    """
    left: list[str] = []
    # 1.
    for name, target, before, after, cached in intent.moves:
        step("move")
        place = config.root / target
        actual = file_digest(place) if place.is_file() else ""
        if actual == after:
            continue
        staged = folder(config) / name
        if not staged.is_file() or (actual and actual != before):
            left.append(f"{target} was changed by somebody meanwhile")
            continue
        if cached:
            staged.chmod(_SAFE)
        _put(staged, place)
    # 2.
    for path in [config.root / "dvc.lock", *dvc_files(config)]:
        step("lock")
        # What is no text is none of DVC's files: it names nothing.
        with suppress(FileNotFoundError, UnicodeDecodeError):
            text = path.read_text(encoding="utf-8")
            if (new := swapped(text, intent.swaps)) != text:
                write_atomically(path, new.encode())
    # 3.
    for name, digest in intent.removals:
        step("remove")
        place = config.root / name
        if place.is_file() and file_digest(place) == digest:
            place.unlink()
            sync_folder(place.parent)
    step("drop")
    drop(config)
    return left


def _put(staged: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(staged, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
        shutil.copy2(staged, partial)
        os.replace(partial, place)
    sync_folder(place.parent)
