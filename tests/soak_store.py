"""`python tests/soak_store.py [ONE_IN]`: a store after kills and failing disks, in bench/results/soak_store.json.

With ONE_IN only every so-manieth of the faults and kills comes about, and no result is written.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from crashing.crowd import Crowd, Round
from crashing.injected import WAYS, Injector, can_trace, faults_at
from crashing.nursery import Nursery
from crashing.outage import Outage
from crashing.power import cut_power
from postgres_server import PostgresServer

RESULT = Path(__file__).parents[1] / "bench" / "results" / "soak_store.json"
SEED, BESIDE_EACH_OTHER = 20180704, 2
#: how many are killed at random; with them go faults at every write call and power cuts between them
WRITERS, CLIENTS, SERVERS = 400, 200, 50


@dataclass
class Tally:
    """What was done in each way, what was wrong afterwards, and how long the slowest recoveries took."""

    done: Counter[str] = field(default_factory=Counter)
    calls: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    acknowledged: int = 0
    slowest: dict[str, float] = field(default_factory=dict)

    def add(self, way: str, count: int, *, wrong: tuple[str, ...], store: str, seconds: float) -> None:
        """Counts, and says at once what is wrong."""
        self.done[way] += count
        self.slowest[store] = max(self.slowest.get(store, 0.0), round(seconds, 3))
        for line in wrong:
            self.wrong.append(f"{way}: {line}")
            print(self.wrong[-1], flush=True)

    def add_round(self, way: str, made: Round, *, store: str) -> None:
        self.add(way, made.kills, wrong=made.wrong, store=store, seconds=made.seconds)
        self.acknowledged += made.acknowledged
        if made.copies:
            self.done["SQLite, copied while 2 to 8 writers stood still"] += made.copies


def share(number: int, one_in: int) -> Tally:
    """What one of those that work beside each other does."""
    tally = Tally()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Nursery() as nursery:
        base = Path(folder)
        for way in (_at_calls, _in_the_dark, _at_random, _on_a_server):
            way(base, nursery, tally, number, one_in)
            print(f"{number}: {way.__name__[1:]} done, {time.monotonic() - began:.0f} s", flush=True)
    return tally


def _at_calls(base: Path, nursery: Nursery, tally: Tally, number: int, one_in: int) -> None:
    """Every fault at every write call of recording a run."""
    (base / "calls").mkdir()
    injector = Injector(base / "calls", nursery)
    calls = {way: injector.calls(way) for way in WAYS}
    tally.calls = {way: len(found) for way, found in calls.items()}
    strikes = [(way, fault, call) for way in WAYS for call in calls[way] for fault in faults_at(call)]
    for way, fault, call in strikes[number :: BESIDE_EACH_OTHER * one_in]:
        outcome = injector.strike(way, fault, call)
        wrong = tuple(f"{way} {call}: {line}" for line in outcome.wrong)
        tally.add(f"SQLite, {fault} at a write call", 1, wrong=wrong, store="SQLite", seconds=outcome.seconds)


def _in_the_dark(base: Path, nursery: Nursery, tally: Tally, number: int, one_in: int) -> None:
    """Power cuts at every moment of recording a run."""
    (base / "dark").mkdir()
    for way in WAYS[number::BESIDE_EACH_OTHER]:
        injector = Injector(base / "dark" / way, nursery)
        moments = None if one_in == 1 else max(1, 160 // one_in)
        for after in cut_power(injector, base / "dark", way, seed=SEED, moments=moments):
            tally.add("SQLite, power cut", 1, wrong=after.wrong, store="SQLite", seconds=after.seconds)


def _at_random(base: Path, nursery: Nursery, tally: Tally, number: int, one_in: int) -> None:
    """Writers of one file, killed."""
    crowd = Crowd(base / "crowd", nursery, seed=SEED + number)
    for made in _until(WRITERS, crowd.round, one_in):
        tally.add_round("SQLite, one of 2 to 8 writers killed", made, store="SQLite")


def _on_a_server(base: Path, nursery: Nursery, tally: Tally, number: int, one_in: int) -> None:
    """Writers of one database, killed, and then their server."""
    server = PostgresServer.make()
    try:
        outage = Outage(base / "server", nursery, server, seed=SEED + number)
        for made in _until(CLIENTS, outage.of_clients, one_in):
            tally.add_round("PostgreSQL, one of 2 to 8 clients killed", made, store="PostgreSQL, client killed")
        for made in _until(SERVERS, outage.of_the_server, one_in):
            tally.add_round("PostgreSQL, server killed", made, store="PostgreSQL, server killed")
    finally:
        server.remove()


def _until(kills: int, strike: Callable[[], Round], one_in: int) -> Iterator[Round]:
    """Rounds until this share of the kills has come about."""
    left = -(-kills // (BESIDE_EACH_OTHER * one_in))
    while left > 0:
        made = strike()
        left -= made.kills
        yield made


def main(arguments: list[str]) -> int:
    """1 where anything was wrong afterwards."""
    one_in = int(arguments[0]) if arguments else 1
    if not can_trace():
        print("strace is needed, and the right to trace", file=sys.stderr)
        return 2
    began = time.monotonic()
    with ProcessPoolExecutor(BESIDE_EACH_OTHER, mp_context=get_context("spawn")) as pool:
        shares = list(pool.map(share, range(BESIDE_EACH_OTHER), [one_in] * BESIDE_EACH_OTHER))
    done = sum((made.done for made in shares), Counter[str]())
    wrong = [line for made in shares for line in made.wrong]
    told = {
        "kills and faults": sum(done.values()),
        "after which something was wrong": len(wrong),
        "by way": dict(sorted(done.items())),
        "write calls of recording a run": shares[0].calls,
        "transactions acknowledged by those killed": sum(made.acknowledged for made in shares),
        "slowest recovery, seconds": {
            store: max(made.slowest.get(store, 0.0) for made in shares) for store in sorted(shares[0].slowest)
        },
        "first seed": SEED,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "machine": {"python": platform.python_version(), "machine": platform.machine()},
    }
    print(json.dumps(told, indent=2, sort_keys=True))
    if one_in == 1:
        RESULT.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
