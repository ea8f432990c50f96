"""Does every control get the state that its evidence gives it?"""

from __future__ import annotations

import random

import pytest
from documents.told_facts import source

from governance import shelf
from governance.audit import Context, assess, queries
from governance.audit.query import query
from governance.claims import PERSON, RECORD, REPRO, UNHELD, Answer, Thread
from governance.claims import gap as silence_of
from governance.claims.states import STATES
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
        assert item.state in ("missing", "needs a person", "no record kind", "not assessed")
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
        ("MEASURE 2.4", "no record kind"),
        ("MANAGE 2.3", "no record kind"),
    ],
)
def test_states_follow_from_class_and_evidence(facts: Facts, control: str, state: str):
    """Complete records give present, a missing part partial, a person's part waits; a missing kind has its own state."""
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
    assert any(gap.edit == ("set ", "owner", " in ", "pipelines/sources/afinn.yaml") for gap in gaps)


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
    assert any({name for name in claim.evidence if name.startswith("finding:")} == set(unknown) for claim in claims)


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


def test_context_offers_a_stand_in():
    """What no kind of record holds is a silence on the control that asks; a statement is offered, and closes nothing."""
    context = Context(Thread(Facts()), NIST.control("MAP 1.1"), AS_OF)
    (gap,) = context.unheld("a purpose").gaps
    assert gap.sort == UNHELD
    assert 'labeltrail attest "MAP 1.1"' in gap.command


def worlds(facts: Facts) -> list[tuple[str, Facts]]:
    """Facts in which controls stand in every state: with nothing, with each kind left out, with statements of every age."""
    ids = [control.id for control in NIST.subcategories]
    ages = {
        "in force": {},
        "ran out": {"expires": "2026-02-01"},
        "not yet": {"made": "2026-12-01"},
    }
    found = [("nothing", Facts()), ("complete", facts)]
    for age, fields in ages.items():
        all_stated = Facts(stated(control, **fields) for control in ids)
        found += [(f"nothing, statements {age}", all_stated), (f"complete, statements {age}", facts | all_stated)]
    for kind in sorted({record.kind for record in facts}):
        found.append((f"without {kind}", Facts(record for record in facts if record.kind != kind)))
    return found


def test_the_legend_is_true_of_every_control(facts: Facts):
    """What each state says of itself holds for every control in that state, and all states are met."""
    met = set()
    for world, given in worlds(facts):
        for item in assess(given, NIST, as_of=AS_OF):
            recorded = [claim for claim in item.answer.claims if not claim.person]
            sorts = {gap.sort for gap in item.answer.gaps}
            asks_records = item.control.query is not None
            in_force = item.person == "attested"
            true = {
                "present": bool(recorded) and not sorts,
                "attested": not asks_records and in_force and not sorts,
                "partial": bool(recorded or in_force) and bool(sorts),
                "needs a person": not asks_records and item.control.evidence != "out" and sorts == {PERSON},
                "expired": item.person == "expired" and not recorded and bool(item.answer.claims) and PERSON in sorts,
                "missing": not recorded and RECORD in sorts,
                "no record kind": not recorded and RECORD not in sorts and UNHELD in sorts and not in_force,
                "not assessed": item.control.evidence == "out" and not in_force and not recorded and sorts == {PERSON},
            }
            assert set(true) == set(STATES)
            assert true[item.state], (world, item)
            met.add(item.state)
    assert met == set(STATES)


def test_a_statement_closes_the_persons_part_alone(facts: Facts):
    """Whatever people state, every gap that a record would have to close stays, and only those of persons go."""
    for given in (facts, Facts()):
        before = {item.control.id: item for item in assess(given, NIST, as_of=AS_OF)}
        said = given | Facts(stated(control) for control in before)
        for item in assess(said, NIST, as_of=AS_OF):
            left = tuple(gap for gap in before[item.control.id].answer.gaps if gap.sort != PERSON)
            assert item.answer.gaps == left, item.control.id
            if left:
                assert item.state != "present"


@pytest.mark.parametrize(
    ("control", "state", "gap"),
    [
        (
            "MEASURE 2.4",
            "no record kind",
            "coverage, conflict, label shares and drift of features for each batch met in use",
        ),
        ("GOVERN 1.1", "partial", "legal basis of each dataset"),
        ("MANAGE 2.3", "partial", "when an incident was noticed, judged, contained and repaired"),
    ],
)
def test_no_wording_erases_what_no_record_holds(facts: Facts, control: str, state: str, gap: str):
    """A statement on a control with a gap of the records is shown beside the gap, which stays as it was."""
    item = judged(facts | Facts([stated(control)]), control)
    assert item.state == state
    (left,) = [silence for silence in item.answer.gaps if silence.sort == UNHELD]
    assert left.text.startswith(gap)
    assert any(claim.person for claim in item.answer.claims)


def test_each_sort_of_gap_has_its_own_way_out(facts: Facts):
    """A record is made by repro, a statement by attest, and what no kind of record holds has a statement to stand in."""
    for _, given in worlds(facts):
        for item in assess(given, NIST, as_of=AS_OF):
            for silence in item.answer.gaps:
                assert (silence.command == REPRO) == (silence.sort == RECORD), silence
                assert "no kind of record" not in silence.text


def test_an_answer_of_nothing_is_a_gap(facts: Facts, monkeypatch: pytest.MonkeyPatch):
    """A query that finds neither evidence nor a gap leaves the control's question open."""
    monkeypatch.setitem(queries(), "inventory", lambda facts, context: Answer())
    item = judged(facts, "GOVERN 1.6")
    assert item.state == "missing"
    assert item.answer == silence_of(NIST.control("GOVERN 1.6").question or "")


def test_equal_reach_is_one_sentence(facts: Facts):
    """Sources whose withdrawal touches equally much stand in one sentence that begins with their names."""
    (told, *others) = judged(facts, "GOVERN 6.2").answer.claims
    assert others == []
    assert told.text.startswith("Withdrawing any one of vader, afinn or exclamation touches ")
    alone = Facts(record for record in facts if record.kind in ("source",) and record.label.startswith("vader"))
    assert "Nothing stands on vader." in [claim.text for claim in judged(alone, "GOVERN 6.2").answer.claims]


def test_equal_gaps_of_sources_are_one_gap():
    """Descriptions that lack the same field are one silence that names all of them and the field to set."""
    bare = Facts(
        [
            source("a", expiry=""),
            source("b", expiry=""),
            source("c", expiry="2027-01-01"),
            source("d", expiry="2027-01-01"),
        ]
    )
    item = judged(bare, "GOVERN 1.5")
    (silence,) = [gap for gap in item.answer.gaps if gap.sort == RECORD]
    assert silence.text == "expiry of sources a and b"
    assert "".join(silence.edit) == "set expiry in pipelines/sources/NAME.yaml of each"
    assert [claim.text for claim in item.answer.claims] == [
        "The descriptions of sources c and d hold until 2027-01-01, judged as of 2026-11-22."
    ]
