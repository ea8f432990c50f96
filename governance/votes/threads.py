"""How do several threads work on parts of one thing, so that none can tell how many there were?"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Part = TypeVar("_Part")
_Made = TypeVar("_Made")


def available_threads() -> int:
    """How many threads may work at once: OMP_NUM_THREADS where it is set, else the processors this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_turn(work: Callable[[_Part], _Made], parts: Iterable[_Part], *, threads: int) -> Iterator[_Made]:
    """What `work` makes of every part, in the order of the parts; never more than `threads` + 1 of them are held."""
    if threads == 1:
        yield from map(work, parts)
        return
    waiting: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
