"""Would a stage still do what its run says? Compares a recipe with the parameters, code and inputs of today."""

from __future__ import annotations

from pathlib import Path

from governance.config import Config
from governance.digest import path_digest
from governance.errors import GovernanceError
from governance.records import Recipe
from governance.runs.stage import flat_parameters, read_params


def changes_since(recipe: Recipe, config: Config) -> list[str]:
    """What was edited after the run, one sentence each; empty where the run is still what would happen."""
    try:
        params = read_params(config.root)
    except GovernanceError as error:
        return [error.message]
    told: list[str] = []
    section = params.get(recipe.stage)
    now = flat_parameters(section if isinstance(section, dict) else {})
    told += [
        f"parameter {recipe.stage}.{key} was {recipe.parameters.get(key, 'absent')}, is {now.get(key, 'absent')}"
        for key in sorted({*now, *recipe.parameters})
        if now.get(key) != recipe.parameters.get(key)
    ]
    told += [
        f"parameter {key} was {was}, is {params.get(key, default)}"
        for key, was, default in (("seed", recipe.seed, 0), ("threads", recipe.threads, 1))
        if params.get(key, default) != was
    ]
    told += [f"code {ref.path} {how}" for ref in recipe.code if (how := _moved(config.root / ref.path, ref.sha256))]
    told += [f"input {ref.path} {how}" for ref in recipe.inputs if (how := _moved(config.root / ref.path, ref.sha256))]
    return told


def _moved(path: Path, recorded: str) -> str:
    if not path.exists():
        return "is gone"
    return "" if path_digest(path) == recorded else "was edited"
