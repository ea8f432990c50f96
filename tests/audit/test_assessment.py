"""Does every control get the state that its evidence gives it?"""

from __future__ import annotations

import random

import pytest

from governance import shelf
from governance.audit import Context, assess, queries
from governance.audit.query import query
from governance.claims import Thread
from governance.controls import load_framework
from governance.errors import ConfigurationError
from governance.facts import Facts
from governance.records import Attestation, Finding, Source

NIST = load_framework("nist_ai_rmf")
AS_OF = "2026-11-22"


def stated(control: str, *, made: str = "2026-01-01", expires: str = "2027-01-01") -> Attestation:
    return Attestation.make(
        control=control, statement="It is so", by="A. Ode", role="counsel", made=made, expires=expires
    )


def judged(facts: Facts, control: str, as_of: str = AS_OF):
    return next(item for item in assess(facts, NIST, as_of=as_of) if item.control.id == control)


def test_every_control_is_judged_once_and_in_order(facts: Facts):
    """72 subcategories, each with a state, and each with a claim or a silence."""
    found = assess(facts, NIST, as_of=AS_OF)
    assert [item.control.id for item in found] == [control.id for control in NIST.subcategories]
    assert all(item.answer.claims or item.answer.gaps for item in found)


def test_nothing_recorded_gives_no_evidence():
    """Without facts no control is present, partial or attested, and every one says what is not recorded."""
    for item in assess(Facts(), NIST, as_of=AS_OF):
        assert item.state in ("missing", "needs a person", "not assessed")
        assert item.answer.gaps
        assert not item.answer.claims


@pytest.mark.parametrize(
    ("control", "state"),
    [
        ("GOVERN 1.6", "present"),
        ("MAP 2.1", "present"),
        ("GOVERN 1.1", "partial"),
        ("GOVERN 1.2", "needs a person"),
        ("GOVERN 2.2", "not assessed"),
        ("MEASURE 2.4", "missing"),
        ("MANAGE 2.3", "missing"),
    ],
)
def test_states_follow_from_class_and_evidence(facts: Facts, control: str, state: str):
    """Complete records give present, a missing part partial, a person's part waits, another store's is not assessed."""
    assert judged(facts, control).state == state


def test_a_statement_is_judged_as_of_a_day(facts: Facts):
    """A statement counts from the day it was made to the day it expires, both included, and not beyond."""
    said = facts | Facts([stated("GOVERN 1.2", made="2026-03-01", expires="2026-06-30")])
    days = {
        "2026-02-28": "needs a person",
        "2026-03-01": "attested",
        "2026-06-30": "attested",
        "2026-07-01": "expired",
    }
    assert {day: judged(said, "GOVERN 1.2", day).state for day in days} == days


def test_a_person_completes_what_records_began(facts: Facts):
    """A mixed control becomes present when the records answer and a person states the rest, and partial when it expires."""
    assert judged(facts, "MAP 2.2").state == "partial"
    assert judged(facts | Facts([stated("MAP 2.2")]), "MAP 2.2").state == "present"
    over = judged(facts | Facts([stated("MAP 2.2", expires="2026-02-01")]), "MAP 2.2")
    assert (over.state, over.person) == ("partial", "expired")


def test_a_statement_alone_is_not_the_records(facts: Facts):
    """A person's word on a mixed control without records is partial, and expired once it has run out."""
    assert judged(facts | Facts([stated("MANAGE 2.3")]), "MANAGE 2.3").state == "partial"
    assert judged(facts | Facts([stated("MANAGE 2.3", expires="2026-02-01")]), "MANAGE 2.3").state == "expired"


def test_a_statement_outside_this_store_is_shown(facts: Facts):
    """What lies outside the store is attested where somebody states it."""
    assert judged(facts | Facts([stated("GOVERN 2.2")]), "GOVERN 2.2").state == "attested"


def test_the_newest_of_several_statements_counts(facts: Facts):
    """A renewed statement replaces the one that ran out, in whichever order they are given."""
    both = [stated("GOVERN 1.2", made="2025-01-01", expires="2025-12-31"), stated("GOVERN 1.2", made="2026-01-01")]
    for order in (both, both[::-1]):
        assert judged(facts | Facts(order), "GOVERN 1.2").state == "attested"


def test_what_a_person_states_is_marked_as_theirs(facts: Facts):
    """The claim of a statement is marked, stands on its attestation and names who made it."""
    item = judged(facts | Facts([stated("GOVERN 1.2")]), "GOVERN 1.2")
    (told,) = item.answer.claims
    assert told.person
    assert told.evidence == (stated("GOVERN 1.2").name,)
    assert "A. Ode (counsel)" in told.text


def test_every_claim_stands_on_facts(facts: Facts):
    """Every record that an answer names is among the facts."""
    for item in assess(facts, NIST, as_of=AS_OF):
        for claim in item.answer.claims:
            assert claim.evidence
            assert all(name in facts for name in claim.evidence)


def test_every_way_out_is_a_command(facts: Facts):
    """A silence names `labeltrail repro`, or `labeltrail attest` with the control that it belongs to."""
    for given in (facts, Facts()):
        for item in assess(given, NIST, as_of=AS_OF):
            for gap in item.answer.gaps:
                assert gap.command in ("labeltrail repro",) or f'attest "{item.control.id}"' in gap.command


def test_queries_survive_every_missing_record(facts: Facts):
    """Leaving out any kind of record breaks no query, and never adds a present control."""
    present = {item.control.id for item in assess(facts, NIST, as_of=AS_OF) if item.state == "present"}
    for kind in sorted({record.kind for record in facts}):
        without = Facts(record for record in facts if record.kind != kind)
        found = assess(without, NIST, as_of=AS_OF)
        for item in found:
            assert all(name in without for claim in item.answer.claims for name in claim.evidence), (
                kind,
                item.control.id,
            )
        gained = {item.control.id for item in found if item.state == "present"} - present
        # Without findings, or without descriptions of contaminated sources, nothing new may look complete.
        assert not gained, (kind, gained)


def test_order_of_facts_does_not_matter(facts: Facts):
    """The same facts in another order give the same answers."""
    shuffled = list(facts)
    random.Random(3).shuffle(shuffled)  # noqa: S311
    assert assess(Facts(shuffled), NIST, as_of=AS_OF) == assess(facts, NIST, as_of=AS_OF)


def test_a_licence_conflict_is_named(facts: Facts):
    """Where declared and found licence differ, source and both licences stand in the answer."""
    told = " ".join(claim.text for claim in judged(facts, "GOVERN 1.1").answer.claims)
    assert "afinn" in told
    assert "GPL-3.0-only" in told
    assert "ODbL-1.0" in told


def test_a_description_without_owner_is_a_gap(facts: Facts):
    """A source without owner is named with the file to edit."""
    nobody = [
        Source.make(**{**record.body(), "owner": ""})
        if isinstance(record, Source) and record.title == "afinn"
        else record
        for record in facts
    ]
    loose = Facts(record for record in nobody if record.kind == "source")
    gaps = judged(loose, "GOVERN 2.1").answer.gaps
    assert any(gap.edit == "owner in pipelines/sources/afinn.yaml" for gap in gaps)


def test_an_expired_description_is_judged_as_of_a_day(facts: Facts):
    """A source's own expiry is told as of the day of judging."""
    told = {
        day: " ".join(c.text for c in judged(facts, "GOVERN 1.5", day).answer.claims) for day in (AS_OF, "2028-01-01")
    }
    assert "ran out" not in told[AS_OF]
    assert "ran out on 2027-12-31" in told["2028-01-01"]


def test_blast_radius_counts_what_stands_on_a_source(facts: Facts):
    """Withdrawing a source names every vote set, label model, label set, model and card above it."""
    told = " ".join(claim.text for claim in judged(facts, "GOVERN 6.2").answer.claims)
    assert "1 evaluation, 1 label model, 1 label set, 1 model, 1 prediction batch and 1 vote set" in told.replace(
        "1 card, ", ""
    )


def test_an_unknown_finding_is_no_pass(facts: Facts):
    """Findings that ended as unknown are listed for themselves."""
    claims = judged(facts, "MEASURE 3.2").answer.claims
    unknown = [record.name for record in facts.of(Finding) if record.outcome == "unknown"]
    assert unknown
    assert any(set(claim.evidence) == set(unknown) for claim in claims)


def test_the_shelf_names_every_query_once(monkeypatch: pytest.MonkeyPatch):
    """Every query answers a question of some framework, and two of one name are refused."""
    asked = {control.query for control in NIST.subcategories}
    assert set(queries()) <= asked
    assert {"inventory", "limits", "slice_disparity"} <= set(queries())
    modules = list(shelf.walk("governance.audit.queries"))
    monkeypatch.setattr(shelf, "walk", lambda package: [*modules, modules[0]])
    with pytest.raises(ConfigurationError, match="stands in"):
        queries.__wrapped__()


def test_a_query_is_a_marked_function():
    """Only functions that say they are queries count as such."""

    @query
    def asked(facts: Facts, context: Context):
        return None

    assert asked.__labeltrail_query__
    assert "joined" not in queries()


def test_context_gives_a_person_something_to_state():
    """What no record holds is a silence on the control that asks, for a person to end."""
    context = Context(Thread(Facts()), NIST.control("MAP 1.1"), AS_OF)
    (gap,) = context.ask("a purpose").gaps
    assert gap.person
    assert 'labeltrail attest "MAP 1.1"' in gap.command
