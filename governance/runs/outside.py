"""Which runs did not go through DVC: a command that was watched, a table that was brought in?

Their stages have a slash in the name, which no stage of dvc.yaml can have, so that neither hides the other. Everything
else is as it is for a stage: the run file, the facts and the outputs lie below the artifacts, and `take_in` enters them.
"""

from __future__ import annotations

from collections.abc import Iterable

from governance.config import Config
from governance.dvc.files import Stage, read_stages
from governance.records import Result
from governance.runs.runfile import run_path

#: `captured/NAME` was watched by `labeltrail run`, `ingested/NAME` brought in by `labeltrail ingest`
CAPTURED, INGESTED = "captured", "ingested"
KINDS = (CAPTURED, INGESTED)


def is_outside(stage: str) -> bool:
    """Whether a stage of this name is none of dvc.yaml's."""
    kind, slash, name = stage.partition("/")
    return kind in KINDS and bool(slash and name)


def outside_stage(name: str) -> Stage:
    """A stage that no dvc.yaml declares."""
    return Stage(name, "", (), (), ())


def outside_stages(config: Config, recorded: Iterable[Result] = ()) -> dict[str, Stage]:
    """The stages outside of dvc.yaml whose runs lie in the project, and those of `recorded` results."""
    names = {result.stage for result in recorded if is_outside(result.stage)}
    for kind in KINDS:
        folder = (config.root / run_path(config.artifacts, f"{kind}/_")).parent
        names |= {f"{kind}/{path.stem}" for path in folder.glob("[!.]*.json")}
    return {name: outside_stage(name) for name in sorted(names)}


def project_stages(config: Config) -> dict[str, Stage]:
    """Every stage of a project: those outside of dvc.yaml, then dvc.yaml's in the order in which they can run.

    Where there are some of the former, there may be no dvc.yaml. Raises ConfigurationError, InvalidRecord.
    """
    outside = outside_stages(config)
    if outside and not (config.root / "dvc.yaml").is_file():
        return outside
    return {**outside, **read_stages(config.root)}
