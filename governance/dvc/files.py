"""What do dvc.yaml and dvc.lock say? Read as files, never through DVC's internals."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from governance.errors import ConfigurationError, InvalidRecord

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml: its command, and the paths that it declares."""

    name: str
    command: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    params: tuple[str, ...]

    @property
    def module(self) -> str | None:
        """The module that `python -m MODULE` runs, or None for any other command."""
        words = self.command.split()
        return words[2] if len(words) >= 3 and words[1] == "-m" else None


@dataclass(frozen=True)
class LockedFile:
    """One dependency or output in dvc.lock; MD5 is all that DVC keeps."""

    path: str
    md5: str | None


@dataclass(frozen=True)
class LockedStage:
    """What dvc.lock holds of one stage."""

    name: str
    command: str
    deps: tuple[LockedFile, ...]
    outs: tuple[LockedFile, ...]


def read_stages(root: Path) -> dict[str, Stage]:
    """The stages of dvc.yaml, in the order in which they can run. Raises ConfigurationError, InvalidRecord."""
    path = root / "dvc.yaml"
    document = _yaml(
        path,
        missing="`labeltrail run -- COMMAND` records a script without one; `labeltrail init` lays one down in an empty "
        "folder, and the documentation page your-own-data writes one",
    )
    given = document.get("stages")
    if not isinstance(given, dict) or not given:
        raise InvalidRecord("stages", given, "at least one stage", where=str(path))
    stages = {name: _stage(name, body, where=str(path)) for name, body in given.items()}
    return {stage.name: stage for stage in in_order(stages.values())}


def in_order(stages: Any) -> list[Stage]:
    """Producers before consumers; stages that do not depend on each other keep their order in the file."""
    waiting = list(stages)
    makers = {out: stage.name for stage in waiting for out in stage.outs}
    done: list[Stage] = []
    while waiting:
        names = {stage.name for stage in waiting}
        ready = next((s for s in waiting if not any(makers.get(dep) in names - {s.name} for dep in s.deps)), None)
        if ready is None:
            raise InvalidRecord("stages", sorted(names), "stages without a cycle", where="dvc.yaml")
        waiting.remove(ready)
        done.append(ready)
    return done


def _stage(name: str, body: Any, *, where: str) -> Stage:
    if not isinstance(body, dict):
        raise InvalidRecord(f"stages.{name}", body, "a stage with a command", where=where)
    command = body.get("cmd")
    if isinstance(command, list) and command and all(isinstance(line, str) for line in command):
        command = " && ".join(command)
    if not isinstance(command, str):
        raise InvalidRecord(f"stages.{name}.cmd", command, "a command, or a list of them", where=where)

    def paths(field: str) -> tuple[str, ...]:
        items = body.get(field) or []
        if not isinstance(items, list) or any(not item or not isinstance(item, (str, dict)) for item in items):
            raise InvalidRecord(f"stages.{name}.{field}", items, "a list of paths", where=where)
        return tuple(str(next(iter(item))) if isinstance(item, dict) else item for item in items)

    outs = tuple(path for field in ("outs", "metrics", "plots") for path in paths(field))
    return Stage(name, command, paths("deps"), outs, paths("params"))


def read_lock(root: Path) -> dict[str, LockedStage]:
    """What dvc.lock holds; nothing where there is no lock yet."""
    path = root / "dvc.lock"
    return parse_lock(path.read_bytes(), where=str(path)) if path.is_file() else {}


def parse_lock(data: bytes, *, where: str) -> dict[str, LockedStage]:
    """The stages in the bytes of a lock file. Raises ConfigurationError, InvalidRecord."""
    document = _parsed(data, where=where) if data.strip() else {}
    stages = document.get("stages") or {}
    if not isinstance(stages, dict):
        raise InvalidRecord("stages", stages, "stages by name", where=where)
    locked = {}
    for name, body in stages.items():
        if not isinstance(body, dict):
            raise InvalidRecord(f"stages.{name}", body, "deps and outs", where=where)
        command = body.get("cmd")
        command = " && ".join(map(str, command)) if isinstance(command, list) else str(command or "")
        locked[name] = LockedStage(name, command, _files(body, "deps", where=where), _files(body, "outs", where=where))
    return locked


def _files(body: dict[str, Any], field: str, *, where: str) -> tuple[LockedFile, ...]:
    items = body.get(field) or []
    if not isinstance(items, list):
        raise InvalidRecord(field, items, "a list of files", where=where)
    found = []
    for item in items:
        md5 = item.get("md5") if isinstance(item, dict) else None
        whole = isinstance(item, dict) and isinstance(item.get("path"), str)
        if not whole or not (md5 is None or (isinstance(md5, str) and _MD5.fullmatch(md5))):
            raise InvalidRecord(field, item, "a path with its MD5", where=where)
        found.append(LockedFile(item["path"], md5))
    return tuple(found)


def cache_folder(root: Path) -> Path:
    """Where DVC keeps content by MD5: `cache.dir` of its configuration, or .dvc/cache."""
    return (root / ".dvc" / read_config(root).get("cache", "dir", fallback="cache")).resolve()


def read_config(root: Path) -> configparser.ConfigParser:
    """DVC's configuration of this project, with what is set for this checkout alone. Raises ConfigurationError."""
    parser = configparser.ConfigParser(interpolation=None)
    for name in ("config", "config.local"):
        try:
            parser.read(root / ".dvc" / name, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise ConfigurationError(f".dvc/{name}: {error}", hint="mend DVC's configuration") from None
    return parser


def cached_file(root: Path, md5: str, *, cache: Path | None = None) -> Path:
    """Where DVC's cache, or another of its shape, keeps a content, whether or not it is there."""
    return (cache or cache_folder(root)) / "files" / "md5" / md5[:2] / md5[2:]


def _yaml(path: Path, *, missing: str) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", hint=missing) from None
    return _parsed(data, where=str(path))


def _parsed(data: bytes, *, where: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(data.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        told = str(error).splitlines()[0]
        if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
            told = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
        hint = "mend the file, or take it back from git"
        raise ConfigurationError(f"{where} is not YAML: {told}", hint=hint) from None
    if not isinstance(document, dict):
        raise InvalidRecord("document", document, "a mapping", where=where)
    return document
