"""In which formats do votes come from elsewhere? One file a format, which nothing else lists.

A format has a reader, a writer that gives back what was read, and a look that recognises it: `TELLS` says in a line what it
is, `looks_like(head, path)` judges the first bytes of a file, `read(path, options)` answers what was gathered, and
`write(gathered, path)` writes it as the tool itself would.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from governance import shelf
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.sources.ingest._base import Fault, Gathered, Options, Voter

__all__ = ["Fault", "Gathered", "Options", "Voter", "formats", "guess", "read", "write"]

_HEAD = 1 << 16


def formats() -> dict[str, str]:
    """Every format by its name, with the line that tells what it is."""
    return {name.replace("_", "-"): module.TELLS for name, module in shelf.walk(__name__)}


def guess(path: Path) -> str:
    """The format of a file, told by its first bytes. Raises ConfigurationError where none or more than one fits."""
    with open(path, "rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise InvalidRecord("file", "0 bytes", "an export", where=str(path))
    found = [name for name, module in shelf.walk(__name__) if module.looks_like(head, path)]
    if len(found) != 1:
        told = "looks like nothing that is known here" if not found else f"may be {' or '.join(found)}"
        raise ConfigurationError(f"{path} {told}", hint=f"say what it is with --as: {', '.join(formats())}")
    return found[0].replace("_", "-")


def read(path: Path, *, format: str, options: Options | None = None) -> Gathered:
    """What stands in an export. Raises UnknownName (the format), ConfigurationError, InvalidRecord (which row, and why)."""
    return _taken(format).read(path, options or Options())


def write(gathered: Gathered, path: Path, *, format: str) -> None:
    """Writes what was gathered in a format, whole or not at all.

    Raises UnknownName (the format), InvalidRecord for what it has no place for.
    """
    _taken(format).write(gathered, path)


def _taken(format: str) -> ModuleType:
    known = formats()
    if format not in known:
        raise UnknownName("format", format, known)
    return shelf.take(__name__, format.replace("-", "_"))
