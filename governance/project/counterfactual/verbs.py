"""How do `whatif` and `blast` find what they are asked about? Among the current runs, or where a captured run is the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from governance.errors import BrokenEvidence
from governance.project.in_between import in_between
from governance.project.report import Report

if TYPE_CHECKING:
    from governance.project import Project


def whatif(project: Project, without: Sequence[str], *, retrain: bool) -> Report:
    """`labeltrail whatif`. Raises what `whatif.whatif` raises."""
    from governance.project.counterfactual.whatif import whatif

    try:
        return whatif(
            without,
            config=project.config,
            trail=project.trail,
            facts=project.current_facts(),
            known=project.facts(),
            retrain=retrain,
        )
    except BrokenEvidence as error:
        raise in_between(project.config, project.trail, error) from None


def blast(project: Project, source: str, *, retrain: bool) -> Report:
    """`labeltrail blast`. Raises what `blast.blast` raises."""
    from governance.project.counterfactual.blast import blast

    try:
        return blast(
            source,
            config=project.config,
            trail=project.trail,
            facts=project.current_facts(),
            known=project.facts(),
            retrain=retrain,
        )
    except BrokenEvidence as error:
        raise in_between(project.config, project.trail, error) from None
