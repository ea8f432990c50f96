"""Does the loop learn, stop, repeat itself and refuse what does not fit?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import governance
from governance.errors import InvalidRecord
from governance.labelmodels.training import confidence, train_soft

ROOT = Path(__file__).parents[2]


def task(rows: int = 300, seed: int = 0):
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, 2, rows)
    features = (draw.normal(size=(rows, 3)) + 1.5 * gold[:, None]).astype(np.float32)
    sure = np.where(draw.random(rows) < 0.85, gold, 1 - gold)
    return features, np.where(sure[:, None] == np.arange(2), 0.9, 0.1), gold


def make() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 2))


def bytes_of(model: torch.nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


def test_it_learns_what_the_labels_say():
    """The loss falls and gold that it never saw is met."""
    features, targets, gold = task()
    trained = train_soft(make, features[:200], targets[:200], seed=1, epochs=30)
    assert trained.epochs[-1].loss < trained.epochs[0].loss
    found = trained.model(torch.from_numpy(features[200:])).argmax(dim=1).numpy()
    assert (found == gold[200:]).mean() > 0.85
    assert (trained.best, trained.stopped_early) == (29, False)
    assert all(epoch.gold_accuracy is None for epoch in trained.epochs)


def test_it_stops_when_gold_no_longer_improves_and_keeps_the_best():
    """The kept weights are those of the best epoch: training for exactly so long gives the same bytes."""
    features, targets, gold = task()
    held = (features[200:], gold[200:])
    trained = train_soft(make, features[:200], targets[:200], seed=1, epochs=200, patience=4, gold=held)
    assert trained.stopped_early
    assert len(trained.epochs) == trained.best + 5
    assert max(epoch.gold_accuracy for epoch in trained.epochs) == trained.epochs[trained.best].gold_accuracy
    again = train_soft(make, features[:200], targets[:200], seed=1, epochs=trained.best + 1)
    assert bytes_of(again.model) == bytes_of(trained.model)
    assert trained.parameters()["best_epoch"] == str(trained.best)


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_callers_draws_alone():
    """Weights, order and dropout come from the seed; another seed is another model."""
    features, targets, _ = task()
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second, other = (train_soft(make, features, targets, seed=seed, epochs=3) for seed in (3, 3, 4))
    assert bytes_of(first.model) == bytes_of(second.model) != bytes_of(other.model)
    assert first.epochs == second.epochs
    assert (torch.random.get_rng_state() == before).all()
    assert not torch.are_deterministic_algorithms_enabled()


def test_two_processes_give_the_same_bytes():
    """In one environment."""
    script = (
        "import hashlib, sys; sys.path[:0] = ['tests/labelmodels']; from test_training import *; f, t, _ = task();"
        "print(hashlib.sha256(bytes_of(train_soft(make, f, t, seed=3, epochs=3).model)).hexdigest())"
    )
    said = [
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1] != ""


def test_a_row_without_weight_teaches_nothing():
    """Turned labels of weight 0 leave the model as it is without these rows' say."""
    features, targets, gold = task()
    turned = np.concatenate([targets, targets[:, ::-1]])
    weight = np.concatenate([np.ones(300), np.zeros(300)])
    trained = train_soft(make, np.concatenate([features, features]), turned, seed=1, weights=weight, epochs=20)
    assert (trained.model(torch.from_numpy(features)).argmax(dim=1).numpy() == gold).mean() > 0.85


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_confidence_is_1_for_the_certain_and_0_for_the_ignorant(parts):
    """Between, for every row of probabilities."""
    classes = len(parts)
    total = sum(parts)
    rows = [np.eye(classes)[0], np.full(classes, 1 / classes)]
    if total > 1e-3:
        rows.append(np.array(parts) / total)
    found = confidence(np.stack(rows))
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx(0, abs=1e-12)
    assert ((found >= 0) & (found <= 1)).all()


def refused(match: str, **changed):
    features, targets, _ = task(20)
    given = {"model": make, "features": features, "targets": targets, "seed": 1, "epochs": 1, **changed}
    with pytest.raises(InvalidRecord, match=match):
        train_soft(given.pop("model"), given.pop("features"), given.pop("targets"), **given)


class Refusing(torch.nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError(f"it does not fit\n{len(x)} rows")


class Answering(torch.nn.Linear):
    def __init__(self, answer) -> None:
        super().__init__(3, 2)
        self.answer = answer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer(x)


BAD = {
    "features_nan": (
        "features\\[2\\]",
        {"features": np.where(np.arange(20)[:, None] < 2, 0.0, np.full((20, 3), np.nan))},
    ),
    "no_rows": ("at least one row", {"features": np.empty((0, 3))}),
    "targets_that_do_not_sum_to_one": ("targets\\[0\\]", {"targets": np.full((20, 2), 0.6)}),
    "negative_targets": ("targets\\[0\\]", {"targets": np.tile([1.5, -0.5], (20, 1))}),
    "hard_targets": ("probabilities, rows x classes", {"targets": np.zeros(20)}),
    "lengths_that_differ": ("a row for each of 20", {"targets": np.tile([0.5, 0.5], (19, 1))}),
    "negative_weights": ("numbers from 0", {"weights": np.full(20, -1.0)}),
    "no_weight_at_all": ("not all of them 0", {"weights": np.zeros(20)}),
    "weights_nan": ("weights\\[0\\]", {"weights": np.full(20, np.nan)}),
    "weights_of_other_rows": ("one number for each of 20", {"weights": np.ones(19)}),
    "weights_by_another_word": ("confidence", {"weights": "entropy"}),
    "gold_of_another_class": ("class indices", {"gold": (np.zeros((2, 3), "f4"), np.array([0, 2]))}),
    "gold_of_other_rows": ("one class index", {"gold": (np.zeros((2, 3), "f4"), np.array([0]))}),
    "scores_of_other_classes": ("2 classes", {"model": lambda: torch.nn.Linear(3, 3)}),
    "features_of_float64": ("features: given 'torch.float64.*Double and Float", {"features": np.zeros((20, 3))}),
    "features_too_wide": ("features: given 'torch.float32.*shapes", {"features": np.zeros((20, 5), "f4")}),
    "gold_too_wide": ("gold features: given", {"gold": (np.zeros((2, 5), "f4"), np.array([0, 1]))}),
    "gold_no_pair": ("gold: given 'str'.*a pair", {"gold": "labels.csv"}),
    "model_that_raises": ("it does not fit", {"model": Refusing}),
    "model_of_two_answers": ("model: given 'tuple'", {"model": lambda: Answering(lambda x: (x, x))}),
    "model_of_whole_numbers": ("scores, 20 rows", {"model": lambda: Answering(lambda x: torch.ones(len(x), 2).long())}),
    "model_without_gradient": ("without a gradient", {"model": lambda: Answering(lambda x: torch.ones(len(x), 2))}),
    "model_without_parameters": ("model: given 'no parameter'", {"model": torch.nn.ReLU}),
    "model_of_text": ("model: given 'str'", {"model": "linear"}),
    "model_made_of_nothing": ("model: given 'NoneType'", {"model": lambda: None}),
    "learning_rate_of_text": ("learning_rate: given 'a'", {"learning_rate": "a"}),
    "learning_rate_true": ("learning_rate: given True", {"learning_rate": True}),
    "seed_beyond_torch": ("seed: given 1180591620717411303424", {"seed": 2**70}),
    "epochs_zero": ("epochs", {"epochs": 0}),
    "seed_none": ("seed", {"seed": None}),
    "learning_rate_nan": ("learning_rate", {"learning_rate": float("nan")}),
    "diverging": ("a finite number", {"learning_rate": 1e30, "epochs": 5}),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_named(fault):
    """One error that names the field and the row."""
    match, changed = BAD[fault]
    refused(match, **changed)


def test_the_front_door_offers_it_and_the_page_is_true():
    """`governance.train_soft`, and the example of the page runs as it stands in at most ten statements."""
    assert governance.train_soft is train_soft
    code = (ROOT / "docs/end-model.md").read_text().split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("right on ")
    assert int(done.stdout.split("right on ")[1].split("%")[0]) >= 80
    assert len([line for line in code.split("\n") if line.strip() and not line.startswith("  ")]) <= 11
