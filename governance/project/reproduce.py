"""Does a recorded run come out again, from its recorded code and inputs, in a folder of its own?"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.config import STATE_FOLDER, Config
from governance.digest import file_digest
from governance.dvc.command import pinned_environment, supervised
from governance.dvc.files import read_stages
from governance.erased import Erased, by_entries
from governance.errors import ExitCode, GovernanceError, UnknownName
from governance.facts import Facts
from governance.project.brought import Contents
from governance.project.found import Finder
from governance.project.report import Report, Table, table
from governance.project.scratch import UnableError, checked_out, commit_for
from governance.records import FileRef, Recipe, Reproduction, ReproductionOutcome, Result
from governance.runs.compare import TOLERANCE, Difference, compare_files
from governance.runs.differences import FileChange, file_changes
from governance.runs.runfile import RunFile, read_run, run_path
from governance.runs.stage import EXECUTIONS
from governance.store.forgetting import erasures
from governance.store.trail import Trail


@dataclass
class Attempt:
    """What came of running a recipe again."""

    run: RunFile
    outcome: ReproductionOutcome = "unable"
    revision: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    environment: list[str] = field(default_factory=list)
    says: str = ""

    def record(self) -> Reproduction:
        return Reproduction.make(
            stage=self.run.result.stage,
            result=self.run.result.name,
            outcome=self.outcome,
            revision=self.revision,
            outputs=self.outputs,
            environment=self.environment,
            tolerance=repr(TOLERANCE),
            says=self.says,
        )


def reproduce_runs(
    config: Config,
    trail: Trail,
    results: list[Result],
    facts: Facts,
    *,
    left_out: Sequence[str] = (),
    say: Callable[[str], None],
) -> Report:
    """Reproduces each result and enters what came of it; see `reproduce_run`. `left_out` are runs that are told alone.

    Exit 3 where something came out otherwise, 4 where something could not be run again or nothing was.
    """
    attempts: list[Attempt] = []
    erased = erasures(trail)
    for result in results:
        recipe = facts.get(result.recipe)
        if not isinstance(recipe, Recipe):
            raise UnknownName("recipe", result.recipe, [])
        say(f"{result.stage} runs again")
        attempts.append(reproduce_run(config, RunFile(recipe, result), facts, erased=erased, say=say))
        # Each as it comes: whoever is interrupted at the seventh has lost nothing of six.
        trail.append([attempts[-1].record()])
        say(f"{result.stage}: {attempts[-1].outcome}")
    rows = [(a.run.result.stage, a.outcome, a.says, "; ".join(a.environment)) for a in attempts]
    data: dict[str, Any] = {
        "reproductions": [attempt.record().body() for attempt in attempts],
        "left_out": list(left_out),
    }
    outcomes = {attempt.outcome for attempt in attempts}
    code = ExitCode.FINE
    if "different" in outcomes:
        code = ExitCode.BROKEN
    elif "unable" in outcomes or not attempts:
        code = ExitCode.UNKNOWN
    blocks: list[str | Table] = [table(("stage", "outcome", "says", "environment"), rows)] if rows else []
    blocks += [] if rows else ["Nothing was run again: no stage of dvc.yaml has a recorded run here."]
    blocks += [f"left out, since no stage of dvc.yaml makes it again: {stage}" for stage in left_out]
    return Report("reproduce", data, tuple(blocks), code)


def reproduce_run(
    config: Config,
    run: RunFile,
    facts: Facts,
    *,
    erased: Erased | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Attempt:
    """1. a commit whose content gives the recipe's code and parameters, in a scratch folder  2. the inputs by digest
    3. the stage, in the environment of today, from nothing else than those  4. outputs compared"""
    attempt = Attempt(run)
    try:
        # Before anything is fetched: a remote may still hold what was erased here.
        _refuse_erased(run, erased or Erased())
        # 1.
        attempt.revision = commit_for(config, run.recipe, facts)
        with checked_out(config, attempt.revision) as scratch, Finder(config) as finder:
            contents = Contents(config, finder, attempt.revision, say)
            # 2.
            for ref in run.recipe.inputs:
                contents.bring(scratch, ref)
            # 3.
            again = _run_stage(config, scratch, run.recipe)
            attempt.environment = _environment(run.recipe, again.recipe)
            _refuse_another(run.recipe, again.recipe)
            # 4.
            _compare(contents, scratch, attempt)
    except UnableError as reason:
        attempt.outcome, attempt.says = "unable", str(reason)
    return attempt


def _refuse_erased(run: RunFile, erased: Erased) -> None:
    """Raises UnableError for a run that read or made rows that were erased since."""
    touched = [ref.path for ref in (*run.recipe.inputs, *run.result.outputs) if erased.of(ref.sha256)]
    entries = [entry for ref in (*run.recipe.inputs, *run.result.outputs) for entry in _entries(erased, ref)]
    if touched:
        raise UnableError(f"{by_entries(sorted(set(entries)))}: {', '.join(touched)} lost rows")


def _entries(erased: Erased, ref: FileRef) -> tuple[int, ...]:
    standing = erased.of(ref.sha256)
    return standing.entries if standing else ()


def _run_stage(config: Config, scratch: Path, recipe: Recipe) -> RunFile:
    dotted = _module(scratch, recipe)
    downloads = config.state / "downloads"
    if downloads.is_dir():
        shutil.copytree(downloads, scratch / STATE_FOLDER / "downloads", dirs_exist_ok=True)
    notes = scratch / STATE_FOLDER / "executions"
    notes.mkdir(parents=True, exist_ok=True)
    environment = pinned_environment(threads=recipe.threads)
    environment[EXECUTIONS] = str(notes)
    _follow(environment, config.root, scratch)
    environment["PYTHONHASHSEED"] = recipe.hash_seed
    command = [sys.executable, "-m", dotted]
    status, lines = supervised(command, root=scratch, environment=environment)
    if status:
        error = notes / f"{recipe.stage}.error.json"
        printed = [line for line in lines if line.strip()] or ["it printed nothing"]
        said = json.loads(error.read_text())["message"] if error.is_file() else printed[-1]
        raise UnableError(f"stage {recipe.stage} failed: {said}")
    try:
        return read_run(scratch / run_path(config.artifacts, recipe.stage))
    except GovernanceError as error:
        raise UnableError(f"stage {recipe.stage} left no run file: {error.message}") from None


def _module(scratch: Path, recipe: Recipe) -> str:
    """The module that the stage's command runs, or that is named after the stage. Raises UnableError."""
    command = ""
    with suppress(GovernanceError):
        stage = read_stages(scratch).get(recipe.stage)
        command = stage.command if stage else ""
        if stage and stage.module and "${" not in stage.module:
            return stage.module
    path = next((ref.path for ref in recipe.code if Path(ref.path).stem == recipe.stage), None)
    if path is None:
        runs = f"is run by `{command}`, and " if command else ""
        raise UnableError(f"stage {recipe.stage} {runs}no module of its recipe is named after it")
    return path.removesuffix(".py").replace("/", ".")


def _follow(environment: dict[str, str], root: Path, scratch: Path) -> None:
    """Makes PYTHONPATH name the folders of the scratch folder where it names those of the project."""
    if given := environment.get("PYTHONPATH"):
        paths = (Path(part) for part in given.split(os.pathsep))
        moved = (scratch / path.relative_to(root) if path.is_relative_to(root) else path for path in paths)
        environment["PYTHONPATH"] = os.pathsep.join(map(str, moved))


def _refuse_another(then: Recipe, now: Recipe) -> None:
    """Raises UnableError where something else ran than what was recorded: it would prove nothing about that."""
    code = [change for change in file_changes(then.code, now.code) if not _is_package_of_module(change)]
    if code:
        names = ", ".join(change.path for change in code)
        taken = (
            "was not taken from the recorded commit: it is installed from the working tree, or found there by a path"
        )
        extra = "was imported now, and was not when it was recorded"
        raise UnableError(f"module {names} {taken if any(change.was for change in code) else extra}")
    if inputs := ", ".join(change.path for change in file_changes(then.inputs, now.inputs)):
        raise UnableError(f"it read {inputs} otherwise than recorded")
    was, is_now = ({"seed": str(r.seed), "threads": str(r.threads), **r.parameters} for r in (then, now))
    if names := ", ".join(sorted(name for name in {*was, *is_now} if was.get(name) != is_now.get(name))):
        raise UnableError(f"parameter {names} was not read from the recorded commit")


def _is_package_of_module(change: FileChange) -> bool:
    """`python pipelines/make.py` imports no package; the module that is run again by its dotted name does."""
    return change.was is None and change.path.endswith("__init__.py")


def _environment(then: Recipe, now: Recipe) -> list[str]:
    """What the environment of today has otherwise, one sentence each."""
    told = [f"Python was {then.python}, is {now.python}"] if then.python != now.python else []
    before = {d.distribution: d.version for d in then.distributions}
    after = {d.distribution: d.version for d in now.distributions}
    told += [
        f"{name} was {before.get(name, 'not imported')}, is {after.get(name, 'not imported')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return told


def _compare(contents: Contents, scratch: Path, attempt: Attempt) -> None:
    found: dict[str, Difference] = {}
    for ref in attempt.run.result.outputs:
        made = scratch / ref.path
        if not made.is_file():
            found[ref.path] = Difference("different", "it was not made")
        elif file_digest(made) == ref.sha256:
            found[ref.path] = Difference("identical")
        else:
            recorded = contents.file(ref)[0] or contents.config.root / ref.path
            id_column = contents.config.id_column
            found[ref.path] = compare_files(recorded, made, sha256=ref.sha256, id_column=id_column)
    attempt.outputs = {path: d.outcome + (f": {d.says}" if d.says else "") for path, d in found.items()}
    outcomes = {difference.outcome for difference in found.values()}
    if outcomes <= {"identical"}:
        attempt.outcome, attempt.says = "identical", f"{len(found)} outputs, byte for byte"
    elif "different" not in outcomes:
        attempt.outcome, attempt.says = "equal within tolerance", f"all numbers within {TOLERANCE:g}"
    else:
        facts = f"{contents.config.artifacts}/facts/"
        # Facts name the digests of the other outputs, so that they differ wherever anything does.
        differ = sorted(
            (path for path in found if found[path].outcome == "different"), key=lambda p: p.startswith(facts)
        )
        path, first = differ[0], found[differ[0]]
        more = f"; also {', '.join(differ[1:])}" if differ[1:] else ""
        attempt.outcome, attempt.says = "different", f"{path}: {first.says}{more}"
