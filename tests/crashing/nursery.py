"""Where does a recorder live, how is one begun, and was nothing lost when it has ended?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from small_facts import finding

from governance.errors import GovernanceError, MissingEvidence
from governance.parquet import write_table
from governance.proof.log import LogCheck
from governance.records import Commitment
from governance.store import keys, merkle
from governance.store.commitments import commit_rows
from governance.store.trail import Trail

TESTS = Path(__file__).parents[1]
SQLITE = "sqlite:///.labeltrail/trail.db"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Place:
    """A folder with a project, the home of whoever records in it, and what recorders acknowledged, apart from both."""

    base: Path
    url: str = SQLITE

    @property
    def root(self) -> Path:
        return self.base / "project"

    @property
    def home(self) -> Path:
        return self.base / "home"

    def acknowledged(self, who: int) -> Path:
        return self.base / f"recorder_{who}.acknowledged"

    def said(self) -> list[dict[str, Any]]:
        """Everything that recorders said in whole lines; half a line was never acknowledged."""
        files = sorted(self.base.glob("recorder_*.acknowledged"))
        return [json.loads(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]]

    def astray(self) -> list[str]:
        """Errors that are none of ours."""
        return [file.read_text().splitlines()[-1] for file in sorted(self.base.glob("recorder_*.traceback"))]

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """This process is the place's own user for a while."""
        before = os.environ.get("XDG_CONFIG_HOME")
        os.environ["XDG_CONFIG_HOME"] = str(self.home)
        try:
            yield
        finally:
            os.environ.pop("XDG_CONFIG_HOME")
            if before is not None:
                os.environ["XDG_CONFIG_HOME"] = before


def make_place(base: Path, url: str = SQLITE) -> Place:
    """A project without a store, of somebody who has a key."""
    place = Place(base, url)
    place.root.mkdir(parents=True)
    write_table(pl.DataFrame({"example_id": ["a", "b", "c"], "label": [0, 1, 1]}), place.root / "rows.parquet")
    with place.at_home():
        keys.create_key()
    return place


class Nursery:
    """Forks recorders, tells how they ended, and takes those with it that still live when it is left."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POLARS_MAX_THREADS": "1",
        }
        command = [sys.executable, "-m", "crashing.recorder"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def begin(self, place: Place, *, who: int = 0, **order: Any) -> int:
        """The process of a new recorder; with `waiting`, it waits for SIGUSR1 before it does anything."""
        where = {"url": place.url, "root": str(place.root), "home": str(place.home)}
        return self._ask({"begin": {**where, "acknowledged": str(place.acknowledged(who)), **order}})

    def wait(self, pid: int) -> int:
        """How it ended: its exit code, or the signal that ended it, negative."""
        return self._ask({"wait": pid})

    def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass(frozen=True)
class Afterwards:
    """What was wrong with a store, if anything, and how long it took to open it and append to it once more."""

    wrong: tuple[str, ...]
    seconds: float


def look_at(place: Place) -> Afterwards:
    """1. the store opens and takes an entry  2. everything acknowledged is where it was acknowledged, as it was
    3. no fact is there twice  4. log, checkpoints, memory and tables are whole  5. every row that was committed to still
    has its key  6. nothing lies about
    """
    with place.at_home():
        try:
            # 1.
            began = time.monotonic()
            trail = Trail.open(place.url, root=place.root, project="crashes", create=True)
            trail.append([finding(1_000_000_000 + trail.size())])
            seconds = time.monotonic() - began
            # 2. to 6.
            wrong = [*_not_as_acknowledged(trail, place.said()), *_not_whole(trail), *_without_keys(trail, place)]
            trail.database.close()
            wrong += _lying_about(place)
        except GovernanceError as error:
            return Afterwards((f"{type(error).__name__}: {error.message}",), 0.0)
    return Afterwards(tuple(wrong), seconds)


def _not_as_acknowledged(trail: Trail, said: list[dict[str, Any]]) -> Iterator[str]:
    # 2.
    names = {seq: entry.record.name for seq, entry in trail.entries()}
    there = set(names.values())
    leaves = [leaf for _, _, leaf in trail.raw_entries()]
    for line in said:
        if "error" in line:
            continue
        if merkle.root(leaves[: line["size"]]).hex() != line["root"] or line["size"] > len(leaves):
            yield f"the log did not grow from the acknowledged checkpoint of {line['size']} entries"
        for name, seq in line["positions"].items():
            if names.get(seq) != name:
                yield f"{name} was acknowledged at {seq}, there is {names.get(seq)}"
        yield from (f"{name} was acknowledged and is gone" for name in line["stated"] if name not in there)
        entered = set(line["entered"]) - line["positions"].keys()
        yield from (f"{name} was entered before, though nothing was said to be recorded" for name in entered)
    # 3.
    if len(there) != len(names):
        yield f"{len(names)} entries hold {len(there)} facts"
    if sorted(names) != list(range(len(names))):
        yield "positions have gaps"


def _not_whole(trail: Trail) -> Iterator[str]:
    # 4.
    for check in LogCheck(trail).run():
        yield f"{check.what} {check.state}: {check.culprit}: {check.says}"


def _without_keys(trail: Trail, place: Place) -> Iterator[str]:
    # 5.
    for commitment in trail.facts().of(Commitment):
        of = commitment.of
        try:
            again = commit_rows(trail, place.root / "rows.parquet", of=of, id_column="example_id", make_keys=False)
        except MissingEvidence as error:
            yield f"the rows of {of} that were committed to have lost a key: {error.message}"
        else:
            if again.commitment.name != commitment.name:
                yield f"the commitment to {of} is another one now"


def _lying_about(place: Place) -> Iterator[str]:
    # 6. Temporary files carry the process that was killed in their names and are never read.
    known = {"trail.db", "log", "open.lock"}
    for file in (place.root / ".labeltrail").iterdir():
        if file.name not in known and not file.name.endswith(".partial"):
            yield f"{file.name} lies about"
