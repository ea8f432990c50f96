"""The smallest set of votes whose removal changes a label is the one that trying every set finds."""

from __future__ import annotations

import numpy as np
import pytest
from labelmodel_votes import simulated, table_of

from governance.labelmodels._base import ranked
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.explain import explain
from governance.labelmodels.flipping import added_up, leading, smallest_flip

CASES = 10_000


def drawn(random):
    """A row of evidence: two to five classes, one to seven votes; a third of them on a coarse grid, where much is tied."""
    classes, votes = int(random.integers(2, 6)), int(random.integers(1, 8))
    prior = np.log(random.dirichlet(np.full(classes, 2.0)))
    evidence = np.log(random.dirichlet(np.full(classes, random.choice([0.5, 2.0, 10.0])), size=votes))
    if random.random() < 1 / 3:
        prior = np.log(np.full(classes, 1 / classes))
        evidence = np.log(random.choice([0.1, 0.2, 0.4, 0.8], size=(votes, classes)))
    return prior, evidence


def smallest_by_trying(prior, evidence, label):
    """How many votes the smallest of all sets has without which another label, or none, is left."""
    votes = len(evidence)
    removed = (np.arange(2**votes)[:, None] >> np.arange(votes)) & 1
    labels = ranked(prior + (1 - removed) @ evidence)[0]
    labels[-1] = -1
    return int(removed.sum(axis=1)[labels != label].min())


def test_ten_thousand_cases_are_as_trying_every_set_has_it():
    """Size by size; and the set that is named does what it is named for."""
    random = np.random.default_rng(7)
    sizes, tied = [], 0
    for _ in range(CASES):
        prior, evidence = drawn(random)
        label, _, is_tied = leading(added_up(prior, evidence).tolist())
        found = smallest_flip(prior, evidence, label)
        assert len(found.removed) == len(set(found.removed)) == smallest_by_trying(prior, evidence, label)
        kept = np.delete(evidence, found.removed, axis=0)
        now = int(ranked((prior + kept.sum(axis=0))[None, :])[0][0]) if len(kept) else -1
        assert now == found.label != label
        sizes.append(len(found.removed))
        tied += is_tied
    # The cases are worth trying: some need one vote and some many, and some labels are won by the rule for ties alone.
    assert min(sizes) == 1
    assert max(sizes) == 7
    assert tied > 100


def test_one_row_is_ranked_as_many_are():
    """Label, runner-up and tie of a row are those of the batch path, also where scores differ in their last bits."""
    random = np.random.default_rng(3)
    for _ in range(500):
        scores = np.log(random.choice([0.1, 0.2, 0.7], size=int(random.integers(2, 6))))
        scores += random.integers(-2, 3, len(scores)) * np.spacing(scores)
        label, runner_up = (int(one[0]) for one in ranked(scores[None, :]))
        assert leading(scores.tolist())[:2] == (label, runner_up)


def test_one_vote_alone_leaves_no_label():
    """Without the only vote there is none, whatever the prior says."""
    found = smallest_flip(np.log([0.01, 0.99]), np.log([[0.5, 0.5]]), 1)
    assert (found.removed, found.label) == ((0,), -1)


def test_a_label_that_all_votes_speak_for_is_lost_only_with_all_of_them():
    """The prior agrees too, so that nothing less than every vote changes it."""
    found = smallest_flip(np.log([0.2, 0.8]), np.log([[0.1, 0.9]] * 4), 1)
    assert (sorted(found.removed), found.label) == ([0, 1, 2, 3], -1)


def test_of_equal_votes_the_earlier_ones_are_named():
    """Two copies of one vote: the set is the same each time."""
    prior, evidence = np.log([0.6, 0.4]), np.log([[0.2, 0.8], [0.2, 0.8], [0.2, 0.8], [0.8, 0.2]])
    found = smallest_flip(prior, evidence, 1)
    assert (found.removed, found.label) == ((0, 1), 0)


def test_the_explanation_names_columns_and_the_label_that_is_left():
    """What is named, removed from the row, gives that label by the batch path; silence is never named."""
    matrix, _ = simulated(rows=200, classes=3, seed=4)
    table = table_of(matrix, classes=("a", "b", "c"))
    model = DawidSkene(strength=5.0).fit(table)
    for row in matrix:
        told = explain(model, row)
        if told.flip is None:
            assert (row < 0).all()
            continue
        places = [model.columns_.index(column) for column in told.flip.columns]
        assert (row[places] >= 0).all()
        left = row.copy()
        left[places] = -1
        assert model.predict(left[None, :]).tolist() == [told.flip.label]
        assert told.flip.label_name == (table.classes[told.flip.label] if told.flip.label >= 0 else None)


@pytest.mark.parametrize("votes", [1, 40, 1000])
def test_many_sources_and_classes_are_no_other_case(votes):
    """127 classes and up to 1,000 sources: the set still does what it is named for, and one vote fewer does not."""
    random = np.random.default_rng(votes)
    prior = np.log(random.dirichlet(np.full(127, 2.0)))
    evidence = np.log(random.dirichlet(np.full(127, 2.0), size=votes))
    label = leading(added_up(prior, evidence).tolist()).label
    found = smallest_flip(prior, evidence, label)
    for removed, changes in ((found.removed, True), (found.removed[:-1], False)):
        kept = np.delete(evidence, removed, axis=0)
        now = leading(added_up(prior, kept).tolist()).label if len(kept) else -1
        assert (now != label) is changes
