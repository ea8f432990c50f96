"""Which code did this process execute, as it was then, and which files did it open to read?

One audit hook, which can never be taken away again and costs a comparison of two words for everything else.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from typing import Any

#: path → (SHA-256, size) of code when it was executed; paths opened to be read, and to be written
executed: dict[str, tuple[str, int]] = {}
_read: dict[str, None] = {}
_written: set[str] = set()
_root: list[str] = []
_WRITES = os.O_WRONLY | os.O_RDWR


def listen(root: str) -> None:
    """Listens from here on for files below a folder."""
    if not _root:
        sys.addaudithook(_hook)
    _root[:] = [root.rstrip("/") + "/"]
    # Python forgets the file of its main module as soon as that has come to its end.
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main:
        with suppress(OSError):
            _executed(main)


def stop() -> None:
    """Hears nothing any more."""
    _root[:] = [""]


def read() -> list[str]:
    """Files that were opened to be read and not to be written, in the order of their opening."""
    return [path for path in _read if path not in _written]


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if event not in ("open", "exec") or not _root or not _root[0]:
        return
    try:
        if event == "open":
            _opened(*given)
        elif getattr(given[0], "co_name", "") == "<module>":
            _executed(given[0].co_filename)
    except (OSError, TypeError, ValueError):
        return


def _opened(path: Any, mode: Any, flags: Any) -> None:
    del mode
    if not isinstance(path, str) or path.endswith((".py", ".pyc")):
        return
    full = os.path.abspath(path)  # noqa: PTH100
    if not full.startswith(_root[0]):
        return
    if isinstance(flags, int) and flags & _WRITES:
        _written.add(full)
    else:
        _read[full] = None


def _executed(name: str) -> None:
    full = os.path.abspath(name)  # noqa: PTH100
    if full.startswith(_root[0]) and "/site-packages/" not in full and full not in executed:
        with open(full, "rb") as stream:
            data = stream.read()
        executed[full] = hashlib.sha256(data).hexdigest(), len(data)
