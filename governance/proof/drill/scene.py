"""What can be tampered with, without touching the project, its store or its key?

A copy of what `verify` reads. Its log is written anew under an id of its own and signed by a key made for the drill: with
the real ones, a forged history could leave the scratch folder and be believed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from governance.config import CONFIG_NAME, STATE_FOLDER, Config
from governance.digest import write_atomically
from governance.dvc.files import cached_file, read_lock, read_stages
from governance.facts import Facts
from governance.proof.anchors import tracked_path
from governance.proof.check import Verification
from governance.proof.verify import verify
from governance.records import LogStart, Recipe
from governance.runs.runfile import facts_path, run_path
from governance.store import merkle
from governance.store.checkpoint import Checkpoint
from governance.store.database import Database
from governance.store.entry import Entry
from governance.store.projection import Numbers, project
from governance.store.tables import METADATA, PROJECTED, CheckpointRow, EntryRow
from governance.store.trail import Trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_STORE = f"{STATE_FOLDER}/trail.db"
#: kinds that are only true of the original log: they name its key or its roots
_BOUND = ("log", "key", "adoption", "bundle", "challenge")


class NothingThere(Exception):
    """The project holds nothing that this kind of tampering could be made on; says what is lacking."""


@dataclass
class Scene:
    """One copy of a governed project, to break: its files, and its log under the drill's own key."""

    config: Config
    log: str
    key: Ed25519PrivateKey
    #: how many entries each transaction of the original had added, oldest first
    batches: list[int]

    @property
    def root(self) -> Path:
        return self.config.root

    @contextmanager
    def trail(self) -> Iterator[Trail]:
        """The copy's log, closed afterwards, so that its file can be copied and replaced."""
        database = Database(self.config.store, root=self.root, create=False)
        try:
            yield Trail(database, self.log)
        finally:
            database.close()

    def verified(self, *, since: Path | None = None) -> Verification:
        """What `labeltrail verify` says of the copy as it is now."""
        with self.trail() as trail:
            return verify(trail, self.config, since=since)

    def entries(self) -> list[Entry]:
        """The log of the copy."""
        with self.trail() as trail:
            return [entry for _, entry in trail.entries()]

    def rows(self, table: type[Any]) -> list[dict[str, Any]]:
        """The rows of a table, by its primary key."""
        of = _of(table)
        with self.trail() as trail, trail.database.reading() as connection:
            return [dict(row) for row in connection.execute(select(of).order_by(*of.primary_key)).mappings()]

    def change(self, table: type[Any], values: dict[str, Any], **where: Any) -> None:
        """Changes cells as anybody can who can write to the database."""
        of = _of(table)
        with self.trail() as trail, trail.database.writing() as connection:
            _happened(connection.execute(update(of).where(*_equal(of, where)).values(**values)).rowcount, of.name)

    def add(self, table: type[Any], row: dict[str, Any]) -> None:
        """Puts a row beside the others."""
        with self.trail() as trail, trail.database.writing() as connection:
            connection.execute(insert(_of(table)), [row])

    def remove(self, table: type[Any], **where: Any) -> None:
        """Takes rows away."""
        of = _of(table)
        with self.trail() as trail, trail.database.writing() as connection:
            _happened(connection.execute(delete(of).where(*_equal(of, where))).rowcount, of.name)

    def rewrite(self, entries: Sequence[Entry], *, key: Ed25519PrivateKey | None, at_once: bool = False) -> Checkpoint:
        """Puts a whole other history in the log's place, tables and all, and answers its newest checkpoint.

        There are as many transactions as the original had, or a single one.
        """
        with self.trail() as trail, trail.database.writing() as connection:
            for table in (EntryRow, CheckpointRow, *PROJECTED):
                connection.execute(delete(_of(table)))
            frontier, numbers, at = merkle.Frontier(), Numbers(), 0
            newest = Checkpoint(self.log, 0, merkle.EMPTY_ROOT)
            for count in [*([] if at_once else self.batches), len(entries)]:
                batch = [(seq, entries[seq]) for seq in range(at, min(at + count, len(entries)))]
                if not batch:
                    break
                at += len(batch)
                leaves = []
                for seq, entry in batch:
                    data = entry.to_bytes()
                    leaves.append({"log": self.log, "seq": seq, "data": data, "leaf": merkle.leaf_hash(data)})
                    frontier.push(leaves[-1]["leaf"])
                newest = Checkpoint(self.log, frontier.size, frontier.root())
                newest = newest.signed(key) if key else newest
                head = {"log": self.log, "size": at, "note": newest.to_note(), "frontier": frontier.to_text()}
                connection.execute(insert(_of(EntryRow)), leaves)
                connection.execute(insert(_of(CheckpointRow)), [head])
                for table, row in project(self.log, batch, numbers):
                    connection.execute(insert(_of(table)), [row])
            return newest

    def replace_file(self, path: str, data: bytes) -> None:
        """Other bytes at a path; the pristine copy behind a hard link keeps its own."""
        write_atomically(self.root / path, data)

    def copied_to(self, root: Path) -> Scene:
        """This scene once more, in an empty folder."""
        shutil.copytree(self.root, root, copy_function=_linked, dirs_exist_ok=True)
        return replace(self, config=replace(self.config, root=root))


def set_up(config: Config, trail: Trail, root: Path) -> Scene:
    """1. the files that `verify` reads  2. the log, under another id and key  3. its secrets, so that rows keep their salts
    4. the checkpoint that git carries, where there is one

    Raises what reading the project raises; the project is only read.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    recorded = trail.facts()
    # 1.
    for path in _read_by_verify(config, recorded):
        _bring(config.root / path, root / path)
    _bring_cache(config, root)
    # 2.
    scene = Scene(
        config=replace(config, root=root, store=f"sqlite:///{_STORE}"),
        log=token_hex(16),
        key=Ed25519PrivateKey.generate(),
        batches=_batches(trail),
    )
    Database(scene.config.store, root=root, create=True).close()
    start = LogStart.make(
        log=scene.log, project=config.name, public_key=scene.key.public_key().public_bytes_raw().hex()
    )
    entries = [entry for _, entry in trail.entries()]
    own = [Entry(entries[0].at, start), *(entry for entry in entries if entry.record.kind not in _BOUND)]
    newest = scene.rewrite(own, key=scene.key)
    # 3.
    _bring_secrets(trail, scene)
    # 4.
    if tracked_path(config.root, trail.log).is_file():
        place = tracked_path(root, scene.log)
        place.parent.mkdir(exist_ok=True)
        place.write_text(newest.to_note(), encoding="utf-8")
    return scene


def _of(table: type[Any]) -> Any:
    return table.__table__


def _happened(rows: int, table: str) -> None:
    if not rows:
        raise NothingThere(f"table {table} has no such row")


def _equal(of: Any, where: dict[str, Any]) -> list[Any]:
    return [of.c[column] == value for column, value in where.items()]


def _batches(trail: Trail) -> list[int]:
    sizes = [size for size, _, _ in trail.checkpoints()]
    return [size - before for before, size in zip([0, *sizes], sizes, strict=False)]


def _bring_secrets(trail: Trail, scene: Scene) -> None:
    written = {_of(table) for table in (EntryRow, CheckpointRow, *PROJECTED)}
    for of in METADATA.sorted_tables:
        if of in written:
            continue
        with trail.database.reading() as connection:
            rows = connection.execute(select(of).where(of.c.log == trail.log)).mappings()
            held = [{**row, "log": scene.log} for row in rows]
        with scene.trail() as copy, copy.database.writing() as connection:
            if held:
                connection.execute(insert(of), held)


def _read_by_verify(config: Config, recorded: Facts) -> list[str]:
    stages, locks = read_stages(config.root).values(), read_lock(config.root).values()
    paths = {CONFIG_NAME, "dvc.yaml", "dvc.lock", "params.yaml", ".dvc/config"}
    for stage in stages:
        paths |= {*stage.deps, *stage.outs, run_path(config.artifacts, stage.name)}
        paths.add(facts_path(config.artifacts, stage.name))
    paths |= {file.path for locked in locks for file in (*locked.deps, *locked.outs)}
    paths |= {ref.path for recipe in recorded.of(Recipe) for ref in (*recipe.code, *recipe.inputs)}
    inside = (path for path in paths if not Path(path).is_absolute() and ".." not in Path(path).parts)
    return sorted(path for path in inside if (config.root / path).exists())


def _bring_cache(config: Config, root: Path) -> None:
    for locked in read_lock(config.root).values():
        for file in locked.outs:
            if file.md5 and (cached := cached_file(config.root, file.md5)).is_file():
                _bring(cached, cached_file(root, file.md5, cache=root / ".dvc" / "cache"))
    # Wherever the project keeps its cache, the copy has one of its own.
    write_atomically(root / ".dvc" / "config.local", b"[cache]\n    dir = cache\n")


def _bring(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), symlinks=True)
    else:
        shutil.copy2(source, target)


def _linked(source: str, target: str) -> None:
    """A hard link, since tampering replaces files; the store alone is written in place."""
    if source.endswith(_STORE):
        shutil.copy2(source, target)
    else:
        os.link(source, target)
