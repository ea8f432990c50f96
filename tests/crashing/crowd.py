"""What does a store hold after some of those who write to it at once are killed at random moments?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crashing.nursery import PATIENCE_SECONDS, Nursery, Place, look_at, make_place

#: how long a writer that waits for its turn waits; the least makes Busy common
WAITS = (0.02, 1.0, 30.0)


@dataclass(frozen=True)
class Round:
    """One crowd: how many were killed, what was acknowledged, who was told to wait, and what was wrong afterwards."""

    kills: int
    copies: int
    acknowledged: int
    busy: int
    wrong: tuple[str, ...]
    seconds: float


class Crowd:
    """Two to eight writers at one store, again and again; equal seeds draw equal crowds and moments."""

    def __init__(self, base: Path, nursery: Nursery, *, seed: int, url: Callable[[], str] | None = None) -> None:
        self._base, self._nursery = base, nursery
        self._draw = random.Random(seed)  # noqa: S311 - moments need no secrecy
        self._url = url
        self._rounds = 0

    def round(self, *, most: int = 8) -> Round:
        """1. writers begin, in a store that nobody has made yet  2. one after the other is killed; at one moment all of
        them stand still, and the files are copied  3. the copy is whole as far as was acknowledged until then
        4. so is the store
        """
        self._rounds += 1
        base = self._base / f"crowd_{self._rounds}"
        place = make_place(base / "store", self._url()) if self._url else make_place(base / "store")
        # 1.
        waits = self._draw.choice(WAITS)
        writers = self._writers(place, waits=waits, most=most)
        if self._draw.random() < 0.7:
            # Otherwise the first ones are struck while the store is still being made.
            acknowledged(place)
        seconds, wrong = [], []
        stills = self._draw.randrange(len(writers)) if self._url is None else -1
        # 2.
        for struck, pid in enumerate(self._draw.sample(writers, len(writers))):
            time.sleep(self._draw.expovariate(1 / 0.08))
            if struck == stills:
                # 3.
                copied = look_at(self._still(place, writers, base / "copy"))
                seconds.append(copied.seconds)
                wrong += [f"in a copy: {line}" for line in copied.wrong]
            os.kill(pid, signal.SIGKILL)
        ended = [self._nursery.wait(pid) for pid in writers]
        wrong += [f"a writer ended with {code}" for code in ended if code != -signal.SIGKILL] + place.astray()
        # 4.
        afterwards = look_at(place)
        wrong += afterwards.wrong
        said = place.said()
        errors = [line for line in said if "error" in line]
        wrong += [f"told as {line}" for line in errors if (line["error"], line["exit"]) != ("Busy", 5)]
        shutil.rmtree(base)
        return Round(
            kills=ended.count(-signal.SIGKILL),
            copies=int(stills >= 0),
            acknowledged=len(said) - len(errors),
            busy=len(errors),
            wrong=tuple(wrong),
            seconds=max([*seconds, afterwards.seconds]),
        )

    def _writers(self, place: Place, *, waits: float, most: int) -> list[int]:
        count = self._draw.randint(2, most)
        seeds = [self._draw.randrange(1, 1000) * 10 + who for who in range(count)]
        return [
            self._nursery.begin(place, who=who, seed=seed, wait_seconds=waits, bears=False)
            for who, seed in enumerate(seeds)
        ]

    def _still(self, place: Place, writers: list[int], target: Path) -> Place:
        """A copy of everything as it lies there while nobody moves, as after a power cut that loses no write."""
        living = [pid for pid in writers if _state(pid) not in "ZX"]
        for pid in living:
            os.kill(pid, signal.SIGSTOP)
        while any(_state(pid) not in "TZX" for pid in living):
            time.sleep(0.001)
        shutil.copytree(place.base, target)
        for pid in living:
            os.kill(pid, signal.SIGCONT)
        return Place(target)


def acknowledged(place: Place, *, after: int = 0) -> bool:
    """Waits until more than so many things were acknowledged in a place; whether they were. Who is refused goes on, too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (enough := heard(place) > after) and time.monotonic() < deadline:
        time.sleep(0.01)
    return enough


def heard(place: Place) -> int:
    """How many things were acknowledged."""
    return sum("error" not in line for line in place.said())


def _state(pid: int) -> str:
    """One letter of proc_pid_stat(5); X where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"
