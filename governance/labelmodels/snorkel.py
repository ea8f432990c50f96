"""What does snorkel's own label model say of the same votes? Fitted by snorkel, kept and asked without it.

The fit is that of snorkel 0.10 with its own defaults, and two differences: the seed is named, never drawn, and the draws of
the process are put back as they were. What it learned, P(class) and P(vote | class), is all that its answers depend on.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from governance.digest import decimal
from governance.errors import ConfigurationError, InvalidRecord
from governance.labelmodels._additive import AdditiveLabelModel
from governance.labelmodels._base import checked_balance, checked_number
from governance.labelmodels._canonical import arranged
from governance.labelmodels._vote_rows import VoteRows
from governance.labelmodels._written import array_of, number_of
from governance.labelmodels.balance import Origin, as_told, origin_of
from governance.labelmodels.captured import conditional_of

if TYPE_CHECKING:
    import numpy as np

#: snorkel refuses fewer
_FEWEST = 3
_STATE = {"balance", "balance_origin", "conditional", "order", "objective"}


class SnorkelLabelModel(AdditiveLabelModel):
    """snorkel's LabelModel; `seed` has no default, and the others have snorkel's.

    `balance`: P(class), or None for snorkel's assumption that every class is equally likely. Needs `snorkel` to fit, and
    nothing of it to predict, to explain or to come back from a file.
    """

    method = "snorkel"
    balance_origin_: Origin
    #: snorkel's loss of what was learned
    objective_: float

    def __init__(
        self,
        *,
        seed: int | None = None,
        balance: Sequence[float] | None = None,
        n_epochs: int = 100,
        lr: float = 0.01,
        l2: float = 0.0,
    ) -> None:
        self.seed = seed
        self.balance = balance
        self.n_epochs = n_epochs
        self.lr = lr
        self.l2 = l2

    def _learn(self, given: VoteRows, *, n_classes: int) -> None:
        """1. checked  2. one order for all arrangements of the votes  3. snorkel fits  4. what it learned"""
        import numpy as np

        # 1.
        self._check(given.votes, given.counts)
        balance = None
        if self.balance is not None:
            balance = checked_balance(self.balance, n_classes=n_classes, where=self.method)
        # snorkel draws a seed when it is imported.
        with _draws_put_back():
            model_class = _label_model()
        # 2.
        found = arranged(given)
        order, patterns, counts = found.order, found.patterns, found.weights
        # 3.
        with _draws_put_back():
            model = model_class(cardinality=n_classes, verbose=False)
            model.fit(
                np.repeat(patterns, counts, axis=0).astype(np.int64),
                class_balance=None if balance is None else balance.tolist(),
                seed=self.seed,
                n_epochs=self.n_epochs,
                lr=self.lr,
                l2=self.l2,
                progress_bar=False,
            )
        # 4.
        conditional = np.empty((len(order), n_classes, n_classes))
        conditional[order] = conditional_of(model.mu.detach().numpy(), sources=len(order), classes=n_classes)
        self._hold(checked_balance(np.asarray(model.p), n_classes=n_classes, where=self.method), conditional, order)
        # Where it is told nothing, snorkel takes all classes for equally likely: given by it, not learned.
        self.balance_origin_ = "given" if self.balance is None else origin_of(self.balance)
        self.objective_ = _loss(model, self.l2)

    def _hold(self, balance: np.ndarray, conditional: np.ndarray, order: np.ndarray) -> None:
        """`conditional`: P(vote | class), sources x votes x classes."""
        import numpy as np

        self.balance_, self.order_, self.conditional_ = balance, order, conditional
        self.log_likelihood_ = np.ascontiguousarray(np.log(conditional).transpose(0, 2, 1))

    def _check(self, votes: np.ndarray, counts: np.ndarray) -> None:
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            hint = "without one snorkel draws a seed when it is imported, and no two processes learn the same"
            raise InvalidRecord("seed", self.seed, "a whole number from 0", where=self.method, hint=hint)
        if type(self.n_epochs) is not int or self.n_epochs < 1:
            raise InvalidRecord("n_epochs", self.n_epochs, "a whole number from 1", where=self.method)
        check = partial(checked_number, where=self.method)
        check("lr", self.lr, fits=lambda x: 0 < x < float("inf"), wanted="a finite number above 0")
        check("l2", self.l2, fits=lambda x: 0 <= x < float("inf"), wanted="a finite number from 0")
        if votes.shape[1] < _FEWEST:
            wanted = f"{_FEWEST} sources at least: snorkel learns from how three agree"
            raise InvalidRecord("votes", f"{votes.shape[1]} sources", wanted, where=self.method)
        if counts.dtype.kind not in "iu":
            raise InvalidRecord(
                "sample_weight", "weights that are no whole numbers", "whole numbers", where=self.method
            )

    def _state(self) -> dict[str, Any]:
        return {
            "balance": [decimal(value) for value in self.balance_.tolist()],
            "balance_origin": self.balance_origin_,
            "conditional": [[[decimal(p) for p in row] for row in source] for source in self.conditional_.tolist()],
            "order": [int(source) for source in self.order_],
            "objective": decimal(self.objective_),
        }

    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        import numpy as np

        if set(state) != _STATE:
            raise InvalidRecord("state", sorted(state), f"exactly {', '.join(sorted(_STATE))}", where=where)
        sources, classes = len(self.columns_), len(self.classes_)
        balance = array_of(state["balance"], (classes,), field="state.balance", where=where)
        shape = (sources, classes, classes)
        conditional = array_of(state["conditional"], shape, field="state.conditional", where=where)
        if not np.all((conditional > 0) & (conditional <= 1)):
            raise InvalidRecord("state.conditional", "other numbers", "probabilities above 0", where=where)
        if state["balance_origin"] not in ("given", "gold"):
            raise InvalidRecord("state.balance_origin", state["balance_origin"], "given or gold", where=where)
        order = self._order_of(state["order"], where=where)
        self._hold(checked_balance(balance, n_classes=classes, where=where), conditional, order)
        self.balance_origin_ = state["balance_origin"]
        self.balance = as_told(self.balance, self.balance_origin_)
        self.objective_ = number_of(state["objective"], field="state.objective", where=where)


def _label_model() -> Any:
    """snorkel's class. Raises ConfigurationError where it is not installed."""
    try:
        from snorkel.labeling.model import LabelModel
    except ImportError:
        hint = "pip install 'labeltrail[snorkel]'; method dawid_skene needs nothing more"
        raise ConfigurationError("label model snorkel: snorkel is not installed here", hint=hint) from None
    return LabelModel


@contextlib.contextmanager
def _draws_put_back() -> Iterator[None]:
    """snorkel seeds the generators of the whole process; whoever else draws from them goes on as if it had not."""
    import numpy as np
    import torch

    python, legacy, of_torch = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(of_torch)


def _loss(model: Any, l2: float) -> float:
    import torch

    with torch.no_grad():
        return float(model._loss_mu(l2=l2))


Model = SnorkelLabelModel
