"""What is the best linear model of soft labels? A convex fit, so there is one answer and no draw of luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np
    import torch
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, eq=False)
class LinearSoftmax:
    """weight float64 (features x classes) and bias float64 (classes), and how the fit ended."""

    weight: np.ndarray
    bias: np.ndarray
    iterations: int
    loss: float

    def scores(self, features: csr_matrix) -> np.ndarray:
        """Log scores, rows x classes, not normalised."""
        return features @ self.weight + self.bias


def fit_soft_labels(
    features: csr_matrix, targets: np.ndarray, *, l2: float, max_iterations: int = 500, tolerance: float = 1e-7
) -> LinearSoftmax:
    """Minimises the mean cross-entropy against soft labels plus l2/2 times the squared weights, by L-BFGS in float64.

    features: rows x features, sparse; targets: rows x classes, probabilities. It starts at zero and ends where no
    part of the gradient exceeds `tolerance`. Raises InvalidRecord.
    """
    import numpy as np
    import torch

    targets = np.asarray(targets, dtype=np.float64)
    columns = _check(features, targets, l2=l2)
    x = _sparse(features)
    y = torch.from_numpy(np.ascontiguousarray(targets))
    weight = torch.zeros(columns, targets.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(targets.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=max_iterations,
        max_eval=2 * max_iterations,
        tolerance_grad=tolerance,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = torch.sparse.mm(x, weight) + bias
        value = -(y * torch.log_softmax(scores, dim=1)).sum() / len(y) + l2 / 2 * (weight * weight).sum()
        value.backward()
        return value

    optimizer.step(loss)  # type: ignore[arg-type] - its stub wants a float, its own code calls .backward on nothing
    ended = float(loss().detach())
    iterations = int(optimizer.state[weight]["n_iter"])
    return LinearSoftmax(weight.detach().numpy().copy(), bias.detach().numpy().copy(), iterations, ended)


def _check(features: csr_matrix, targets: np.ndarray, *, l2: float) -> int:
    """The number of features, once everything fits together."""
    import numpy as np

    rows, columns = features.shape or (0, 0)
    if not rows or not columns:
        raise InvalidRecord("features", [rows, columns], "rows x features, at least one of each")
    if targets.ndim != 2 or targets.shape[0] != rows or targets.shape[1] < 2:
        raise InvalidRecord("targets", list(targets.shape), f"{rows} rows x classes")
    # Comparisons with NaN are false, so that it is refused too.
    if not (targets.min() >= 0 and np.abs(targets.sum(axis=1) - 1).max() <= 1e-6):
        raise InvalidRecord("targets", "other numbers", "rows of probabilities that sum to 1")
    if not 0 < l2 < float("inf"):
        raise InvalidRecord("l2", l2, "a finite number above 0, without which separable texts have no best model")
    return columns


def _sparse(features: csr_matrix) -> torch.Tensor:
    import numpy as np
    import torch

    entries = features.tocoo()
    places = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    values = torch.from_numpy(entries.data.astype(np.float64))
    return torch.sparse_coo_tensor(places, values, entries.shape, check_invariants=True).coalesce()
