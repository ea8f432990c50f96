"""How is somebody's own command run and recorded, without an edit?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import governance.capture
from governance.capture import child
from governance.config import Config, find_root, read_config
from governance.errors import BrokenEvidence, ConfigurationError, ExitCode, GovernanceError
from governance.limits import TimeLimit
from governance.project.report import Report, Table, counted
from governance.records import Dataset, Finding, LabelModel, Labels, Model, Result, Source, Votes
from governance.runs.outside import CAPTURED, outside_stage
from governance.runs.runfile import read_run, run_path

_SITE = Path(governance.capture.__file__).parent / "site"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
#: how long a run that has ended waits for another command that works in the project
_PATIENCE_SECONDS = 60.0


def run(config: Config, opened: Callable[[], Any], command: Sequence[str], *, name: str | None = None) -> Report:
    """1. what lies there before  2. the command, watched  3. what its process recorded is taken in  4. what was found

    The report's exit code is the command's own, or 3 where votes stand beside other rows than their own. Raises
    ConfigurationError where the command cannot be started.
    """
    if not command:
        raise ConfigurationError("there is no command to run", hint="labeltrail run -- python train.py")
    named = run_name(command, name)
    # 1.
    before = _Before(config)
    with tempfile.TemporaryDirectory(prefix="labeltrail-") as folder:
        notes = Path(folder)
        plan = {"root": str(config.root), "name": named, "id_column": config.id_column}
        (notes / child.PLAN).write_text(json.dumps(plan), encoding="utf-8")
        # 2.
        status = _watched(command, notes, meanwhile=lambda: _prepare(notes))
        # 3.
        told = [json.loads(place.read_text(encoding="utf-8")) for place in sorted(notes.glob(f"*.{child.SEEN}"))]
        problem = _nothing(told, status)
        taken: _Taken | None = None
        if problem is None:
            try:
                taken = _take_in(config, opened, named, notes, before, status)
            except (GovernanceError, OSError) as error:
                problem = f"the run was not recorded: {error}"
        # 4.
        return _report(named, status, taken, told, problem)


def run_name(command: Sequence[str], name: str | None) -> str:
    """What a run is called: as somebody says, or as its script is. Raises ConfigurationError."""
    if name is None:
        scripts = [word for word in command if word.endswith(".py")]
        modules = [command[place + 1] for place, word in enumerate(command[:-1]) if word == "-m"]
        stem = Path(scripts[0]).stem if scripts else modules[0] if modules else Path(command[0]).stem
        name = _UNFIT.sub("_", stem).lstrip(".-") or "run"
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} names no run", hint="a name has letters, digits, _, . and -")
    return name


class _Before:
    """What was checked out, and what differed from it, before the command ran."""

    def __init__(self, config: Config) -> None:
        from governance.project.tree import look_at

        self.tree = look_at(config.root, ())


def _watched(command: Sequence[str], notes: Path, *, meanwhile: Callable[[], None]) -> int:
    """Runs the command with our hook before everything else, and answers its exit code as a shell does."""
    environment = dict(os.environ)
    environment["LABELTRAIL_CAPTURE"] = str(notes)
    former = environment.get("PYTHONPATH", "")
    environment["LABELTRAIL_PYTHONPATH"] = former
    ours = [str(_SITE), *([former] if former else [])]
    environment["PYTHONPATH"] = os.pathsep.join(ours)
    # Whoever presses Ctrl-C means the command, and its end is ours.
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN) if _main_thread() else None
    try:
        process = subprocess.Popen(command, env=environment, preexec_fn=_heed_interrupts)  # noqa: PLW1509
        with suppress(Exception):
            meanwhile()
        status = process.wait()
    except OSError as error:
        hint = "give the command as in a shell, after --: labeltrail run -- python train.py"
        raise ConfigurationError(f"{command[0]} cannot be started: {error.strerror}", hint=hint) from None
    finally:
        if ignored is not None:
            signal.signal(signal.SIGINT, ignored)
    return status if status >= 0 else 128 - status


def _main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _prepare(notes: Path) -> None:
    """What will be needed is read while the command runs, on a processor that it leaves free."""
    from governance.fingerprint.owners import distributions_by_module
    from governance.runs.environment import installed_versions

    told = {"prefix": sys.prefix, "owners": distributions_by_module(), "versions": installed_versions()}
    partial = notes / ".owners"
    partial.write_text(json.dumps(told), encoding="utf-8")
    os.replace(partial, notes / child.OWNERS)
    import governance.project.take_in
    import governance.store.trail  # noqa: F401


def _nothing(told: list[dict[str, Any]], status: int) -> str | None:
    """Why there is nothing to take in; None where there is."""
    if not told:
        return "nothing was captured: no Python process of this environment came to its end under the command"
    if any(one["failed"] for one in told):
        return f"the script ended in an error (exit {status}): nothing of it is recorded, and an earlier run stays"
    if not any(one["applications"] for one in told):
        return "nothing was captured: no applier of snorkel voted"
    return None


class _Taken:
    """What entered the trail."""

    def __init__(self, facts: list[Any], result: Result, new: int, problem: str) -> None:
        self.facts, self.result, self.new, self.problem = facts, result, new, problem


def _take_in(
    config: Config, opened: Callable[[], Any], name: str, notes: Path, before: _Before, status: int
) -> _Taken | None:
    from governance.project.kept import recover
    from governance.project.noted import execution_of
    from governance.project.repro import project_lock
    from governance.project.take_in import take_in

    place = notes / CAPTURED / f"{name}.json"
    if not place.is_file():
        return None
    stage = f"{CAPTURED}/{name}"
    recorded = read_run(config.root / run_path(config.artifacts, stage))
    events = execution_of(config, place, recorded, before=before.tree, exit_code=status)
    with project_lock(config, wait_seconds=_PATIENCE_SECONDS):
        recover(config)
        taken = take_in(opened(), config, [outside_stage(stage)], events=events)
    (found,) = taken.found
    return _Taken(list(found.facts or []), recorded.result, taken.new, found.problem)


def _report(name: str, status: int, taken: _Taken | None, told: list[dict[str, Any]], problem: str | None) -> Report:
    faults = [fault for one in told for fault in one["faults"]]
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


@contextmanager
def capture(
    name: str | None = None, *, root: str | Path | None = None, time_limit: float | None = None
) -> Iterator[None]:
    """Records what the block (or, as a decorator, the function) does with votes, as `labeltrail run` records a script.

    What is captured stays the very object that it was. With `time_limit`, in seconds, a function that takes longer on a row
    raises TimeoutError, and its vote is an error; without, nothing that the block computes is other than it was.
    Raises BrokenEvidence at the end where votes stand beside other rows than their own, InvalidRecord for a limit that is
    none; any other fault is one line on stderr. A block that raises is not recorded.
    """
    watched = _begin(name, root, time_limit)
    if watched is None:
        yield
        return
    try:
        yield
    except BaseException:
        from governance.capture import session

        session.end()
        raise
    report = watched.end()
    if report is not None and report.data["misaligned"]:
        raise BrokenEvidence(
            "votes cast again",
            expected="the votes that stand beside their rows",
            actual=report.data["misaligned"][0],
            hint="apply the functions with PandasLFApplier, or sort the frame by its index first",
        )


def autolog(name: str | None = None, *, root: str | Path | None = None, time_limit: float | None = None) -> None:
    """Records, when this process ends, what it did with votes; call it before anything is voted on.

    `time_limit` is that of `capture`. Under `labeltrail run` the command records, and this sets the limit alone. No fault
    of it reaches the caller, but for a limit that is none.
    """
    import atexit

    watched = _begin(name, root, time_limit)
    if watched is None:
        return

    def end() -> None:
        if getattr(sys, "last_value", None) is None:
            watched.end()

    atexit.register(end)


class _Here:
    """A watch over this very process."""

    def __init__(self, config: Config, name: str, limit: TimeLimit | None) -> None:
        self.config, self.name = config, name
        self.before = _Before(config)
        self.started = time.time_ns() // 1000
        self.process = os.getpid()
        self.seen = child.watch(root=str(config.root), id_column=config.id_column)
        self.seen.limit = limit

    def end(self) -> Report | None:
        """Records what was seen, and tells it on stderr."""
        from governance.capture import files, session

        if session.current() is not self.seen or os.getpid() != self.process:
            return None
        session.end()
        files.stop()
        imported = frozenset(name.partition(".")[0] for name in sys.modules)
        seen = self.seen
        with tempfile.TemporaryDirectory(prefix="labeltrail-") as folder:
            plan = {"root": str(self.config.root), "name": self.name, "id_column": self.config.id_column}
            taken = None
            if seen.applications:
                with seen.watching("the run"):
                    child.record(
                        seen, plan, notes=Path(folder), argv=sys.orig_argv[1:], started=self.started, imported=imported
                    )
                    taken = _take_in(self.config, self._trail, self.name, Path(folder), self.before, 0)
            told = {
                "faults": seen.faults,
                "unknown": seen.unknown,
                "applications": len(seen.applications),
                "failed": False,
            }
            report = _report(self.name, 0, taken, [told], _nothing([told], 0))
        for block in report.blocks:
            print(f"labeltrail: {block}", file=sys.stderr)  # noqa: T201 - the one place where this process is told
        return report

    def _trail(self) -> Any:
        from governance.store.trail import Trail

        return Trail.open(self.config.store, root=self.config.root, project=self.config.name, create=True)


def _begin(name: str | None, root: str | Path | None, time_limit: float | None) -> _Here | None:
    """A watch over this process; None where it is being watched, or where one cannot begin, which is told.

    Raises InvalidRecord for a limit that is none.
    """
    from governance.capture import session

    limit = TimeLimit(time_limit) if time_limit is not None else None
    known = session.current()
    if known is not None:
        known.limit = limit or known.limit
        return None
    try:
        config = read_config(find_root(Path(root or Path.cwd())))
        script = sys.argv[0] if sys.argv and sys.argv[0] else "session"
        return _Here(config, run_name([script], name), limit)
    except Exception as error:
        print(f"labeltrail: nothing is captured: {error}", file=sys.stderr)  # noqa: T201
        return None
