"""What does a store on a server hold after its clients, or the server itself, are killed at random moments?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from crashing.crowd import Crowd, Round, acknowledged, heard
from crashing.nursery import Nursery, look_at, make_place

if TYPE_CHECKING:
    from postgres_server import PostgresServer

#: what a writer may be told while its server is away
_TOLD = {"Busy": 5, "StoreLost": 4, "ConfigurationError": 2}


class Outage:
    """Two to eight writers at one database, again and again; equal seeds draw equal crowds and moments."""

    def __init__(self, base: Path, nursery: Nursery, server: PostgresServer, *, seed: int) -> None:
        self._base, self._nursery, self._server = base, nursery, server
        self._draw = random.Random(seed)  # noqa: S311 - moments need no secrecy
        self._database = server.new_database()
        self._clients = Crowd(base / "clients", nursery, seed=seed, url=self._empty)
        self._rounds = 0

    def of_clients(self) -> Round:
        """Writers are killed one after the other; the server lives."""
        return self._clients.round()

    def of_the_server(self) -> Round:
        """1. writers begin  2. at a random moment the server and all that serve for it are killed, and it is started again
        3. writers, who may not know whether their last facts were recorded, state them again and go on  4. the store is
        whole, and holds each fact once
        """
        self._rounds += 1
        place = make_place(self._base / f"outage_{self._rounds}", self._empty())
        # 1.
        seeds = [self._draw.randrange(1, 1000) * 10 + who for who in range(self._draw.randint(2, 8))]
        writers = [
            self._nursery.begin(place, who=who, seed=seed, wait_seconds=30, bears=True)
            for who, seed in enumerate(seeds)
        ]
        acknowledged(place)
        time.sleep(self._draw.uniform(0, 0.5))
        # 2.
        self._server.kill()
        before = heard(place)
        began = time.monotonic()
        self._server.start()
        seconds = time.monotonic() - began
        # 3.
        wrong = [] if acknowledged(place, after=before + 3 * len(writers)) else ["nobody went on"]
        for pid in writers:
            os.kill(pid, signal.SIGKILL)
        ended = [self._nursery.wait(pid) for pid in writers]
        wrong += [f"a writer ended with {code}" for code in ended if code != -signal.SIGKILL] + place.astray()
        said = place.said()
        errors = [line for line in said if "error" in line]
        wrong += [f"told as {line}" for line in errors if _TOLD.get(line["error"]) != line["exit"]]
        # 4.
        wrong += look_at(place).wrong
        shutil.rmtree(place.base)
        told = sum(line["error"] == "StoreLost" for line in errors)
        return Round(1, 0, len(said) - len(errors), told, tuple(wrong), seconds)

    def _empty(self) -> str:
        self._server.empty(self._database)
        return self._server.url(self._database)
