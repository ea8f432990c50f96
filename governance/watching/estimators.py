"""Which estimators of scikit-learn learn labels that came of votes? Watched from where all of them are made."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from governance.watching.hook import when_imported
from governance.watching.session import Session, Trained, current, part_of

_WATCHED = "__labeltrail_watched__"


def watch() -> None:
    """Waits for scikit-learn's base class and for what splits arrays; imports nothing."""
    when_imported("sklearn.base", _base)
    when_imported("sklearn.model_selection._split", _splitting)


def _splitting(module: Any) -> None:
    original = module.train_test_split

    @functools.wraps(original)
    def train_test_split(*arrays: Any, **named: Any) -> Any:
        answer = original(*arrays, **named)
        session = current()
        if session is not None and session.labelled:
            with session.watching("a split"):
                _split(session, arrays, answer)
        return answer

    if not hasattr(original, _WATCHED):
        setattr(train_test_split, _WATCHED, True)
        module.train_test_split = train_test_split


def _split(session: Session, arrays: tuple[Any, ...], answer: list[Any]) -> None:
    """Two parts for each array, in its place; those of labels are labels."""
    import numpy as np

    for place, array in enumerate(arrays):
        numbers = np.ndim(array) == 1 and np.asarray(array).dtype.kind in "biuf"
        known = session.labels_of(array) if numbers else None
        if known is not None:
            labels, rows = known
            for part in answer[2 * place : 2 * place + 2]:
                session.note_array(part, labels, part_of(rows))


def _base(module: ModuleType) -> None:
    base = module.BaseEstimator
    if _WATCHED in base.__dict__:
        return
    setattr(base, _WATCHED, True)
    own = base.__dict__.get("__init_subclass__")

    def made(cls: Any, **arguments: Any) -> None:
        if own is not None:
            own.__func__(cls, **arguments)
        else:
            super(base, cls).__init_subclass__(**arguments)
        _watch_fit(cls)

    base.__init_subclass__ = classmethod(made)
    waiting = [base]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            _watch_fit(cls)
            waiting.append(cls)


def _watch_fit(cls: Any) -> None:
    original = cls.__dict__.get("fit")
    if original is None or not callable(original) or hasattr(original, _WATCHED):
        return
    watched = functools.wraps(original)(_fit(original))
    setattr(watched, _WATCHED, True)
    cls.fit = watched


def _fit(original: Callable[..., Any]) -> Callable[..., Any]:
    def fit(self: Any, *given: Any, **named: Any) -> Any:
        session = current()
        if session is None or not session.labelled:
            return original(self, *given, **named)
        with session.outermost() as first:
            started = time.perf_counter()
            answer = original(self, *given, **named)
            if first:
                with session.watching("a trained model"):
                    x = given[0] if given else named.get("X")
                    y = given[1] if len(given) > 1 else named.get("y")
                    _trained(session, self, x, y, time.perf_counter() - started)
            return answer

    return fit


def _trained(session: Session, estimator: Any, x: Any, y: Any, seconds: float) -> None:
    import numpy as np

    if y is None or np.ndim(y) != 1:
        return
    known = session.labels_of(y)
    if known is None:
        session.not_known(f"a {type(estimator).__name__} learned labels that are no label set as it was")
        return
    labels, rows = known
    classes, counts = np.unique(np.asarray(y), return_counts=True)
    told = {int(one): int(count) for one, count in zip(classes, counts, strict=True)}
    shape = getattr(x, "shape", None)
    features = " x ".join(str(size) for size in shape) if shape else str(len(x))
    session.trained = [one for one in session.trained if one.estimator is not estimator]
    session.trained.append(Trained(labels, rows, len(y), features, told, seconds, estimator))
