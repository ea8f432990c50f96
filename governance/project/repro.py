"""How is the pipeline run, and how is it recorded how every stage ended?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from governance.config import Config
from governance.digest import write_atomically
from governance.dvc.command import pinned_environment, run_dvc
from governance.dvc.files import Stage, read_lock, read_stages
from governance.dvc.locks import clear_dead_locks
from governance.dvc.remote import remotes
from governance.errors import Busy, ConfigurationError, GovernanceError, InvalidRecord, UnknownName
from governance.project import git
from governance.project.ends import SKIPS, STARTS, StageEnd, ends_of, lost_outputs, signature
from governance.project.kept import LOCK, Kept, recover
from governance.project.report import Report
from governance.project.repro_told import interrupted, is_full, repro_report
from governance.project.subject.intent import refuse_unfinished
from governance.project.tree import WorkingTree, dirty_digest, look_at
from governance.project.undeclared import Judged, judge_executed
from governance.readers import EXECUTIONS
from governance.records import Environment, Execution, Record, Repro
from governance.runs.runfile import RunFile, read_run, run_path
from governance.runs.stage import PROGRESS, read_params

if TYPE_CHECKING:
    from governance.store.trail import Trail

#: what a shell answers for a command that SIGINT ended
INTERRUPTED = 128 + signal.SIGINT


def reproduce(
    config: Config,
    open_trail: Callable[[], Trail],
    *,
    targets: Sequence[str] = (),
    force: bool = False,
    wait_seconds: float = 0.0,
    say: Callable[[str], None] = lambda _: None,
    look: Callable[[], None] = lambda: None,
) -> Report:
    """1. nobody else is at it  2. DVC runs what has to run, while the trail is opened  3. how every stage ended is told
    from its own notes  4. a failed stage gets its former outputs back  5. all of it enters the trail in one transaction

    `look` is called before anything runs, when nobody else can be at it any more.
    Raises Busy (somebody is at it), UnknownName (a target that dvc.yaml does not hold), ConfigurationError.
    """
    stages = read_stages(config.root)
    for target in targets:
        if target not in stages:
            raise UnknownName("stage", target, stages, each="")
    # 1.
    with project_lock(config, wait_seconds=wait_seconds):
        recover(config)
        refuse_unfinished(config)
        look()
        locked = bool(read_lock(config.root))
        notes = config.state / "executions"
        shutil.rmtree(notes, ignore_errors=True)
        notes.mkdir(parents=True)
        before = {name: signature(config, stage) for name, stage in stages.items()}
        tree = _tree(config, stages)
        kept = Kept.before_run(config, stages.values())
        started = time.time_ns() // 1000
        # 2. The store takes about as long to load as DVC to look around: neither waits for the other.
        opened: list[Trail] = []
        lines: list[str] = []
        try:
            status = _run(
                config,
                targets=targets,
                force=force,
                notes=notes,
                say=say,
                patience=wait_seconds,
                meanwhile=lambda: opened.append(open_trail()),
                lines=lines,
            )
        except BaseException as error:
            if not (isinstance(error, KeyboardInterrupt) and opened):
                # Where another DVC is at work, what changed meanwhile is of its making.
                if not isinstance(error, Busy):
                    kept.roll_back(stages.values())
                kept.let_go()
                raise
            # Stages that ended before an interrupt have run, and are recorded like those before a failure.
            status = INTERRUPTED
        full = bool(status) and is_full(config.root, lines)
        # 3.
        ends = ends_of(config, stages, notes, before, lines, well=not status, interrupted=status == INTERRUPTED)
        # 4.
        if status:
            kept.roll_back(stages.values())
        lost = [path for end in ends for path in lost_outputs(config, stages[end.stage], end, before, kept)]
        kept.let_go()
        # 5.
        from governance.project.take_in import take_in

        trail = opened[-1]
        fresh = trail.size() == 1 and locked
        undeclared = judge_executed(config, [stages[end.stage] for end in ends if end.outcome == "executed"], notes)
        events = _events(config, ends, notes, started, undeclared, tree)
        taken = take_in(trail, config, stages.values(), events=events)
    log = _write_log(config, lines)
    if status == INTERRUPTED:
        say(interrupted([end.stage for end in ends if end.outcome == "executed"], lost))
        raise KeyboardInterrupt
    outside = git.run_git(config.root, "rev-parse", "--git-dir") is None
    return repro_report(
        ends,
        taken,
        undeclared,
        status=status,
        lines=lines,
        lost=lost,
        log=log,
        fresh=fresh,
        remote=fresh and bool(remotes(config.root)),
        full=full,
        outside=outside,
    )


@contextmanager
def project_lock(config: Config, *, wait_seconds: float) -> Iterator[None]:
    """The lock under which one process at a time changes the project's outputs. Raises Busy, ConfigurationError."""
    lock = FileLock(config.state / LOCK)
    try:
        config.state.mkdir(exist_ok=True)
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise Busy("another `labeltrail` is at work in this project", hint="wait for it: --wait SECONDS") from None
    except OSError as error:
        hint = "check its owner and rights"
        raise ConfigurationError(f"{config.state} cannot be written: {error.strerror}", hint=hint) from None
    try:
        yield
    finally:
        lock.release()


def _run(
    config: Config,
    *,
    targets: Sequence[str],
    force: bool,
    notes: Path,
    say: Callable[[str], None],
    patience: float,
    meanwhile: Callable[[], None],
    lines: list[str],
) -> int:
    """DVC's exit status; what it says goes to `lines` as it comes."""
    params = read_params(config.root)
    threads = params.get("threads", 1)
    if type(threads) is not int or threads < 1:
        raise InvalidRecord("threads", threads, "a whole number, 1 or more", where="params.yaml")
    environment = pinned_environment(threads=threads)
    environment[EXECUTIONS] = str(notes)
    if sys.stderr.isatty():
        environment[PROGRESS] = os.ttyname(sys.stderr.fileno())

    def heard(line: str) -> None:
        lines.append(line)
        if match := STARTS.match(line):
            say(f"{match[1]} runs")
        elif match := SKIPS.match(line):
            say(f"{match[1]} {'unchanged' if 'change' in match[2] else 'restored from the cache'}")

    arguments = ["repro", *(["--force"] if force else []), *targets]
    deadline = time.monotonic() + patience
    while True:
        clear_dead_locks(config.root)
        lines.clear()
        try:
            return run_dvc(arguments, root=config.root, environment=environment, heard=heard, meanwhile=meanwhile)[0]
        except Busy:
            if time.monotonic() >= deadline:
                raise
            time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))


def _write_log(config: Config, lines: list[str]) -> str:
    """Keeps what DVC and the stages printed, and answers where."""
    path = config.state / "repro.log"
    write_atomically(path, ("\n".join(lines) + "\n").encode())
    return path.relative_to(config.root).as_posix()


def _tree(config: Config, stages: dict[str, Stage]) -> WorkingTree:
    """The commit and what differs from it, before anything runs: what is edited or committed meanwhile ran nowhere."""
    made = {out for stage in stages.values() for out in stage.outs}
    return look_at(config.root, {dep for stage in stages.values() for dep in stage.deps} - made)


def _events(
    config: Config,
    ends: list[StageEnd],
    notes: Path,
    started: int,
    undeclared: dict[str, Judged],
    tree: WorkingTree,
) -> list[Record]:
    """Environments, findings and executions, then how every stage ended."""
    events: list[Record] = []
    runs: dict[str, RunFile] = {}
    for end in ends:
        # A stage without a whole run file has no result to name.
        with suppress(GovernanceError):
            runs[end.stage] = read_run(config.root / run_path(config.artifacts, end.stage))
    executed = [
        end.stage
        for end in ends
        if end.stage in runs and end.outcome == "executed" and (notes / f"{end.stage}.json").is_file()
    ]
    dirty = dirty_digest(config.root, tree, (ref for stage in executed for ref in runs[stage].recipe.code))
    for stage in executed:
        note = json.loads((notes / f"{stage}.json").read_text(encoding="utf-8"))
        environment = Environment.make(**note.pop("environment"))
        del note["opened"]
        findings = [undeclared[stage].finding] if stage in undeclared else []
        events += [record for record in (environment, *findings) if record not in events]
        events.append(
            Execution.make(
                **note,
                environment=environment.name,
                revision=tree.revision,
                dirty=dirty,
                who=tree.who,
                findings=[finding.name for finding in findings],
            )
        )
    results = {stage: run.result.name for stage, run in runs.items()}
    outcomes = {end.stage: end.outcome for end in ends}
    ended = time.time_ns() // 1000
    events.append(Repro.make(started=started, ended=ended, stages=outcomes, results=results, revision=tree.revision))
    return events
