"""Which contents of DVC's cache are this project's own, where the cache may be one that others keep theirs in, too?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from governance.config import Config
from governance.dvc.files import cache_folder, cached_file, read_lock
from governance.errors import ConfigurationError, GovernanceError
from governance.project import git

SOMEBODY_ELSES = (
    "DVC's cache lies outside of the project, and nothing here ever named this content: where it is another project's, "
    "erase there"
)
#: as dvc.lock and the .dvc files name a content
_NAMED = re.compile(rb"\bmd5: ([0-9a-f]{32}(?:\.dir)?)\b")
_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


class Ours:
    """What this project may remove from DVC's cache: everything of a cache within the project, and of one outside only
    what its DVC files, or those of any commit, name."""

    def __init__(self, config: Config, named: set[str]) -> None:
        self.config, self._named = config, named
        self._cache = cache_folder(config.root)
        self.alone = self._cache.is_relative_to(config.root.resolve())

    def keeps(self, path: Path) -> bool:
        """Whether a file of the cache is this project's; an entry of the run cache is where it names a content of ours."""
        if self.alone:
            return True
        if path.relative_to(self._cache).parts[0] == "runs":
            return not self.ever.isdisjoint(_MD5.findall(path.read_text(encoding="utf-8", errors="replace")))
        return path.parent.name + path.name in self.ever

    @cached_property
    def ever(self) -> set[str]:
        """The MD5s that DVC's files name, here or in any commit."""
        listed = git.run_git(
            self.config.root, "rev-list", "--all", "--reflog", "--objects", "--full-history", "--", "."
        )
        objects = [line.split(" ", 1) for line in (listed or "").splitlines() if " " in line]
        wanted = [one for one, name in objects if name.rpartition("/")[2] == "dvc.lock" or name.endswith(".dvc")]
        _, contents, _ = git.ask_git(self.config.root, "cat-file", "--batch", given="\n".join(wanted).encode())
        named = self._named | {md5.decode() for md5 in _NAMED.findall(contents)}
        return named | {md5 for name in named if name.endswith(".dir") for md5 in in_folder(self.config, name)}


def named_md5s(config: Config) -> set[str]:
    """The MD5s that dvc.lock and the .dvc files here name."""
    try:
        locks = read_lock(config.root).values()
    except GovernanceError:
        hint = "mend it, or take it back from git: an erasure has to know which contents are in use"
        raise ConfigurationError("dvc.lock cannot be read", hint=hint) from None
    named = {file.md5 for stage in locks for file in (*stage.deps, *stage.outs) if file.md5}
    for path in dvc_files(config):
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        for out in (document or {}).get("outs") or () if isinstance(document, dict) else ():
            if isinstance(out, dict) and isinstance(out.get("md5"), str):
                named.add(out["md5"])
    return named | {md5 for name in named if name.endswith(".dir") for md5 in in_folder(config, name)}


def in_folder(config: Config, md5: str) -> Iterable[str]:
    """The MD5s of the files of a folder, from the list that DVC's cache keeps of it; none where it is not there."""
    try:
        return [str(file["md5"]) for file in json.loads(cached_file(config.root, md5).read_bytes())]
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def folder_lists(config: Config, *, naming: set[str]) -> list[tuple[Path, list[dict[str, Any]]]]:
    """The lists that DVC's cache keeps of folders, each with its file, of those that name one of these contents."""
    found = []
    for path in sorted(cache_folder(config.root).glob("files/md5/*/*.dir")):
        try:
            listed = json.loads(path.read_bytes())
            named = {file["md5"] for file in listed}
        except (ValueError, KeyError, TypeError):
            continue
        if not naming.isdisjoint(named):
            found.append((path, listed))
    return found


def dvc_files(config: Config) -> list[Path]:
    """dvc.lock's relatives: what `dvc add` writes beside a file."""
    return [path for path in sorted(config.root.rglob("*.dvc")) if path.is_file() and ".dvc" not in path.parts[:-1]]
