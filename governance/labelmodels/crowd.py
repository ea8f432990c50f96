"""How good is each worker of a crowd, and what do all of them say together, where each answers little of the whole?

Dawid-Skene (1979) by maximum a posteriori EM on answers, one after the other: thousands of workers cost their answers,
never a matrix of examples and workers. A worker has P(answer | class, asked): who is asked about what says nothing of
its class.
The prior has two steps, since a worker's few answers tell one number sooner than a table: a worker's accuracy begins at
`diagonal`, which counts for ten answers, and the rows of the table begin at that accuracy with `strength` pseudo-answers.
Two answers of one worker on one example count both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, get_args

from governance.digest import decimal
from governance.errors import InvalidRecord
from governance.labelmodels._additive import AdditiveLabelModel
from governance.labelmodels._answered import Answered, climb
from governance.labelmodels._base import (
    RowLabels,
    check_unlabelled,
    checked_balance,
    checked_number,
    normalised,
    ranked,
)
from governance.labelmodels._canonical import arranged
from governance.labelmodels._em import Found
from governance.labelmodels._vote_rows import Spoken, VoteRows
from governance.labelmodels._written import array_of, number_of
from governance.labelmodels.balance import Origin, as_told, origin_of
from governance.labelmodels.explain import Contribution, Explanation, SmallestFlip, told_apart
from governance.labelmodels.flipping import leading, smallest_flip
from governance.votes.answers import Answers
from governance.votes.table import ABSTAIN, ERROR, SKIPPED

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.table import VoteTable

_SILENCE = {ABSTAIN: "abstained", ERROR: "error", SKIPPED: "skipped"}
_STATE = {"balance", "balance_origin", "log_likelihood", "order", "iterations", "converged", "objective"}


class Crowd(AdditiveLabelModel):
    """MAP Dawid-Skene of many workers with few answers each; learns from `Answers`, and from wide votes as well.

    `balance`: P(class), as numbers or as `balance_of_gold` gives it, or None to learn it. `strength`: pseudo-answers a
    class and worker. `diagonal`: the accuracy of a worker of whom nothing is known. EM ends when nothing moves by more than
    `tolerance`, or after `max_iterations`; `converged_` says which.
    """

    method = "crowd"
    balance_origin_: Origin
    iterations_: int
    converged_: bool
    #: log likelihood of the answers and of the tables under their prior, up to a constant
    objective_: float

    def __init__(
        self,
        *,
        balance: Sequence[float] | None = None,
        strength: float = 30.0,
        diagonal: float = 0.7,
        tolerance: float = 1e-4,
        max_iterations: int = 1000,
    ) -> None:
        self.balance = balance
        self.strength = strength
        self.diagonal = diagonal
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(
        self,
        votes: Answers | VoteTable | np.ndarray,
        y: None = None,
        *,
        n_classes: int | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> Self:
        """Learns from answers, or from wide votes. Raises InvalidRecord."""
        check_unlabelled(y, where=self.method)
        if not isinstance(votes, Answers):
            return super().fit(votes, n_classes=n_classes, sample_weight=sample_weight)
        if sample_weight is not None:
            raise InvalidRecord("sample_weight", "weights beside answers", "none, or wide votes", where=self.method)
        answered, order = _in_order(votes)
        if not len(answered.vote):
            hint = "nobody answers: look at the answers first"
            raise InvalidRecord("answers", "no answer that names a class", "one", where=self.method, hint=hint)
        self._learn_answers(answered, order)
        self.classes_, self.columns_, self.sources_, self.sampled_ = votes.classes, votes.columns, votes.sources, 1.0
        return self

    def fit_predict(
        self,
        votes: Answers | VoteTable | np.ndarray,
        y: None = None,
        *,
        n_classes: int | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> np.ndarray:
        """The labels of the very answers, or votes, that it learns from, int8 (examples). Raises InvalidRecord."""
        check_unlabelled(y, where=self.method)
        if not isinstance(votes, Answers):
            return super().fit_predict(votes, n_classes=n_classes, sample_weight=sample_weight)
        return self.fit(votes, sample_weight=sample_weight).predict(votes)

    def _learn(self, given: VoteRows, *, n_classes: int) -> RowLabels:
        import numpy as np

        found = arranged(given)
        spoken, weights = found.spoken or Spoken.of(found.patterns), found.weights.astype(np.float64)
        example = np.repeat(np.arange(len(weights)), spoken.many)
        answered = Answered(example, spoken.source, spoken.vote, weights, spoken.sources, n_classes)
        labels = self._learn_answers(answered, found.order).labels
        return lambda: found.row_labels(labels)

    def _learn_answers(self, answered: Answered, order: np.ndarray) -> Found:
        """1. the balance, and whether it is learned  2. EM  3. columns as they were given"""
        import numpy as np

        strength, diagonal, tolerance = self._checked()
        # 1.
        self.balance_origin_ = origin_of(self.balance)
        if self.balance is None:
            balance = answered.majority_balance()
        else:
            balance = checked_balance(self.balance, n_classes=answered.classes, where=self.method)
        # 2.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = climb(
                answered,
                balance=balance,
                learn_balance=self.balance is None and answered.names_several(),
                strength=strength,
                diagonal=diagonal,
                tolerance=tolerance,
                max_iterations=self.max_iterations,
            ).checked(where=self.method)
        # 3.
        self.balance_, self.order_ = found.balance, order
        self.iterations_, self.converged_, self.objective_ = found.iterations, found.converged, found.objective
        self.log_likelihood_ = np.empty_like(found.tables)
        self.log_likelihood_[order] = found.tables
        return found

    def predict_scores(self, votes: Answers | VoteTable | np.ndarray) -> np.ndarray:
        """log P(class, answers), examples x classes, not normalised."""
        if not isinstance(votes, Answers):
            return super().predict_scores(votes)
        import numpy as np

        answered, order = _in_order(self._known(votes))
        place = {column: number for number, column in enumerate(self.columns_)}
        mine = np.array([place[votes.columns[column]] for column in order])
        scores = np.empty((len(votes), len(self.classes_)))
        scores[_by_id(votes)] = answered.scores(self.log_likelihood_[mine], np.log(self.balance_))
        return scores

    def predict_proba(self, votes: Answers | VoteTable | np.ndarray) -> np.ndarray:
        """P(class | answers), examples x classes; an example without an answer gets the class balance."""
        return normalised(self.predict_scores(votes)) if isinstance(votes, Answers) else super().predict_proba(votes)

    def predict(self, votes: Answers | VoteTable | np.ndarray) -> np.ndarray:
        """The label of every example, int8; ABSTAIN where nobody named a class."""
        if not isinstance(votes, Answers):
            return super().predict(votes)
        import numpy as np

        covered = np.zeros(len(votes), dtype=bool)
        covered[votes.example[votes.vote >= 0]] = True
        return np.where(covered, ranked(self.predict_scores(votes))[0], ABSTAIN).astype(np.int8)

    def explain(self, answers: Answers, example: int) -> Explanation:
        """What each answer on an example added, in log-odds; `example` is its place in `answers`. Raises InvalidRecord."""
        import numpy as np

        if not 0 <= example < len(answers):
            raise InvalidRecord("example", example, f"a place from 0 to {len(answers) - 1}", where=self.method)
        one = self._known(answers).take([example])
        prior = np.log(self.balance_)
        scores = self.predict_scores(one)[0].tolist()
        lead = leading(scores)
        parts, evidence = [], np.zeros((len(one.vote), len(prior)))
        for place, (source, vote) in enumerate(zip(one.source.tolist(), one.vote.tolist(), strict=True)):
            if vote >= 0:
                evidence[place] = self.log_likelihood_[self.columns_.index(one.columns[source])][:, vote]
            said = _SILENCE.get(vote) or self.classes_[vote]
            added = float(evidence[place, lead.label] - evidence[place, lead.runner_up])
            parts.append(Contribution(one.columns[source], one.sources[source], vote, said, added))
        spoken, flip = np.flatnonzero(one.vote >= 0), None
        if len(spoken):
            found = smallest_flip(prior, evidence[spoken], lead.label)
            removed = tuple(parts[spoken[place]].column for place in sorted(found.removed))
            flip = SmallestFlip(removed, found.label, self.classes_[found.label] if found.label >= 0 else None)
        return told_apart(self.classes_, prior, scores, lead, tuple(parts), flip)

    def _known(self, answers: Answers) -> Answers:
        """The answers, where all who gave them are workers of this model. Raises InvalidRecord."""
        self._check_fitted()
        if answers.classes != self.classes_:
            raise InvalidRecord("classes", list(answers.classes), f"{list(self.classes_)}", where=self.method)
        unknown = set(zip(answers.columns, answers.sources, strict=True))
        unknown -= set(zip(self.columns_, self.sources_ or (), strict=False))
        if unknown:
            wanted = "workers that this model learned of, as they were then"
            raise InvalidRecord("columns", min(unknown)[0], wanted, where=self.method, hint="fit again with them")
        return answers

    def _checked(self) -> tuple[float, float, float]:
        check = partial(checked_number, where=self.method)
        finite = {"fits": lambda x: 0 < x < float("inf"), "wanted": "a finite number above 0"}
        between = {"fits": lambda x: 0 < x < 1, "wanted": "a number between 0 and 1"}
        if type(self.max_iterations) is not int or self.max_iterations < 1:
            raise InvalidRecord("max_iterations", self.max_iterations, "a whole number from 1", where=self.method)
        strength = check("strength", self.strength, **finite)
        return strength, check("diagonal", self.diagonal, **between), check("tolerance", self.tolerance, **between)

    def _state(self) -> dict[str, Any]:
        return {
            "balance": [decimal(value) for value in self.balance_.tolist()],
            "balance_origin": self.balance_origin_,
            "log_likelihood": [
                [[decimal(value) for value in row] for row in table] for table in self.log_likelihood_.tolist()
            ],
            "order": [int(source) for source in self.order_],
            "iterations": self.iterations_,
            "converged": self.converged_,
            "objective": decimal(self.objective_),
        }

    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        import numpy as np

        if set(state) != _STATE:
            raise InvalidRecord("state", sorted(state), f"exactly {', '.join(sorted(_STATE))}", where=where)
        self._checked()
        balance = array_of(state["balance"], (len(self.classes_),), field="state.balance", where=where)
        self.balance_ = checked_balance(balance, n_classes=len(self.classes_), where=where)
        self._restore_tables(state, where=where)
        if np.abs(np.exp(self.log_likelihood_).sum(axis=2) - 1).max() > 1e-9:
            raise InvalidRecord("state.log_likelihood", "other sums", "rows whose probabilities sum to 1", where=where)
        if state["balance_origin"] not in get_args(Origin):
            raise InvalidRecord(
                "state.balance_origin", state["balance_origin"], "given, estimated or gold", where=where
            )
        if type(state["iterations"]) is not int or type(state["converged"]) is not bool:
            wanted = "a whole number and true or false"
            raise InvalidRecord("state.iterations, state.converged", None, wanted, where=where)
        self.balance_origin_ = state["balance_origin"]
        self.balance = as_told(self.balance, self.balance_origin_)
        self.iterations_, self.converged_ = state["iterations"], state["converged"]
        self.objective_ = number_of(state["objective"], field="state.objective", where=where)


def _in_order(answers: Answers) -> tuple[Answered, np.ndarray]:
    """Answers that name a class by the names of examples and workers, and at which place which column then stands."""
    import numpy as np

    order = np.array(sorted(range(len(answers.columns)), key=lambda j: answers.columns[j]), dtype=np.int64)
    source_place, example_place = np.empty(len(order), dtype=np.int64), np.empty(len(answers), dtype=np.int64)
    source_place[order] = np.arange(len(order))
    example_place[_by_id(answers)] = np.arange(len(answers))
    said = np.flatnonzero(answers.vote >= 0)
    example, source = example_place[answers.example[said]], source_place[answers.source[said]]
    # Which of two answers of one worker came first is not looked at.
    turn = np.lexsort((answers.vote[said], source, example))
    weights = np.zeros(len(answers))
    weights[example] = 1.0
    found = Answered(example[turn], source[turn], answers.vote[said][turn], weights, len(order), len(answers.classes))
    return found, order


def _by_id(answers: Answers) -> np.ndarray:
    """The examples in the order of their ids."""
    return answers.ids.arg_sort().to_numpy()


Model = Crowd
