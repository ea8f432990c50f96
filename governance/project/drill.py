"""Would tampering be noticed in this project? Tried on copies, and told."""

from __future__ import annotations

from collections.abc import Callable

from governance.config import Config
from governance.errors import ConfigurationError, ExitCode
from governance.project.report import Report, Table, counted, table
from governance.proof.drill import Drill, Outcome
from governance.store.trail import Trail

NOT_NOTICED = "not noticed"


def drill(config: Config, trail: Trail, *, say: Callable[[str], None]) -> Report:
    """Every kind of tampering, made on a copy each, with what verification says; the project itself is only read.

    Exit 1 where one passes even before somebody who kept a checkpoint elsewhere.
    Raises BrokenEvidence where the project is not whole now, ConfigurationError where there is no room for copies.
    """
    scratch = config.state / "scratch"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{scratch} cannot be written: {error.strerror}", hint="make room there") from None
    tamperings = Drill(config, trail, scratch=scratch)
    say(f"copying what `labeltrail verify` reads, then {counted(tamperings.size, 'kind')} of tampering")
    outcomes = []
    for number, outcome in enumerate(tamperings.run(), 1):
        outcomes.append(outcome)
        say(f"{number} of {tamperings.size}: {outcome.name.replace('_', ' ')}: {_shortly(outcome)}")
    return _report(outcomes)


def _shortly(outcome: Outcome) -> str:
    if outcome.not_tried:
        return "not tried"
    return "noticed" if outcome.here else "noticed by a kept checkpoint" if outcome.outside else NOT_NOTICED


def _report(outcomes: list[Outcome]) -> Report:
    tried = [outcome for outcome in outcomes if not outcome.not_tried]
    outside = [outcome for outcome in tried if outcome.outside]
    missed = [outcome for outcome in tried if not outcome.caught]
    blocks: list[str | Table] = []
    for who in dict.fromkeys(outcome.who for outcome in outcomes):
        rows = [
            (outcome.does, _shortly(outcome), outcome.here or outcome.outside or outcome.not_tried)
            for outcome in outcomes
            if outcome.who == who
        ]
        blocks.append(table(("what was done to a copy", "verification", "what it said"), rows, title=who))
    noticed = sum(bool(outcome.here) for outcome in tried)
    blocks.append(
        f"{noticed} of {counted(len(tried), 'kind')} of tampering {'is' if noticed == 1 else 'are'} noticed here."
    )
    if outside:
        blocks.append(
            f"noticed only by somebody who kept a checkpoint where the owner cannot reach it: {len(outside)}. Give "
            "what `labeltrail checkpoint` writes to such a person after each release, and let them ask "
            "`labeltrail verify --since` or verify.py. This machine also remembers the newest checkpoint that it saw."
        )
    if missed:
        blocks.append(f"passed unnoticed: {len(missed)}. Whoever can do that here is not held by this trail.")
    data = {
        "outcomes": [{**vars(outcome), "verdict": _shortly(outcome)} for outcome in outcomes],
        "tried": len(tried),
        "noticed_here": noticed,
        "noticed_outside": len(outside),
        "not_noticed": len(missed),
    }
    return Report("drill", data, tuple(blocks), ExitCode.FINDINGS if missed else ExitCode.FINE)
