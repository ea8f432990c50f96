"""At which system calls can somebody be killed who erases a person, and what is left of her when it is done again?"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

from people_project import POSTS, make_people_project

from crashing.injected import ATTEMPTS, Call, Injector, Outcome, struck
from crashing.nursery import Nursery, Place
from governance.errors import GovernanceError
from governance.project import Project
from governance.records import Erasure

PERSON = "author-bert"
_WAY = "erase"
_STORE = ".labeltrail/trail.db"
#: what an erasure rewrites, and dvc.lock beside it
_REWRITTEN = (
    "data/posts.csv",
    "artifacts/posts.parquet",
    "artifacts/marks.parquet",
    "artifacts/lengths.jsonl",
    "dvc.lock",
)


def make_people_place(base: Path) -> Place:
    """A project with people in it, and the home of whoever made it."""
    place = Place(base)
    with place.at_home():
        make_people_project(place.root)
    return place


class Eraser(Injector):
    """Erases the same person from copies of one project, each time killed at one call.

    What other threads write is not struck: all that they write are new files that nobody knows yet.
    """

    order: ClassVar[dict[str, Any]] = {"erase": PERSON}

    def __init__(self, base: Path, nursery: Nursery, *, made: Place | None = None) -> None:
        self._base, self._nursery, self._count = base, nursery, 0
        place = made or make_people_place(base / "made")
        self._templates = {_WAY: place.base}
        self._keys = _keys(place)
        done = self._copy(_WAY)
        assert nursery.wait(nursery.begin(done, erase=PERSON)) == 0, done.astray()
        self._kept = _keys(done)
        self._files = {name: (done.root / name).read_bytes() for name in _REWRITTEN}

    def calls(self, way: str = _WAY) -> list[Call]:
        """Every call by which an undisturbed erasure writes to its project or its home, in order."""
        return super().calls(way)

    def kill_at(self, call: Call) -> Outcome:
        """1. the verb is killed at the call  2. what it left is nothing that looks like tampering  3. the verb again
        finishes  4. verify is fine, one entry says so, and nothing of her is in any byte"""
        # 1.
        for _ in range(ATTEMPTS):
            place = self._copy(_WAY)
            injected = f"inject={call.name}:signal=SIGKILL:when={call.number}"
            ended, log = self._record(place, traced=call.name, injected=injected)
            if struck(log, place) == call.file:
                break
        wrong = [] if ended == -signal.SIGKILL else [f"it was not killed and ended with {ended}"]
        with place.at_home():
            try:
                wrong += self._afterwards(place)
            except GovernanceError as error:
                wrong.append(f"{type(error).__name__}: {error.message}")
        shutil.rmtree(place.base)
        return Outcome(_WAY, "SIGKILL", call, ended, tuple(wrong), 0.0)

    def _afterwards(self, place: Place) -> list[str]:
        # 2.
        found = Project.find(place.root).verify()
        wrong = [] if found.exit_code in (0, 1, 4) else [f"verify before it is done again: {found.to_markdown()}"]
        # 3.
        report = Project.find(place.root).subject_erase(PERSON)
        wrong += [] if report.exit_code == 0 else [f"done again: {report.to_markdown()}"]
        # 4.
        project = Project.find(place.root)
        for report in (project.verify(), project.subject_verify(PERSON)):
            wrong += [] if report.exit_code == 0 else [f"{report.verb}: {report.to_markdown()}"]
        erasures = project.facts().of(Erasure)
        wrong += [] if len(erasures) == 1 else [f"{len(erasures)} erasures are in the log"]
        for name, data in self._files.items():
            wrong += [] if (place.root / name).read_bytes() == data else [f"{name} is other than without a kill"]
        wrong += [] if _keys(place) == self._kept else ["other keys are destroyed than without a kill"]
        return wrong + self._traces(place)

    def _traces(self, place: Place) -> list[str]:
        """Where a byte of hers, or of a key that is destroyed, lies: the log of the tracer is none of the project's."""
        hers = {cell.encode() for row in POSTS if row[1] == PERSON for cell in (row[0], row[3])} | {PERSON.encode()}
        hers |= self._keys - self._kept
        return [
            f"{path.relative_to(place.base)} holds something of hers"
            for path in sorted(place.base.rglob("*"))
            if path.is_file() and path.parent != place.base and any(one in path.read_bytes() for one in hers)
        ]


def sample_of(calls: list[Call], *, seed: int, size: int) -> list[Call]:
    """So many calls, of different names as far as there are any, and always one of the renames and one in the store."""
    draw = random.Random(seed)  # noqa: S311 - a sample needs no secrecy
    drawn: dict[Call, None] = {}
    for wanted in (lambda call: call.name.startswith("rename"), lambda call: call.file.endswith(_STORE)):
        drawn[draw.choice([call for call in calls if wanted(call)])] = None
    names = sorted({call.name for call in calls})
    while len(drawn) < min(size, len(calls)):
        name = names[len(drawn) % len(names)]
        left = [call for call in calls if call not in drawn]
        drawn[draw.choice([call for call in left if call.name == name] or left)] = None
    return list(drawn)


def _keys(place: Place) -> set[bytes]:
    with sqlite3.connect(f"file:{place.root / _STORE}?mode=ro", uri=True) as store:
        found = {bytes(row[0]) for row in store.execute("SELECT key FROM trail_subject_key")}
    store.close()
    return found
