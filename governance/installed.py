"""Which distributions does this environment hold, and which modules does each of them bring?

Found as importlib.metadata finds them, and read from two lines of each header and from lists of files as text: to parse all
of that, as importlib.metadata does, takes longer than many a script.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata

_NAME = re.compile(r"^Name:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_VERSION = re.compile(r"^Version:[ \t]*(\S+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Installed:
    """`versions` by name in lower case, of two of one name the one found first; `owners` are the names, sorted, of the
    distributions that bring a top-level module."""

    versions: dict[str, str]
    owners: dict[str, tuple[str, ...]]

    def brought(self, modules: Iterable[str]) -> dict[str, str]:
        """The version of every distribution that brings one of these top-level modules, by name in lower case, sorted."""
        names = {name.lower() for module in modules for name in self.owners.get(module, ())}
        return {name: self.versions[name] for name in sorted(names)}


def read_installed() -> Installed:
    """What this process could import as it is now."""
    versions: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        name, version = _named(distribution)
        # A folder that an installer left half-removed has no name; it cannot be asked for either.
        if not name:
            continue
        versions.setdefault(name.lower(), version)
        for module in _modules(distribution):
            owners.setdefault(module, set()).add(name)
    return Installed(versions, {module: tuple(sorted(names)) for module, names in owners.items()})


@cache
def installed() -> Installed:
    """`read_installed`, asked once in a process."""
    return read_installed()


def _named(distribution: metadata.Distribution) -> tuple[str, str]:
    """(name, version) of the header, which ends at its first empty line."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    header = text.partition("\n\n")[0]
    names, versions = _NAME.findall(header), _VERSION.findall(header)
    if len(names) == len(versions) == 1:
        return names[0], versions[0]
    # Whatever else is written there, its own reader decides.
    told = distribution.metadata
    return told["Name"] or "", told["Version"] or ""


def _modules(distribution: metadata.Distribution) -> set[str]:
    """The top-level modules that it declares, or else those of which it lists a file of Python code."""
    declared = (distribution.read_text("top_level.txt") or "").split()
    if declared:
        return set(declared)
    listed = distribution.read_text("RECORD")
    if listed is None:
        return {_top(file.as_posix()) for file in distribution.files or () if file.suffix == ".py"}
    found: set[str] = set()
    for line in listed.splitlines():
        # A name with a comma or a quote in it stands in quotes (PEP 376).
        path = next(csv.reader([line]), [""])[0] if line.startswith('"') else line.partition(",")[0]
        if path.endswith(".py"):
            found.add(_top(path))
    return found


def _top(path: str) -> str:
    top, inner, _ = path.partition("/")
    return top if inner else top.removesuffix(".py")
