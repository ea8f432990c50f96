"""How does the note that a run outside of DVC leaves become its execution?"""

from __future__ import annotations

import json
from pathlib import Path

from governance.config import Config
from governance.digest import decimal
from governance.project.tree import WorkingTree, dirty_digest
from governance.records import Environment, Execution
from governance.runs.runfile import RunFile


def execution_of(
    config: Config, note: Path, run: RunFile, *, before: WorkingTree, exit_code: int | None = None
) -> tuple[Environment, Execution]:
    """Where, when and by whom a run was made, from its note; `before` is what was checked out when it began."""
    told = json.loads(note.read_text(encoding="utf-8"))
    environment = Environment.make(**told.pop("environment"))
    # What it opened is for the stages of dvc.yaml alone, which say what they read.
    del told["opened"]
    if exit_code is not None:
        told["measured"]["exit code"] = decimal(exit_code)
    execution = Execution.make(
        **told,
        environment=environment.name,
        revision=before.revision,
        dirty=dirty_digest(config.root, before, run.recipe.code),
        who=before.who,
        findings=[],
    )
    return environment, execution
