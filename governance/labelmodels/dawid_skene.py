"""How good is each source on each class, and what do all of them say together?

Dawid-Skene by maximum a posteriori EM on distinct vote patterns. Each source has P(vote | class); a Dirichlet prior stands
around `diagonal` on the vote for the class itself and the class balance for the rest. That a source is silent (ABSTAIN,
ERROR, SKIPPED) on a row carries no evidence of its class, since weighting it ruins sources that can only ever name one
class; how seldom it names that class on rows of another one does. Sources that err together share one voice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from governance.digest import decimal
from governance.errors import InvalidRecord, UnknownName
from governance.labelmodels._additive import AdditiveLabelModel
from governance.labelmodels._base import RowLabels, checked_balance, checked_number, evidence_of, normalised
from governance.labelmodels._em import Climbed, Found
from governance.labelmodels._prepared import Prepared
from governance.labelmodels._products import checked_device
from governance.labelmodels._vote_rows import VoteRows
from governance.labelmodels._written import VOICED, array_of, number_of
from governance.labelmodels.balance import Origin, as_told, origin_of
from governance.votes.patterns import distinct

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.table import VoteTable

#: how far the prior leans on the diagonal where the balance is given, and where it is estimated
DIAGONAL_GIVEN, DIAGONAL_ESTIMATED = 0.5, 0.7
#: pseudo-votes a class: so many at least, and so many for each vote that a source casts
_LEAST_STRENGTH, _STRENGTH_A_VOTE = 30.0, 0.03
#: sources that name all classes, of which it takes so many to learn the balance, and rows that the first guess counts for:
#: so many at least, and so many for each row on which they vote
_FEWEST, _BALANCE_ROWS, _BALANCE_SHARE = 3, 100.0, 0.3
_STATE = {"balance", "balance_origin", "log_likelihood", "voices", "order", "iterations", "converged", "objective"}


class DawidSkene(AdditiveLabelModel):
    """MAP Dawid-Skene.

    `balance`: P(class), as numbers or as `balance_of_gold` gives it, or None to estimate it: from the sources that name all
    classes where there are three of them, else from majority vote. `strength`: pseudo-votes a class and source, or None for
    3 % of the votes that a source casts, and 30 at least. `diagonal`: the prior's lean, or None for the default that suits
    the balance. `copies`: "share" one voice, or "count" in full. EM ends when nothing moves by more than `tolerance`, or
    after `max_iterations`; `converged_` says which. `device`: "cuda" or "cuda:N" for a graphics processor, which comes to
    the same within 1e-9; anything else is done on this machine's own processor.
    """

    method = "dawid_skene"
    written: ClassVar[tuple[int, int]] = (VOICED, VOICED)
    #: what a vote adds to the score of a class, log P(vote | class) times the source's voice, sources x classes x votes
    log_likelihood_: np.ndarray
    #: how much each source counts, float64 (sources): 1, and less where it errs together with others
    voices_: np.ndarray
    balance_origin_: Origin
    iterations_: int
    converged_: bool
    #: log likelihood of the votes and of the tables under their prior, up to a constant
    objective_: float

    def __init__(
        self,
        *,
        balance: Sequence[float] | None = None,
        strength: float | None = None,
        diagonal: float | None = None,
        copies: Literal["share", "count"] = "share",
        tolerance: float = 1e-3,
        max_iterations: int = 1000,
        device: str | None = None,
    ) -> None:
        self.balance = balance
        self.strength = strength
        self.diagonal = diagonal
        self.copies = copies
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.device = device

    @property
    def confusion_(self) -> np.ndarray:
        """P(vote | class, the source votes), float64, sources x classes x votes."""
        import numpy as np

        tables = np.exp(self.log_likelihood_ / self.voices_[:, None, None])
        return tables / tables.sum(axis=2, keepdims=True)

    def _learn(self, given: VoteRows, *, n_classes: int) -> RowLabels:
        checked = self._checked()
        device = checked_device(self.device, where=self.method)
        prepared = Prepared.of(given, classes=n_classes, device=device)
        labels = self._learn_prepared(prepared, *checked).labels
        return lambda: prepared.arranged.row_labels(labels)

    def _learn_prepared(
        self, votes: Prepared, diagonal: float, tolerance: float, *, left_out: np.ndarray | None = None
    ) -> Found:
        """1. the balance that is given, or that of majority vote  2. who errs together  3. the balance that accuracies
        tell, and the prior around it  4. the balance that those sources learn which name all classes  5. EM, in the one
        order of all arrangements

        `left_out`, bool (sources), stands in that order too.
        """
        import numpy as np

        fit = partial(self._found, votes, tolerance=tolerance)
        # 1.
        if self.balance is None:
            balance, self.balance_origin_ = votes.balance(left_out), "estimated"
        else:
            balance = checked_balance(self.balance, n_classes=votes.classes, where=self.method)
            self.balance_origin_ = origin_of(self.balance)
        # 2.
        all_named = votes.naming_all(balance)
        silenced = np.zeros(len(all_named), dtype=bool) if left_out is None else left_out
        learns = self.balance is None and (all_named & ~silenced).sum() >= _FEWEST
        agreement = votes.agreement(all_named, left_out) if learns or self.copies == "share" else None
        voices = votes.voices(None if self.copies == "count" else agreement, left_out)
        # 3.
        others = silenced | ~all_named
        covered, worth = votes.rows_covered(others) if learns else 0.0, _BALANCE_ROWS
        if learns and agreement is not None:
            balance = agreement.balance(votes.cast, voices=voices, majority=balance)
            worth = max(worth, _BALANCE_SHARE * covered)
        lean = diagonal * np.eye(votes.classes) + (1 - diagonal) * balance[None, :]
        prior = self._pseudo_votes(votes.cast.sum(axis=1))[:, None, None] * lean
        # 4.
        climbed = None
        if learns:
            climbed = fit(
                balance=balance, prior=prior, voices=voices, balance_rows=worth, left_out=others, covered=covered
            )
            balance = climbed.balance
        # 5.
        if climbed is None or (~all_named & ~silenced).any():
            climbed = fit(balance=balance, prior=prior, voices=voices, left_out=left_out)
        with np.errstate(over="ignore", invalid="ignore"):
            found = votes.ended(climbed).checked(where=self.method)
        self.balance_ = balance
        self.iterations_, self.converged_, self.objective_ = found.iterations, found.converged, found.objective
        self.order_ = votes.order
        self.log_likelihood_, self.voices_ = np.empty_like(found.tables), np.empty_like(voices)
        self.log_likelihood_[votes.order], self.voices_[votes.order] = found.tables, voices
        return found

    def _found(self, votes: Prepared, **given: Any) -> Climbed:
        """What EM comes to. Raises InvalidRecord where that is no number."""
        import numpy as np

        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return votes.found(max_iterations=self.max_iterations, **given).checked(where=self.method)

    def _pseudo_votes(self, cast: np.ndarray) -> np.ndarray:
        """The prior's strength for sources that cast so many votes, float64 (sources) both."""
        import numpy as np

        if self.strength is not None:
            return np.full(len(cast), float(self.strength))
        return np.maximum(_LEAST_STRENGTH, _STRENGTH_A_VOTE * cast)

    def prepare(self, votes: VoteTable | np.ndarray) -> Prepared:
        """The patterns of `votes`, worked out once for many fits without some of this fitted model's sources."""
        found = distinct(evidence_of(self._matrix(votes)), inverse=False)
        covered = (found.votes >= 0).any(axis=1)
        if not covered.any():
            raise InvalidRecord("votes", "no vote at all", "at least one row with a vote", where=self.method)
        return Prepared.of(
            VoteRows(found.votes[covered], found.counts[covered]),
            classes=len(self.classes_),
            columns=self.columns_,
            device=checked_device(self.device, where=self.method),
        )

    def without(self, columns: Sequence[str], *, votes: Prepared) -> DawidSkene:
        """This model fitted anew on prepared votes, as if there had been no such columns.

        It equals a fit on a table without them within 1e-12. Raises UnknownName, InvalidRecord.
        """
        import numpy as np

        for column in columns:
            if column not in self.columns_:
                raise UnknownName("column", column, self.columns_)
        out = [j for j, column in enumerate(self.columns_) if column in columns]
        left_out = votes.left_out(out)
        if not votes.covered(left_out).any():
            raise InvalidRecord("without", list(columns), "at least one source that votes is left", where=self.method)
        model = type(self)(**self.get_params())
        model._learn_prepared(votes, *model._checked(), left_out=left_out)
        heard = [j for j in range(len(self.columns_)) if j not in out]
        place = {column: new for new, column in enumerate(heard)}
        model.order_ = np.array([place[j] for j in votes.order.tolist() if j in place], dtype=np.int64)
        model.log_likelihood_ = np.ascontiguousarray(model.log_likelihood_[heard])
        model.voices_ = model.voices_[heard]
        model.classes_, model.columns_ = self.classes_, tuple(self.columns_[j] for j in heard)
        model.sources_ = tuple(self.sources_[j] for j in heard) if self.sources_ else None
        return model

    def pattern_scores(self, votes: Prepared) -> np.ndarray:
        """log P(class, votes) for each prepared pattern, patterns x classes; a column that this model lacks is silent."""
        return votes.scores(self._tables_for(votes), self.balance_)

    def pattern_labels(self, votes: Prepared) -> np.ndarray:
        """The label of each prepared pattern, int8; ABSTAIN where none of this model's columns votes."""
        return votes.labels(self._tables_for(votes), self.balance_)

    def _tables_for(self, votes: Prepared) -> np.ndarray:
        import numpy as np

        tables = np.zeros((len(votes.columns), votes.classes, votes.classes))
        tables[[votes.columns.index(column) for column in self.columns_]] = self.log_likelihood_
        return tables

    def _checked(self) -> tuple[float, float]:
        check = partial(checked_number, where=self.method)
        if self.strength is not None:
            check("strength", self.strength, fits=lambda x: 0 < x < float("inf"), wanted="a finite number above 0")
        if self.copies not in ("share", "count"):
            raise InvalidRecord("copies", self.copies, '"share" or "count"', where=self.method)
        default = DIAGONAL_ESTIMATED if self.balance is None else DIAGONAL_GIVEN
        lean = default if self.diagonal is None else self.diagonal
        diagonal = check("diagonal", lean, fits=lambda x: 0 <= x < 1, wanted="a number from 0 to below 1")
        tolerance = check("tolerance", self.tolerance, fits=lambda x: 0 < x < 1, wanted="a number between 0 and 1")
        if type(self.max_iterations) is not int or self.max_iterations < 1:
            raise InvalidRecord("max_iterations", self.max_iterations, "a whole number from 1", where=self.method)
        return diagonal, tolerance

    def parameters(self) -> dict[str, str]:
        return {**super().parameters(), "diagonal": decimal(self._checked()[0])}

    def accuracy(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """P(the source is right | it votes) as the model sees it, float64 (sources); NaN where it never votes.

        The mean of P(class voted for | all votes on the row) over the rows of `votes` on which the source votes.
        """
        import numpy as np

        patterns = distinct(evidence_of(self._matrix(votes)))
        proba = normalised(self._scores(patterns.votes))
        found = np.full(patterns.votes.shape[1], np.nan)
        for source, said in enumerate(patterns.votes.T):
            spoke = np.flatnonzero(said >= 0)
            if len(spoke):
                believed = patterns.counts[spoke] * proba[spoke, said[spoke]]
                # An exact sum: the order of rows and columns cannot be seen in it.
                found[source] = math.fsum(believed.tolist()) / float(patterns.counts[spoke].sum())
        return found

    def _state(self) -> dict[str, Any]:
        return {
            "balance": [decimal(value) for value in self.balance_],
            "balance_origin": self.balance_origin_,
            "log_likelihood": [
                [[decimal(value) for value in row] for row in table] for table in self.log_likelihood_.tolist()
            ],
            "voices": [decimal(value) for value in self.voices_.tolist()],
            "order": [int(source) for source in self.order_],
            "iterations": self.iterations_,
            "converged": self.converged_,
            "objective": decimal(self.objective_),
        }

    @classmethod
    def restored(cls, told: Mapping[str, Any], *, where: str) -> Self:
        """The model whose file says `told`. Raises InvalidRecord."""
        if told["v"] < VOICED:
            # Before sources shared voices, each counted in full.
            state = {"voices": [decimal(1.0)] * len(told["columns"]), **told["state"]}
            told = {**told, "parameters": {"copies": "count", **told["parameters"]}, "state": state}
        return super().restored(told, where=where)

    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        import numpy as np

        if set(state) != _STATE:
            raise InvalidRecord("state", sorted(state), f"exactly {', '.join(sorted(_STATE))}", where=where)
        self._checked()
        sources, classes = len(self.columns_), len(self.classes_)
        balance = array_of(state["balance"], (classes,), field="state.balance", where=where)
        self.balance_ = checked_balance(balance, n_classes=classes, where=where)
        self._restore_tables(state, where=where)
        self.voices_ = array_of(state["voices"], (sources,), field="state.voices", where=where)
        if not np.all((self.voices_ > 0) & (self.voices_ <= 1)):
            raise InvalidRecord("state.voices", state["voices"], "numbers above 0, up to 1", where=where)
        if np.exp(self.log_likelihood_ / self.voices_[:, None, None]).sum(axis=2).max() > 1 + 1e-9:
            wanted = "rows whose probabilities sum to 1 at most"
            raise InvalidRecord("state.log_likelihood", "other sums", wanted, where=where)
        if state["balance_origin"] not in get_args(Origin):
            raise InvalidRecord(
                "state.balance_origin", state["balance_origin"], "given, estimated or gold", where=where
            )
        if type(state["iterations"]) is not int or type(state["converged"]) is not bool:
            raise InvalidRecord(
                "state.iterations, state.converged", None, "a whole number and true or false", where=where
            )
        self.balance_origin_ = state["balance_origin"]
        self.balance = as_told(self.balance, self.balance_origin_)
        self.iterations_, self.converged_ = state["iterations"], state["converged"]
        self.objective_ = number_of(state["objective"], field="state.objective", where=where)


Model = DawidSkene
