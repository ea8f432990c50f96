"""What can a single act of verification answer?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from governance.errors import ExitCode

State = Literal["fine", "broken", "missing", "stale", "unknown", "erased", "returned"]

#: the worst comes first: bytes that contradict a record, then what cannot be shown, then what was edited since, and rows
#: of a person who was erased that are here again; what an erasure changed, and its entry tells, is as it should be
_SEVERITY: dict[State, ExitCode] = {
    "broken": ExitCode.BROKEN,
    "missing": ExitCode.UNKNOWN,
    "unknown": ExitCode.UNKNOWN,
    "stale": ExitCode.FINDINGS,
    "returned": ExitCode.FINDINGS,
    "erased": ExitCode.FINE,
    "fine": ExitCode.FINE,
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: which, what came out, and the culprit's own name."""

    what: str
    state: State
    culprit: str
    says: str
    hint: str = ""


@dataclass(frozen=True)
class Verification:
    """Everything that was looked at, what was counted, and what was not looked at."""

    checks: tuple[Check, ...]
    counts: dict[str, int]
    not_checked: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        states = {check.state for check in self.checks}
        return next((code for state, code in _SEVERITY.items() if state in states), ExitCode.FINE)

    def of(self, *states: State) -> list[Check]:
        return [check for check in self.checks if check.state in states]


def gather(checks: Iterable[Check], *, counts: dict[str, int], not_checked: Iterable[str]) -> Verification:
    """Checks by severity, otherwise in the order in which they were made."""
    order = list(_SEVERITY)
    ranked = sorted(checks, key=lambda check: order.index(check.state))
    return Verification(tuple(ranked), counts, tuple(not_checked))
