"""How does a stage process say what it read, what it made and what it found?

A stage declares inputs and outputs as it goes. Its outputs appear under their own names only when all of them are whole;
facts, recipe and result are written last, so that a run file without its outputs cannot come about.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from governance import process
from governance.config import find_root, read_config
from governance.digest import decimal, file_digest, path_digest, sync_folder, write_atomically
from governance.dvc.supervisor import die_with_parent
from governance.errors import ConfigurationError, GovernanceError, InvalidRecord
from governance.facts import Facts, facts_bytes, read_facts
from governance.readers import EXECUTIONS
from governance.records import FileRef, Recipe, Record, Result
from governance.runs import code, environment, observed
from governance.runs.runfile import RunFile, facts_path, read_run, run_path

T = TypeVar("T")

#: set by `labeltrail repro`: the terminal for progress, if there is one
PROGRESS = "LABELTRAIL_PROGRESS"


class StageRun:
    """One run of one stage; use it through `stage`."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        self.config = read_config(root)
        everything = read_params(root)
        self.seed: int = _whole(everything, "seed", default=0)
        self.threads: int = _whole(everything, "threads", default=1)
        self.params: dict[str, Any] = everything.get(name) or {}
        self._inputs: dict[str, FileRef] = {}
        self._outputs: dict[str, tuple[Path, Path]] = {}
        self._stated: dict[str, Record] = {}
        self._used: dict[str, None] = {}
        self._measured: dict[str, str] = {}
        self._started = time.time_ns() // 1000
        self._seen = observed.Seen()
        self._code: tuple[FileRef, ...] = ()
        #: another process than this one, which is told of
        self._process: process.Process | None = None
        self._notes = os.environ.get(EXECUTIONS)

    def input(self, path: str) -> Path:
        """Declares a file or folder that this stage reads; its digest goes into the recipe. Raises ConfigurationError."""
        found = self.root / path
        if not found.exists():
            raise ConfigurationError(
                f"stage {self.name!r} reads {path}, which is not there", hint="`labeltrail repro` makes what is missing"
            )
        size = found.stat().st_size if found.is_file() else 0
        self._inputs[path] = FileRef.model_validate({"path": path, "sha256": path_digest(found), "bytes": size})
        return found

    def output(self, path: str) -> Path:
        """Declares a file that this stage makes, and answers where to write it until the stage is done."""
        final = self.root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{final.stem}.{os.getpid()}{final.suffix}")
        self._outputs[path] = (partial, final)
        return partial

    def facts(self, stage: str) -> Facts:
        """What an earlier stage stated; its facts file becomes an input."""
        return read_facts(self.input(facts_path(self.config.artifacts, stage)))

    def run_of(self, stage: str) -> RunFile:
        """Recipe and result of an earlier stage; its run file becomes an input."""
        return read_run(self.input(run_path(self.config.artifacts, stage)))

    def use(self, record: T) -> T:
        """Marks a record as something that this run started from, and hands it back."""
        if not isinstance(record, Record):
            raise InvalidRecord("record", record, "a record")
        self._used[record.name] = None
        return record

    def state(self, record: Record) -> str:
        """States a fact and answers its name. Raises InvalidRecord for an event, which is the trail's own to enter."""
        if record.event:
            raise InvalidRecord("record", record.kind, "a fact, not an event")
        self._stated[record.name] = record
        return record.name

    def measure(self, what: str, value: float) -> None:
        """Notes a time, a rate or a cost of this execution; it goes to the trail and never into an output."""
        self._measured[what] = decimal(value)

    def progress(self, items: Iterable[T], *, total: int, says: str) -> Iterator[T]:
        """Passes `items` on and draws a bar where somebody watches; draws nothing elsewhere."""
        watched = os.environ.get(PROGRESS)
        if not watched:
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        with open(watched, "w", encoding="utf-8") as terminal:
            console = Console(file=terminal, force_terminal=True)
            yield from track(items, total=total, description=says, console=console, transient=True)

    def _look_back(self) -> None:
        """Ends the watch: what the library itself opens from here on is no business of the stage.

        Raises ConfigurationError where a module is no longer what was imported.
        """
        self._seen = observed.end(becoming=dict(self._outputs.values()))
        self._code = code.end(self.root)

    def _finish(self) -> None:
        """1. outputs take their names  2. facts  3. recipe and result, last  4. the note of this execution"""
        artifacts = self.config.artifacts
        # 1.
        for path, (partial, _) in self._outputs.items():
            if not partial.is_file():
                raise ConfigurationError(f"stage {self.name!r} declared {path} and did not write it")
        for partial, final in self._outputs.values():
            with open(partial, "rb") as stream:
                os.fsync(stream.fileno())
            os.replace(partial, final)
            sync_folder(final.parent)
        # 2.
        facts_name = facts_path(artifacts, self.name)
        write_atomically(self.root / facts_name, facts_bytes(self._stated.values()))
        # 3.
        seen = self._process or process.look(root=self.root, started=self._started)
        recipe = Recipe.make(
            stage=self.name,
            inputs=sorted(self._inputs.values(), key=lambda ref: ref.path),
            parameters=flat_parameters(self.params),
            seed=self.seed,
            code=self._code,
            distributions=environment.imported_distributions(seen),
            python=seen.python,
            threads=self.threads,
            hash_seed=seen.hash_seed,
        )
        outputs = [environment.file_ref(self.root / path, path) for path in sorted([*self._outputs, facts_name])]
        result = Result.make(
            stage=self.name,
            recipe=recipe.name,
            outputs=outputs,
            generated=list(self._stated),
            used=list(self._used),
        )
        write_atomically(self.root / run_path(artifacts, self.name), RunFile(recipe, result).to_bytes())
        # 4.
        self._note(result, seen)

    def _note(self, result: Result, seen: process.Process) -> None:
        folder = self._notes
        if not folder:
            return
        note = {
            "stage": self.name,
            "result": result.name,
            "started": seen.started,
            "ended": seen.ended,
            "cpu": seen.cpu,
            "peak_memory": seen.peak_memory,
            "measured": self._measured,
            "machine": seen.machine,
            "environment": environment.surroundings(self.root, seen).body(),
            "library": environment.library_digest(seen),
            "observed": self._seen.watchers,
            "opened": {
                "reads": self._seen.reads,
                "writes": self._seen.writes,
                "unseen": self._seen.unseen,
                "others": self._seen.others,
            },
        }
        place = Path(folder) / f"{self.name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(note).encode())

    def _discard(self) -> None:
        for partial, _ in self._outputs.values():
            partial.unlink(missing_ok=True)


@contextmanager
def stage(name: str, *, root: Path | None = None, notes: Path | None = None) -> Iterator[StageRun]:
    """Runs the body of a stage as a governed run; the note of its execution goes to `notes` where nobody else asks for it.

    Where the body raises, nothing takes an output's name: an earlier output stays as it was. Errors of this library end
    the process with their exit code and one sentence on stderr; any other error is the author's and keeps its traceback.
    """
    run: StageRun | None = None
    if os.environ.get(EXECUTIONS):
        die_with_parent()
    try:
        run = StageRun(name, (root or find_root(Path.cwd())).resolve())
        run._notes = run._notes or (str(notes) if notes is not None else None)
        code.begin(run.root)
        if os.environ.get(EXECUTIONS):
            observed.begin(run.root)
        yield run
        run._look_back()
        run._finish()
    except GovernanceError as error:
        folder = os.environ.get(EXECUTIONS)
        if folder:
            told = {"message": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
            write_atomically(Path(folder) / f"{name}.error.json", json.dumps(told).encode())
        print(f"{name}: {error.message}" + (f"\n  {error.hint}" if error.hint else ""), file=sys.stderr)
        raise SystemExit(int(error.exit_code)) from error
    finally:
        observed.end()
        if run is not None:
            run._discard()


@contextmanager
def watched_run(
    name: str, *, root: Path, notes: Path, told: process.Process, executed: Mapping[str, tuple[str, int]]
) -> Iterator[StageRun]:
    """Records what a process did that knew nothing of stages, as it told of itself when it ended.

    `executed` are digest and size of each file of code when it was executed: one that was edited since stands in the recipe
    as it ran. The note of the execution goes to `notes`. Raises GovernanceError; then nothing takes an output's name.
    """
    run = StageRun(name, root)
    run._process, run._notes = told, str(notes)
    try:
        yield run
        refs = []
        for path, place in environment.project_modules(root, [*told.modules, *executed]).items():
            digest, size = executed.get(str(place)) or (file_digest(place), place.stat().st_size)
            refs.append(FileRef.model_validate({"path": path, "sha256": digest, "bytes": size}))
        run._code = tuple(refs)
        run._finish()
    finally:
        run._discard()


def flat_parameters(params: dict[str, Any]) -> dict[str, str]:
    """Nested parameters as dotted names with JSON text, `{"prior.strength": "100"}`."""
    flat: dict[str, str] = {}

    def put(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                put(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            try:
                flat[prefix] = json.dumps(value, sort_keys=True)
            except TypeError:
                # YAML reads 2026-11-22 as a date, which JSON does not know.
                wanted = "text in quotes, a number, a truth value or a list"
                raise InvalidRecord(prefix, value, wanted, where="params.yaml") from None

    put("", params)
    return flat


def read_params(root: Path) -> dict[str, Any]:
    """The content of params.yaml; empty where there is none. Raises ConfigurationError, InvalidRecord."""
    path = root / "params.yaml"
    if not path.is_file():
        return {}
    try:
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}", hint="params.yaml is YAML, in UTF-8") from None
    if params is not None and not isinstance(params, dict):
        raise InvalidRecord("params", params, "a mapping from stage to parameters", where=str(path))
    return params or {}


def _whole(params: dict[str, Any], field: str, *, default: int) -> int:
    value = params.get(field, default)
    if type(value) is not int or value < 0:
        raise InvalidRecord(field, value, "a whole number, 0 or more", where="params.yaml")
    return value


# Modules often read their word lists while they are imported, which is before a stage begins.
if os.environ.get(EXECUTIONS):
    observed.begin_here()
    code.listen()
