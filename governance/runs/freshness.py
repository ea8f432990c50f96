"""Would a stage still do what its run says? Compares a recipe with the parameters, code and inputs of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from governance.config import Config
from governance.digest import path_digest
from governance.erased import Erased
from governance.errors import GovernanceError
from governance.records import FileRef, Recipe
from governance.runs.outside import is_outside
from governance.runs.stage import flat_parameters, read_params


def changes_since(recipe: Recipe, config: Config, *, erased: Erased | None = None) -> list[str]:
    """What was edited after the run, one sentence each; empty where the run is still what would happen.

    An input from which only the rows of an erased person are gone was not edited.
    """
    try:
        params = read_params(config.root)
    except GovernanceError as error:
        return [error.message]
    told: list[str] = []
    if not is_outside(recipe.stage):
        told += _parameters(recipe, params)
    told += [f"code {ref.path} {how}" for ref in recipe.code if (how := _moved(config.root, ref, erased))]
    told += [f"input {ref.path} {how}" for ref in recipe.inputs if (how := _moved(config.root, ref, erased))]
    return told


def _parameters(recipe: Recipe, params: dict[str, Any]) -> list[str]:
    """What params.yaml says otherwise; a run outside of DVC has its parameters from elsewhere."""
    section = params.get(recipe.stage)
    now = flat_parameters(section if isinstance(section, dict) else {})
    told = [
        f"parameter {recipe.stage}.{key} was {recipe.parameters.get(key, 'absent')}, is {now.get(key, 'absent')}"
        for key in sorted({*now, *recipe.parameters})
        if now.get(key) != recipe.parameters.get(key)
    ]
    told += [
        f"parameter {key} was {was}, is {params.get(key, default)}"
        for key, was, default in (("seed", recipe.seed, 0), ("threads", recipe.threads, 1))
        if params.get(key, default) != was
    ]
    return told


def _moved(root: Path, ref: FileRef, erased: Erased | None) -> str:
    path = root / ref.path
    if not path.exists():
        return "is gone"
    now = path_digest(path)
    return "" if now == ref.sha256 or (erased and erased.stands_for(ref.sha256, now)) else "was edited"
