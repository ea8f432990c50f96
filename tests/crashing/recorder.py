"""A process that forks recorders of runs: another one to be killed costs milliseconds, not another start of Python.

`python -m crashing.recorder` takes an order a line, as JSON: {"begin": {...}} answers the process that was forked,
{"wait": pid} how it ended (negative for a signal). A recorder acknowledges in a file, one line for each transaction.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars  # noqa: F401 - imported once, before anything is forked
import sqlalchemy.dialects.sqlite  # noqa: F401
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: F401
from small_facts import finding

from governance.digest import canonical, file_digest
from governance.errors import Busy, GovernanceError
from governance.project import Project
from governance.records import Dataset, Execution, Recipe, Record, Result
from governance.store.commitments import commit_rows
from governance.store.trail import Appended, Trail

#: prctl(2)
_DIE_WITH_PARENT, _MAY_BE_TRACED_BY, _ANYBODY = 1, 0x59616D61, ctypes.c_ulong(-1)
_DIGEST = "5" * 64


def record_run(url: str, root: Path, *, number: int, tell: Callable[[Appended], None]) -> None:
    """What is recorded of a run, as `take_in` does it: the keys of its rows, then its facts, then its execution."""
    trail = Trail.open(url, root=root, project="crashes", create=True, wait_seconds=30)
    table = root / "rows.parquet"
    rows, recipe, result = facts_of_run(table, number=number)
    committed = commit_rows(trail, table, of=rows.name, id_column="example_id")
    tell(trail.append([recipe, rows, finding(number), result, committed.commitment], at=1_700_000_000_000_000 + number))
    tell(trail.append([execution_of(result, number=number)], at=1_700_000_000_500_000 + number))


def facts_of_run(table: Path, *, number: int) -> tuple[Dataset, Recipe, Result]:
    """Equal numbers give equal facts."""
    rows = Dataset.make(
        title=f"rows {number}", role="screened", sha256=file_digest(table), content=_DIGEST, rows=3, columns=[]
    )
    recipe = Recipe.make(
        stage="make",
        inputs=[],
        parameters={f"p{i}": str(i) for i in range(10)},
        seed=number,
        code=[{"path": "pipelines/make.py", "sha256": _DIGEST, "bytes": 7}],
        distributions=[],
        python="3",
        threads=1,
        hash_seed="0",
    )
    outputs = [{"path": "rows.parquet", "sha256": rows.sha256, "bytes": table.stat().st_size}]
    names = [rows.name, finding(number).name]
    return rows, recipe, Result.make(stage="make", recipe=recipe.name, outputs=outputs, generated=names, used=[])


def execution_of(result: Result, *, number: int) -> Execution:
    """Equal results and numbers give equal executions."""
    return Execution.make(
        stage="make",
        result=result.name,
        started=number,
        ended=number + 1,
        cpu=1,
        peak_memory=1,
        machine={"cpu": "some"},
        environment="environment:" + _DIGEST,
        library=_DIGEST,
        revision=None,
        dirty=None,
        who="somebody",
    )


def write_on(
    url: str, root: Path, *, seed: int, wait_seconds: float, bears: bool, tell: Callable[[dict[str, Any]], None]
) -> None:
    """Appends facts, its own and some that others state too, until somebody ends it; the first of all are rows that are
    committed to, as many later ones are, by keys that all writers make together.

    Who is told to wait tries again with the same facts; so does, where it `bears` with its server, who is told anything.
    """
    draw = random.Random(seed)  # noqa: S311 - facts need no secrecy
    own = itertools.count(seed * 1_000_000)
    trail: Trail | None = None
    while True:
        fresh = [finding(next(own)) for _ in range(1 + draw.randrange(4))]
        shared = [finding(draw.randrange(50))] if draw.random() < 0.3 else []
        committed = next(own) if trail is None or draw.random() < 0.2 else None
        doubt = False
        while True:
            try:
                trail = trail or Trail.open(url, root=root, project="crashes", create=True, wait_seconds=wait_seconds)
                rows = _committed(trail, root / "rows.parquet", number=committed) if committed is not None else []
                appended = trail.append([*shared, *fresh, *rows])
                break
            except GovernanceError as error:
                if not (bears or isinstance(error, Busy)):
                    raise
                doubt = doubt or getattr(error, "recorded", "no") != "no"
                tell(told(error))
                time.sleep(0.01)
        # What nobody can have recorded before is new now.
        entered = [] if doubt else [fact.name for fact in fresh]
        tell(acknowledgement(appended, stated=[fact.name for fact in [*shared, *fresh, *rows]], entered=entered))


def _committed(trail: Trail, table: Path, *, number: int) -> list[Record]:
    """Rows, and the commitment to them, for which the store has to keep the keys."""
    rows, _, _ = facts_of_run(table, number=number)
    return [rows, commit_rows(trail, table, of=rows.name, id_column="example_id").commitment]


def acknowledgement(appended: Appended, *, stated: Sequence[str] = (), entered: Sequence[str] = ()) -> dict[str, Any]:
    """What a writer may believe from now on: its facts are there, and those that are its own have been entered now."""
    checkpoint = appended.checkpoint
    head = {"size": checkpoint.size, "root": checkpoint.root.hex(), "signed": appended.signed}
    return {"positions": appended.positions, "stated": list(stated), "entered": list(entered), **head}


def told(error: GovernanceError) -> dict[str, Any]:
    """An error as a writer met it."""
    return {"error": type(error).__name__, "exit": int(error.exit_code), "says": error.message}


def _recorder(order: dict[str, Any]) -> int:
    """One process that records: its exit code is that of the error it ended with, 70 for one that is none of ours."""
    libc = ctypes.CDLL(None)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    libc.prctl(_MAY_BE_TRACED_BY, _ANYBODY)
    os.environ["XDG_CONFIG_HOME"] = order["home"]
    acknowledged = os.open(order["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(said: dict[str, Any]) -> None:
        os.write(acknowledged, canonical(said) + b"\n")

    if order.get("waiting"):
        signal.sigwait({signal.SIGUSR1})
    root, code = Path(order["root"]), 0
    if "erase" in order:
        return int(Project.find(root).subject_erase(order["erase"]).exit_code)
    # Whoever records a run and is told of a fault tries once more, in the same process.
    for _ in range(2):
        try:
            if "seed" in order:
                asked = {name: order[name] for name in ("seed", "wait_seconds", "bears")}
                write_on(order["url"], root, **asked, tell=tell)
            record_run(order["url"], root, number=order["number"], tell=lambda done: tell(acknowledgement(done)))
        except GovernanceError as error:
            tell(told(error))
            code = int(error.exit_code)
        else:
            return 0
    return code


def _fork(order: dict[str, Any]) -> int:
    """The process that was forked; it never comes back from here."""
    if pid := os.fork():
        return pid
    code = 70
    try:
        code = _recorder(order)
    except BaseException:
        Path(order["acknowledged"]).with_suffix(".traceback").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def main() -> None:
    """Forks and waits, as it is told on stdin."""
    # Blocked in whoever is forked too, so that a signal that comes early is not lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        order = json.loads(line)
        if "begin" in order:
            answer = _fork(order["begin"])
        else:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
