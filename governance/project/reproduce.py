"""Does a recorded run come out again, from its recorded code and inputs, in a folder of its own?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from governance.config import STATE_FOLDER, Config
from governance.digest import path_digest, sha256
from governance.dvc.command import pinned_environment
from governance.errors import ExitCode, GovernanceError, UnknownName
from governance.facts import Facts
from governance.project import git
from governance.project.found import Finder, blob, commits
from governance.project.report import Report, table
from governance.records import Execution, FileRef, Recipe, Reproduction, ReproductionOutcome, Result
from governance.runs.compare import TOLERANCE, Difference, compare_files
from governance.runs.runfile import RunFile, read_run, run_path
from governance.runs.stage import EXECUTIONS, flat_parameters
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


class UnableError(Exception):
    """What is missing for a reproduction, in one sentence."""


def reproduce_runs(
    config: Config, trail: Trail, results: list[Result], facts: Facts, *, say: Callable[[str], None]
) -> Report:
    """Reproduces each result and enters what came of it; see `reproduce_run`."""
    attempts = []
    for result in results:
        recipe = facts.get(result.recipe)
        if not isinstance(recipe, Recipe):
            raise UnknownName("recipe", result.recipe, [])
        say(f"{result.stage} runs again")
        attempts.append(reproduce_run(config, RunFile(recipe, result), facts))
    trail.append([attempt.record() for attempt in attempts])
    rows = [(a.run.result.stage, a.outcome, a.says, "; ".join(a.environment)) for a in attempts]
    data = {"reproductions": [attempt.record().body() for attempt in attempts]}
    outcomes = {attempt.outcome for attempt in attempts}
    code = ExitCode.FINE
    if "different" in outcomes:
        code = ExitCode.BROKEN
    elif "unable" in outcomes:
        code = ExitCode.UNKNOWN
    return Report("reproduce", data, (table(("stage", "outcome", "says", "environment"), rows),), code)


def reproduce_run(config: Config, run: RunFile, facts: Facts) -> Attempt:
    """1. a commit whose content gives the recipe's code and parameters, in a scratch worktree  2. the inputs by digest
    3. the stage, in the environment of today  4. outputs compared"""
    attempt = Attempt(run)
    try:
        # 1.
        attempt.revision = _commit_for(config, run.recipe, facts)
        with _worktree(config, attempt.revision) as scratch:
            # 2.
            for ref in run.recipe.inputs:
                _bring(config, scratch, ref, attempt.revision)
            # 3.
            again = _run_stage(config, scratch, run.recipe)
            attempt.environment = _environment(run.recipe, again.recipe)
            # 4.
            _compare(config, scratch, attempt)
    except UnableError as reason:
        attempt.outcome, attempt.says = "unable", str(reason)
    return attempt


def _commit_for(config: Config, recipe: Recipe, facts: Facts) -> str:
    revisions = [e.revision for e in facts.of(Execution) if e.result and e.stage == recipe.stage and e.revision]
    for revision in dict.fromkeys([*reversed(revisions), *commits(config.root)]):
        if _gives(config, recipe, revision):
            return revision
    names = ", ".join(ref.path for ref in recipe.code[:3])
    raise UnableError(f"no commit holds the recorded code and parameters ({names} …): commit them, or fetch the branch")


def _gives(config: Config, recipe: Recipe, revision: str) -> bool:
    for ref in recipe.code:
        content = blob(config.root, revision, ref.path)
        if content is None or sha256(content) != ref.sha256:
            return False
    try:
        params = yaml.safe_load((blob(config.root, revision, "params.yaml") or b"").decode()) or {}
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    section = params.get(recipe.stage) or {}
    return (
        isinstance(section, dict)
        and flat_parameters(section) == recipe.parameters
        and (params.get("seed", 0), params.get("threads", 1)) == (recipe.seed, recipe.threads)
    )


@contextmanager
def _worktree(config: Config, revision: str) -> Iterator[Path]:
    """The project at a revision, in a scratch folder that goes away again."""
    below = (git.run_git(config.root, "rev-parse", "--show-prefix") or "").strip()
    with tempfile.TemporaryDirectory(prefix="labeltrail-") as folder:
        tree = Path(folder) / "tree"
        if git.run_git(config.root, "worktree", "add", "--detach", "--quiet", str(tree), revision) is None:
            raise UnableError(f"git could not check out {revision}")
        try:
            yield tree / below
        finally:
            git.run_git(config.root, "worktree", "remove", "--force", str(tree))


def _bring(config: Config, scratch: Path, ref: FileRef, revision: str) -> None:
    """Puts one recorded input into the scratch folder, by its digest: from git, the project, or DVC's cache."""
    target = scratch / ref.path
    if target.exists() and path_digest(target) == ref.sha256:
        return
    with Finder(config) as finder:
        found = finder.file(ref, revisions=[revision])
        if found is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)
            return
    raise UnableError(
        f"input {ref.path} with SHA-256 {ref.sha256[:16]}… is neither here nor in DVC's cache: `dvc fetch`"
    )


def _run_stage(config: Config, scratch: Path, recipe: Recipe) -> RunFile:
    module = next((ref.path for ref in recipe.code if Path(ref.path).stem == recipe.stage), None)
    if module is None:
        raise UnableError(f"no module of the recipe is named after stage {recipe.stage}")
    downloads = config.state / "downloads"
    if downloads.is_dir():
        shutil.copytree(downloads, scratch / STATE_FOLDER / "downloads", dirs_exist_ok=True)
    notes = scratch / STATE_FOLDER / "executions"
    notes.mkdir(parents=True, exist_ok=True)
    environment = pinned_environment(threads=recipe.threads)
    environment[EXECUTIONS] = str(notes)
    environment["PYTHONHASHSEED"] = recipe.hash_seed
    dotted = module.removesuffix(".py").replace("/", ".")
    done = subprocess.run(
        [sys.executable, "-m", dotted], cwd=scratch, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        error = notes / f"{recipe.stage}.error.json"
        said = (
            json.loads(error.read_text())["message"]
            if error.is_file()
            else (done.stderr.strip().split("\n") or [""])[-1]
        )
        raise UnableError(f"stage {recipe.stage} failed: {said}")
    try:
        return read_run(scratch / run_path(config.artifacts, recipe.stage))
    except GovernanceError as error:
        raise UnableError(f"stage {recipe.stage} left no run file: {error.message}") from None


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


def _compare(config: Config, scratch: Path, attempt: Attempt) -> None:
    found: dict[str, Difference] = {}
    with Finder(config) as finder:
        for ref in attempt.run.result.outputs:
            made = scratch / ref.path
            if not made.is_file():
                found[ref.path] = Difference("different", "it was not made")
                continue
            recorded = finder.file(ref, revisions=[attempt.revision or "HEAD"]) or config.root / ref.path
            found[ref.path] = compare_files(recorded, made, sha256=ref.sha256)
    attempt.outputs = {path: d.outcome + (f": {d.says}" if d.says else "") for path, d in found.items()}
    outcomes = {difference.outcome for difference in found.values()}
    if outcomes <= {"identical"}:
        attempt.outcome, attempt.says = "identical", f"{len(found)} outputs, byte for byte"
    elif "different" not in outcomes:
        attempt.outcome, attempt.says = "equal within tolerance", f"all numbers within {TOLERANCE:g}"
    else:
        path, first = next((p, d) for p, d in found.items() if d.outcome == "different")
        attempt.outcome, attempt.says = "different", f"{path}: {first.says}"
