"""Do the checks find what is there, and say `unknown` where there is nothing?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import shelf
from governance.checks import (
    balance,
    contamination,
    currency,
    duplicates,
    error_rate,
    leakage,
    licences,
    rater_means,
    raters,
    rejected,
)

SUBJECT = "dataset:" + "0" * 64
CHECKS = [(name, module) for name, module in shelf.walk("governance.checks") if hasattr(module, "EMPTY")]


@pytest.mark.parametrize(("name", "module"), CHECKS, ids=[name for name, _ in CHECKS])
def test_nothing_to_judge_is_unknown(name, module):
    """Every check on the shelf answers `unknown`, without a figure, where it was given nothing."""
    found = module.check(**module.EMPTY, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("unknown", None)
    assert found == module.check(**module.EMPTY, subject=SUBJECT)


def test_ten_checks_stand_on_the_shelf():
    """The generic test above has something to run over."""
    assert len(CHECKS) >= 10


@pytest.mark.parametrize(
    ("counts", "outcome", "measured"),
    [({"a": 5, "b": 95}, "pass", "0.05"), ({"a": 4, "b": 96}, "fail", "0.04"), ({"a": 0, "b": 3}, "fail", "0.0")],
)
def test_the_rarest_class_is_weighed(counts, outcome, measured):
    """The share of the rarest class stands beside its limit; a class without examples is the rarest."""
    found = balance.check(counts, subject=SUBJECT, limit=0.05)
    assert (found.outcome, found.measured, found.limit) == (outcome, measured, "0.05")


def test_texts_that_differ_in_white_space_are_duplicates():
    """Each repeated text names the first of its kind; capitals make another text, and the same words."""
    ids, texts = ["a", "b", "c", "d"], ["so good", "bad", " so\tgood\n", "So good"]
    assert duplicates.first_of_same(ids, texts) == [None, None, "a", None]
    assert duplicates.first_of_same(ids, texts, same=duplicates.same_words) == [None, None, "a", "a"]
    found = duplicates.check([None, None, "a", None], subject=SUBJECT, limit=0.2)
    assert (found.outcome, found.measured) == ("fail", "0.25")


@given(st.lists(st.text("ab ", max_size=3), max_size=12))
def test_a_duplicate_always_names_a_first(texts):
    """Whoever is named as a first is one, and stands earlier."""
    ids = [str(number) for number in range(len(texts))]
    found = duplicates.first_of_same(ids, texts)
    for number, first in enumerate(found):
        if first is not None:
            assert found[int(first)] is None
            assert int(first) < number


def test_a_test_text_in_training_is_found():
    """White space and capitals do not hide a leak; the validation split is nobody's leak."""
    texts, splits = ["So good", "so  good", "bad", "bad", "new"], ["train", "test", "valid", "test", "test"]
    found = leakage.check(texts, splits, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", str(1 / 3))
    assert leakage.check(["a", "b"], ["train", "test"], subject=SUBJECT).outcome == "pass"
    assert leakage.check(["a", "b"], ["train", "train"], subject=SUBJECT).outcome == "unknown"


def test_punctuation_hides_no_leak():
    """Marks between and around words do not count, digits and letters do, and texts without words keep their signs."""
    same = duplicates.same_words
    assert same("So good!!!") == same("«so» — good...") == same("so_good") == same("ＳＯ good")
    assert same("10 out of 10") != same("9 out of 10")
    assert same("good 1") != same("good")
    assert same(":)") == same(" :) ") != same(":(")
    assert same("?!") != same("!") != same("")
    found = leakage.check(["So good!", "so, good", ":("], ["train", "test", "test"], subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "0.5")
    assert found.says.startswith("1 of 2 test texts also appear in the train split, compared by their words alone")


def test_licences_that_differ_are_a_conflict():
    """Two different licences fail, two equal ones pass, and an unknown one is unknown even beside itself."""
    assert licences.check("MIT", "ODbL-1.0", subject=SUBJECT).outcome == "fail"
    assert licences.check("MIT", "MIT", subject=SUBJECT).outcome == "pass"
    assert licences.check("LicenseRef-unknown", "LicenseRef-unknown", subject=SUBJECT).outcome == "unknown"


def test_contamination_is_weighed_by_examples():
    """The share of examples in domains that the source has seen; a domain that is not here weighs nothing."""
    domains = {"tweets": 1, "movies": 3}
    found = contamination.check(["movies", "novels"], domains, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "0.75")
    assert "movies" in found.says
    assert contamination.check(["novels"], domains, subject=SUBJECT).outcome == "pass"


def test_errors_are_counted_by_type():
    """One error in ten fails a limit of none and names its type."""
    found = error_rate.check({"raised KeyError": 1}, 10, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "0.1")
    assert "raised KeyError 1" in found.says
    assert error_rate.check({}, 10, subject=SUBJECT).outcome == "pass"


def test_means_that_are_not_of_their_ratings_are_counted():
    """Differing means are counted, with opposite signs and with those that fit another differing example."""
    stated, ratings = [1.0, 2.0, -1.5, 3.0], [[1, 1], [3, 3], [1, 2], [2, 2]]
    found = rater_means.compare(stated, ratings)
    assert (found.compared, found.differing, found.opposite, found.elsewhere, found.largest) == (4, 3, 1, 2, 3.0)
    finding = rater_means.check(stated, ratings, subject=SUBJECT)
    assert (finding.outcome, finding.measured) == ("fail", "0.75")
    assert "does not explain" in finding.says


@given(st.permutations(range(6)))
def test_permuted_ratings_are_recognised(order):
    """Where ratings were only permuted, every differing mean is some other example's."""
    stated = [float(number) for number in range(6)]
    found = rater_means.compare(stated, [[number] for number in order])
    assert found.elsewhere == found.differing == sum(a != b for a, b in enumerate(order))


def test_too_few_raters_are_counted():
    """Fewer ratings than promised count, exactly as many do not."""
    found = raters.check([19, 20, 21, 15], 20, subject=SUBJECT)
    assert (found.outcome, found.measured) == ("fail", "0.5")
    assert "the fewest are 15" in found.says
    assert raters.check([20], 20, subject=SUBJECT).outcome == "pass"


def test_rows_in_quarantine_are_weighed():
    """The share of rows turned away, with the checks that did it and the contract they belong to."""
    contract = "contract:" + "1" * 64
    found = rejected.check({"text: too long": 2}, 2, 100, subject=SUBJECT, contract=contract, limit=0.01)
    assert (found.outcome, found.measured, found.contract) == ("fail", "0.02", contract)
    assert "text: too long 2" in found.says


def test_another_release_than_described_is_noticed():
    """A description checked against one release does not speak for the next."""
    assert currency.check("1.0", "1.1", subject=SUBJECT).outcome == "fail"
    assert currency.check("1.0", "1.0", subject=SUBJECT).outcome == "pass"
