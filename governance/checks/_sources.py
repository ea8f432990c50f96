"""How good is one source, as far as anybody knows, and who says so?"""

from __future__ import annotations

from dataclasses import dataclass

from governance.checks._judge import percent
from governance.errors import InvalidRecord


@dataclass(frozen=True)
class Judged:
    """One source: how often it is right where it votes, and how often it would be if it said the same without looking.

    With gold, `low` and `high` are the 95 % interval over `examples`. Without (`gold` empty) `accuracy` is what the label
    model learned, which a crowd of copies can turn around. None where nothing is known.
    """

    title: str
    accuracy: float | None
    chance: float
    low: float | None = None
    high: float | None = None
    examples: int = 0
    gold: str = ""

    def __post_init__(self) -> None:
        for name in ("accuracy", "chance", "low", "high"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InvalidRecord(name, value, "a share from 0 to 1", where=self.title)

    @property
    def on_gold(self) -> bool:
        return bool(self.gold) and self.examples > 0 and self.accuracy is not None

    def told(self, beside: str) -> str:
        """The source with its figure, who says so, and what stands beside it."""
        if self.accuracy is None:
            return f"{self.title}, of which nothing is known"
        if not self.on_gold:
            return f"{self.title} with {percent(self.accuracy)} as the label model learned, {beside}"
        known = self.low is not None and self.high is not None
        bounds = f"{percent(self.low or 0.0)} to {percent(self.high or 0.0)}, " if known else ""
        return f"{self.title} with {percent(self.accuracy)} ({bounds}{self.examples:,} of {self.gold}), {beside}"


def chance_of(said: dict[str, int], balance: dict[str, float]) -> float:
    """How often a source would be right that says each class as often, whatever the example; `said` holds its votes."""
    votes = sum(said.values())
    return sum(count / votes * balance[name] for name, count in said.items()) if votes else 0.0
