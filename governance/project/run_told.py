"""How is what a watched process told recorded, and what is said of it?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from governance.config import Config
from governance.errors import ExitCode
from governance.project.kept import recover
from governance.project.noted import execution_of
from governance.project.report import Report, Table, counted
from governance.project.repro import project_lock
from governance.project.take_in import take_in
from governance.project.tree import WorkingTree
from governance.records import (
    Dataset,
    Finding,
    LabelModel,
    Labels,
    Model,
    Result,
    Source,
    Votes,
)
from governance.runs.outside import CAPTURED, outside_stage
from governance.runs.runfile import read_run, run_path
from governance.watching import child
from governance.watching.finish import finish
from governance.watching.notes import Told, read_notes

#: how long a run that has ended waits for another command that works in the project
_PATIENCE_SECONDS = 60.0


def prepare() -> None:
    """Imports what the functions below import where they use it."""
    import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    import numpy.ma  # noqa: F401
    import polars  # noqa: F401

    import governance.sources.captured
    import governance.store.trail
    import governance.votes.analysis  # noqa: F401


def recorded(
    config: Config,
    opened: Callable[[], Any],
    name: str,
    notes: Path,
    ends: Sequence[dict[str, Any]],
    *,
    before: WorkingTree,
    status: int,
) -> Report:
    """Records what the command's processes left in `notes`; `ends` are how they ended, `before` is what lay there."""
    faults = [fault for one in ends for fault in one["faults"]]
    problem, taken = nothing_of(ends, status), None
    if problem is None:
        try:
            told = read_notes(notes / child.NOTES)
            if told is not None:
                taken = record(config, opened, name, told, before=before, status=status)
                faults = [*faults, *(fault for fault in told.seen.faults if fault not in faults)]
        except Exception as error:
            # Whatever went wrong with us, the command ended as it did.
            problem = f"the run was not recorded: {error}"
    return run_report(name, taken, faults, problem, status=status)


def nothing_of(ends: Sequence[dict[str, Any]], status: int) -> str | None:
    """Why there is nothing to take in; None where there is."""
    if not ends:
        return "nothing was captured: no Python process of this environment came to its end under the command"
    if any(one["failed"] for one in ends):
        return f"the script ended in an error (exit {status}): nothing of it is recorded, and an earlier run stays"
    if not any(one["applications"] for one in ends):
        return (
            "nothing was captured: no applier of snorkel voted (the page your-own-data records sources of other kinds)"
        )
    return None


class Taken:
    """What entered the trail."""

    def __init__(self, facts: list[Any], result: Result, new: int, problem: str) -> None:
        self.facts, self.result, self.new, self.problem = facts, result, new, problem


def record(
    config: Config, opened: Callable[[], Any], name: str, told: Told, *, before: WorkingTree, status: int
) -> Taken | None:
    """1. tables, facts and run file of what a process told  2. its execution  3. both enter the trail

    None, and a fault told, where no run could be made of it. Raises GovernanceError and OSError.
    """
    stage = f"{CAPTURED}/{name}"
    with tempfile.TemporaryDirectory(prefix="labeltrail-") as folder:
        # 1.
        with told.seen.watching("the run"):
            finish(told, root=config.root, name=name, notes=Path(folder))
        place = Path(folder) / f"{stage}.json"
        if not place.is_file():
            return None
        # 2.
        run = read_run(config.root / run_path(config.artifacts, stage))
        events = execution_of(config, place, run, before=before, exit_code=status)
    # 3.
    with project_lock(config, wait_seconds=_PATIENCE_SECONDS):
        recover(config)
        taken = take_in(opened(), config, [outside_stage(stage)], events=events)
    (found,) = taken.found
    return Taken(list(found.facts or []), run.result, taken.new, found.problem)


def run_report(name: str, taken: Taken | None, faults: list[str], problem: str | None, *, status: int) -> Report:
    """What became of a run, for people and programs."""
    facts = taken.facts if taken else []
    found = [fact for fact in facts if isinstance(fact, Finding)]
    misaligned = [f.says for f in found if f.check == "alignment" and f.outcome == "fail"]
    if problem is None and taken is None:
        problem = "nothing was recorded: " + (faults[-1] if faults else "the process left no record")
    if problem is None and taken is not None and taken.problem:
        problem = f"the run was not recorded: {taken.problem}"
    blocks: list[str | Table] = []
    if taken is not None and problem is None:
        blocks += [f"recorded captured/{name}: {_told(facts)}", *_open(found)]
    if problem:
        blocks.append(problem)
    if misaligned:
        blocks.append("votes stand beside other rows than their own: nothing that came of them can be trusted (exit 3)")
    elif problem is None:
        blocks.append("next: `labeltrail why ROW` explains a label, `labeltrail status` shows everything")
    data = {
        "run": f"{CAPTURED}/{name}",
        "command_exit_code": status,
        "recorded": problem is None,
        "problem": problem,
        "result": taken.result.name if taken else None,
        "new_entries": taken.new if taken else 0,
        "open": [{"name": f.name, "outcome": f.outcome, "says": f.says} for f in found if f.outcome != "pass"],
        "faults": faults,
        "misaligned": misaligned,
    }
    return Report("run", data, tuple(blocks), ExitCode.BROKEN if misaligned else status)


def _told(facts: list[Any]) -> str:
    """What was recorded, counted."""
    kinds: list[tuple[type[Any], str, str]] = [
        (Source, "source", "sources"),
        (Dataset, "table of rows", "tables of rows"),
        (Votes, "vote set", "vote sets"),
        (LabelModel, "label model", "label models"),
        (Labels, "label set", "label sets"),
        (Model, "trained model", "trained models"),
    ]
    counts = [(sum(isinstance(fact, kind) for fact in facts), one, many) for kind, one, many in kinds]
    return ", ".join(counted(count, one, many) for count, one, many in counts if count)


def _open(found: list[Finding]) -> list[str]:
    """Findings that somebody should look at, the failed ones first."""
    failed = [f"  {f.outcome}: {f.says}" for f in found if f.outcome == "fail"]
    return failed + [f"  {f.outcome}: {f.says}" for f in found if f.outcome == "unknown"]
