from __future__ import annotations

import json

import numpy as np
import pytest
from labelmodel_votes import simulated

from governance import labelmodels
from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.labelmodels.dawid_skene import DawidSkene


def test_the_shelf_holds_exactly_the_methods():
    """Every module with a Model is a method under its own name; furniture and explanations are none."""
    assert set(labelmodels.methods()) == {"crowd", "dawid_skene", "majority", "one_voice", "snorkel"}
    for name, module in labelmodels.methods().items():
        assert module.Model.method == name
        assert labelmodels.method(name) is module.Model
    with pytest.raises(UnknownName, match="no label model is named 'dawid_sken'"):
        labelmodels.method("dawid_sken")


@pytest.mark.parametrize("name", ["dawid_skene", "majority"])
def test_every_method_comes_back_from_its_file_bit_for_bit(name, table, tmp_path):
    """A saved model predicts the same bits, says the same of itself, and is written as the same bytes again."""
    model = labelmodels.method(name)().fit(table)
    path = tmp_path / "label_model.json"
    path.write_bytes(model.to_bytes())
    again = labelmodels.load(path)
    assert type(again) is type(model)
    assert (again.predict_proba(table) == model.predict_proba(table)).all()
    assert (again.predict(table) == model.predict(table)).all()
    assert (again.classes_, again.columns_, again.sources_) == (table.classes, table.columns, table.sources)
    assert again.to_bytes() == model.to_bytes()


@pytest.mark.parametrize("name", ["dawid_skene", "majority"])
def test_every_method_answers_with_probabilities(name, table):
    """On any method rows sum to one, covered rows have a label, and parameters are what the constructor was given."""
    model = labelmodels.method(name)().fit(table)
    np.testing.assert_allclose(model.predict_proba(table).sum(axis=1), 1, atol=1e-12)
    assert ((model.predict(table) >= 0) == (table.matrix >= 0).any(axis=1)).all()
    assert type(model)(**model.get_params()).get_params() == model.get_params()


def test_parameters_survive_with_their_types(table, tmp_path):
    """A given balance, strength and limit come back as they were given."""
    model = DawidSkene(balance=[0.25, 0.75], strength=12.5, max_iterations=7).fit(table)
    assert model.parameters() == {
        "balance": "[0.25,0.75]",
        "copies": "share",
        "diagonal": "0.5",
        "max_iterations": "7",
        "strength": "12.5",
        "tolerance": "0.001",
    }
    path = tmp_path / "label_model.json"
    path.write_bytes(model.to_bytes())
    again = labelmodels.load(path)
    assert isinstance(again, DawidSkene)
    assert again.get_params() == {**model.get_params(), "diagonal": 0.5}
    assert (again.iterations_, again.converged_, again.objective_) == (7, model.converged_, model.objective_)
    assert again.balance_origin_ == "given"


def test_an_anonymous_matrix_cannot_be_saved():
    """A model whose columns have no source versions predicts, and refuses to become a file."""
    model = DawidSkene().fit(simulated()[0], n_classes=2)
    with pytest.raises(InvalidRecord, match="the source version of every column"):
        model.to_bytes()


def _set(path, value):
    def change(told):
        *front, last = path
        for key in front:
            told = told[key]
        told[last] = value

    return change


def _drop(*path):
    def change(told):
        *front, last = path
        for key in front:
            told = told[key]
        del told[last]

    return change


FAULTS = {
    "method_unknown": (_set(["method"], "flyingsquid"), "no label model is named 'flyingsquid'"),
    "method_a_number": (_set(["method"], 3), "method: given 3"),
    "format_of_others": (_set(["format"], "other"), "format, v"),
    "version_of_tomorrow": (_set(["v"], 3), "format, v"),
    "sampled_in_version_1": (_set(["parameters", "sampled"], "0.5"), "parameters.sampled"),
    "field_missing": (_drop("sources"), "an object with classes, columns"),
    "classes_one": (_set(["classes"], ["a"]), "2 to 127 classes"),
    "classes_no_list": (_set(["classes"], "ab"), "classes: .*wanted a list"),
    "source_lost": (_set(["sources", 0], "vader"), "a source version"),
    "column_twice": (_set(["columns", 0], "s1"), "each source once"),
    "parameter_unknown": (_set(["parameters", "seed"], "1"), "parameters.seed"),
    "parameter_no_text": (_set(["parameters", "strength"], 1), "wanted text"),
    "strength_negative": (_set(["parameters", "strength"], "-1.0"), "strength: given -1.0"),
    "state_missing": (_drop("state", "order"), "state: "),
    "balance_nan": (_set(["state", "balance", 0], "nan"), r"state.balance\[0\]: given 'nan'"),
    "balance_of_other_sum": (_set(["state", "balance", 0], "0.9"), "balance: .*sum to 1"),
    "balance_too_long": (
        _set(["state", "balance"], ["0.2", "0.3", "0.5"]),
        "state.balance: given 3, wanted a list of 2",
    ),
    "balance_a_float_in_long_form": (_set(["state", "balance", 0], "0.50"), "shortest decimal"),
    "balance_from_nowhere": (_set(["state", "balance_origin"], "guess"), "given, estimated or gold"),
    "table_infinite": (_set(["state", "log_likelihood", 0, 0, 0], "-inf"), r"log_likelihood\[0\]\[0\]\[0\]"),
    "table_of_other_sum": (_set(["state", "log_likelihood", 0, 0, 0], "-0.001"), "probabilities sum to 1"),
    "table_ragged": (_set(["state", "log_likelihood", 0, 0], ["0.0"]), r"log_likelihood\[0\]\[0\]: given 1"),
    "order_incomplete": (_set(["state", "order", 0], 1), "every column once"),
    "voice_of_nobody": (_set(["state", "voices", 0], "0.0"), "state.voices.*above 0, up to 1"),
    "voice_too_loud": (_set(["state", "voices", 0], "1.5"), "state.voices.*above 0, up to 1"),
    "voice_lost": (_drop("state", "voices"), "state: "),
    "order_of_text": (_set(["state", "order", 0], "0"), "every column once"),
    "iterations_of_text": (_set(["state", "iterations"], "7"), "a whole number and true or false"),
    "objective_of_text": (_set(["state", "objective"], "good"), "state.objective"),
}


@pytest.fixture(params=FAULTS)
def faulty_model(request, tmp_path, table):
    change, says = FAULTS[request.param]
    model = DawidSkene(max_iterations=3).fit(table)
    told = json.loads(model.to_bytes())
    if request.param in ("order_incomplete", "order_of_text"):
        told["state"]["order"] = list(range(5))
    change(told)
    path = tmp_path / f"label_model_{request.param}.json"
    path.write_bytes(canonical(told) + b"\n")
    return path, says


def test_a_faulty_file_is_refused_by_its_field(faulty_model):
    """Every fault in a label model's file is one error that names file and field; none becomes a prediction."""
    path, says = faulty_model
    with pytest.raises((InvalidRecord, UnknownName), match=says):
        labelmodels.load(path)


def test_a_file_that_is_no_label_model_is_refused(table, tmp_path):
    """Missing, empty, truncated and reformatted files are each one clear error."""
    whole = DawidSkene(max_iterations=3).fit(table).to_bytes()
    with pytest.raises(ConfigurationError, match="no such file"):
        labelmodels.load(tmp_path / "missing.json")
    pretty = json.dumps(json.loads(whole), indent=1).encode() + b"\n"
    for name, data in {"empty": b"", "truncated": whole[:200] + b"\n", "pretty": pretty, "list": b"[]\n"}.items():
        (tmp_path / f"{name}.json").write_bytes(data)
        with pytest.raises(InvalidRecord):
            labelmodels.load(tmp_path / f"{name}.json")


def test_a_majority_without_its_balance_is_refused(table, tmp_path):
    """The state of a majority vote is its balance and nothing else."""
    told = json.loads(labelmodels.method("majority")().fit(table).to_bytes())
    told["state"] = {"order": []}
    (tmp_path / "majority.json").write_bytes(canonical(told) + b"\n")
    with pytest.raises(InvalidRecord, match="the balance"):
        labelmodels.load(tmp_path / "majority.json")
