"""Which label set do `whatif` and `blast` mean? That of the pipeline; without one, that of the newest captured run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from governance.project.in_between import in_between
from governance.project.report import Report

if TYPE_CHECKING:
    from governance.facts import Facts
    from governance.project import Project


def whatif(project: Project, without: Sequence[str], *, retrain: bool, picture_to: Path | None = None) -> Report:
    """`labeltrail whatif`. Raises what `whatif.whatif` raises."""
    from governance.project.counterfactual.whatif import whatif

    with in_between(project.config, project.trail):
        return whatif(
            without,
            config=project.config,
            trail=project.trail,
            facts=_facts(project),
            known=project.facts(),
            retrain=retrain,
            picture_to=picture_to,
        )


def blast(project: Project, source: str, *, retrain: bool, picture_to: Path | None = None) -> Report:
    """`labeltrail blast`. Raises what `blast.blast` raises."""
    from governance.project.counterfactual.blast import blast

    with in_between(project.config, project.trail):
        return blast(
            source,
            config=project.config,
            trail=project.trail,
            facts=_facts(project),
            known=project.facts(),
            retrain=retrain,
            picture_to=picture_to,
        )


def _facts(project: Project) -> Facts:
    from governance.project.why import of_the_pipeline
    from governance.project.why_captured import captured_runs
    from governance.records import Labels

    facts = project.current_facts()
    own = of_the_pipeline(facts, captured_runs(facts))
    return own if own.of(Labels) else facts
