"""Which checkpoints lie outside the store, so that whoever owns the store cannot rewrite them with it?"""

from __future__ import annotations

import os
from pathlib import Path

from governance.config import Config
from governance.errors import ConfigurationError, InvalidRecord
from governance.store.checkpoint import Checkpoint, parse_note

#: tracked by git: one file a log, named after it
FOLDER = "checkpoints"


def tracked_path(root: Path, log: str) -> Path:
    """Where git carries the checkpoint of a log."""
    return root / FOLDER / log


def tracked(config: Config, log: str) -> dict[str, Checkpoint]:
    """The checkpoint of this very log that git carries, by its path; another log's is none of its business.

    Raises ConfigurationError where it cannot be read.
    """
    path = tracked_path(config.root, log)
    # Whatever stands there: a folder or a link that leads nowhere must not read as if nothing had been kept.
    return {f"{FOLDER}/{log}": read_anchor(path, log=log)} if os.path.lexists(path) else {}


def read_anchor(path: Path, *, log: str | None = None) -> Checkpoint:
    """A checkpoint from a file. Raises ConfigurationError where it cannot be read, is none, or vouches for nothing here:
    it is of another log, or of an empty one. Its very bytes count, line ends too, as for everybody who verifies.
    """
    hint = "wanted: a checkpoint, as `labeltrail checkpoint` prints"
    try:
        checkpoint = parse_note(path.read_bytes().decode("utf-8"), where=str(path))
    except IsADirectoryError:
        raise ConfigurationError(f"{path} is a folder, where a checkpoint should be", hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"{path}: {reason}", hint=hint) from None
    except InvalidRecord as error:
        raise ConfigurationError(error.message, hint=hint) from None
    if log is not None and checkpoint.origin != log:
        raise ConfigurationError(
            f"{path} is a checkpoint of the log {checkpoint.origin}, this one is {log}",
            hint="compare a log with a checkpoint of its own",
        )
    if checkpoint.size == 0:
        raise ConfigurationError(
            f"{path} is a checkpoint of an empty log, which every history grew from",
            hint="give one that was made after the first entry",
        )
    return checkpoint
