"""What have two recipes otherwise: parameters, seeds, files, environment?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from governance.records import Distribution, Environment, Execution, FileRef, Recipe

How = Literal["added", "removed", "changed"]

#: what a clause shows of a value; the change itself holds all of it
_LONGEST = 80


@dataclass(frozen=True)
class Change:
    """One value that was and is; None where there was or is none."""

    what: str
    name: str
    was: str | None
    now: str | None

    @property
    def says(self) -> str:
        """One clause, such as `parameter screen.max changed from 5 to 4`."""
        named = f"{self.what} {self.name}".strip()
        was, now = _clipped(self.was), _clipped(self.now)
        if was is None:
            return f"{named} added with {now}"
        if now is None:
            return f"{named} removed, was {was}"
        return f"{named} changed from {was} to {now}"


@dataclass(frozen=True)
class FileChange:
    """A file or folder that was added, removed or changed, with what is recorded of it."""

    path: str
    was: FileRef | None
    now: FileRef | None

    @property
    def how(self) -> How:
        if self.was is None:
            return "added"
        return "removed" if self.now is None else "changed"


def parameter_changes(was: Recipe, now: Recipe) -> list[Change]:
    """Parameters as params.yaml names them, then seed, threads and hash seed."""
    prefix = f"{now.stage}."
    changes = value_changes("parameter", _prefixed(was.parameters, prefix), _prefixed(now.parameters, prefix))
    for field, name in (("seed", "seed"), ("threads", "threads"), ("hash_seed", "PYTHONHASHSEED")):
        one, two = str(getattr(was, field)), str(getattr(now, field))
        if one != two:
            changes.append(Change("", name, one, two))
    return changes


def file_changes(was: Iterable[FileRef], now: Iterable[FileRef]) -> list[FileChange]:
    """What differs by SHA-256, sorted by path."""
    before, after = {ref.path: ref for ref in was}, {ref.path: ref for ref in now}
    return [
        FileChange(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if _digest(before.get(path)) != _digest(after.get(path))
    ]


def interpreter_changes(was: Recipe, now: Recipe) -> list[Change]:
    """Python, and the distributions that the stage imported something of."""
    changes = [Change("", "Python", was.python, now.python)] if was.python != now.python else []
    return changes + value_changes("distribution", _versions(was.distributions), _versions(now.distributions))


def execution_changes(was: Execution, now: Execution) -> list[Change]:
    """Machine, revision, uncommitted changes and the library's own source, as two executions had them."""
    changes = value_changes("machine", was.machine, now.machine)
    for field, name in (("revision", "revision"), ("dirty", "uncommitted changes"), ("library", "library source")):
        one, two = getattr(was, field), getattr(now, field)
        if one != two:
            changes.append(Change("", name, one, two))
    return changes


def environment_changes(was: Environment, now: Environment) -> list[Change]:
    """What could have been imported, the files that pin it, and the variables that change results."""
    changes = value_changes("installed", _versions(was.distributions), _versions(now.distributions))
    pins = [{ref.path: ref.sha256 for ref in one.constraints} for one in (was, now)]
    changes += value_changes("constraints", *pins)
    return changes + value_changes("variable", was.variables, now.variables)


def value_changes(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """Values by name that are not the same in both, sorted by name."""
    return [
        Change(what, name, was.get(name), now.get(name))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]


def _clipped(value: str | None) -> str | None:
    return value if value is None or len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def _prefixed(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {prefix + name: value for name, value in values.items()}


def _versions(distributions: Iterable[Distribution]) -> dict[str, str]:
    return {one.distribution: one.version for one in distributions}


def _digest(ref: FileRef | None) -> str | None:
    return ref.sha256 if ref else None
