"""Why did a row get its label? What each source added, in log-odds, so that the sum is the label's own log-odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.errors import InvalidRecord
from governance.labelmodels._additive import AdditiveLabelModel, evidence
from governance.labelmodels._base import FittedLabelModel, log_odds, ranked
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

_SILENCE = {ABSTAIN: "abstained", ERROR: "error", SKIPPED: "skipped"}


@dataclass(frozen=True)
class Contribution:
    """What one source added to the label's log-odds; silence adds exactly 0."""

    column: str
    source: str | None
    vote: int
    said: str
    log_odds: float


@dataclass(frozen=True)
class Explanation:
    """A label against the runner-up: `prior` and all contributions add up to `log_odds`.

    Where no source voted there is no label: `label` and `runner_up` are ABSTAIN, and `log_odds` is None.
    """

    label: int
    label_name: str | None
    runner_up: int
    runner_up_name: str | None
    prior: float
    contributions: tuple[Contribution, ...]
    log_odds: float | None

    def to_json(self) -> dict[str, Any]:
        """The explanation as plain data."""
        told = dict(vars(self))
        told["contributions"] = [dict(vars(part)) for part in self.contributions]
        return told


def explain(model: FittedLabelModel, votes: Sequence[int] | Mapping[str, int]) -> Explanation:
    """Takes one row of votes apart, in the model's order of columns or by column name.

    Scores are added up in the model's order, as the batch path adds them. Raises InvalidRecord for a row that is none.
    """
    import numpy as np

    if not isinstance(model, AdditiveLabelModel):
        wanted = "one whose evidence adds up: dawid_skene, crowd, snorkel"
        raise InvalidRecord("model", type(model).__name__, wanted)
    row = _checked_row(model, votes)
    covered = bool((row >= 0).any())
    silent = np.maximum(row, np.int8(ABSTAIN))
    scores = np.log(model.balance_)
    for source in model.order_:
        scores = scores + evidence(model.log_likelihood_[source])[silent[source]]
    # The batch path's own ranking, so that ties go the same way.
    label, runner_up = (int(k[0]) for k in ranked(scores[None, :]))
    parts = tuple(
        Contribution(
            column=column,
            source=model.sources_[j] if model.sources_ else None,
            vote=int(row[j]),
            said=_SILENCE.get(int(row[j])) or model.classes_[row[j]],
            log_odds=_added(evidence(model.log_likelihood_[j])[silent[j]], label, runner_up),
        )
        for j, column in enumerate(model.columns_)
    )
    return Explanation(
        label=label if covered else ABSTAIN,
        label_name=model.classes_[label] if covered else None,
        runner_up=runner_up if covered else ABSTAIN,
        runner_up_name=model.classes_[runner_up] if covered else None,
        prior=_added(np.log(model.balance_), label, runner_up),
        contributions=parts,
        log_odds=float(log_odds(scores[None, :])[0]) if covered else None,
    )


def _added(scores: Any, label: int, runner_up: int) -> float:
    return float(scores[label] - scores[runner_up])


def _checked_row(model: AdditiveLabelModel, votes: Sequence[int] | Mapping[str, int]) -> Any:
    import numpy as np

    if isinstance(votes, Mapping):
        odd = sorted(set(votes) ^ set(model.columns_))
        if odd:
            raise InvalidRecord("votes", odd[0], "exactly the columns that this model learned of")
        votes = [votes[column] for column in model.columns_]
    row = np.asarray(votes)
    if row.shape != (len(model.columns_),):
        raise InvalidRecord("votes", list(row.shape), f"one vote for each of {len(model.columns_)} sources")
    # The batch path's own checks, so that what it refuses is refused here.
    return model._matrix(row[None, :])[0]
