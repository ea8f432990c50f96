"""Where do the notes of watched processes lie, so that none of them stays behind when its command is gone?

They hold whole columns and ids: in the project, where git does not look and `subject find` does, and for their owner alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.config import Config
from governance.dvc.locks import alive
from governance.errors import ConfigurationError

FOLDER = "watched"


@contextmanager
def notes_folder(config: Config) -> Iterator[Path]:
    """A new folder that is gone in the end, with everything that was written there. Raises ConfigurationError."""
    clear_stale(config)
    try:
        (config.state / FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=config.state / FOLDER))
    except OSError as error:
        hint = "check its owner and rights"
        raise ConfigurationError(f"{config.state} cannot be written: {error.strerror}", hint=hint) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_stale(config: Config) -> bool:
    """Removes what commands left that were killed, and answers whether one is at work still."""
    try:
        left = list((config.state / FOLDER).iterdir())
    except OSError:
        return False
    at_work = False
    for one in left:
        who = one.name.partition("-")[0]
        if who.isdigit() and alive(int(who)):
            at_work = True
        else:
            shutil.rmtree(one, ignore_errors=True)
    return at_work
