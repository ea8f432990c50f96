"""In which state is each control: what the records say, what is missing, and what a person stated?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from governance.audit.query import Context, queries
from governance.claims import Answer, Claim, Gap, Thread, attest, claim
from governance.claims.words import ended
from governance.controls import Control, Framework
from governance.facts import Facts
from governance.records import Attestation

State = Literal["present", "attested", "partial", "needs a person", "expired", "missing", "not assessed"]
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
    answer = Answer()
    if control.query is not None:
        ask = queries().get(control.query)
        answer = ask(facts, context) if ask else context.ask(_unanswered(control))
    recorded = answer
    # 2.
    person, stated = _person(context)
    if person == "attested":
        # What only a statement on this control would record is recorded by it.
        recorded = Answer(answer.claims, tuple(gap for gap in answer.gaps if gap.command != attest(control.id)))
    # 3.
    return Assessment(control, _state(control, recorded, person), person, _merged(control, recorded + stated))


def _merged(control: Control, answer: Answer) -> Answer:
    """One silence for everything that one statement on this control would end."""
    command = attest(control.id)
    asked = [gap.text for gap in answer.gaps if gap.command == command]
    if not asked:
        return answer
    rest = tuple(gap for gap in answer.gaps if gap.command != command)
    return Answer(answer.claims, (*rest, Gap("; ".join(reversed(asked)), command, person=True)))


def _state(control: Control, recorded: Answer, person: Person) -> State:
    if control.evidence in ("attest", "out"):
        if control.evidence == "out" and person == "needs a person":
            return "not assessed"
        return person if person != "not needed" else "missing"
    whole = bool(recorded.claims) and not recorded.gaps and person in ("not needed", "attested")
    if whole:
        return "present"
    if recorded.claims:
        return "partial"
    return {"attested": "partial", "expired": "expired"}.get(person, "missing")  # type: ignore[return-value]


def _person(context: Context) -> tuple[Person, Answer]:
    """What a person stated on this control, and whether that is in force on the day of judging."""
    control, stated = context.control, context.thread.attestations.get(context.control.id)
    if stated is None:
        if control.human is None:
            return "not needed", Answer()
        return "needs a person", Answer(gaps=(_wanted(control, control.human),))
    if stated.made > context.as_of:
        text = f"a statement in force on {context.as_of}; the recorded one is of {stated.made}"
        return "needs a person", Answer((_told(stated, "It is not in force yet."),), (_wanted(control, text),))
    if stated.expires < context.as_of:
        text = f"a statement in force on {context.as_of}; the recorded one ran out on {stated.expires}"
        return "expired", Answer((_told(stated, "It has run out."),), (_wanted(control, text),))
    return "attested", Answer((_told(stated, f"In force until {stated.expires}."),))


def _told(stated: Attestation, force: str) -> Claim:
    text = f"{ended(stated.statement)} Stated by {stated.by} ({stated.role}) on {stated.made}. {force}"
    return claim(text, stated, person=True)


def _wanted(control: Control, what: str) -> Gap:
    return Gap(what, attest(control.id), person=True)


def _unanswered(control: Control) -> str:
    return f"no kind of record holds this: {control.question}"
