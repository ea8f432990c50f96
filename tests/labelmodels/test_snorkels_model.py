from __future__ import annotations

import builtins
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from labelmodel_votes import simulated, table_of

from governance import labelmodels
from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord
from governance.labelmodels.captured import CapturedModel
from governance.labelmodels.snorkel import SnorkelLabelModel


@pytest.mark.parametrize("classes", [2, 3])
def test_it_answers_as_snorkel_answers(classes):
    """Probabilities are those of snorkel's own predict_proba, within what its single precision can tell."""
    from snorkel.labeling.model import LabelModel

    matrix, _ = simulated(rows=400, classes=classes, seed=classes)
    matrix = np.maximum(matrix, -1)[(matrix >= 0).any(axis=1)]
    theirs = LabelModel(cardinality=classes, verbose=False)
    theirs.fit(matrix.astype(int), seed=11, progress_bar=False)
    ours = SnorkelLabelModel(seed=11).fit(matrix, n_classes=classes)
    np.testing.assert_allclose(ours.predict_proba(matrix), theirs.predict_proba(matrix.astype(int)), atol=2e-5)


def test_the_seed_is_named_and_kept(table):
    """Without a seed it is refused, with the reason; with one the file says which."""
    with pytest.raises(InvalidRecord, match="seed: given None") as refused:
        SnorkelLabelModel().fit(table)
    assert "when it is imported" in refused.value.hint
    assert json.loads(SnorkelLabelModel(seed=5, n_epochs=3).fit(table).to_bytes())["parameters"]["seed"] == "5"


def test_the_draws_of_the_process_go_on_as_if_nothing_had_been(table):
    """snorkel seeds three generators of the whole process; what they give next does not depend on it."""

    def drawn():
        return random.random(), float(np.random.random()), float(torch.rand(1))  # noqa: S311

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = drawn()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    SnorkelLabelModel(seed=9, n_epochs=3).fit(table)
    assert drawn() == expected


def test_without_snorkel_it_says_how_to_get_it_and_still_reads_its_files(table, monkeypatch, tmp_path):
    """Fitting names the extra; a saved model labels and explains without snorkel."""
    fitted = SnorkelLabelModel(seed=2, n_epochs=5).fit(table)
    (tmp_path / "label_model.json").write_bytes(fitted.to_bytes())
    real = builtins.__import__

    def none_of_snorkel(name, *rest, **named):
        if name.startswith("snorkel"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", none_of_snorkel)
    with pytest.raises(ConfigurationError, match="not installed") as missing:
        SnorkelLabelModel(seed=2).fit(table)
    assert "labeltrail[snorkel]" in missing.value.hint
    again = labelmodels.load(tmp_path / "label_model.json")
    assert (again.predict_scores(table) == fitted.predict_scores(table)).all()


def test_loading_a_file_imports_nothing_of_snorkel(table, tmp_path):
    """A process that reads the file and labels has no module of snorkel."""
    (tmp_path / "label_model.json").write_bytes(SnorkelLabelModel(seed=2, n_epochs=5).fit(table).to_bytes())
    script = (
        "import sys, pathlib, numpy as np; from governance import labelmodels\n"
        "model = labelmodels.load(pathlib.Path(sys.argv[1]))\n"
        "print(model.predict(np.zeros((1, 5), dtype=np.int8))[0], any(m.split('.')[0] == 'snorkel' for m in sys.modules))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "label_model.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False"]


def test_it_agrees_with_what_is_captured_of_a_script(table):
    """The same numbers in the form that a captured model has give the same scores."""
    model = SnorkelLabelModel(seed=3, n_epochs=10).fit(table)
    captured = CapturedModel(
        method="LabelModel",
        classes=table.classes,
        columns=table.columns,
        sources=table.sources,
        parameters={},
        balance=tuple(model.balance_.tolist()),
        conditional=tuple(tuple(tuple(row) for row in source) for source in model.conditional_.tolist()),
    )
    scores = model.predict_scores(table)
    for row in range(30):
        np.testing.assert_allclose(captured.scores(table.matrix[row].tolist()), scores[row], rtol=1e-12)


FAULTS = {
    "two_sources": ({}, "3 sources at least"),
    "seed_of_text": ({"seed": "1"}, "seed"),
    "seed_negative": ({"seed": -1}, "seed"),
    "epochs_none": ({"n_epochs": 0}, "n_epochs"),
    "rate_nan": ({"lr": float("nan")}, "lr"),
    "l2_negative": ({"l2": -0.1}, "l2"),
    "balance_of_other_sum": ({"balance": [0.5, 0.6]}, "balance"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_snorkel_cannot_learn_from_is_refused_by_name(fault, table):
    """One error of ours, before snorkel is asked."""
    told, says = FAULTS[fault]
    votes = table_of(table.matrix[:, :2]) if fault == "two_sources" else table
    with pytest.raises(InvalidRecord, match=says):
        SnorkelLabelModel(**{"seed": 1, **told}).fit(votes)


def test_weights_that_are_no_whole_numbers_are_refused(table):
    """snorkel learns from rows, and half a row is none."""
    with pytest.raises(InvalidRecord, match="sample_weight"):
        SnorkelLabelModel(seed=1).fit(table, sample_weight=np.full(len(table), 0.5))


@pytest.mark.parametrize(
    ("field", "value"), [("conditional", [["0.5"]]), ("balance_origin", "estimated"), ("order", [0, 0, 1, 2, 3])]
)
def test_a_faulty_file_is_refused(field, value, table, tmp_path):
    """By the field that is wrong."""
    told = json.loads(SnorkelLabelModel(seed=2, n_epochs=3).fit(table).to_bytes())
    told["state"][field] = value
    (tmp_path / "label_model.json").write_bytes(canonical(told) + b"\n")
    with pytest.raises(InvalidRecord, match=f"state.{field}"):
        labelmodels.load(tmp_path / "label_model.json")
