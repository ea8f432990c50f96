"""How is the pipeline run, and how is it recorded how every stage ended?"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from governance.config import Config
from governance.digest import write_atomically
from governance.dvc.command import pinned_environment, run_dvc
from governance.dvc.files import Stage, read_lock, read_stages
from governance.dvc.locks import clear_dead_locks
from governance.errors import Busy, ConfigurationError, ExitCode, GovernanceError, InvalidRecord, UnknownName
from governance.project import git
from governance.project.kept import LOCK, Kept, recover, settled
from governance.project.report import Report, Table, counted, outcome_told, table
from governance.project.tree import WorkingTree, dirty_digest, look_at
from governance.project.undeclared import Judged, judge_executed
from governance.records import Environment, Execution, Record, Repro, StageOutcome
from governance.runs.readers import EXECUTIONS
from governance.runs.runfile import RunFile, read_run, run_path
from governance.runs.stage import PROGRESS, read_params

if TYPE_CHECKING:
    from governance.project.take_in import TakenIn
    from governance.store.trail import Trail

#: what a shell answers for a command that SIGINT ended
INTERRUPTED = 128 + signal.SIGINT

_STARTS = re.compile(r"^Running stage '([^']+)'")
#: with less than a block left, nothing that is worth a run can be written
_LEAST_BYTES = 4096
#: characters of what DVC says before any stage began
_LONGEST = 500
_NO_GIT = re.compile(r"is not a git repository$")
_FAILS = re.compile(r"^ERROR: failed to reproduce '([^']+)'")
_SKIPS = re.compile(r"^Stage '([^']+)' (didn't change, skipping|is cached)")


@dataclass
class StageEnd:
    """How one stage ended."""

    stage: str
    outcome: StageOutcome
    seconds: float | None = None
    error: dict[str, Any] | None = None
    #: whether an earlier run's outputs lay there when it began
    had_outputs: bool = False


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
            raise UnknownName("stage", target, stages)
    # 1.
    with project_lock(config, wait_seconds=wait_seconds):
        recover(config)
        look()
        locked = bool(read_lock(config.root))
        notes = config.state / "executions"
        shutil.rmtree(notes, ignore_errors=True)
        notes.mkdir(parents=True)
        before = {name: _signature(config, stage) for name, stage in stages.items()}
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
        full = bool(status) and _is_full(config.root, lines)
        # 3.
        stuck = _stuck(config, stages, notes, lines) if status else None
        ends = [_end(config, stage, notes, before[stage.name], stuck, lines) for stage in stages.values()]
        if status == INTERRUPTED:
            ends = [replace(end, outcome="aborted") if end.outcome == "failed" else end for end in ends]
        # 4.
        if status:
            kept.roll_back(stages.values())
        ended_badly = [stages[end.stage] for end in ends if end.outcome in ("failed", "aborted")]
        lost = [path for stage in ended_badly for path in _lost(config, stage, before[stage.name], kept)]
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
        say(_interrupted([end.stage for end in ends if end.outcome == "executed"], lost))
        raise KeyboardInterrupt
    outside = git.run_git(config.root, "rev-parse", "--git-dir") is None
    return _told(
        ends, taken, undeclared, status=status, lines=lines, lost=lost, log=log, fresh=fresh, full=full, outside=outside
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
        if match := _STARTS.match(line):
            say(f"{match[1]} runs")
        elif match := _SKIPS.match(line):
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


def _signature(config: Config, stage: Stage) -> list[tuple[int, int, int] | None]:
    """What tells whether an output was put there anew, without reading it."""
    found: list[tuple[int, int, int] | None] = []
    for out in stage.outs:
        path = config.root / out
        status = path.stat() if path.exists() else None
        found.append((status.st_ino, status.st_mtime_ns, status.st_size) if status else None)
    return found


def _lost(config: Config, stage: Stage, before: list[Any], kept: Kept) -> list[str]:
    """The former outputs of a stage that ended badly which are neither untouched nor back."""
    outs = zip(stage.outs, before, _signature(config, stage), strict=True)
    return [path for path, was, now in outs if was and was != now and path not in kept.restored]


def _interrupted(done: list[str], lost: list[str]) -> str:
    ended = f"{', '.join(done)} had ended and {'is' if len(done) == 1 else 'are'} recorded"
    others = f"these former outputs are lost: {', '.join(lost)}" if lost else "every other output is what it was"
    return f"interrupted: {ended if done else 'no stage had ended'}, {others}; `labeltrail repro` goes on"


def _stuck(config: Config, stages: dict[str, Stage], notes: Path, lines: list[str]) -> str | None:
    """The stage at which a DVC that did not end well came to its end; None where it had begun none.

    DVC names it in its last words, after everything that stages may have said. Where it was killed and has none: the first
    stage that it did not commit, or else the last one that left no note of having ended.
    """
    begun = [match[1] for line in lines if (match := _STARTS.match(line)) and match[1] in stages]
    named = [match[1] for line in lines if (match := _FAILS.match(line)) and match[1] in begun]
    if named:
        return named[-1]
    stuck = next((name for name in begun if not _committed(config, stages[name])), None)
    if stuck is None and begun and not (notes / f"{begun[-1]}.json").is_file():
        stuck = begun[-1]
    return stuck


def _end(config: Config, stage: Stage, notes: Path, before: list[Any], stuck: str | None, lines: list[str]) -> StageEnd:
    """How a stage ended, where DVC came to its end at the stage `stuck`, or well where that is None."""
    error = notes / f"{stage.name}.error.json"
    note = notes / f"{stage.name}.json"
    begun = [match[1] for line in lines if (match := _STARTS.match(line))]
    if stage.name == stuck:
        told = json.loads(error.read_text(encoding="utf-8")) if error.is_file() else None
        killed = told is None and any("SIGKILL" in line for line in lines)
        return StageEnd(stage.name, "aborted" if killed else "failed", error=told, had_outputs=any(before))
    if stage.name in begun:
        # DVC begins none after one that ended badly: such a beginning was told in the words of that stage.
        if stuck in begun and begun.index(stage.name) > begun.index(stuck):
            return StageEnd(stage.name, "not reached")
        if not note.is_file():
            return StageEnd(stage.name, "executed")  # it does not use the library
        told = json.loads(note.read_text(encoding="utf-8"))
        return StageEnd(stage.name, "executed", seconds=(told["ended"] - told["started"]) / 1e6)
    if not any((match := _SKIPS.match(line)) and match[1] == stage.name for line in lines):
        return StageEnd(stage.name, "not reached")
    return StageEnd(stage.name, "unchanged" if _signature(config, stage) == before else "restored")


def _committed(config: Config, stage: Stage) -> bool:
    """Whether DVC took what the stage made; one that was killed in between leaves a whole run outside its lock."""
    try:
        return settled(config.root, stage, read_lock(config.root).get(stage.name))
    except GovernanceError:
        return False


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


def _told(
    ends: list[StageEnd],
    taken: TakenIn,
    undeclared: dict[str, Judged],
    *,
    status: int,
    lines: list[str],
    lost: list[str],
    log: str,
    fresh: bool,
    full: bool,
    outside: bool,
) -> Report:
    from governance.project.take_in import NEVER

    problems = {found.stage: found.problem for found in taken.found if found.problem}
    reached = {end.stage for end in ends if end.outcome in ("executed", "restored", "unchanged")}
    for end in ends:
        if end.stage in reached and problems.get(end.stage) == NEVER:
            problems[end.stage] = "it ran and left no run file, since it does not use governance.runs.stage"
    told = {stage: judged for stage, judged in undeclared.items() if judged.finding.outcome != "pass"}
    notes = {stage: judged.brief for stage, judged in told.items()} | problems
    shown = {end.stage: outcome_told(end.outcome, well=not status) for end in ends}
    rows = [
        (
            end.stage,
            shown[end.stage],
            f"{end.seconds:.1f} s" if end.seconds is not None else "",
            notes.get(end.stage, ""),
        )
        for end in ends
    ]
    counts = Counter(shown.values())
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    signed = "signed" if taken.appended and taken.appended.signed else "unsigned"
    blocks: list[str | Table] = [table(("stage", "ended", "took", "note"), rows)]
    if fresh:
        blocks.append(
            "dvc.lock knows earlier runs and the trail here did not: a new log began, without their executions and keys. "
            "`labeltrail sync --pull` before the first repro takes in what DVC's remote holds of them."
        )
    blocks.append(f"{summary}; {counted(taken.new, 'new entry', 'new entries')}, {signed}")
    if outside and not status:
        blocks.append(f"no git repository is here, so that no run names a commit: {git.GIT_INIT}")
    if not (taken.appended and taken.appended.signed):
        blocks.append("unsigned: `labeltrail doctor` says why, and what to do")
    blocks += [judged.finding.says for judged in told.values() if judged.finding.outcome == "fail"]
    data: dict[str, Any] = {
        "stages": {end.stage: end.outcome for end in ends},
        "seconds": {end.stage: end.seconds for end in ends if end.seconds is not None},
        "problems": problems,
        "undeclared": {stage: judged.to_json() for stage, judged in told.items()},
        "new_entries": taken.new,
        "new_log": fresh,
        "lost": lost,
        "log": log,
        "checkpoint": taken.appended.checkpoint.to_note() if taken.appended else None,
    }
    failed = next((end for end in ends if end.outcome in ("failed", "aborted")), None)
    code = ExitCode.FINE
    if failed or status:
        code = _explain(failed, data, blocks, lines=lines, lost=lost, log=log, full=full)
    elif any(problems.get(stage) for stage in reached):
        blocks.append("What does not fit was not recorded: `labeltrail verify` says more.")
        never = all("no run file" in problems[stage] for stage in reached if stage in problems)
        code = ExitCode.UNKNOWN if never else ExitCode.BROKEN
    return Report("repro", data, tuple(blocks), code)


def _explain(
    failed: StageEnd | None,
    data: dict[str, Any],
    blocks: list[str | Table],
    *,
    lines: list[str],
    lost: list[str],
    log: str,
    full: bool,
) -> ExitCode:
    """One error: which stage, why, the way out, and what became of its outputs."""
    error = (failed.error if failed else None) or {}
    begun = failed is not None or any(_STARTS.match(line) for line in lines)
    message = error.get("message") or (_last_words(lines) if begun else _all_words(lines))
    hint = error.get("hint") or (git.GIT_INIT if _NO_GIT.search(message) else f"what it printed lies in {log}")
    if full:
        message, hint = f"the disk is full: {message}", f"free some space, then `labeltrail repro`; {hint}"
    data["error"] = {"stage": failed.stage if failed else None, "message": message, "hint": hint}
    blocks += [
        f"stage {failed.stage} failed: {message}" if failed else f"DVC ended before any stage failed: {message}",
        f"  {hint}",
    ]
    if lost:
        blocks.append(f"These former outputs are lost: {', '.join(lost)}")
    elif failed:
        back = "Its former outputs are back; of" if failed.had_outputs else "Of"
        blocks.append(f"{back} the failed run nothing is recorded but that it failed.")
    if failed is None or full:
        return ExitCode.USAGE
    return ExitCode(error.get("exit_code", ExitCode.FINDINGS))


def _is_full(root: Path, lines: list[str]) -> bool:
    """Whether it was the disk that ended a run; libraries say so in words of their own, or die without any."""
    if any("No space left on device" in line or "Disk quota exceeded" in line for line in lines):
        return True
    return shutil.disk_usage(root).free < _LEAST_BYTES


def _all_words(lines: list[str]) -> str:
    """All that DVC says of why it began no stage, in one line: it names the place first and shows the code last."""
    told = ""
    for line in lines:
        said = " ".join(line.removeprefix("ERROR: ").split())
        if said and not _SKIPS.match(line) and not said.startswith("Having any troubles"):
            told += f"{'' if not told else ' ' if told.endswith(('.', ':')) else '; '}{said}"
    return (told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…") or "no reason was given"


def _last_words(lines: list[str]) -> str:
    """The last thing that was said, with the place in the code where there is one."""
    place = next((line.strip() for line in reversed(lines) if line.lstrip().startswith('File "')), "")
    for line in reversed(lines):
        if line.strip() and not line.startswith(
            ("ERROR: failed to reproduce", "Having any troubles", "> ", "Running stage ")
        ):
            said = line.removeprefix("ERROR: ").strip()
            return f"{said} ({place})" if place else said
    # DVC's own sentence is left where nothing else was said.
    own = next((line for line in reversed(lines) if line.startswith("ERROR: ")), "no reason was given")
    return own.removeprefix("ERROR: ").strip()
