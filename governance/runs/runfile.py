"""Where do a stage's recipe, result and facts lie, and are they what they say?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from governance.digest import canonical, parse_canonical
from governance.errors import ConfigurationError, InvalidRecord
from governance.records import Recipe, Result, read_record


@dataclass(frozen=True)
class RunFile:
    """The recipe and the result of one stage, as they travel with its outputs."""

    recipe: Recipe
    result: Result

    def to_bytes(self) -> bytes:
        return canonical([_plain(self.recipe), _plain(self.result)]) + b"\n"


def _plain(record: Recipe | Result) -> dict[str, object]:
    return {"body": record.body(), "kind": record.kind, "v": record.v}


def run_path(artifacts: str, stage: str) -> str:
    """Where a stage's recipe and result lie, relative to the project."""
    return f"{artifacts}/runs/{stage}.json"


def facts_path(artifacts: str, stage: str) -> str:
    """Where a stage's facts lie, relative to the project."""
    return f"{artifacts}/facts/{stage}.jsonl"


def read_run(path: Path) -> RunFile:
    """The run in a run file. Raises ConfigurationError (no file), InvalidRecord (not what a stage process writes)."""
    where = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{where}: no such file", hint="`labeltrail repro` makes the files of the pipeline"
        ) from None
    if not data.endswith(b"\n"):
        raise InvalidRecord("file", data[-20:], "a line feed at the end", where=where)
    value = parse_canonical(data[:-1], where=where)
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidRecord("file", type(value).__name__, "a recipe and a result", where=where)
    recipe, result = (read_record(item, where=where) for item in value)
    if not isinstance(recipe, Recipe) or not isinstance(result, Result):
        raise InvalidRecord("file", [recipe.kind, result.kind], "a recipe and a result", where=where)
    if result.recipe != recipe.name:
        raise InvalidRecord(
            "result.recipe", result.recipe, f"the name of the recipe beside it, {recipe.name}", where=where
        )
    run = RunFile(recipe, result)
    if run.to_bytes() != data:
        raise InvalidRecord("file", data[:60], "records in their one canonical form", where=where)
    return run
