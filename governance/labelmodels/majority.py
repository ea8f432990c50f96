"""What do most sources say?

P(class) is a class's share of the votes on a row. Two rules make every answer definite: where several classes share the
first place, the one of them that holds more of all votes is the label (then the lower index), and a row without a vote
has no label and the balance of all votes as its probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from governance.digest import decimal
from governance.errors import InvalidRecord
from governance.labelmodels._base import FittedLabelModel, checked_balance, ranked
from governance.labelmodels._vote_rows import AT_ONCE, VoteRows
from governance.labelmodels._written import array_of
from governance.votes.product import product
from governance.votes.table import ABSTAIN, VoteTable

if TYPE_CHECKING:
    import numpy as np

NO_MAJORITY = ABSTAIN


class MajorityVote(FittedLabelModel):
    """One source, one voice. Learns nothing but the balance that decides ties."""

    method = "majority"

    def predict(self, votes: VoteTable | np.ndarray, *, ties: bool = True) -> np.ndarray:
        """The label of every row, int8; without `ties`, rows on which several classes lead get NO_MAJORITY."""
        return self._by_pattern(votes, lambda patterns: self._labels(patterns, ties=ties))

    def _labels(self, votes: np.ndarray, *, ties: bool = True) -> np.ndarray:
        import numpy as np

        shares = votes_by_class(votes, n_classes=len(self.classes_))
        most = shares.max(axis=1, keepdims=True)
        leading = shares == most
        label = ranked(np.where(leading, self.balance_[None, :], -1.0))[0]
        silent = (most[:, 0] == 0) | ((leading.sum(axis=1) > 1) & (not ties))
        return np.where(silent, NO_MAJORITY, label).astype(np.int8)

    def _learn(self, given: VoteRows, *, n_classes: int) -> None:
        self.balance_ = estimated_balance(given.votes, given.counts, n_classes=n_classes)

    def _scores(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        shares = votes_by_class(votes, n_classes=len(self.classes_)).astype(np.float64)
        total = shares.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            return np.log(np.where(total > 0, shares / np.maximum(total, 1), self.balance_[None, :]))

    def _state(self) -> dict[str, Any]:
        return {"balance": [decimal(value) for value in self.balance_]}

    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        if set(state) != {"balance"}:
            raise InvalidRecord("state", sorted(state), "the balance", where=where)
        n_classes = len(self.classes_)
        given = array_of(state["balance"], (n_classes,), field="state.balance", where=where)
        self.balance_ = checked_balance(given, n_classes=n_classes, where=where)


def votes_by_class(votes: np.ndarray, *, n_classes: int) -> np.ndarray:
    """How many sources vote for each class, int64, rows x classes."""
    import numpy as np

    found = np.empty((len(votes), n_classes), dtype=np.int64)
    # Sums of fewer than 2^24 ones are exact as short floats, whose product is the fastest sum.
    ones, step = np.ones(votes.shape[1], dtype=np.float32), max(1, AT_ONCE // votes.shape[1])
    for start in range(0, len(votes), step):
        part = votes[start : start + step]
        for k in range(n_classes):
            found[start : start + step, k] = product((part == k).astype(np.float32), ones)
    return found


def estimated_balance(votes: np.ndarray, counts: np.ndarray, *, n_classes: int) -> np.ndarray:
    """P(class) from majority vote: the mean share of votes over covered rows, one row added for each class.

    The added rows keep a class that nobody names above 0. Shares are added up as whole numbers over rows with equally
    many votes, and weights that are no whole numbers exactly, so that no order of rows or columns can be seen in the
    result.
    """
    import numpy as np

    shares = votes_by_class(votes, n_classes=n_classes)
    total = shares.sum(axis=1)
    held = np.zeros((n_classes, votes.shape[1] + 1))
    for voting in np.unique(total[total > 0]):
        here = total == voting
        if counts.dtype.kind == "f":
            held[:, voting] = [math.fsum(share.tolist()) for share in (counts[here, None] * shares[here]).T]
        else:
            held[:, voting] = counts[here] @ shares[here]
    return balance_of_shares(held)


def balance_of_shares(held: np.ndarray) -> np.ndarray:
    """P(class), one row added for each class; `held`, classes x (sources + 1): its votes on rows with so many votes."""
    import numpy as np

    # Added up one after the other, so that further sources, which say nothing, are not seen.
    balance = np.cumsum(held[:, 1:] / np.arange(1.0, held.shape[1]), axis=1)[:, -1] + 1.0
    return balance / balance.sum()


Model = MajorityVote
