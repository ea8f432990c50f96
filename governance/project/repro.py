"""How is the pipeline run, and how is it recorded how every stage ended?"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from governance.config import Config
from governance.dvc.command import pinned_environment, run_dvc
from governance.dvc.files import Stage, read_stages
from governance.errors import Busy, ExitCode, GovernanceError, InvalidRecord, UnknownName
from governance.project import git
from governance.project.report import Report, table
from governance.project.take_in import TakenIn, take_in
from governance.records import Execution, Record, Repro, StageOutcome
from governance.runs.runfile import read_run, run_path
from governance.runs.stage import EXECUTIONS, PROGRESS, read_params
from governance.store.trail import Trail

_STARTS = re.compile(r"^Running stage '([^']+)'")
_SKIPS = re.compile(r"^Stage '([^']+)' (didn't change, skipping|is cached)")


@dataclass
class StageEnd:
    """How one stage ended."""

    stage: str
    outcome: StageOutcome
    seconds: float | None = None
    error: dict[str, Any] | None = None


def reproduce(
    config: Config,
    open_trail: Callable[[], Trail],
    *,
    targets: Sequence[str] = (),
    force: bool = False,
    wait_seconds: float = 0.0,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """1. nobody else is at it  2. DVC runs what has to run  3. how every stage ended is told from its own notes
    4. a failed stage gets its former outputs back  5. all of it enters the trail in one transaction

    Raises Busy (somebody is at it), UnknownName (a target that dvc.yaml does not hold), ConfigurationError.
    """
    stages = read_stages(config.root)
    for target in targets:
        if target not in stages:
            raise UnknownName("stage", target, stages)
    # 1.
    with project_lock(config, wait_seconds=wait_seconds):
        trail = open_trail()
        notes = config.state / "executions"
        shutil.rmtree(notes, ignore_errors=True)
        notes.mkdir(parents=True)
        before = {name: _signature(config, stage) for name, stage in stages.items()}
        started = time.time_ns() // 1000
        # 2.
        status, lines = _run(config, targets=targets, force=force, notes=notes, say=say)
        # 3.
        ends = [_end(config, stage, notes, before[stage.name], status, lines) for stage in stages.values()]
        # 4.
        failed = next((end for end in ends if end.outcome in ("failed", "aborted")), None)
        if failed:
            _give_back(config, failed.stage)
        # 5.
        events = _events(config, ends, notes, started)
        taken = take_in(trail, config, stages.values(), events=events)
    if failed or status:
        return _told(ends, taken, status=status, lines=lines, failed=failed)
    return _told(ends, taken, status=0, lines=lines, failed=None)


def project_lock(config: Config, *, wait_seconds: float) -> FileLock:
    """The lock under which one process at a time changes the project's outputs. Raises Busy."""
    config.state.mkdir(exist_ok=True)
    lock = FileLock(config.state / "repro.lock")
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise Busy(
            "another `labeltrail repro` is at work in this project", hint="wait for it: --wait SECONDS"
        ) from None
    return lock


def _run(
    config: Config, *, targets: Sequence[str], force: bool, notes: Path, say: Callable[[str], None]
) -> tuple[int, list[str]]:
    params = read_params(config.root)
    threads = params.get("threads", 1)
    if type(threads) is not int or threads < 1:
        raise InvalidRecord("threads", threads, "a whole number, 1 or more", where="params.yaml")
    environment = pinned_environment(threads=threads)
    environment[EXECUTIONS] = str(notes)
    if sys.stderr.isatty():
        environment[PROGRESS] = os.ttyname(sys.stderr.fileno())

    def heard(line: str) -> None:
        if match := _STARTS.match(line):
            say(f"{match[1]} runs")
        elif match := _SKIPS.match(line):
            say(f"{match[1]} {'unchanged' if 'change' in match[2] else 'restored from the cache'}")

    arguments = ["repro", *(["--force"] if force else []), *targets]
    return run_dvc(arguments, root=config.root, environment=environment, heard=heard)


def _signature(config: Config, stage: Stage) -> list[tuple[int, int, int] | None]:
    """What tells whether an output was put there anew, without reading it."""
    found: list[tuple[int, int, int] | None] = []
    for out in stage.outs:
        path = config.root / out
        status = path.stat() if path.exists() else None
        found.append((status.st_ino, status.st_mtime_ns, status.st_size) if status else None)
    return found


def _end(config: Config, stage: Stage, notes: Path, before: list[Any], status: int, lines: list[str]) -> StageEnd:
    error = notes / f"{stage.name}.error.json"
    note = notes / f"{stage.name}.json"
    if note.is_file():
        told = json.loads(note.read_text(encoding="utf-8"))
        return StageEnd(stage.name, "executed", seconds=(told["ended"] - told["started"]) / 1e6)
    if error.is_file():
        return StageEnd(stage.name, "failed", error=json.loads(error.read_text(encoding="utf-8")))
    started = any((match := _STARTS.match(line)) and match[1] == stage.name for line in lines)
    if started and status:
        return StageEnd(stage.name, "aborted" if any("SIGKILL" in line for line in lines) else "failed")
    if not any((match := _SKIPS.match(line)) and match[1] == stage.name for line in lines) and not started:
        return StageEnd(stage.name, "not reached")
    return StageEnd(stage.name, "unchanged" if _signature(config, stage) == before else "restored")


def _give_back(config: Config, stage: str) -> None:
    """DVC removes a stage's outputs before it runs; where the stage fails, the former ones come back from the cache."""
    run_dvc(["checkout", "--force", stage], root=config.root, environment=pinned_environment(threads=1))


def _events(config: Config, ends: list[StageEnd], notes: Path, started: int) -> list[Record]:
    revision, dirty, who = git.revision(config.root), git.dirty_digest(config.root), git.who(config.root)
    events: list[Record] = []
    results: dict[str, str] = {}
    for end in ends:
        try:
            results[end.stage] = read_run(config.root / run_path(config.artifacts, end.stage)).result.name
        except GovernanceError:
            continue  # a stage without a whole run file has no result to name
        if end.outcome == "executed":
            note = json.loads((notes / f"{end.stage}.json").read_text(encoding="utf-8"))
            events.append(Execution.make(**note, revision=revision, dirty=dirty, who=who))
    outcomes = {end.stage: end.outcome for end in ends}
    ended = time.time_ns() // 1000
    events.append(Repro.make(started=started, ended=ended, stages=outcomes, results=results, revision=revision))
    return events


def _told(ends: list[StageEnd], taken: TakenIn, *, status: int, lines: list[str], failed: StageEnd | None) -> Report:
    problems = {found.stage: found.problem for found in taken.found if found.problem}
    rows = [
        (end.stage, end.outcome, f"{end.seconds:.1f} s" if end.seconds is not None else "", problems.get(end.stage, ""))
        for end in ends
    ]
    counts: dict[str, int] = {}
    for end in ends:
        counts[end.outcome] = counts.get(end.outcome, 0) + 1
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    signed = "signed" if taken.appended and taken.appended.signed else "unsigned"
    blocks: list[Any] = [
        table(("stage", "ended", "took", "note"), rows),
        f"{summary}; {taken.new} new entries, {signed}",
    ]
    data: dict[str, Any] = {
        "stages": {end.stage: end.outcome for end in ends},
        "seconds": {end.stage: end.seconds for end in ends if end.seconds is not None},
        "problems": problems,
        "new_entries": taken.new,
        "checkpoint": taken.appended.checkpoint.to_note() if taken.appended else None,
    }
    code = ExitCode.FINE
    if failed:
        error = failed.error or {}
        message = error.get("message") or _last_words(lines)
        data["error"] = {"stage": failed.stage, "message": message, "hint": error.get("hint")}
        blocks.append(f"stage {failed.stage} failed: {message}")
        if error.get("hint"):
            blocks.append(f"  {error['hint']}")
        blocks.append("Its former outputs were given back; nothing of the failed run was recorded.")
        code = ExitCode(error.get("exit_code", ExitCode.FINDINGS))
    elif status:
        message = _last_words(lines)
        data["error"] = {"stage": None, "message": message, "hint": None}
        blocks.append(f"DVC ended with status {status}: {message}")
        code = ExitCode.USAGE
    elif any(problems.get(end.stage) for end in ends if end.outcome != "not reached"):
        blocks.append("What does not fit was not recorded: `labeltrail verify` says more.")
        code = ExitCode.BROKEN
    return Report("repro", data, tuple(blocks), code)


def _last_words(lines: list[str]) -> str:
    for line in reversed(lines):
        if line.strip() and not line.startswith(("ERROR: failed to reproduce", "Having any troubles")):
            return line.removeprefix("ERROR: ").strip()
    return "no reason was given"
