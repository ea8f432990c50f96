from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import clone

from governance import labelmodels
from governance.errors import InvalidRecord
from governance.labelmodels.balance import GoldBalance, balance_of_gold
from governance.labelmodels.crowd import Crowd
from governance.labelmodels.dawid_skene import DawidSkene
from governance.labelmodels.snorkel import SnorkelLabelModel

MODELS = [DawidSkene, Crowd, lambda **told: SnorkelLabelModel(seed=1, n_epochs=5, **told)]


def test_a_balance_of_gold_is_counted_with_one_row_more_a_class():
    """Rows without gold are left out."""
    assert balance_of_gold([0, 0, 1, -1, 0], n_classes=2) == pytest.approx((4 / 6, 2 / 6))
    some = balance_of_gold(np.array([2, 0]), n_classes=4, smoothing=0.5)
    assert some == pytest.approx((1.5 / 4, 0.5 / 4, 1.5 / 4, 0.5 / 4))
    assert sum(balance_of_gold([0, 1, 2] * 7, n_classes=3, smoothing=0)) == pytest.approx(1, abs=1e-15)


GOLD_FAULTS = {
    "no_gold": ({"gold": [-1, -1]}, "no row with gold"),
    "empty": ({"gold": []}, "no row with gold"),
    "class_undeclared": ({"gold": [0, 2]}, "from 0 to 1"),
    "floats": ({"gold": [0.0, 1.0]}, "a class index for each row"),
    "a_matrix": ({"gold": [[0, 1]]}, "a class index for each row"),
    "class_unseen": ({"gold": [0, 0], "smoothing": 0}, "no row of class 1"),
    "smoothing_negative": ({"gold": [0, 1], "smoothing": -1}, "smoothing"),
    "smoothing_nan": ({"gold": [0, 1], "smoothing": float("nan")}, "smoothing"),
}


@pytest.mark.parametrize("fault", GOLD_FAULTS)
def test_gold_that_gives_no_balance_is_refused(fault):
    """One error, by its field."""
    told, says = GOLD_FAULTS[fault]
    with pytest.raises(InvalidRecord, match=says):
        balance_of_gold(**told, n_classes=2)


@pytest.mark.parametrize("model", MODELS)
def test_the_origin_of_a_balance_is_kept(model, table, tmp_path):
    """Given, estimated or from gold: the file says so, and so does the model that comes back from it."""
    gold = balance_of_gold([0, 1, 1], n_classes=2)
    for balance, origin in ((list(gold), "given"), (gold, "gold")):
        fitted = model(balance=balance).fit(table)
        assert fitted.balance_origin_ == json.loads(fitted.to_bytes())["state"]["balance_origin"] == origin
        (tmp_path / "label_model.json").write_bytes(fitted.to_bytes())
        again = labelmodels.load(tmp_path / "label_model.json")
        assert again.balance_origin_ == origin
        assert isinstance(again.balance, GoldBalance) == (origin == "gold")
        assert clone(again).fit(table).to_bytes() == fitted.to_bytes()


def test_nothing_given_is_estimated_by_ours_and_assumed_by_snorkel(table):
    """snorkel takes all classes for equally likely, which is a balance that was given, if by nobody who knows."""
    assert DawidSkene().fit(table).balance_origin_ == "estimated"
    assert Crowd().fit(table).balance_origin_ == "estimated"
    assumed = SnorkelLabelModel(seed=1, n_epochs=5).fit(table)
    assert (assumed.balance_origin_, assumed.balance_.tolist()) == ("given", [0.5, 0.5])
