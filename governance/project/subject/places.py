"""Where may a person stand: which files, which objects of git, which cells of the store, and what is beyond our reach?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from governance.config import Config
from governance.dvc.files import cache_folder
from governance.dvc.remote import remotes
from governance.project import git
from governance.store.tables import METADATA
from governance.store.trail import Trail

Kind = Literal["project", "cache", "run cache", "notes", "remote"]
#: told, and no reason to doubt what was found: nobody keeps data there, and most projects have such a folder
INSTALLED = "what a package manager installed"
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Place:
    """A file that is looked into, and what people call it."""

    kind: Kind
    path: Path
    shown: str


def places(config: Config, trail: Trail, unread: dict[str, str]) -> Iterator[Place]:
    """Every file of the project, of its notes, of DVC's cache and of the remotes that are folders here, once.

    Folders that are not looked into gather in `unread`, with the reason.
    """
    cache = cache_folder(config.root)
    store = trail.database.path
    folders = [Path(url) for url in local_remotes(config).values()]
    for path in _files(config.root, but=[cache, *folders], unread=unread):
        # The store is read as one, cell by cell, and its file beside that.
        if store is not None and _is_stores(path, store):
            continue
        kind: Kind = "notes" if path.is_relative_to(config.state) else "project"
        yield Place(kind, path, path.relative_to(config.root).as_posix())
    for path in _files(cache, unread=unread):
        inside = path.relative_to(cache)
        yield Place("run cache" if inside.parts[0] == "runs" else "cache", path, f"DVC's cache: {inside.as_posix()}")
    for name, folder in local_remotes(config).items():
        for path in _files(Path(folder), unread=unread):
            yield Place("remote", path, f"DVC's remote {name}: {path.relative_to(folder).as_posix()}")


def _files(folder: Path, *, unread: dict[str, str], but: list[Path] | None = None) -> Iterator[Path]:
    left_out = {path.resolve() for path in but or []}

    def closed(error: OSError) -> None:
        unread[str(error.filename)] = f"it cannot be read: {error.strerror}"

    for top, folders, names in os.walk(folder, onerror=closed):
        here = Path(top)
        for link in (here / name for name in sorted(folders) if (here / name).is_symlink()):
            if not any(link.resolve().is_relative_to(known) for known in (folder.resolve(), *left_out)):
                unread[link.relative_to(folder).as_posix()] = "a link to a folder outside of the project"
        folders[:] = [
            name
            for name in sorted(folders)
            if not (here / name).is_symlink() and (here / name).resolve() not in left_out
        ]
        for name in [name for name in folders if _is_left_out(here / name)]:
            folders.remove(name)
            # The project's own history is read by git.
            if name != ".git" or here != folder:
                says = "a repository of its own" if name == ".git" else INSTALLED
                unread[(here / name).relative_to(folder).as_posix()] = says
        yield from (here / name for name in sorted(names) if (here / name).is_file())


def _is_left_out(folder: Path) -> bool:
    return folder.name in (".git", "node_modules") or (folder / "pyvenv.cfg").is_file()


def local_remotes(config: Config) -> dict[str, str]:
    """The remotes that are folders of this machine, with their absolute paths."""
    found = {}
    for name, url in remotes(config.root).items():
        folder = (config.root / ".dvc" / url).resolve() if "://" not in url else None
        if folder is not None and folder.is_dir():
            found[name] = str(folder)
    return found


def store_cells(trail: Trail) -> Iterator[tuple[str, bytes]]:
    """(table, cell) for every text and every bytes in the store's tables that is this log's, fetched in parts."""
    with trail.database.reading() as connection:
        from sqlalchemy import inspect

        there = set(inspect(connection).get_table_names())
        for table in METADATA.sorted_tables:
            if table.name not in there:
                continue
            # A driver of a server would otherwise lay the whole table down in this machine's memory first.
            asked = select(table).where(table.c.log == trail.log).execution_options(yield_per=_ROWS_AT_ONCE)
            for row in connection.execute(asked):
                for cell in row:
                    if isinstance(cell, (str, bytes, memoryview)):
                        yield table.name, cell.encode() if isinstance(cell, str) else bytes(cell)


def store_files(trail: Trail) -> list[Path]:
    """The files of the store, with its journal; none where it is on a server."""
    path = trail.database.path
    return sorted(one for one in path.parent.iterdir() if _is_stores(one, path)) if path is not None else []


def _is_stores(path: Path, store: Path) -> bool:
    """Whether a file is the store, its journal or a copy of either that lies beside it."""
    return path.name.startswith(store.name) and path.is_file() and path.parent.resolve() == store.parent


def git_objects(root: Path, unread: dict[str, str]) -> Iterator[tuple[str, str, bytes]]:
    """(identifier, type, content) of every object of the repository, reachable or not; none where there is no git.

    What git cannot read gathers in `unread`.
    """
    if git.run_git(root, "rev-parse", "--git-dir") is None:
        if any((folder / ".git").exists() for folder in (root, *root.parents)):
            unread["git"] = "git does not open the repository that is here"
        return
    command = ["git", "cat-file", "--batch-all-objects", "--unordered", "--batch"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        stream: Any = process.stdout
        while header := stream.readline():
            identifier, *told = header.decode().split()
            if len(told) < 2:
                unread[f"object {identifier[:12]} of git"] = "git cannot read it"
                continue
            yield identifier, told[0], stream.read(int(told[1]))
            stream.read(1)
    if process.returncode:
        unread["git"] = "git cannot read all of its objects"


def git_files(root: Path, unread: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """What git keeps beside its objects, and how it is called: messages, logs, names of branches, contents of LFS."""
    lines = (git.run_git(root, "rev-parse", "--git-common-dir", "--git-dir") or "").splitlines()
    folders = [(root / line).resolve() for line in lines]
    # A working tree of its own has a folder inside of the common one.
    for folder in [one for n, one in enumerate(folders) if not any(one.is_relative_to(two) for two in folders[:n])]:
        for top, inner, names in os.walk(folder):
            inside = Path(top).relative_to(folder)
            if "objects" in inner and (inside == Path() or inside.parts[0] == "modules"):
                inner.remove("objects")
                if inside.parts:
                    unread[f".git/{inside.as_posix()}"] = "the history of a submodule"
            for name in sorted(names):
                if (Path(top) / name).is_file():
                    yield Path(top) / name, f".git/{(inside / name).as_posix()}"
