"""Does the interval of repeat agreement hold what is true as often as it says?"""

from __future__ import annotations

import numpy as np
import pytest
from llm_described import voter_of
from llm_server import Fault, asked_text, says, serving
from scipy.stats import binom

from governance.checks.repeat_agreement import agreement, check
from governance.errors import InvalidRecord
from governance.sources.llm import ask_again
from governance.sources.llm.repeating import compared

CHANGED = 0.06
RUNS = 300
TEXTS = [f"text {number}" for number in range(250)]
SUBJECT = "source:" + "0" * 64


class Wavering:
    """An endpoint that answers each question, and changes a share of its answers when it is asked again."""

    def __init__(self, seed: int, *, also_first: bool = False) -> None:
        self.random, self.asked, self.also_first = np.random.default_rng([seed, 1]), set(), also_first

    def __call__(self, body, count) -> Fault:
        text = asked_text(body)
        first = text not in self.asked
        self.asked.add(text)
        good = len(text) % 2 == 0
        if (self.also_first or not first) and self.random.random() < CHANGED:
            good = not good
        return says("good" if good else "bad")


def measured(described, seed, *, rows=100, times=1, also_first=False):
    voter = voter_of(described, Wavering(seed, also_first=also_first))
    found, failed = compared(voter, TEXTS, ask_again(voter, TEXTS, rows=rows, times=times, seed=seed))
    assert failed == 0
    assert found is not None
    return found


def test_six_percent_of_changed_answers_lie_inside_the_interval(described):
    """In at least 93 % of 300 runs, each with its own endpoint and its own sample of 100 rows, asked once more."""
    said = described()
    found = [measured(said, seed) for seed in range(RUNS)]
    inside = sum(one.low <= 1 - CHANGED <= one.high for one in found)
    assert inside >= 0.93 * RUNS


def test_without_luck_the_interval_keeps_its_level():
    """Counted over every outcome that samples of 50 to 500 rows can have, and not drawn: 95 % on average, and near it."""
    covered = []
    for rows in range(50, 501, 10):
        likely = range(int(rows * 0.75), rows + 1)
        found = [(k, agreement([1] * k + [0] * (rows - k), [1] * rows)) for k in likely]
        inside = [k for k, one in found if one is not None and one.low <= 1 - CHANGED <= one.high]
        covered.append(float(binom.pmf(inside, rows, 1 - CHANGED).sum()))
    assert min(covered) >= 0.93
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)


def test_several_repeats_share_a_first_answer_and_the_interval_knows(described):
    """Where first answers change too, the three pairs of a row hang together: the share is .94² + .06²."""
    said, truth = described(), (1 - CHANGED) ** 2 + CHANGED**2
    found = [measured(said, seed, rows=50, times=3, also_first=True) for seed in range(RUNS)]
    inside = sum(one.low <= truth <= one.high for one in found)
    assert inside >= 0.93 * RUNS


def test_a_real_server_that_changes_six_percent_is_measured_the_same(described):
    """Nine of 150 second answers over HTTP, several requests at once."""
    with serving(lambda body, count: says("bad" if 150 <= count < 159 else "good")) as endpoint:
        voter = voter_of(described(endpoint=endpoint.url, limits={"at_once": 4}))
        found, failed = compared(voter, TEXTS, ask_again(voter, TEXTS, rows=150, seed=4))
    assert failed == 0
    assert found is not None
    assert (found.rows, found.pairs, found.agreed) == (150, 150, 141)
    assert found.low <= 1 - CHANGED <= found.high
    assert len(endpoint.received) == 300


def test_one_repeat_has_wilsons_interval():
    """Newcombe's example: 81 of 263 is .2553 to .3662 (Statistics in Medicine 17, 1998)."""
    found = agreement([1] * 81 + [0] * 182, [1] * 263)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_pairs_that_hang_together_count_for_less():
    """Rows that agree always or never are as many observations as rows; rows that vary freely as pairs."""
    together = agreement([3] * 90 + [0] * 10, [3] * 100)
    rows = agreement([1] * 90 + [0] * 10, [1] * 100)
    assert together is not None
    assert rows is not None
    assert together.low == pytest.approx(rows.low, abs=1e-3)
    assert together.high == pytest.approx(rows.high, abs=1e-3)
    free = agreement([3] * 70 + [2] * 30, [3] * 100)
    alone = agreement([1] * 270 + [0] * 30, [1] * 300)
    assert free is not None
    assert alone is not None
    assert free.low == pytest.approx(alone.low)


def test_where_nothing_varied_the_interval_is_that_of_the_rows():
    """Ten repeats of a model that never changed say no more of other rows than one."""
    many, one = agreement([10] * 30, [10] * 30), agreement([1] * 30, [1] * 30)
    assert many is not None
    assert one is not None
    assert (many.low, many.high) == (one.low, one.high)
    assert one.high == 1.0


def test_pairs_that_failed_are_no_disagreement(described):
    """A request that failed says nothing of what the model would have said; it is counted apart."""

    def script(body, count):
        return Fault(status=500) if count == 25 else says("good")

    voter = voter_of(described(limits={"attempts": 1}), script)
    found, failed = compared(voter, TEXTS, ask_again(voter, TEXTS, rows=20, seed=0))
    assert found is not None
    assert (found.pairs, found.agreed, failed) == (19, 19, 1)
    told = check(found, subject=SUBJECT, failed=failed)
    assert (told.outcome, told.measured) == ("pass", "1.0")
    assert "1 more pairs had no answer" in told.says


def test_without_a_pair_nothing_is_known():
    """No pairs, no figure; where all failed, that is said."""
    assert agreement([], []) is None
    assert agreement([0], [0]) is None
    told = check(None, subject=SUBJECT, failed=4)
    assert (told.outcome, told.measured) == ("unknown", None)
    assert "none of 4 pairs" in told.says


@pytest.mark.parametrize(("agreed", "pairs"), [([2], [1]), ([-1], [1]), ([1], [1, 1])])
def test_counts_that_cannot_be_are_refused(agreed, pairs):
    """More equal than there are, fewer than none, or of other examples."""
    with pytest.raises(InvalidRecord):
        agreement(agreed, pairs)
