"""Is what a code says what its sources say, and does a best class not depend on how it is looked for?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from governance.labelmodels._base import TIE, best, ranked
from governance.labelmodels._codes import Codes
from governance.labelmodels._lookup import Lookup
from governance.labelmodels._onehot import OneHot
from governance.labelmodels._vote_rows import Spoken
from governance.labelmodels.majority import MajorityVote


@st.composite
def some_votes(draw):
    """Evidence, int8 (patterns x sources), of a few classes, among them sources that never vote."""
    classes = draw(st.integers(2, 5))
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 20)))
    return draw(hnp.arrays(np.int8, shape, elements=st.integers(-1, classes - 1))), classes


@given(some_votes(), st.sampled_from([float, np.uint64]), st.integers(0, 1000))
def test_codes_add_up_to_what_their_sources_say(votes, dtype, seed):
    """What is looked up for a pattern is the sum over its votes, and what is counted by code is counted by vote."""
    patterns, classes = votes
    rng = np.random.default_rng(seed)
    codes = Codes(patterns.T, classes=classes, dtype=dtype)
    tables = rng.integers(0, 1 << 20, (patterns.shape[1], 3, classes)).astype(dtype)
    found = sum(
        codes.sums(tables)[:, group].take(code, axis=1) for code, group in zip(codes.codes, codes.groups, strict=True)
    )
    silent = np.concatenate([tables, np.zeros((*tables.shape[:2], 1), dtype=dtype)], axis=2)
    said = silent[np.arange(patterns.shape[1]), :, patterns].sum(axis=1, dtype=dtype)
    np.testing.assert_array_equal(found, said.T)

    weights = rng.integers(1, 1 << 20, (2, len(patterns))).astype(dtype)
    counted = np.zeros((2, codes.groups[-1].stop), dtype=dtype)
    for code, group in zip(codes.codes, codes.groups, strict=True):
        for one, weight in zip(counted, weights, strict=True):
            np.add.at(one[group], code, weight)
    expected = [[[w[column == k].sum(dtype=dtype) for k in range(classes)] for w in weights] for column in patterns.T]
    np.testing.assert_array_equal(codes.shared_out(counted), np.array(expected, dtype=dtype))


@pytest.mark.parametrize("classes", [2, 3, 127])
def test_as_many_sources_stand_in_a_code_as_16_bits_hold(classes):
    """The highest code of a group, at which every source names the last class, is no other code."""
    patterns = np.full((2, 13), classes - 1, dtype=np.int8)
    patterns[1] = -1
    codes = Codes(patterns.T, classes=classes)
    for code, group in zip(codes.codes, codes.groups, strict=True):
        assert code.tolist() == [group.stop - group.start - 1, 0]


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("surer", [1.0, 10.0, 1000.0])
def test_no_table_is_too_sure_for_a_posterior(classes, surer):
    """Near 0 exponentials of codes are multiplied, far from it log-odds are added: both are sums in logarithms."""
    rng = np.random.default_rng(classes)
    patterns = np.unique(rng.integers(-1, classes, (400, 11)).astype(np.int8), axis=0)
    patterns = patterns[(patterns >= 0).any(axis=1)]
    weights = rng.integers(1, 5, len(patterns))
    tables = surer * np.log(rng.dirichlet(np.ones(classes), (11, classes)))
    balance = np.log(rng.dirichlet(np.ones(classes)))
    votes, rows = Lookup(patterns, weights, classes=classes).expected_votes(tables, balance)
    scores = np.tile(balance, (len(patterns), 1))
    for table, column in zip(tables, patterns.T, strict=True):
        scores[column >= 0] += table.T[column[column >= 0]]
    shares = np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None]) * weights[:, None]
    expected = np.stack(
        [np.stack([shares[column == k].sum(axis=0) for k in range(classes)], axis=1) for column in patterns.T]
    )
    np.testing.assert_allclose(votes, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(rows, shares.sum(axis=0), rtol=1e-10)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.integers(-3, 3)),
    st.sampled_from([1.0, 1e6]),
    st.sampled_from([0.0, 0.3, 3.0]),
)
def test_the_best_class_is_the_one_ranked_first(scores, large, apart):
    """Of those within the tie the lowest, and of those beyond it the best, also where scores are large."""
    scores = large * scores
    scores = scores + apart * TIE * np.maximum(1.0, np.abs(scores)) * np.arange(scores.shape[1])
    found = best(np.ascontiguousarray(scores.T))
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, ranked(scores)[0])


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("tiny", [2.0**-90, 2.0**-300, 2.0**-1000, 2.0**-1040])
def test_no_weight_is_so_small_that_a_part_of_it_is_lost(classes, tiny):
    """A share of e^-500 of a tiny weight is no number, but the weight is all there, whoever leads."""
    patterns = np.repeat(np.arange(classes, dtype=np.int8)[:, None], 40, axis=1)
    tables = np.full((40, classes, classes), -12.5)
    tables[:, np.arange(classes), np.arange(classes)] = 0.0
    weights = np.arange(1.0, classes + 1)
    for ways in (
        lambda some: Lookup(patterns, some, classes=classes),
        lambda some: OneHot(Spoken.of(patterns), some, classes=classes),
    ):
        votes, rows = ways(weights * tiny).expected_votes(tables, np.zeros(classes))
        # The last are below the smallest number that has all its digits.
        digits = 1e-12 if tiny > 2.0**-1022 else 1e-3
        np.testing.assert_allclose(rows / tiny, weights, rtol=digits)
        np.testing.assert_allclose(votes.sum(axis=2) / tiny, np.tile(weights, (40, 1)), rtol=digits)


def test_sources_that_never_vote_leave_no_trace_in_a_balance():
    """Votes on rows with one voting source, with two, and so on up to twenty are added up one after the other."""
    rng = np.random.default_rng(3)
    votes = rng.integers(0, 3, (4000, 20)).astype(np.int8)
    votes[np.arange(20) > rng.integers(0, 20, (4000, 1))] = -1
    told = {}
    for silent in (0, 1, 5, 30):
        wide = np.concatenate([votes, np.full((len(votes), silent), -1, dtype=np.int8)], axis=1)
        once = np.ones(len(wide))
        told[silent] = [
            MajorityVote().fit(wide, n_classes=3).balance_.tolist(),
            Lookup(wide, once, classes=3).balance().tolist(),
            OneHot(Spoken.of(wide), once, classes=3).balance().tolist(),
        ]
    assert told[0] == told[1] == told[5] == told[30]
