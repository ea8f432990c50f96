"""Do the checks of how good a source is say what gold says, and nothing that only the label model believes?"""

from __future__ import annotations

import pytest

from governance.checks import too_good, worse_than_chance
from governance.checks._sources import Judged, chance_of
from governance.errors import InvalidRecord

SUBJECT = "labelmodel:" + "0" * 64


def held(accuracy: float, low: float, high: float, *, chance: float = 0.5, title: str = "words") -> Judged:
    return Judged(title, accuracy, chance, low, high, 100, "gold of the tests")


def learned(accuracy: float, *, chance: float = 0.5, title: str = "words") -> Judged:
    return Judged(title, accuracy, chance)


@pytest.mark.parametrize(
    ("sources", "outcome", "measured"),
    [
        ([held(0.2, 0.1, 0.3)], "fail", "1.0"),
        ([held(0.2, 0.1, 0.3), held(0.9, 0.8, 0.95)], "fail", "1.0"),
        ([held(0.45, 0.35, 0.55)], "unknown", None),
        ([held(0.9, 0.8, 0.95)], "pass", "0.0"),
        ([held(0.9, 0.8, 0.95, chance=0.97)], "fail", "1.0"),
        ([learned(0.2)], "fail", "1.0"),
        ([learned(0.99)], "unknown", None),
        ([held(0.9, 0.8, 0.95), learned(0.9)], "unknown", None),
        ([Judged("words", None, 0.5)], "unknown", None),
    ],
)
def test_worse_than_chance_is_judged_by_the_whole_interval(sources, outcome, measured):
    """A source below chance fails; what only the label model holds good is not known."""
    found = worse_than_chance.check(sources, subject=SUBJECT)
    assert (found.outcome, found.measured) == (outcome, measured)


@pytest.mark.parametrize(
    ("sources", "outcome", "measured"),
    [
        ([held(0.995, 0.985, 1.0)], "fail", "1.0"),
        ([held(1.0, 0.44, 1.0)], "unknown", None),
        ([held(0.9, 0.8, 0.95)], "pass", "0.0"),
        ([learned(1.0)], "fail", "1.0"),
        ([learned(0.9)], "unknown", None),
        ([Judged("words", None, 0.5)], "unknown", None),
    ],
)
def test_a_source_that_is_too_good_has_to_be_explained(sources, outcome, measured):
    """On gold it may have seen the answers; in what was learned it may be a camp that vouches for itself."""
    found = too_good.check(sources, subject=SUBJECT)
    assert (found.outcome, found.measured) == (outcome, measured)


def test_the_sentence_says_whose_figure_it_is():
    """Gold with interval and count, or the label model."""
    says = worse_than_chance.check([held(0.2, 0.1, 0.3)], subject=SUBJECT, on="tweets").says
    assert "words with 20.0 % (10.0 % to 30.0 %, 100 of gold of the tests), chance is 50.0 %" in says
    assert "as the label model learned" in worse_than_chance.check([learned(0.2)], subject=SUBJECT).says


def test_chance_is_that_of_saying_the_same_without_looking():
    """A source that only ever says the frequent class has to beat its frequency."""
    assert chance_of({"no": 0, "yes": 7}, {"no": 0.1, "yes": 0.9}) == 0.9
    assert chance_of({"no": 5, "yes": 5}, {"no": 0.1, "yes": 0.9}) == 0.5
    assert chance_of({"no": 0, "yes": 0}, {"no": 0.1, "yes": 0.9}) == 0.0


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(share):
    """Below 0, above 1, NaN."""
    with pytest.raises(InvalidRecord, match="accuracy"):
        Judged("words", share, 0.5)
