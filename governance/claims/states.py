"""In which states can a control be? From evidence to none; a state is never told by colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StateWords:
    """How a state is shown: a symbol, the name of its colour and what it means."""

    symbol: str
    colour: str
    meaning: str


STATES: dict[str, StateWords] = {
    "present": StateWords("●", "present", "the records answer, and nothing asked for is missing"),
    "attested": StateWords("✎", "attested", "a person stated it, and the statement is in force"),
    "partial": StateWords("◐", "partial", "some of it is recorded, and what is missing is named"),
    "needs a person": StateWords("☐", "person", "only a person can state it, and nobody has"),
    "expired": StateWords("⊘", "expired", "a person stated it, and the statement has run out"),
    "missing": StateWords("✕", "missing", "the records could answer, and do not"),
    "not assessed": StateWords("?", "unknown", "nothing in this store can answer; unknown, neither good nor bad"),
}
