"""How does somebody's own torch model learn from soft labels? One loop: soft cross-entropy, confidence, an early stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np
    import torch

#: how far from 1 a row of probabilities may sum
_SUM = 1e-6
#: torch knows so many seeds
_SEEDS = 2**64


@dataclass(frozen=True)
class Epoch:
    """One pass over the rows: the mean loss before each step, and the accuracy on gold afterwards where there is gold."""

    loss: float
    gold_accuracy: float | None


@dataclass(frozen=True)
class Trained:
    """The model, in the state of its best epoch, and how it came about; `best` counts from 0."""

    model: torch.nn.Module
    epochs: tuple[Epoch, ...]
    best: int
    stopped_early: bool
    seed: int
    rows: int

    def parameters(self) -> dict[str, str]:
        """What a record of the model keeps of its training."""
        told = {"seed": self.seed, "epochs": len(self.epochs), "best_epoch": self.best, "rows": self.rows}
        return {**{name: str(value) for name, value in told.items()}, "stopped_early": str(self.stopped_early).lower()}


def train_soft(
    model: torch.nn.Module | Callable[[], torch.nn.Module],
    features: Any,
    targets: Any,
    *,
    seed: int,
    weights: Any | Literal["confidence"] | None = None,
    gold: tuple[Any, Any] | None = None,
    epochs: int = 50,
    batch: int = 64,
    patience: int = 5,
    learning_rate: float = 1e-2,
    optimizer: Callable[[Any], torch.optim.Optimizer] | None = None,
) -> Trained:
    """Trains `model` on soft labels; a function that makes one is called under the seed, so that its weights are too.

    features: rows x anything, a tensor or an array. targets: rows x classes, probabilities. weights: one number from 0 a
    row; "confidence" gives 1 to a certain label and 0 to one that could be any class. gold: (features, class indices);
    training ends when the accuracy there has not risen for `patience` epochs, and the best state is kept. The model
    gives scores, rows x classes. Same inputs, seed and machine: the same weights. Raises InvalidRecord.

    1. everything fits together  2. the seed rules what is drawn  3. epochs  4. the best state, or the last without gold
    """
    import torch

    # 1.
    x, y = _features(features, "features"), _targets(targets)
    if len(x) != len(y):
        raise InvalidRecord("targets", len(y), f"a row for each of {len(x)} rows of features")
    weight = _weights(weights, y)
    held = _gold(gold, classes=y.shape[1])
    _numbers(seed=seed, epochs=epochs, batch=batch, patience=patience, learning_rate=learning_rate)
    # 2.
    with _ruled_by(seed):
        made = _made(model)
        draw = torch.Generator().manual_seed(seed)
        step = optimizer(made.parameters()) if optimizer else torch.optim.Adam(made.parameters(), lr=learning_rate)
        told: list[Epoch] = []
        best, kept = 0, _state(made)
        # 3.
        for number in range(epochs):
            loss = _epoch(made, step, x, y, weight, torch.randperm(len(x), generator=draw).split(batch))
            told.append(Epoch(loss, None if held is None else _accuracy(made, *held, classes=y.shape[1])))
            if held is None or number == 0 or _better(told[number], told[best]):
                best, kept = number, _state(made)
            if held is not None and number - best >= patience:
                break
        # 4.
        made.load_state_dict(kept)
        made.eval()
    return Trained(made, tuple(told), best, len(told) < epochs, seed, len(x))


def confidence(targets: np.ndarray) -> np.ndarray:
    """1 less the entropy of each row as a share of the greatest one, float64 (rows): 0 for a row that knows nothing."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(targets > 0, targets * np.log(targets), 0.0)
    return np.clip(1 + parts.sum(axis=1) / math.log(targets.shape[1]), 0.0, 1.0)


def _epoch(
    model: torch.nn.Module,
    step: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor,
    batches: Any,
) -> float:
    import torch

    model.train()
    total = 0.0
    for rows in batches:
        scores = _scored(model, x[rows], name="features", classes=y.shape[1])
        if not scores.requires_grad:
            raise InvalidRecord("model", "scores without a gradient", "scores that its parameters decide")
        each = -(y[rows].to(scores.dtype) * torch.log_softmax(scores, dim=1)).sum(dim=1)
        # Weights of all rows have the mean 1, so that a batch of doubtful rows moves the model less than one of sure rows.
        loss = (each * weight[rows].to(scores.dtype)).mean()
        if not torch.isfinite(loss):
            raise InvalidRecord(
                "loss", float(loss.detach()), "a finite number", hint="a smaller learning_rate, or scaled features"
            )
        step.zero_grad()
        loss.backward()
        step.step()
        total += float(loss.detach()) * len(rows)
    return total / len(x)


def _accuracy(model: torch.nn.Module, x: torch.Tensor, label: torch.Tensor, *, classes: int) -> float:
    import torch

    model.eval()
    with torch.no_grad():
        scores = _scored(model, x, name="gold features", classes=classes)
        return float((scores.argmax(dim=1) == label).to(torch.float64).mean())


def _made(given: Any) -> torch.nn.Module:
    """The model, or what the function makes. Raises InvalidRecord where there is nothing to train."""
    import torch

    made = given() if callable(given) and not isinstance(given, torch.nn.Module) else given
    if not isinstance(made, torch.nn.Module):
        raise InvalidRecord("model", type(made).__name__, "a torch.nn.Module, or a function that makes one")
    if not any(one.requires_grad for one in made.parameters()):
        raise InvalidRecord("model", "no parameter", "a model with parameters to train")
    return made


def _scored(model: torch.nn.Module, x: torch.Tensor, *, name: str, classes: int) -> torch.Tensor:
    """What the model gives, rows x classes. Raises InvalidRecord for other scores, and for rows that it does not take."""
    import torch

    try:
        scores = model(x)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        says = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "most models take float32" if x.dtype == torch.float64 else None
        wanted = f"rows that the model takes, which says: {says}"
        raise InvalidRecord(name, f"{x.dtype} {list(x.shape)}", wanted, hint=hint) from error
    given = [*scores.shape] if isinstance(scores, torch.Tensor) else type(scores).__name__
    if given != [len(x), classes] or not scores.is_floating_point():
        raise InvalidRecord("model", given, f"scores, {len(x)} rows x {classes} classes")
    return scores


def _better(one: Epoch, other: Epoch) -> bool:
    return (one.gold_accuracy or 0.0) > (other.gold_accuracy or 0.0)


def _state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@contextmanager
def _ruled_by(seed: int) -> Iterator[None]:
    """What torch draws comes from the seed, by algorithms that repeat themselves; afterwards all is as it was."""
    import torch

    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=warned)


def _features(given: Any, name: str) -> torch.Tensor:
    import numpy as np
    import torch

    try:
        tensor = given if isinstance(given, torch.Tensor) else torch.from_numpy(np.array(given))
    except (TypeError, ValueError):
        raise InvalidRecord(name, type(given).__name__, "a tensor or an array of numbers") from None
    if not tensor.ndim or not len(tensor):
        raise InvalidRecord(name, list(tensor.shape), "at least one row")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        row = int((~torch.isfinite(tensor)).reshape(len(tensor), -1).any(dim=1).nonzero()[0])
        raise InvalidRecord(f"{name}[{row}]", "NaN or infinity", "finite numbers")
    return tensor


def _targets(given: Any) -> torch.Tensor:
    import torch

    targets = _features(given, "targets").to(torch.float64)
    if targets.ndim != 2 or targets.shape[1] < 2:
        raise InvalidRecord("targets", list(targets.shape), "probabilities, rows x classes")
    odd = ((targets < 0).any(dim=1) | ((targets.sum(dim=1) - 1).abs() > _SUM)).nonzero()
    if len(odd):
        row = int(odd[0])
        raise InvalidRecord(f"targets[{row}]", targets[row].tolist(), "numbers from 0 that sum to 1")
    return targets


def _weights(given: Any, targets: torch.Tensor) -> torch.Tensor:
    """One number a row with the mean 1."""
    import torch

    if given is None:
        return torch.ones(len(targets), dtype=torch.float64)
    if isinstance(given, str):
        if given != "confidence":
            raise InvalidRecord("weights", given, '"confidence", or a number from 0 for each row')
        given = confidence(targets.cpu().numpy())
    weight = _features(given, "weights").to(torch.float64)
    if weight.shape != (len(targets),):
        raise InvalidRecord("weights", list(weight.shape), f"one number for each of {len(targets)} rows")
    if bool((weight < 0).any()) or float(weight.sum()) <= 0:
        raise InvalidRecord("weights", float(weight.min()), "numbers from 0, not all of them 0")
    return weight / weight.mean()


def _gold(given: tuple[Any, Any] | None, *, classes: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    import torch

    if given is None:
        return None
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise InvalidRecord("gold", type(given).__name__, "a pair: features, class indices")
    x, label = _features(given[0], "gold features"), _features(given[1], "gold")
    if label.is_floating_point() or label.shape != (len(x),):
        raise InvalidRecord("gold", list(label.shape), f"one class index for each of {len(x)} rows")
    label = label.to(torch.int64)
    if int(label.min()) < 0 or int(label.max()) >= classes:
        raise InvalidRecord("gold", [int(label.min()), int(label.max())], f"class indices from 0 to {classes - 1}")
    return x, label


def _numbers(*, seed: int, epochs: int, batch: int, patience: int, learning_rate: float) -> None:
    for name, value, least in (
        ("seed", seed, 0),
        ("epochs", epochs, 1),
        ("batch", batch, 1),
        ("patience", patience, 1),
    ):
        if type(value) is not int or value < least:
            raise InvalidRecord(name, value, f"a whole number from {least}")
    if seed >= _SEEDS:
        raise InvalidRecord("seed", seed, "a whole number below 2^64")
    number = isinstance(learning_rate, (int, float)) and not isinstance(learning_rate, bool)
    if not number or not 0 < learning_rate < math.inf:
        raise InvalidRecord("learning_rate", learning_rate, "a finite number above 0")
