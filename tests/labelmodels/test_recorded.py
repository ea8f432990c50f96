"""A captured label model labels votes as its own library did, as far as its file says."""

from __future__ import annotations

import numpy as np
import pytest

from governance.labelmodels.captured import CapturedModel
from governance.labelmodels.recorded import RecordedModel


def captured(method, conditional=()):
    return CapturedModel(
        method=method,
        classes=("no", "yes"),
        columns=("a", "b", "c"),
        sources=("source:" + "1" * 64, "source:" + "2" * 64, "source:" + "3" * 64),
        parameters={},
        balance=(0.4, 0.6) if conditional else (),
        conditional=conditional,
    )


def test_a_naive_bayes_is_multiplied_out():
    """P(class) times P(vote | class) of who votes; nothing of who is silent."""
    tables = tuple(((p, 1 - p), (1 - p, p)) for p in (0.9, 0.7, 0.6))
    model = RecordedModel(captured("LabelModel", tables))
    proba = model.predict_proba(np.array([[1, 0, -1], [-1, -1, -2]], dtype=np.int8))
    yes, no = 0.6 * 0.9 * 0.3, 0.4 * 0.1 * 0.7
    assert proba[0] == pytest.approx([no / (yes + no), yes / (yes + no)])
    assert proba[1] == pytest.approx([0.4, 0.6])
    assert model.predict(np.array([[1, 0, -1], [-1, -1, -2]], dtype=np.int8)).tolist() == [1, -1]


def test_a_majority_is_counted_and_abstains_on_a_tie():
    """As its library does by default."""
    model = RecordedModel(captured("MajorityLabelVoter"))
    votes = np.array([[1, 1, 0], [1, 0, -1], [-1, -1, -1], [0, -3, -2]], dtype=np.int8)
    assert model.predict(votes).tolist() == [1, -1, -1, 0]
    assert model.able


def test_any_other_method_is_asked_nothing():
    """Its file does not say how votes add up."""
    assert not RecordedModel(captured("RandomVoter")).able
    assert not RecordedModel(captured("LabelModel")).able


def test_how_a_model_was_asked_is_seen_in_the_labels_that_it_gave():
    """Whoever called it decided on ties and on rows where nobody votes; no file says so."""
    votes = np.array([[1, 1, 0], [1, 0, -1], [-1, -1, -1], [0, -3, -2]], dtype=np.int8)
    model = RecordedModel(captured("MajorityLabelVoter"))
    for labels in ([1, -1, -1, 0], [1, 0, -1, 0], [1, 0, 0, 0]):
        assert model.that_gave(np.array(labels), votes).predict(votes).tolist() == labels
    assert RecordedModel(captured("RandomVoter")).ways() == ()


def test_what_every_class_makes_impossible_has_no_label():
    """Votes that the model says nobody casts: there is no number to choose by, and no warning either."""
    never = (((1.0, 1.0), (0.0, 0.0)),) * 3
    votes = np.array([[1, -1, -1], [0, -1, -1]], dtype=np.int8)
    assert [one.predict(votes).tolist() for one in RecordedModel(captured("LabelModel", never)).ways()] == [[-1, 1]] * 4
