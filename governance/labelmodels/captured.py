"""What did a label model that is not ours learn, and how does a label of it come apart?

The file holds the numbers of the model as its own library left them. A label model of snorkel is a naive Bayes over what
votes: log P(class) and log P(vote | class) of every source that votes add up to the score of a class. A majority vote is
taken apart by counting. Of any other model it is said that it cannot be taken apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, parse_canonical
from governance.errors import ConfigurationError, InvalidRecord

if TYPE_CHECKING:
    import numpy as np

FORMAT = "labeltrail/captured-label-model"
_FIELDS = {"format", "v", "method", "classes", "columns", "sources", "parameters", "balance", "conditional"}
#: (method as the library calls its class) whose labels add up, and whose labels are counted
ADDITIVE, COUNTED = "LabelModel", "MajorityLabelVoter"


@dataclass(frozen=True)
class CapturedModel:
    """`balance[class]`, and `conditional[source][vote][class]` = P(vote | class); both empty where nothing was learned."""

    method: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    parameters: dict[str, str]
    balance: tuple[float, ...]
    conditional: tuple[tuple[tuple[float, ...], ...], ...]

    def to_bytes(self) -> bytes:
        """Canonical JSON in which every number is the shortest decimal that reads back the same."""
        return (
            canonical(
                {
                    "format": FORMAT,
                    "v": 1,
                    "method": self.method,
                    "classes": list(self.classes),
                    "columns": list(self.columns),
                    "sources": list(self.sources),
                    "parameters": self.parameters,
                    "balance": [repr(value) for value in self.balance],
                    "conditional": [[[repr(p) for p in row] for row in source] for source in self.conditional],
                }
            )
            + b"\n"
        )

    def scores(self, votes: Sequence[int]) -> list[float]:
        """The score of every class for one row of votes. Raises InvalidRecord for a model whose votes do not add up."""
        if self.method == COUNTED:
            return [float(sum(vote == k for vote in votes)) for k in range(len(self.classes))]
        if self.method != ADDITIVE or not self.conditional:
            raise InvalidRecord("method", self.method, "a label model whose votes add up")
        totals = [math.log(share) for share in self.balance]
        for source, vote in enumerate(votes):
            if vote >= 0:
                totals = [t + math.log(self.conditional[source][vote][k]) for k, t in enumerate(totals)]
        return totals


@dataclass(frozen=True)
class TakenApart:
    """What each source added for `label` against `runner_up`, in `unit`; `prior` and all parts add up to `total`."""

    unit: str
    label: int
    runner_up: int
    prior: float
    parts: tuple[float, ...]
    total: float


def take_apart(model: CapturedModel, votes: Sequence[int]) -> TakenApart | None:
    """One row of votes; None where no source votes, or where the model's votes do not add up."""
    if len(votes) != len(model.columns):
        raise InvalidRecord("votes", len(votes), f"one vote for each of {len(model.columns)} sources")
    if all(vote < 0 for vote in votes):
        return None
    if model.method not in (ADDITIVE, COUNTED) or (model.method == ADDITIVE and not model.conditional):
        return None
    scores = model.scores(votes)
    # A tie goes to the lower class, so that it is told the same way every time.
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], k))
    label, runner_up = order[0], order[1]
    if model.method == COUNTED:
        parts = [float(vote == label) - float(vote == runner_up) for vote in votes]
        return TakenApart("votes", label, runner_up, 0.0, tuple(parts), scores[label] - scores[runner_up])
    prior = math.log(model.balance[label]) - math.log(model.balance[runner_up])
    parts = [
        math.log(model.conditional[j][vote][label]) - math.log(model.conditional[j][vote][runner_up])
        if vote >= 0
        else 0.0
        for j, vote in enumerate(votes)
    ]
    return TakenApart("log-odds", label, runner_up, prior, tuple(parts), scores[label] - scores[runner_up])


def conditional_of(mu: np.ndarray, *, sources: int, classes: int) -> np.ndarray:
    """P(vote | class), float64 (sources x votes x classes), from snorkel's parameters, (sources*classes) x classes."""
    import numpy as np

    return mu.astype(np.float64).reshape(sources, classes, classes)


def is_captured(path: Path) -> bool:
    """Whether a file holds a model of this format."""
    with open(path, "rb") as stream:
        return f'"format":"{FORMAT}"'.encode() in stream.read()


def read_captured(path: Path) -> CapturedModel:
    """The model in a file. Raises ConfigurationError (no file), InvalidRecord (which field)."""
    where = str(path)
    try:
        told = parse_canonical(path.read_bytes().removesuffix(b"\n"), where=where)
    except FileNotFoundError:
        raise ConfigurationError(f"{where}: no such file", hint="`labeltrail run` captures it again") from None
    if not isinstance(told, dict) or set(told) != _FIELDS or told["format"] != FORMAT or told["v"] != 1:
        raise InvalidRecord("file", type(told).__name__, f"a model of the format {FORMAT}, version 1", where=where)
    return CapturedModel(
        method=_text(told, "method", where),
        classes=_texts(told, "classes", where),
        columns=_texts(told, "columns", where),
        sources=_texts(told, "sources", where),
        parameters=_parameters(told, where),
        balance=tuple(_number(value, "balance", where) for value in told["balance"]),
        conditional=tuple(
            tuple(tuple(_number(value, "conditional", where) for value in row) for row in source)
            for source in told["conditional"]
        ),
    )


def _text(told: Mapping[str, Any], field: str, where: str) -> str:
    if not isinstance(told[field], str):
        raise InvalidRecord(field, told[field], "text", where=where)
    return told[field]


def _texts(told: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    value = told[field]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRecord(field, value, "a list of texts", where=where)
    return tuple(value)


def _parameters(told: Mapping[str, Any], where: str) -> dict[str, str]:
    value = told["parameters"]
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InvalidRecord("parameters", value, "texts by name", where=where)
    return value


def _number(value: object, field: str, where: str) -> float:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise InvalidRecord(field, value, "a probability as a decimal", where=where)
    return number
