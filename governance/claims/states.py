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
    "attested": StateWords("✎", "attested", "only a person can state it, and a statement is in force"),
    "partial": StateWords("◐", "partial", "some of it is recorded or stated, and what is missing is named"),
    "needs a person": StateWords("☐", "person", "only a person can state it, and no statement is in force"),
    "expired": StateWords("⊘", "expired", "nothing is at hand but a person's statement, and that has run out"),
    "missing": StateWords("✕", "missing", "nothing is recorded, although a record could hold it"),
    "no record kind": StateWords(
        "∅", "unheld", "nothing is recorded, because no kind of record holds it yet; unknown, neither good nor bad"
    ),
    "not assessed": StateWords(
        "?", "unknown", "it lies outside of this store, and no statement is in force; unknown, neither good nor bad"
    ),
}
