"""Why did a row get its label? What each source added, in log-odds, so that the sum is the label's own log-odds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from governance.errors import InvalidRecord
from governance.labelmodels._additive import AdditiveLabelModel, evidence
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.flipping import Leading, added_up, leading, smallest_flip
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

if TYPE_CHECKING:
    import numpy as np

_SILENCE = {ABSTAIN: "abstained", ERROR: "error", SKIPPED: "skipped"}


class Contribution(NamedTuple):
    """What one source added to the label's log-odds; silence adds exactly 0."""

    column: str
    source: str | None
    vote: int
    said: str
    log_odds: float


@dataclass(frozen=True)
class SmallestFlip:
    """The fewest votes without which the label would be `label` (ABSTAIN: none), with every table as it is."""

    columns: tuple[str, ...]
    label: int
    label_name: str | None


@dataclass(frozen=True)
class Explanation:
    """A label against the runner-up: `log_odds` is the exact sum of `prior` and all contributions, rounded once.

    That is what `math.fsum` gives in any order. Where both classes are within TIE, which is the rule that makes the lower
    index the label, `tied` says so and `log_odds` is 0 but for the last bits. Where no source voted there is no label:
    `label` and `runner_up` are ABSTAIN, `log_odds`, `probability` and `flip` None.
    """

    label: int
    label_name: str | None
    runner_up: int
    runner_up_name: str | None
    prior: float
    contributions: tuple[Contribution, ...]
    log_odds: float | None
    probability: float | None
    tied: bool
    flip: SmallestFlip | None

    def to_json(self) -> dict[str, Any]:
        """The explanation as plain data."""
        told = dict(vars(self))
        told["contributions"] = [part._asdict() for part in self.contributions]
        told["flip"] = dict(vars(self.flip)) if self.flip else None
        return told


def explain(model: FittedLabelModel, votes: Sequence[int] | Mapping[str, int]) -> Explanation:
    """Takes one row of votes apart, in the model's order of columns or by column name.

    Raises InvalidRecord for a row that is none, and for a model whose evidence does not add up.
    """
    return Apart(model).explain(votes)


class Apart:
    """A label model whose tables are laid out once, to take many rows apart. Raises InvalidRecord for any other."""

    def __init__(self, model: object) -> None:
        import numpy as np

        if not isinstance(model, AdditiveLabelModel):
            wanted = "one whose evidence adds up: dawid_skene, one_voice, crowd, snorkel"
            raise InvalidRecord("model", type(model).__name__, wanted)
        self.model = model
        self.prior = np.log(model.balance_)
        #: sources x votes x classes; a vote of -1 finds the zeros of silence
        self._evidence = np.stack([evidence(table) for table in model.log_likelihood_])
        self._columns = np.arange(len(model.columns_))
        self._order = model.order_

    def explain(self, votes: Sequence[int] | Mapping[str, int]) -> Explanation:
        """Takes one row of votes apart, as `explain` of this module does. Raises InvalidRecord for a row that is none."""
        return self.explain_checked(_checked_row(self.model, votes))

    def explain_checked(self, row: np.ndarray) -> Explanation:
        """The same of a row, int8 (sources), of votes that were checked, in the model's order of columns.

        1. the row's evidence  2. label and runner-up  3. what each source added  4. the smallest flip
        """
        import numpy as np

        # 1.
        model = self.model
        picked = self._evidence[self._columns, np.maximum(row, np.int8(ABSTAIN))]
        # 2.
        scores = added_up(self.prior, picked[self._order]).tolist()
        lead = leading(scores)
        label, runner_up = lead.label, lead.runner_up
        # 3.
        added = (picked[:, label] - picked[:, runner_up]).tolist()
        said = row.tolist()
        parts = tuple(
            Contribution(column, model.sources_[j] if model.sources_ else None, said[j], self._said(said[j]), added[j])
            for j, column in enumerate(model.columns_)
        )
        # 4.
        flip = self._flip(row, picked, label) if max(said) >= 0 else None
        return told_apart(model.classes_, self.prior, scores, lead, parts, flip)

    def _flip(self, row: Any, picked: Any, label: int) -> SmallestFlip:
        order = self._order[row[self._order] >= 0]
        found = smallest_flip(self.prior, picked[order], label)
        # In the model's order of columns, which is how everything else of a row is told.
        places = sorted(int(order[place]) for place in found.removed)
        name = self.model.classes_[found.label] if found.label >= 0 else None
        return SmallestFlip(tuple(self.model.columns_[place] for place in places), found.label, name)

    def _said(self, vote: int) -> str:
        return self.model.classes_[vote] if vote >= 0 else _SILENCE[vote]


def told_apart(
    classes: Sequence[str],
    prior: np.ndarray,
    scores: Sequence[float],
    lead: Leading,
    parts: tuple[Contribution, ...],
    flip: SmallestFlip | None,
) -> Explanation:
    """What parts and prior, log P(class), come to: scores by class, and which of them lead. No flip, no vote, no label."""
    label, runner_up, tied = lead
    first = float(prior[label] - prior[runner_up])
    if flip is None:
        return Explanation(ABSTAIN, None, ABSTAIN, None, first, parts, None, None, tied=False, flip=None)
    return Explanation(
        label=label,
        label_name=classes[label],
        runner_up=runner_up,
        runner_up_name=classes[runner_up],
        prior=first,
        contributions=parts,
        log_odds=math.fsum((first, *(part.log_odds for part in parts))),
        probability=1.0 / math.fsum(math.exp(score - scores[label]) for score in scores),
        tied=tied,
        flip=flip,
    )


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
