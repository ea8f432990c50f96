from __future__ import annotations

import pytest

from governance.checks import (
    beside_majority,
    calibration,
    convergence,
    coverage,
    fall,
    independence,
    near_copies,
    silence,
)

SUBJECT = "labels:" + "0" * 64
ALL = (beside_majority, calibration, convergence, coverage, fall, independence, near_copies, silence)


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__.rpartition(".")[2])
def test_nothing_to_judge_is_unknown(module):
    """Without anything to measure the outcome is unknown and never a pass."""
    found = module.check(**module.EMPTY, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("unknown", None)
    assert found.says.endswith(".")


CASES = [
    (calibration.check(0.04, 100, subject=SUBJECT, limit=0.05), "pass", "0.04"),
    (calibration.check(0.06, 100, subject=SUBJECT, limit=0.05), "fail", "0.06"),
    (coverage.check(50, 100, subject=SUBJECT, limit=0.5), "pass", "0.5"),
    (coverage.check(49, 100, subject=SUBJECT, limit=0.5), "fail", "0.49"),
    (fall.check(0.75, 0.5, subject=SUBJECT, limit=0.25), "pass", "0.25"),
    (fall.check(0.75, 0.25, subject=SUBJECT, limit=0.25), "fail", "0.5"),
    (beside_majority.check(0.75, 0.75, 10, subject=SUBJECT), "pass", "0.0"),
    (beside_majority.check(0.5, 0.75, 10, subject=SUBJECT), "fail", "-0.25"),
    (silence.check({"a": 1, "b": 2}, subject=SUBJECT), "pass", "0.0"),
    (silence.check({"a": 1, "b": 0}, subject=SUBJECT), "fail", "1.0"),
    (near_copies.check([], 3, subject=SUBJECT), "pass", "0.0"),
    (near_copies.check([("a", "b", 0.9, 0.99)], 3, subject=SUBJECT), "fail", "1.0"),
    (near_copies.check([("a", "b", 0.9, 0.99)], 3, subject=SUBJECT, unweighed=1), "fail", "1.0"),
    (near_copies.check([], 3, subject=SUBJECT, unweighed=2), "unknown", None),
    (independence.check([], 10, subject=SUBJECT), "pass", "0.0"),
    (independence.check(["vader"], 10, subject=SUBJECT), "fail", "1.0"),
    (convergence.check(100, converged=True, allowed=100, subject=SUBJECT), "pass", "100.0"),
    (convergence.check(100, converged=False, allowed=100, subject=SUBJECT), "fail", "100.0"),
]


@pytest.mark.parametrize(("found", "outcome", "measured"), CASES)
def test_the_limit_decides(found, outcome, measured):
    """At the limit is a pass, beyond is a fail, and the figure stands beside its limit."""
    assert (found.outcome, found.measured) == (outcome, measured)
    assert found.limit is not None


def test_a_finding_names_whom_it_is_about():
    """Sentences carry the names and the figures that they judge."""
    assert "b never votes" in silence.check({"a": 1, "b": 0}, subject=SUBJECT).says
    assert "b, c never vote." in silence.check({"a": 1, "b": 0, "c": 0}, subject=SUBJECT).says
    assert "a and b share 90.0 %" in near_copies.check([("a", "b", 0.9, 0.99)], 3, subject=SUBJECT).says
    told = near_copies.check([], 3, subject=SUBJECT, unweighed=2).says
    assert told.endswith("2 pairs vote on the same rows as copies would, on too few of them to tell.")
    assert "vader met it before" in independence.check(["vader"], 10, subject=SUBJECT, domain="tweets").says
    assert "cut off" in convergence.check(7, converged=False, allowed=7, subject=SUBJECT).says
    assert "75.0 % on home to 50.0 % on away" in fall.check(0.75, 0.5, subject=SUBJECT, home="home", domain="away").says
