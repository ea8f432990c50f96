"""Do the checks of sources find what a steward has to know?"""

from __future__ import annotations

from typing import get_args

import pytest

from governance.checks import approval, described, expiry, kind_facts, opacity, teacher
from governance.records import Approval
from governance.records.sources import SourceKind

SUBJECT = "source:" + "0" * 64
KEY, OTHER = "1" * 64, "2" * 64


def approved(who: str = "A. Ode", *, key: str | None = None) -> Approval:
    said = {"subject": SUBJECT, "title": "words", "who": who, "role": "steward", "reason": "looked", "at": 1}
    return Approval.make(**said, public_key=key, signature="0" * 128 if key else None)


def judged(*approvals: Approval, author: str = "B. Ode", author_key: str = "", genuine: bool = True):
    names = {one.name for one in approvals} if genuine else set()
    return approval.check(approvals, subject=SUBJECT, author=author, author_key=author_key, genuine=names)


def test_nobody_is_no_approval():
    """A version that nobody approved fails, and an approval of another version does not help it."""
    found = approval.check((), subject=SUBJECT, title="words", older=True)
    assert (found.outcome, found.measured, found.limit) == ("fail", "0.0", "1.0")
    assert "An approval of another version is none of this one" in found.says


@pytest.mark.parametrize(
    ("who", "key", "author", "author_key", "outcome"),
    [
        ("A. Ode", None, "B. Ode", "", "pass"),
        ("a. ode ", None, "A.  Ode", "", "fail"),
        ("A. Ode", None, "", "", "unknown"),
        ("A. Ode", KEY, "A. Ode", OTHER, "pass"),
        ("A. Ode", KEY, "B. Ode", KEY, "fail"),
        ("A. Ode", KEY, "A. Ode", "", "fail"),
        ("A. Ode", KEY, "", KEY, "fail"),
        ("A. Ode", None, "A. Ode", KEY, "fail"),
    ],
)
def test_an_author_approves_nothing_of_his_own(who, key, author, author_key, outcome):
    """Keys decide where both sides have one, else the names that people state."""
    assert judged(approved(who, key=key), author=author, author_key=author_key).outcome == outcome


def test_an_unsigned_approval_reads_as_self_stated():
    """Without a signature anybody may have written the name, and the finding says so."""
    assert "self-stated" in judged(approved()).says
    assert "self-stated" not in judged(approved(key=KEY)).says


def test_a_signature_that_does_not_fit_approves_nothing():
    """A key beside a signature that is not its own is worth less than none."""
    found = judged(approved(key=KEY), genuine=False)
    assert found.outcome == "fail"
    assert "does not fit" in found.says


def test_an_approval_by_another_outlasts_one_by_the_author():
    """Whoever approves his own work later takes nothing away."""
    assert judged(approved("A. Ode"), approved("B. Ode")).outcome == "pass"


@pytest.mark.parametrize(
    ("until", "since", "as_of", "outcome"),
    [
        ("2027-01-01", "", "2027-01-01", "pass"),
        ("2027-01-01", "", "2027-01-02", "fail"),
        ("", "2027-01-01", "2026-12-31", "pass"),
        ("", "2027-01-01", "2027-01-01", "fail"),
        ("2030-01-01", "2027-01-01", "2028-01-01", "fail"),
        ("", "", "2027-01-01", "unknown"),
    ],
)
def test_a_source_expires_by_description_or_by_decision(until, since, as_of, outcome):
    """The last day of a description still counts, the first day of a decision does already; silence is unknown."""
    found = expiry.check(until, since, as_of, subject=SUBJECT)
    assert found.outcome == outcome
    assert outcome == "unknown" or as_of in found.says or since in found.says


@pytest.mark.parametrize("kind", get_args(SourceKind))
def test_every_kind_has_facts_that_it_needs(kind):
    """A description that says nothing fails by all of them, a full one passes."""
    wanted = kind_facts.needed(kind, personal_data=False)
    assert wanted
    silent = kind_facts.check(kind, {}, subject=SUBJECT)
    assert (silent.outcome, silent.measured) == ("fail", f"{len(wanted)}.0")
    assert kind_facts.check(kind, dict.fromkeys(wanted, "said"), subject=SUBJECT).outcome == "pass"


def test_personal_data_needs_a_legal_basis_and_its_classes():
    """Whoever says that persons are in it says on which ground, and what of them."""
    found = kind_facts.check("heuristic", {"author": "us", "personal_data": True}, subject=SUBJECT)
    assert found.measured == "2.0"
    assert "legal_basis, personal_data.classes" in found.says


def test_a_teacher_that_learned_from_its_pupil_is_found():
    """Any earlier version of the same source in the teacher's lineage counts, other sources do not."""
    own = teacher.check("model:x", {"source:1": "words", "source:2": "vader"}, subject=SUBJECT, title="words")
    assert (own.outcome, own.measured) == ("fail", "1.0")
    assert "trained on its own labels" in own.says
    assert "source:1" in own.says
    assert teacher.check("model:x", {"source:2": "vader"}, subject=SUBJECT, title="words").outcome == "pass"
    assert teacher.check("a friend's model", None, subject=SUBJECT).outcome == "unknown"


def test_opaque_parts_are_counted_by_name():
    """What cannot be seen through fails and is named; a version that was seen through passes."""
    found = opacity.check(["self.lock: a lock"], subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "1.0")
    assert "self.lock" in found.says
    assert opacity.check([], subject=SUBJECT).outcome == "pass"


def test_a_description_edited_since_the_votes_is_noticed():
    """Only what the description says is compared, and what differs is named."""
    found = described.check({"owner": "us"}, {"owner": "them", "title": "words"}, subject=SUBJECT)
    assert found.outcome == "fail"
    assert "owner" in found.says
    assert described.check({"owner": "us"}, {"owner": "us", "title": "words"}, subject=SUBJECT).outcome == "pass"
    assert described.check({"owner": "us"}, None, subject=SUBJECT).outcome == "unknown"
