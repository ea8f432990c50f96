"""The state of votes: the same for any partition and order, as large as it may be, and what label models learn of it."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest
from counted_by_hand import by_hand, plain
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from state_votes import many_patterns, table_of, votes

from governance import labelmodels
from governance.errors import InvalidRecord
from governance.labelmodels.dawid_skene import DawidSkene
from governance.votes.hashing import pattern_hashes
from governance.votes.patterns import distinct
from governance.votes.state import VoteState


@given(votes)
def test_a_state_remembers_evidence_and_counts_everything(matrix):
    """Its patterns are the distinct rows with errors as silence, its analysis every count of the rows as they were."""
    state = VoteState.of(matrix, n_classes=3)
    whole = distinct(np.maximum(matrix, -1))
    assert (state.patterns.votes.tolist(), state.patterns.counts.tolist()) == (
        whole.votes.tolist(),
        whole.counts.tolist(),
    )
    assert plain(state.analysis) == by_hand(matrix, 3)
    assert (state.rows, state.sampled, state.level) == (len(matrix), 1.0, 0)


@settings(max_examples=60, deadline=None)
@given(votes, st.lists(st.integers(0, 9), max_size=4), st.randoms(use_true_random=False))
def test_any_partition_and_order_of_rows_gives_the_same_state_and_models(matrix, cuts, random):
    """States of parts, empty ones too, added up in any order have the digest of the whole, and teach the same bits."""
    assume((matrix >= 0).any())
    rows = list(range(len(matrix)))
    random.shuffle(rows)
    parts = np.split(matrix[rows], sorted(min(cut, len(matrix)) for cut in cuts))
    random.shuffle(parts)
    added = reduce(add, [VoteState.of(part, n_classes=3) for part in parts])
    assert added.digest == VoteState.of(matrix, n_classes=3).digest
    for name in ("majority", "dawid_skene"):
        of_state, of_rows = labelmodels.method(name)(), labelmodels.method(name)()
        of_state.fit_state(added)
        of_rows.fit(matrix, n_classes=3)
        assert of_state.predict_proba(matrix).tobytes() == of_rows.predict_proba(matrix).tobytes()
        assert of_state.sampled_ == 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(0, 6000), max_size=4), st.randoms(use_true_random=False))
def test_a_sample_is_the_same_for_any_partition_and_order(seed, cuts, random):
    """What is forgotten depends on content alone: parts that were sampled by themselves add up to the whole's sample."""
    matrix = many_patterns(seed=seed)
    columns = random.sample([f"s{j}" for j in range(9)], 9)
    moved = table_of(matrix, columns=columns)
    order = sorted(range(9), key=columns.__getitem__)
    parts = [part for part in np.split(moved.matrix[::-1], sorted(cuts)) if len(part)]
    added = reduce(add, [VoteState.of(table_of(part, columns=columns), most=1_100) for part in parts])
    whole = VoteState.of(table_of(matrix[:, order]), most=1_100)
    assert added.digest == VoteState.of(moved, most=1_100).digest
    assert sorted(map(tuple, added.patterns.votes[:, order].tolist())) == list(
        map(tuple, whole.patterns.votes.tolist())
    )
    assert 400 < len(added.patterns) <= 1_100
    assert added.level == whole.level > 0
    assert plain(added.analysis) == plain(VoteState.of(moved).analysis)


def test_a_sampled_state_keeps_whole_counts_and_says_of_how_many_rows():
    """What is kept has the counts that it has in all rows, and `sampled` is the share of covered rows in it."""
    matrix = np.concatenate([many_patterns(3000)] * 3)
    whole, some = VoteState.of(matrix, n_classes=3), VoteState.of(matrix, n_classes=3, most=1_024)
    counts = {tuple(row): n for row, n in zip(whole.patterns.votes.tolist(), whole.patterns.counts, strict=True)}
    kept = {tuple(row): n for row, n in zip(some.patterns.votes.tolist(), some.patterns.counts, strict=True)}
    assert kept.items() < counts.items()
    covered = sum(n for row, n in kept.items() if max(row) >= 0)
    assert some.sampled == covered / whole.analysis.covered
    assert 0.5 ** (some.level + 0.5) < some.sampled < 0.5 ** (some.level - 0.5)


def test_a_model_of_a_sample_says_so_and_comes_back_from_its_file(tmp_path):
    """Its parameters and its file name the share; without a sample, file and parameters are as they always were."""
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 3, 9000)
    wrong = rng.integers(0, 3, (9000, 9))
    matrix = np.where(rng.random((9000, 9)) < 0.6, gold[:, None], np.where(rng.random((9000, 9)) < 0.5, wrong, -1))
    table = table_of(matrix)
    whole, some = DawidSkene().fit(table), DawidSkene().fit_state(VoteState.of(table, most=2_048))
    assert 0 < some.sampled_ < 1
    assert some.parameters() == {**whole.parameters(), "sampled": repr(some.sampled_)}
    assert all(b'"v":3}' in model.to_bytes() for model in (whole, some))
    (tmp_path / "label_model.json").write_bytes(some.to_bytes())
    again = labelmodels.load(tmp_path / "label_model.json")
    assert (again.sampled_, again.to_bytes()) == (some.sampled_, some.to_bytes())
    assert (some.predict(table) == whole.predict(table)).mean() > 0.98
    refitted = some.fit(table)
    assert (refitted.sampled_, refitted.to_bytes()) == (1.0, whole.to_bytes())


@pytest.mark.parametrize("share", ["0.0", "1.0", "1.5", "-0.1", "nan", "[0.5]", "much"])
def test_a_share_that_is_none_is_refused_in_a_file(tmp_path, share):
    """A file of a sampled model tells a share between 0 and 1."""
    some = DawidSkene().fit_state(VoteState.of(table_of(many_patterns()), most=2_048))
    data = some.to_bytes().replace(f'"sampled":"{some.sampled_!r}"'.encode(), f'"sampled":"{share}"'.encode())
    (tmp_path / "label_model.json").write_bytes(data)
    with pytest.raises(InvalidRecord):
        labelmodels.load(tmp_path / "label_model.json")


def test_states_of_other_votes_do_not_add(table):
    """Other columns, source versions, classes or limits are named."""
    one = VoteState.of(np.zeros((2, 2), dtype=np.int8), n_classes=2)
    with pytest.raises(InvalidRecord, match="columns: given"):
        one + VoteState.of(np.zeros((2, 3), dtype=np.int8), n_classes=2)
    with pytest.raises(InvalidRecord, match="classes: given"):
        one + VoteState.of(np.zeros((2, 2), dtype=np.int8), n_classes=3)
    with pytest.raises(InvalidRecord, match="most: given 2000"):
        one + VoteState.of(np.zeros((2, 2), dtype=np.int8), n_classes=2, most=2_000)
    for most in (1_023, 0, -1, 2_000.0, True):
        with pytest.raises(InvalidRecord, match="most: given"):
            VoteState.of(table, most=most)
    with pytest.raises(InvalidRecord, match="n_classes: given 3"):
        VoteState.of(table, n_classes=3)


def test_a_state_of_nothing_teaches_nothing():
    """A state without rows or without a vote is one, and no model learns of it."""
    for empty in (np.empty((0, 3), dtype=np.int8), np.full((4, 3), -2, dtype=np.int8)):
        state = VoteState.of(empty, n_classes=2)
        assert state.sampled == 1.0
        for model in labelmodels.methods().values():
            with pytest.raises(InvalidRecord, match="no vote at all"):
                model.Model().fit_state(state)


def test_hashes_know_columns_by_name():
    """Moved columns have the hashes that they had; other names, and other votes, have others."""
    matrix, names = np.unique(many_patterns(500), axis=0), tuple("abcdefghi")
    found = pattern_hashes(matrix, names)
    assert (pattern_hashes(matrix[:, ::-1], names[::-1]) == found).all()
    assert len(np.unique(found)) == len(matrix)
    assert not (pattern_hashes(matrix, names[::-1]) == found).any()
    assert abs((found >> np.uint64(63)).mean() - 0.5) < 0.1
