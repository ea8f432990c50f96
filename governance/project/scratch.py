"""Which commit gives a recipe's code, and how is it taken out without anybody noticing?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from governance.config import Config
from governance.digest import sha256
from governance.dvc.locks import alive
from governance.errors import ConfigurationError, GovernanceError
from governance.facts import Facts
from governance.project import git
from governance.project.found import commits
from governance.records import Execution, Recipe, Result
from governance.runs.stage import flat_parameters


class UnableError(Exception):
    """What is missing for a reproduction, in one sentence."""


def commit_for(config: Config, recipe: Recipe, facts: Facts) -> str:
    """The commit whose content gives a recipe's code and parameters. Raises UnableError, which says why none does."""
    revisions = [e.revision for e in facts.of(Execution) if e.result and e.stage == recipe.stage and e.revision]
    for revision in dict.fromkeys([*reversed(revisions), *commits(config.root)]):
        if not _lacks(config, recipe, revision):
            return revision
    known = facts.of(Execution)
    ran_at = next((e.revision for e in reversed(known) if e.revision and _recipe_of(facts, e) == recipe.name), None)
    raise UnableError(_no_commit(config, recipe, ran_at))


def _recipe_of(facts: Facts, execution: Execution) -> str:
    """The recipe whose result an execution gave; empty where the result is not recorded."""
    result = facts.get(execution.result)
    return result.recipe if isinstance(result, Result) else ""


def _no_commit(config: Config, recipe: Recipe, ran_at: str | None) -> str:
    """Why no commit gives the recipe, as far as the one that was checked out when it ran can tell."""
    here = ran_at and git.run_git(config.root, "cat-file", "-e", f"{ran_at}^{{commit}}") is not None
    if ran_at and not here:
        shallow = (git.run_git(config.root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
        way = "`git fetch --unshallow`" if shallow else "fetch the branch that held it"
        return f"it ran at commit {ran_at[:12]}, which is not in this repository, and no other holds its code: {way}"
    if ran_at:
        lacking = ", ".join(_lacks(config, recipe, ran_at)[:3])
        return f"it ran with changes to commit {ran_at[:12]} that no commit holds ({lacking}): commit them"
    names = ", ".join(ref.path for ref in recipe.code[:3])
    return f"no commit holds the recorded code and parameters ({names} …): commit them, or fetch the branch"


def _lacks(config: Config, recipe: Recipe, revision: str) -> list[str]:
    """What of a recipe's code and parameters a commit holds otherwise or not at all."""
    lacking = []
    for ref in recipe.code:
        content = git.blob(config.root, revision, ref.path)
        if content is None or sha256(content) != ref.sha256:
            lacking.append(ref.path)
    try:
        params = yaml.safe_load((git.blob(config.root, revision, "params.yaml") or b"").decode()) or {}
        section = params.get(recipe.stage) or {}
        same = flat_parameters(section) == recipe.parameters and (
            params.get("seed", 0),
            params.get("threads", 1),
        ) == (recipe.seed, recipe.threads)
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, GovernanceError):
        same = False
    return lacking if same else [*lacking, "params.yaml"]


@contextmanager
def checked_out(config: Config, revision: str) -> Iterator[Path]:
    """The project at a revision, in a scratch folder that goes away again.

    Neither the index nor the branches, hooks or worktrees of the repository notice.
    """
    scratches = config.state / "scratch"
    try:
        scratches.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "check its owner and rights, or reproduce in a clone of your own"
        raise ConfigurationError(f"{scratches} cannot be written: {error.strerror}", hint=hint) from None
    for left in scratches.iterdir():
        # Whoever was killed could not clean up.
        if not (left.name.partition("-")[0].isdigit() and alive(int(left.name.partition("-")[0]))):
            shutil.rmtree(left, ignore_errors=True)
    top = Path((git.run_git(config.root, "rev-parse", "--show-toplevel") or "").removesuffix("\n"))
    below = (git.run_git(config.root, "rev-parse", "--show-prefix") or "").removesuffix("\n")
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=scratches) as folder:
        tree = Path(folder) / "tree"
        index = Path(folder) / "index"
        _git(top, "read-tree", revision, index=index, revision=revision)
        # A repository may hold much more than this project.
        own = _git(top, "ls-files", "-z", "--", f":(literal){below}" if below else ".", index=index, revision=revision)
        _git(top, "checkout-index", "-z", "--stdin", f"--prefix={tree}/", index=index, given=own, revision=revision)
        yield tree / below


def _git(top: Path, *arguments: str, index: Path, revision: str, given: bytes | None = None) -> bytes:
    status, answer, complaint = git.ask_git(top, *arguments, index=index, given=given, patience=None)
    if status:
        said = (complaint.strip().splitlines() or ["git gave no reason"])[-1]
        raise UnableError(f"git could not take out commit {revision[:12]}: {said}")
    return answer
