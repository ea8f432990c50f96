"""What did earlier stages and people state?"""

from __future__ import annotations

from collections.abc import Iterable

from governance.audit import read_attestations
from governance.facts import Facts
from governance.runs import StageRun


def earlier(run: StageRun, stages: Iterable[str]) -> Facts:
    """Facts, recipes and results of these stages, and what people stated in decisions/."""
    facts = Facts()
    for name in stages:
        done = run.run_of(name)
        facts |= run.facts(name) | Facts([done.recipe, done.result])
    stated = [run.use(attestation) for attestation in read_attestations(run.input("decisions"))]
    # Documents cite what people stated; where it is cited it has to be recorded too.
    for attestation in stated:
        run.state(attestation)
    return facts | Facts(stated)
