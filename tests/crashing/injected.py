"""At which system calls can a recorder's disk fail it, and what comes of each?"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crashing.nursery import Nursery, Place, look_at, make_place

#: what writes; names that a machine does not have are left out by strace
WRITING = (
    *(
        "write",
        "writev",
        "pwrite64",
        "pwritev",
        "pwritev2",
        "ftruncate",
        "truncate",
        "fallocate",
        "open",
        "openat",
        "creat",
    ),
    *(
        "fsync",
        "fdatasync",
        "sync_file_range",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
    ),
    *("unlink", "unlinkat", "mkdir", "mkdirat"),
)
FAULTS = {
    "SIGKILL": "signal=SIGKILL:when={number}",
    "EIO": "error=EIO:when={number}",
    "ENOSPC": "error=ENOSPC:when={number}",
    "EIO from there on": "error=EIO:when={number}+",
    "ENOSPC from there on": "error=ENOSPC:when={number}+",
}
#: now and then Python opens a file more or less than it did when the calls were counted
ATTEMPTS = 5
_FOR_EVER = "from there on"
#: whether the store is there already when a run is recorded
WAYS = ("first", "again")
_CALL = re.compile(r"(\w+)\((.*)")


@dataclass(frozen=True)
class Call:
    """The so-manieth call of a name by one recorder, and on which file."""

    name: str
    number: int
    file: str


@dataclass(frozen=True)
class Outcome:
    """What was wrong after one fault at one call, if anything; how it ended, and how long the next opening took."""

    way: str
    fault: str
    call: Call
    ended: int
    wrong: tuple[str, ...]
    seconds: float


def faults_at(call: Call) -> list[str]:
    """Which faults can be told apart there: a recorder that can open and write nothing any more cannot acknowledge."""
    alone = call.name.startswith("open") or call.name == "write"
    return [fault for fault in FAULTS if not (alone and fault.endswith(_FOR_EVER))]


def can_trace() -> bool:
    """Whether strace is there and may look at a process of ours."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


class Injector:
    """Records the same run, in the one thread of a process, again and again, each time with one fault at one call."""

    #: what the process is told to do
    order: ClassVar[dict[str, Any]] = {"number": 2}

    def __init__(self, base: Path, nursery: Nursery) -> None:
        self._base, self._nursery = base, nursery
        self._count = 0
        self._templates = {"first": make_place(base / "first").base}
        recorded = self._copy("first")
        pid = nursery.begin(recorded, number=1)
        assert nursery.wait(pid) == 0, recorded.astray()
        recorded.acknowledged(0).unlink()
        self._templates["again"] = recorded.base

    def calls(self, way: str) -> list[Call]:
        """Every call by which an undisturbed recorder writes to its project or its home, in order."""
        place = self._copy(way)
        _, log = self._record(place, traced=",".join(f"?{name}" for name in WRITING))
        count: Counter[str] = Counter()
        found = []
        for line in log.splitlines():
            if not (matched := _CALL.match(line)):
                continue
            name, rest = matched.groups()
            count[name] += 1
            own = [file for file in re.findall(r'[<"](/[^>"]*)[>"]', rest) if Path(file).is_relative_to(place.base)]
            own = [file for file in own if Path(file).parent != place.base or name.startswith("mkdir")]
            if own and (not name.startswith("open") or "O_CREAT" in rest):
                found.append(Call(name, count[name], _shown(own[0], place)))
        shutil.rmtree(place.base)
        return found

    def followed(self, way: str) -> tuple[Path, Place, str]:
        """What there was before an undisturbed recorder, where it recorded, and all that it wrote there, call by call."""
        place = self._copy(way)
        traced = ",".join(f"?{name}" for name in WRITING)
        _, log = self._record(place, traced=traced, options=("-s", "100000"))
        return self._templates[way], place, log

    def strike(self, way: str, fault: str, call: Call) -> Outcome:
        """1. a recorder meets the fault  2. it is told plainly of it, or killed  3. where the fault passed, the second
        attempt entered everything  4. the store is whole and goes on
        """
        # 1.
        injected = f"inject={call.name}:" + FAULTS[fault].format(number=call.number)
        for _ in range(ATTEMPTS):
            place = self._copy(way)
            ended, log = self._record(place, traced=call.name, injected=injected)
            if struck(log, place) == call.file:
                break
        if fault == "SIGKILL":
            wrong = [] if ended == -signal.SIGKILL else [f"it was not killed and ended with {ended}"]
        else:
            # 2. and 3.
            wrong = [] if "INJECTED" in log else ["the fault did not come about"]
            wrong += _not_plainly_told(place, fault, ended)
        # 4.
        afterwards = look_at(place)
        wrong += afterwards.wrong
        shutil.rmtree(place.base)
        return Outcome(way, fault, call, ended, tuple(wrong), afterwards.seconds)

    def _copy(self, way: str) -> Place:
        self._count += 1
        target = self._base / f"place_{self._count}"
        shutil.copytree(self._templates[way], target)
        return Place(target)

    def _record(
        self, place: Place, *, traced: str, injected: str = "", options: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        """(how the recorder ended, what strace saw of it)."""
        pid = self._nursery.begin(place, **self.order, waiting=True)
        log = place.base / "strace.log"
        command = ["strace", "-y", *options, "-o", str(log), "-e", f"trace={traced}", "-p", str(pid)]
        with subprocess.Popen(
            [*command, *(["-e", injected] if injected else [])], stderr=subprocess.PIPE, text=True
        ) as tracer:
            assert tracer.stderr is not None
            attached = tracer.stderr.readline()
            os.kill(pid, signal.SIGUSR1)
            ended = self._nursery.wait(pid)
            assert "attached" in attached, attached
        return ended, log.read_text(errors="replace")


def sample(calls: dict[str, list[Call]], *, seed: int, of_each: int) -> list[tuple[str, str, Call]]:
    """So many strikes (way, fault, call) with each fault, at calls of different names as far as there are any."""
    draw = random.Random(seed)  # noqa: S311 - a sample needs no secrecy
    drawn = []
    for fault in FAULTS:
        all_ = [(way, fault, call) for way, some in calls.items() for call in some if fault in faults_at(call)]
        draw.shuffle(all_)
        names = sorted({call.name for _, _, call in all_})
        draw.shuffle(names)
        for number in range(of_each):
            name = names[number % len(names)]
            drawn.append(next(strike for strike in all_ if strike[2].name == name and strike not in drawn))
    return drawn


def _not_plainly_told(place: Place, fault: str, ended: int) -> list[str]:
    """What is not as it has to be where a recorder met a fault and lived."""
    said = place.said()
    errors = [line for line in said if "error" in line]
    wrong = [f"astray: {line}" for line in place.astray()]
    wrong += [f"told as {line}" for line in errors if (line["error"], line["exit"]) != ("ConfigurationError", 2)]
    wrong += [f"told in {line['says']!r}" for line in errors if "\n" in line["says"]]
    if len(said) - len(errors) < 2 and ended == 0:
        wrong.append("it ended well and acknowledged too little")
    if ended and not fault.endswith(_FOR_EVER):
        wrong.append(f"the second attempt ended with {ended}, after {said}")
    return wrong


def struck(log: str, place: Place) -> str:
    """The file at which the fault came about, if it did."""
    lines = [line for line in log.splitlines() if "INJECTED" in line or line.endswith("= ?")]
    files = re.findall(r'[<"](/[^>"]*)[>"]', lines[0]) if lines else []
    own = [file for file in files if Path(file).is_relative_to(place.base)]
    return _shown(own[0], place) if own else ""


def _shown(file: str, place: Place) -> str:
    """A file without what differs from recorder to recorder."""
    relative = Path(file).relative_to(place.base).as_posix()
    return re.sub(r"\.\d+(?=\.)", ".PID", re.sub(r"[0-9a-f]{32}", "LOG", relative))
