"""Did a run come out again?"""

from __future__ import annotations

from typing import Literal

from governance.records.base import Decimal, Name, Record

ReproductionOutcome = Literal["identical", "equal within tolerance", "different", "unable"]


class Reproduction(Record):
    """One attempt to run a recipe again in a scratch folder and compare what came out."""

    kind = "reproduction"
    event = True

    stage: str
    result: Name
    outcome: ReproductionOutcome
    #: the revision that was checked out for it
    revision: str | None
    #: output by output: identical, or what differs first
    outputs: dict[str, str]
    #: what this environment has otherwise than the recipe
    environment: tuple[str, ...]
    tolerance: Decimal
    says: str

    @property
    def label(self) -> str:
        return f"{self.stage}: {self.outcome}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.name, "wasInformedBy", self.result),)
