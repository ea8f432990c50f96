"""Where the label model and majority vote differ, counted by hand."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelmodel_votes import simulated, table_of

from governance.checks import differs
from governance.errors import InvalidRecord
from governance.labelmodels.beside import differences
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.explain import explain
from governance.labelmodels.majority import MajorityVote
from governance.labelmodels.one_voice import OneVoice

SUBJECT = "labels:" + "0" * 64


@given(st.integers(0, 10**6))
def test_differences_are_what_a_loop_over_the_rows_counts(seed):
    """Rows, ties, places and patterns."""
    table = table_of(simulated(rows=120, seed=seed)[0])
    model, majority = DawidSkene(strength=5).fit(table), MajorityVote().fit(table)
    found = differences(model, majority, table, most=1000)
    label, plain = model.predict(table), majority.predict(table, ties=False)
    covered = (table.matrix >= 0).any(axis=1)
    differing = np.flatnonzero(covered & (label != plain))
    assert (found.covered, found.rows) == (int(covered.sum()), len(differing))
    assert found.ties == int((plain[differing] == -1).sum())
    counts = Counter(tuple(np.maximum(table.matrix[row], -1)) for row in differing)
    assert [one.rows for one in found.most] == sorted(counts.values(), reverse=True)
    assert found.patterns == len(counts)
    assert sum(there for _, there, _ in found.by_voting) == found.covered
    assert sum(differ for *_, differ in found.by_voting) == found.rows


def test_both_sides_are_named_with_what_they_weigh():
    """The log-odds of both sides are those of the explanation."""
    table = table_of(simulated(rows=600, accuracies=(0.97, 0.6, 0.6), coverage=1.0)[0])
    model = DawidSkene(strength=1, balance=[0.35, 0.65]).fit(table)
    (first, *_) = differences(model, MajorityVote().fit(table), table).most
    assert (first.for_it, first.against) == (("s0",), ("s1", "s2"))
    assert first.log_odds_for > 0 > first.log_odds_against
    row = next(r for r in table.matrix if model.classes_[r[0]] == first.label and r[1] == r[2] != r[0])
    parts = {part.column: part.log_odds for part in explain(model, row.tolist()).contributions}
    assert first.log_odds_for == pytest.approx(parts["s0"])
    says = differs.check(50, 600, subject=SUBJECT, most=[first]).says
    assert "by s0 against s1, s2" in says


@pytest.mark.parametrize("method", [DawidSkene, partial(OneVoice, voices=[0, 0, 2, 3, 4])], ids=["alone", "one_voice"])
def test_no_order_of_columns_can_be_seen(method):
    """Columns are found by name, whichever table the model, majority vote and the question have."""
    votes = simulated(rows=400, accuracies=(0.97, 0.6, 0.6, 0.6, 0.55), seed=3)[0]
    table = table_of(votes)
    order = [3, 0, 4, 2, 1]
    turned = table_of(votes[:, order], columns=[f"s{j}" for j in order])
    model, majority = method().fit(table), MajorityVote().fit(table)
    expected = differences(model, majority, table, most=1000)
    assert expected.rows == int((model.predict(table) != majority.predict(table, ties=False)).sum()) > 0
    assert differences(model, majority, turned, most=1000) == expected
    assert differences(model, MajorityVote().fit(turned), turned, most=1000) == expected
    others = table_of(votes, columns=["a", "b", "c", "d", "e"])
    with pytest.raises(InvalidRecord, match="exactly the source versions"):
        differences(model, MajorityVote().fit(others), table)


def test_whatever_adds_up_says_what_both_sides_weigh():
    """A crowd's log-odds are told as those of Dawid-Skene; a crash and an abstention are one pattern."""
    table = table_of(simulated(rows=600, accuracies=(0.97, 0.6, 0.6), coverage=0.8)[0])
    silent = table_of(np.maximum(table.matrix, -1))
    model, majority = Crowd(strength=1.0, balance=[0.35, 0.65]).fit(table), MajorityVote().fit(table)
    found = differences(model, majority, table)
    assert found == differences(model, majority, silent)
    assert found.most[0].log_odds_for > 0


def test_many_overruled_rows_are_a_reason_to_look():
    """Measured beside the limit; ties are decided, not overruled."""
    assert differs.check(30, 100, subject=SUBJECT, limit=0.2).outcome == "fail"
    assert differs.check(30, 100, subject=SUBJECT, ties=15, limit=0.2).outcome == "pass"
    assert differs.check(0, 100, subject=SUBJECT).says.endswith("(0.0 %).")
