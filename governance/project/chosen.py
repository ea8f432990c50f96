"""Which two runs does a person mean: by name, by stage, by commit?"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from governance.config import Config
from governance.digest import file_md5
from governance.dvc.files import cached_file, parse_lock
from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, MissingEvidence, UnknownName
from governance.facts import Facts, match_name, short
from governance.project import git
from governance.project.found import blob
from governance.project.status import current_runs
from governance.records import Execution, Recipe, Repro, Result
from governance.runs.outside import project_stages
from governance.runs.runfile import RunFile, read_run, run_path


def chosen_runs(
    config: Config, known: Facts, runs: tuple[str, ...], *, also: Sequence[str] = ()
) -> tuple[RunFile, RunFile]:
    """Two runs of one stage, the first of them being what the second is held against.

    One name alone is a stage or a result, held against the run before it. A commit stands for the run that its dvc.lock
    names, of the stage that the other name gives. `also` are other names that somebody may have meant.

    Raises UnknownName, AmbiguousName, MissingEvidence (no run before it, or the commit's run is not here), InvalidRecord
    (two stages).
    """
    if not 1 <= len(runs) <= 2:
        raise InvalidRecord(
            "RUN", list(runs), "one run or two", hint="`labeltrail diff STAGE`, `labeltrail diff RUN RUN`"
        )
    current = {run.result.stage: run for run in current_runs(config, known)}
    found = [_named(given, current, known) for given in runs]
    named = next((run for run in found if run is not None), None)
    if named is None:
        if all(is_commit(given, config) for given in runs):
            hint = f"name a stage beside it: `labeltrail diff {runs[0]} STAGE`"
            raise ConfigurationError("a commit holds runs of every stage", hint=hint)
        raise _unknown(runs[0], config, known, also)
    if len(runs) == 1:
        return run_before(named, known), named
    stage = named.result.stage
    one, two = (run or committed_run(given, stage, config, known) for run, given in zip(found, runs, strict=True))
    if one.result.stage != two.result.stage:
        raise InvalidRecord(
            "RUN",
            f"{short(one.result.name)} of stage {one.result.stage}, {short(two.result.name)} of stage {two.result.stage}",
            "two runs of one stage",
            hint=f"`labeltrail diff {two.result.stage}` holds its newest run against the one before it",
        )
    return one, two


def run_before(run: RunFile, known: Facts) -> RunFile:
    """The run that stood for the stage before this one, by what executions and repros entered. Raises MissingEvidence."""
    history = run_history(run.result.stage, known)
    last = max((place for place, name in enumerate(history) if name == run.result.name), default=len(history))
    earlier = [name for name in history[:last] if name != run.result.name]
    if not earlier:
        raise MissingEvidence(
            f"the trail knows no run of stage {run.result.stage} before {short(run.result.name)}",
            hint="change a source or a parameter, run `labeltrail repro` and ask again; or name two results that "
            "`labeltrail log --all` lists, or one and a commit",
        )
    return run_of(earlier[-1], known)


def run_history(stage: str, known: Facts) -> list[str]:
    """The names of the results that stood for a stage, in the order of the log; the same one may stand again later."""
    names: list[str] = []
    for record in known:
        name = ""
        if isinstance(record, Result) and record.stage == stage:
            name = record.name
        elif isinstance(record, Execution) and record.stage == stage:
            name = record.result
        elif isinstance(record, Repro):
            name = record.results.get(stage, "")
        if name and name in known and (not names or names[-1] != name):
            names.append(name)
    return names


def run_of(name: str, known: Facts) -> RunFile:
    """A recorded result with its recipe. Raises MissingEvidence."""
    result = known.get(name)
    recipe = known.get(result.recipe) if isinstance(result, Result) else None
    if not isinstance(result, Result) or not isinstance(recipe, Recipe):
        raise MissingEvidence(
            f"{short(name)}: its result or recipe is not in the trail",
            hint="`labeltrail sync` takes in what lies in the project",
        )
    return RunFile(recipe, result)


def _named(given: str, current: dict[str, RunFile], known: Facts) -> RunFile | None:
    """The run of a stage or of a result's name; None where it is neither."""
    if given in current:
        return current[given]
    history = run_history(given, known)
    if history:
        return run_of(history[-1], known)
    try:
        return run_of(match_name(given, {result.name: result.name for result in known.of(Result)}), known)
    except UnknownName:
        return None


def committed_run(revision: str, stage: str, config: Config, known: Facts) -> RunFile:
    """The run of a stage that a commit's dvc.lock names, from DVC's cache or the project. Raises MissingEvidence."""
    lock = blob(config.root, revision, "dvc.lock") if is_commit(revision, config) else None
    if lock is None:
        raise _unknown(revision, config, known)
    path = run_path(config.artifacts, stage)
    locked = parse_lock(lock, where=f"dvc.lock of {revision}").get(stage)
    md5 = next((file.md5 for file in (locked.outs if locked else ()) if file.path == path and file.md5), None)
    if md5 is None:
        raise MissingEvidence(
            f"dvc.lock of {revision} names no run of stage {stage}",
            hint="name a result instead: `labeltrail log --all`",
        )
    for place in _places(config, path, md5):
        try:
            return run_of(read_run(place).result.name, known)
        except ConfigurationError:
            continue
    raise MissingEvidence(
        f"the run of stage {stage} at {revision} is not in DVC's cache",
        hint="`dvc fetch --all-commits` brings it where it was pushed (`dvc push --all-commits`)",
    )


def is_commit(given: str, config: Config) -> bool:
    """Whether git knows a commit by what was given."""
    # What begins with a dash is an option to git.
    return not given.startswith("-") and bool(
        git.run_git(config.root, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")
    )


def _places(config: Config, path: str, md5: str) -> list[Path]:
    here = config.root / path
    return [*([here] if here.is_file() and file_md5(here) == md5 else []), cached_file(config.root, md5)]


def _unknown(given: str, config: Config, known: Facts, also: Sequence[str] = ()) -> GovernanceError:
    stages = {result.stage for result in known.of(Result)}
    # Whoever asks about old runs needs no pipeline of today.
    with contextlib.suppress(GovernanceError):
        stages |= set(project_stages(config))
    if given in stages:
        return MissingEvidence(f"stage {given} has no recorded run", hint="`labeltrail repro` makes and records one")
    return UnknownName("result, stage or commit", given, [*stages, *also, *(short(r.name) for r in known.of(Result))])
