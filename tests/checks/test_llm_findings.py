"""Do the checks on language models say what is, beside what is allowed?"""

from __future__ import annotations

import pytest

from governance.checks import answering_model, few_shot_overlap, parse_errors, provider_terms
from governance.records import Terms

SUBJECT = "source:" + "0" * 64


@pytest.mark.parametrize(
    ("models", "accepts", "outcome", "measured"),
    [
        ({"small": 10}, (), "pass", "0.0"),
        ({"small": 9, "large": 1}, (), "fail", "0.1"),
        ({"small": 9, "large": 1}, ("large",), "pass", "0.0"),
        ({"small": 5, "": 5}, (), "pass", "0.0"),
        ({"": 10}, (), "unknown", None),
        ({}, (), "unknown", None),
    ],
)
def test_another_model_than_was_asked_for_is_found(models, accepts, outcome, measured):
    """A known alias is none, and answers that name no model prove nothing."""
    found = answering_model.check(models, "small", accepts=accepts, subject=SUBJECT)
    assert (found.outcome, found.measured) == (outcome, measured)
    assert ("name no model" in found.says) == (models.get("", 0) == 5)


def test_answers_that_cannot_be_read_stand_beside_their_limit():
    """Their share of the answers; a request that failed is no answer."""
    assert parse_errors.check(2, 100, subject=SUBJECT, limit=0.02).outcome == "pass"
    found = parse_errors.check(3, 100, subject=SUBJECT, limit=0.02)
    assert (found.outcome, found.measured, found.limit) == ("fail", "0.03", "0.02")
    assert parse_errors.check(0, 0, subject=SUBJECT).outcome == "unknown"


READ = {"url": "https://example.org", "read": "2026-01-01", "sha256": "0" * 64, "reviewer": "A. Ode"}


@pytest.mark.parametrize(
    ("fields", "outcome", "measured", "said"),
    [
        ({}, "pass", "0.0", "hold on 2026-06-30"),
        ({"expires": "2026-06-30"}, "pass", "0.0", "hold on"),
        ({"expires": "2026-06-29"}, "fail", "1.0", "expired on 2026-06-29"),
        ({"read": ""}, "fail", "1.0", "nobody has read them"),
        ({"read": "2026-07-01"}, "fail", "1.0", "which is later"),
        ({"sha256": "", "reviewer": ""}, "fail", "2.0", "no reviewer"),
    ],
)
def test_terms_are_judged_as_of_a_day(fields, outcome, measured, said):
    """Read before it, by somebody, with a digest, and not expired; the last day still counts."""
    found = provider_terms.check(Terms(**{**READ, **fields}), "2026-06-30", subject=SUBJECT)
    assert (found.outcome, found.measured) == (outcome, measured)
    assert said in found.says


def test_without_a_day_nothing_is_known_of_terms():
    """Neither that they hold nor that they do not."""
    assert provider_terms.check(Terms(**READ), "", subject=SUBJECT).outcome == "unknown"


def test_examples_that_were_shown_are_found_among_those_that_are_voted_on():
    """Counted, and not named."""
    found = few_shot_overlap.check(["a", "b"], ["b", "c", "b"], subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "1.0")
    assert "1 of the 2" in found.says
    assert few_shot_overlap.check(["a"], ["b"], subject=SUBJECT).outcome == "pass"
