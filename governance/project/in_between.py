"""Was a file changed by somebody, or is it only of a run that is not recorded yet?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from governance.config import Config
from governance.errors import BrokenEvidence, Busy, GovernanceError, MissingEvidence
from governance.project.repro import project_lock
from governance.project.take_in import find_run
from governance.runs.outside import project_stages
from governance.store.forgetting import erasures
from governance.store.trail import Trail


@contextmanager
def in_between(config: Config, trail: Trail) -> Iterator[None]:
    """A file that is not what the trail recorded last is told as what it is: changed, or of a run not recorded yet."""
    try:
        yield
    except BrokenEvidence as error:
        raise _explained(config, trail, error) from None


def _explained(config: Config, trail: Trail, error: BrokenEvidence) -> GovernanceError:
    """The error to raise for a file that is not what the trail recorded last.

    Busy while somebody is at work; MissingEvidence where a whole run lies there that nobody recorded, as after a repro that
    was killed; the error as it is where neither explains it.
    """
    try:
        with project_lock(config, wait_seconds=0.0):
            known = trail.facts()
            erased = erasures(trail)
            runs = [find_run(config, stage, erased) for stage in project_stages(config)]
    except Busy:
        return Busy("a repro is at work here, and files are of two runs", hint="ask again when it is done")
    except GovernanceError:
        return error
    new = [found.stage for found in runs if found.run and not found.problem and found.run.result.name not in known]
    if not new:
        return error
    says = f"stage {', '.join(new)} ran and is not recorded yet, so that files are of two runs"
    return MissingEvidence(
        says, hint="`labeltrail repro` goes on and records it, `labeltrail sync` takes in what is whole"
    )
