"""What did a label model of snorkel's learn, as numbers that say everything that its answers depend on?"""

from __future__ import annotations

from typing import Any

from governance.watching.session import Application, Fitted

_PLAIN = (bool, int, float, str, type(None))


def weights_of(model: Any, votes: Application | None, *, seed_given: bool, balance_origin: str) -> Fitted:
    """A copy of what the model holds now; nothing of it is asked to answer, because that would change it."""
    import numpy as np

    name = type(model).__name__
    fitted = Fitted(name, votes, int(model.cardinality), {}, {}, balance_origin=balance_origin)
    config = getattr(model, "train_config", None)
    if config is not None:
        fitted.parameters = {key: _plain(value) for key, value in config._asdict().items()}
        fitted.seed, fitted.seed_given = int(config.seed), seed_given
    if hasattr(model, "mu") and hasattr(model, "p"):
        fitted.arrays["mu"] = np.array(model.mu.detach().cpu().numpy())
        fitted.arrays["balance"] = np.array(model.p, dtype=np.float64)
        fitted.objective = _loss(model)
    elif hasattr(model, "balance"):
        fitted.arrays["balance"] = np.array(model.balance, dtype=np.float64)
    return fitted


def _loss(model: Any) -> float:
    """The loss of what was learned; it reads the model and draws nothing."""
    import torch

    with torch.no_grad():
        return float(model._loss_mu(l2=model.train_config.l2))


def _plain(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return type(value).__name__
