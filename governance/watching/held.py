"""What does an estimator hold when its script has ended?"""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Held:
    """`kind` is its class by module and name, `numbers` how many numbers it learned, of those that lie in arrays of its
    own, `bytes` the length of its pickle."""

    kind: str
    parameters: dict[str, str]
    pickle_sha256: str
    bytes: int
    numbers: int


def held_by(estimator: Any) -> Held:
    """The estimator as it is now; nothing of it is kept."""
    state = _Hashed()
    _Pickler(state, protocol=5).dump(estimator)
    return Held(
        kind=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        parameters={name: _text(value) for name, value in sorted(estimator.get_params(deep=True).items())},
        pickle_sha256=state.digest.hexdigest(),
        bytes=state.size,
        numbers=_numbers(estimator),
    )


#: scikit-learn's vectorizers keep the address of their stop words, which is another one in every process
_ADDRESSES = ("_stop_words_id",)


class _Pickler(pickle.Pickler):
    """Leaves addresses out, so that equal estimators have equal pickles."""

    def reducer_override(self, obj: Any) -> Any:
        if not any(name in getattr(obj, "__dict__", ()) for name in _ADDRESSES):
            return NotImplemented
        reduced = list(obj.__reduce_ex__(5))
        reduced[2] = {name: value for name, value in reduced[2].items() if name not in _ADDRESSES}
        return tuple(reduced)


class _Hashed:
    """A file that keeps nothing: what is written is hashed and counted."""

    def __init__(self) -> None:
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.digest.update(view)
        self.size += view.nbytes
        return view.nbytes


def _text(value: Any) -> str:
    if isinstance(value, (bool, int, float, str, type(None))):
        return json.dumps(value)
    if isinstance(value, (list, tuple, dict)):
        try:
            return json.dumps(value)
        except TypeError:
            return type(value).__name__
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _numbers(estimator: Any) -> int:
    steps = [step for _, step in getattr(estimator, "steps", [])]
    held = [value for one in (estimator, *steps) for name, value in vars(one).items() if name.endswith("_")]
    return sum(int(value.size) for value in held if hasattr(value, "size") and hasattr(value, "dtype"))
