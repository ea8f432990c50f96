"""What every label model on the shelf keeps, whichever it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from labelmodel_votes import simulated
from sklearn.base import clone

from governance import labelmodels
from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.labelmodels._base import normalised
from governance.labelmodels.explain import explain

#: what a method must be told before it can learn
TOLD = {"snorkel": {"seed": 7, "n_epochs": 20}}
METHODS = sorted(labelmodels.methods())
ADDITIVE = ["crowd", "dawid_skene", "snorkel"]


def fresh(name: str):
    return labelmodels.method(name)(**TOLD.get(name, {}))


@pytest.mark.parametrize("name", METHODS)
def test_two_fits_give_the_same_bytes(name, table):
    """The same votes and parameters give the same file and the same probabilities, bit for bit."""
    one, two = fresh(name).fit(table), fresh(name).fit(table)
    assert one.to_bytes() == two.to_bytes()
    assert one.predict_proba(table).tobytes() == two.predict_proba(table).tobytes()


@pytest.mark.parametrize("name", METHODS)
def test_labels_beside_the_votes_are_refused_and_none_are_taken(name, table):
    """scikit-learn gives every estimator a y: None is taken, and labels are told that nothing is learned from them."""
    assert fresh(name).fit(table, None).to_bytes() == fresh(name).fit(table).to_bytes()
    assert (fresh(name).fit_predict(table, None) == fresh(name).fit_predict(table)).all()
    for learn in (fresh(name).fit, fresh(name).fit_predict):
        for given in ({"y": [0, 1]}, {"y": np.zeros(2)}, {"y": 2}):
            with pytest.raises(InvalidRecord, match=f"{name}: y: given .*, wanted none: label models learn without"):
                learn(table, **given)


@pytest.mark.parametrize("name", METHODS)
def test_rows_and_columns_may_come_in_any_order(name):
    """Rows and columns put otherwise move no probability by more than 1e-12, and no label."""
    matrix, _ = simulated(rows=400)
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(len(matrix)), rng.permutation(matrix.shape[1])
    one = fresh(name).fit(matrix, n_classes=2)
    two = fresh(name).fit(matrix[rows][:, columns], n_classes=2)
    moved = matrix[rows][:, columns]
    np.testing.assert_allclose(two.predict_proba(moved), one.predict_proba(matrix)[rows], atol=1e-12)
    assert (two.predict(moved) == one.predict(matrix)[rows]).all()


@pytest.mark.parametrize("name", METHODS)
def test_a_saved_model_comes_back_bit_for_bit(name, table, tmp_path):
    """The file gives the same parameters, file and scores again."""
    model = fresh(name).fit(table)
    (tmp_path / "label_model.json").write_bytes(model.to_bytes())
    again = labelmodels.load(tmp_path / "label_model.json")
    assert (type(again), again.to_bytes()) == (type(model), model.to_bytes())
    assert again.predict_scores(table).tobytes() == model.predict_scores(table).tobytes()
    assert (again.predict(table) == model.predict(table)).all()


@pytest.mark.parametrize("name", METHODS)
def test_a_clone_learns_the_same_and_is_not_the_same(name, table):
    """scikit-learn's clone gives an unfitted model of equal parameters."""
    model = fresh(name).fit(table)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(ConfigurationError, match="has learned nothing yet"):
        copy.predict(table)
    assert copy.fit(table).to_bytes() == model.to_bytes()
    with pytest.raises(UnknownName):
        copy.set_params(no_such_parameter=1)


@pytest.mark.parametrize("name", METHODS)
def test_probabilities_sum_to_one_and_silence_has_no_label(name, table):
    """Every row sums to 1; where nobody votes the label is ABSTAIN and the probabilities are the balance."""
    model = fresh(name).fit(table)
    proba = model.predict_proba(table)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    nobody = np.full((2, 5), -1, dtype=np.int8)
    assert model.predict(nobody).tolist() == [-1, -1]
    np.testing.assert_allclose(model.predict_proba(nobody)[0], model.balance_, rtol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_bad_votes_are_one_error(name):
    """All silence, no rows, more classes than declared, no whole numbers, NaN, other columns."""
    matrix, _ = simulated(rows=50)
    bad = {
        "all_silent": np.full((4, 5), -1, dtype=np.int8),
        "no_rows": np.empty((0, 5), dtype=np.int8),
        "class_undeclared": np.array([[0, 1, 2, 0, 1]], dtype=np.int8),
        "nan": np.array([[0.0, 1.0, np.nan, 0.0, 1.0]]),
        "one_dimension": np.array([0, 1], dtype=np.int8),
    }
    for fault, votes in bad.items():
        with pytest.raises(InvalidRecord):
            fresh(name).fit(votes, n_classes=2)
            pytest.fail(fault)
    model = fresh(name).fit(matrix, n_classes=2)
    with pytest.raises(InvalidRecord):
        model.predict(matrix[:, :3])


@pytest.mark.parametrize("name", METHODS)
def test_weights_count_rows(name):
    """A row of weight 3 is a row that stands there three times."""
    matrix, _ = simulated(rows=120)
    weights = np.random.default_rng(1).integers(0, 4, len(matrix))
    one = fresh(name).fit(matrix, n_classes=2, sample_weight=weights)
    two = fresh(name).fit(np.repeat(matrix, weights, axis=0), n_classes=2)
    np.testing.assert_allclose(one.predict_proba(matrix), two.predict_proba(matrix), atol=1e-12)


@pytest.mark.parametrize("name", ADDITIVE)
def test_contributions_add_up_to_the_log_odds(name, table):
    """Prior and contributions of every row sum to the label's log-odds, and the label is that of `predict`."""
    model = fresh(name).fit(table)
    labels = model.predict(table)
    for row in range(0, 60):
        told = explain(model, table.matrix[row].tolist())
        assert told.label == labels[row]
        if told.log_odds is not None:
            total = told.prior + sum(part.log_odds for part in told.contributions)
            assert total == pytest.approx(told.log_odds, abs=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_state_with_something_too_much_is_refused(name, table, tmp_path):
    """A field that the method does not know makes a file unreadable, by name."""
    told = json.loads(fresh(name).fit(table).to_bytes())
    told["state"]["surplus"] = "1"
    (tmp_path / "label_model.json").write_bytes(canonical(told) + b"\n")
    with pytest.raises(InvalidRecord, match="state"):
        labelmodels.load(tmp_path / "label_model.json")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("classes", [2, 127])
def test_two_to_127_classes_are_learned(name, classes):
    """The fewest and the most classes that there may be."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, classes, 400)
    matrix = np.column_stack([np.where(rng.random(400) < 0.8, gold, rng.integers(0, classes, 400)) for _ in range(4)])
    model = fresh(name).fit(matrix.astype(np.int8), n_classes=classes)
    assert (model.predict(matrix) == gold).mean() > 0.75
    assert np.isfinite(normalised(model.predict_scores(matrix))).all()
