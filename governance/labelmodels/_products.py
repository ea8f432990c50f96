"""How are patterns scored and counted on a graphics processor? As products with one-hot votes, in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.errors import ConfigurationError, InvalidRecord
from governance.labelmodels._base import best

if TYPE_CHECKING:
    import numpy as np
    import torch

_CHUNK = 1 << 22  # numbers in one block of one-hot votes: 32 MiB
_KEEP = 1 << 25  # numbers kept between iterations: 256 MiB; beyond, blocks are made anew each time


class Products:
    """What `Lookup` is, on a device of torch: patterns int8 (patterns x sources), and their weights."""

    def __init__(self, patterns: np.ndarray, weights: np.ndarray, *, classes: int, device: str) -> None:
        import torch

        self.sources, self.classes = patterns.shape[1], classes
        self._device = torch.device(device)
        self._patterns = torch.from_numpy(patterns).to(self._device)
        self._weights = torch.from_numpy(weights).to(self._device, torch.float64)
        width = self.sources * classes
        self._step = max(1, _CHUNK // width)
        self._kept = list(self._made()) if len(patterns) * width <= _KEEP else None

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E-step: expected votes under log tables, both sources x classes x votes, and expected rows (classes)."""
        import torch

        votes = torch.zeros(self.sources * self.classes, self.classes, dtype=torch.float64, device=self._device)
        rows = torch.zeros(self.classes, dtype=torch.float64, device=self._device)
        for onehot, weights, scores in self._scored(tables, log_balance):
            posterior = torch.softmax(scores, dim=1) * weights[:, None]
            votes += onehot.T @ posterior
            rows += posterior.sum(dim=0)
        by_source = votes.reshape(self.sources, self.classes, self.classes).permute(0, 2, 1)
        return by_source.cpu().numpy().copy(), rows.cpu().numpy()

    def ending(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[float, np.ndarray]:
        """log P(votes) under log tables, sources x classes x votes, and the label of every pattern, as `Lookup` has it."""
        import numpy as np
        import torch

        likelihood, labels = 0.0, []
        for _, weights, scores in self._scored(tables, log_balance):
            likelihood += float(weights @ torch.logsumexp(scores, dim=1))
            labels.append(best(scores.T.cpu().numpy()))
        return likelihood, np.concatenate(labels)

    def _scored(
        self, tables: np.ndarray, log_balance: np.ndarray
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Block by block the one-hot votes, their weights, and their scores, patterns x classes."""
        import torch

        # One-hot votes run source by source and vote by vote; against them stand the classes.
        against = torch.from_numpy(tables).permute(0, 2, 1).reshape(-1, self.classes).to(self._device)
        balance = torch.from_numpy(log_balance).to(self._device)
        for onehot, weights in self._made() if self._kept is None else self._kept:
            yield onehot, weights, onehot @ against + balance

    def _made(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        import torch

        of_class = torch.arange(self.classes, dtype=torch.int8, device=self._device)
        for start in range(0, len(self._weights), self._step):
            block = self._patterns[start : start + self._step]
            onehot = (block[:, :, None] == of_class).reshape(len(block), -1).to(torch.float64)
            yield onehot, self._weights[start : start + self._step]


def checked_device(device: object, *, where: str) -> str | None:
    """None for this machine's own processor ("cpu" or None), else the device. Raises InvalidRecord, ConfigurationError."""
    if device in (None, "cpu"):
        return None
    name, _, number = device.partition(":") if isinstance(device, str) else ("", "", "")
    if name != "cuda" or not (number.isdecimal() or device == "cuda"):
        raise InvalidRecord("device", device, '"cpu", "cuda" or "cuda:N"', where=where)
    import torch

    if int(number or 0) >= torch.cuda.device_count():
        given = f"{where}: there is no device {device!r} here that torch can use"
        raise ConfigurationError(given, hint='device="cpu" gives the same labels')
    return str(device)
