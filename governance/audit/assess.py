"""In which state is each control: what the records say, what is missing, and what a person stated?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from governance.audit.query import Context, queries
from governance.claims import PERSON, RECORD, Answer, Claim, Gap, Thread, attest, claim, gap
from governance.claims.words import ended
from governance.controls import Control, Framework
from governance.facts import Facts
from governance.records import Attestation

State = Literal[
    "present", "attested", "partial", "needs a person", "expired", "missing", "no record kind", "not assessed"
]
Person = Literal["not needed", "attested", "needs a person", "expired"]


@dataclass(frozen=True)
class Assessment:
    """One control, its state, and what that rests on."""

    control: Control
    state: State
    person: Person
    answer: Answer


def assess(facts: Facts, framework: Framework, *, as_of: str, thread: Thread | None = None) -> list[Assessment]:
    """Every control of the framework, in its order, judged as of a date."""
    thread = thread or Thread.of_model(facts)
    return [_assess(facts, Context(thread, control, as_of)) for control in framework.subcategories]


def _assess(facts: Facts, context: Context) -> Assessment:
    """1. what the records answer  2. what a person stated  3. the state"""
    control = context.control
    # 1.
    recorded = _recorded(facts, context)
    # 2.
    person, stated = _person(context)
    # 3.
    return Assessment(control, _state(control, recorded, person), person, recorded + stated)


def _recorded(facts: Facts, context: Context) -> Answer:
    """What the records say to the control's question; an open question is never an empty answer."""
    control = context.control
    if control.query is None or control.question is None:
        return Answer()
    ask = queries().get(control.query)
    if ask is None:
        return context.unheld(control.question)
    answer = ask(facts, context)
    return answer if answer.claims or answer.gaps else gap(control.question)


def _state(control: Control, recorded: Answer, person: Person) -> State:
    """A statement answers for the person's part alone: what a record would hold stays open beside it."""
    if control.query is None:
        if person in ("attested", "expired"):
            return person
        return "not assessed" if control.evidence == "out" else "needs a person"
    if recorded.claims and not recorded.gaps and person in ("not needed", "attested"):
        return "present"
    if recorded.claims or person == "attested":
        return "partial"
    if person == "expired":
        return "expired"
    return "missing" if any(silence.sort == RECORD for silence in recorded.gaps) else "no record kind"


def _person(context: Context) -> tuple[Person, Answer]:
    """What a person stated on this control, and whether that is in force on the day of judging."""
    control, stated = context.control, context.thread.attestations.get(context.control.id)
    wanted, day = control.human, context.as_of
    if stated is None:
        return ("not needed", Answer()) if wanted is None else ("needs a person", _wanted(control, wanted))
    early, late = stated.made > day, stated.expires < day
    force = "It is not in force yet." if early else "It has run out." if late else f"In force until {stated.expires}."
    if wanted is None:
        return "not needed", Answer(
            (_told(stated, f"{force} It closes no gap: no part of this control is a person's to state."),)
        )
    told = Answer((_told(stated, force),))
    if early:
        return "needs a person", told + _wanted(control, f"{wanted}, in force on {day}; stated from {stated.made} on")
    if late:
        return "expired", told + _wanted(control, f"{wanted}, in force on {day}; what was stated ran out")
    return "attested", told


def _told(stated: Attestation, force: str) -> Claim:
    text = f"{ended(stated.statement)} Stated by {stated.by} ({stated.role}) on {stated.made}. {force}"
    return claim(text, stated, person=True)


def _wanted(control: Control, what: str) -> Answer:
    return Answer(gaps=(Gap(what, attest(control.id), sort=PERSON),))
