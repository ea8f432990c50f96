"""What is worked out once of the votes, so that they can be fitted again and again, also without some of the sources?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from governance.labelmodels._canonical import Arranged, arranged, column_names, groups_of
from governance.labelmodels._codes import look_ups
from governance.labelmodels._em import Cast, Climbed, Counted, Found, climb
from governance.labelmodels._lookup import Lookup
from governance.labelmodels._onehot import OneHot, is_few
from governance.labelmodels._products import Products
from governance.labelmodels._voices import Agreement, Pairs
from governance.labelmodels._vote_rows import MOST, Spoken, VoteRows, voting
from governance.votes.patterns import distinct
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: what is apart by less than this share may be the order of a sum
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Prepared:
    """Covered patterns in canonical order, ready for EM; `columns` are the names of the given ones, where known."""

    arranged: Arranged
    classes: int
    columns: tuple[str, ...] = ()
    device: str | None = None

    @classmethod
    def of(
        cls,
        given: VoteRows,
        *,
        classes: int,
        columns: tuple[str, ...] = (),
        device: str | None = None,
    ) -> Prepared:
        """From rows of evidence of which each has a vote."""
        return cls(arranged(given), classes, columns, device)

    @property
    def order(self) -> np.ndarray:
        """Which column, as it was given, stands at which place, int64 (sources)."""
        return self.arranged.order

    @property
    def patterns(self) -> np.ndarray:
        """int8 (patterns x sources)."""
        return self.arranged.patterns

    @property
    def weights(self) -> np.ndarray:
        """Whole or float (patterns)."""
        return self.arranged.weights

    @cached_property
    def lookup(self) -> Lookup:
        """The patterns on this machine's own processor."""
        return Lookup(self.patterns, self.weights, classes=self.classes)

    @cached_property
    def _onehot(self) -> OneHot | None:
        """The same, where that costs less; what decides is how many patterns, sources, classes and votes there are."""
        import numpy as np

        spoken, patterns = self.arranged.spoken, len(self.weights)
        votes = len(spoken.vote) if spoken is not None else int(np.count_nonzero(self.patterns >= 0))
        few = is_few(votes, patterns=patterns)
        if not few and (votes > MOST or votes >= look_ups(patterns, len(self.order), classes=self.classes)):
            return None
        return OneHot(spoken or Spoken.of(self.patterns), self.weights, classes=self.classes)

    @cached_property
    def _products(self) -> Products | None:
        if self.device is None:
            return None
        return Products(self.patterns, self.weights, classes=self.classes, device=self.device)

    def left_out(self, columns: Sequence[int]) -> np.ndarray:
        """bool (sources), in canonical order: which of them are the given columns `columns`."""
        import numpy as np

        return np.isin(self.order, columns)

    def covered(self, left_out: np.ndarray) -> np.ndarray:
        """bool (patterns): where a source votes that is not left out."""
        import numpy as np

        if self._onehot is not None:
            return self._onehot.voting(left_out) > 0
        return self._voting > np.count_nonzero(self.patterns[:, left_out] >= 0, axis=1)

    @cached_property
    def _voting(self) -> np.ndarray:
        """How many sources vote in each pattern, int32 (patterns)."""
        return self.arranged.spoken.many if self.arranged.spoken is not None else voting(self.patterns)

    def scores(self, tables: np.ndarray, balance: np.ndarray) -> np.ndarray:
        """log P(class, votes), patterns x classes, under log tables in the given order of columns.

        A table of zeros leaves its source out. The last bits are not those of `predict_scores`, which adds source by
        source; `ranked` does not see them.
        """
        import numpy as np

        return self.lookup.scores(tables[self.order], np.log(balance))

    def labels(self, tables: np.ndarray, balance: np.ndarray) -> np.ndarray:
        """The label of every pattern, int8 (patterns), under such tables; ABSTAIN where all who vote are left out."""
        import numpy as np

        found = (self._onehot or self.lookup).labels(tables[self.order], np.log(balance))
        left_out = ~np.any(tables[self.order], axis=(1, 2))
        return np.where(self.covered(left_out), found, np.int8(ABSTAIN)) if left_out.any() else found

    def balance(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """P(class) from majority vote, among the sources that are not left out."""
        return (self._onehot or self.lookup).balance(left_out)

    @cached_property
    def cast(self) -> np.ndarray:
        """How often each source names each class, float64 (sources x classes)."""
        import numpy as np

        if self.arranged.cast is not None:
            found = np.zeros((len(self.order), self.classes))
            found[:, : self.arranged.cast.shape[1]] = self.arranged.cast
            return found
        if self._onehot is not None:
            return self._onehot.cast
        # Not a product: how that is added up depends on the number of threads.
        said, weights = (column + np.int8(1) for column in self.patterns.T), self.weights.astype(np.float64)
        return np.stack([np.bincount(one, weights, minlength=self.classes + 1)[1:] for one in said])

    def naming_all(self, balance: np.ndarray) -> np.ndarray:
        """bool (sources): which name every class, each at least a tenth as often as the balance has it."""
        import numpy as np

        # Exactly a tenth is not more, however the balance was rounded.
        least = 0.1 * (1 + _TIE) * balance * self.cast.sum(axis=1, keepdims=True)
        return np.all(self.cast > least, axis=1)

    def agreement(self, judged: np.ndarray, left_out: np.ndarray | None = None) -> Agreement | None:
        """How often the sources in `judged` that are not left out agree; None where too little is to be seen."""
        return Agreement.of(self._pairs, judged=judged, left_out=left_out)

    def voices(self, agreement: Agreement | None, left_out: np.ndarray | None = None) -> np.ndarray:
        """How much each source counts, float64 (sources), where those whose agreement this is may err together."""
        import numpy as np

        if agreement is None:
            return np.ones(len(self.order))
        found = agreement.voices()
        if (found == 1.0).all():
            return found
        groups = self._groups(left_out)
        # Interchangeable sources have one voice, to the last bit.
        return (np.bincount(groups, found) / np.maximum(np.bincount(groups), 1))[groups]

    @cached_property
    def _rows(self) -> float:
        """How many rows there are."""
        return float(self.weights.sum())

    def rows_covered(self, left_out: np.ndarray | None) -> float:
        """On how many rows a source votes that is not left out."""
        if left_out is None or not left_out.any():
            return self._rows
        return float(self.weights[self.covered(left_out)].sum())

    @property
    def _counted(self) -> Counted:
        return self._products or self._onehot or self.lookup

    def ended(self, climbed: Climbed) -> Found:
        """What EM came to, and what that is worth."""
        import numpy as np

        likelihood, labels = self._counted.ending(climbed.tables, np.log(climbed.balance))
        return Found(**vars(climbed), objective=likelihood + climbed.log_prior, labels=labels)

    def found(
        self,
        *,
        balance: np.ndarray,
        prior: np.ndarray,
        voices: np.ndarray,
        tolerance: float,
        max_iterations: int,
        balance_rows: float | None = None,
        left_out: np.ndarray | None = None,
        covered: float | None = None,
    ) -> Climbed:
        """EM in canonical order, as `climb` says; `covered` is what `rows_covered` says of `left_out`, where known."""
        covered = self.rows_covered(left_out) if covered is None else covered
        return climb(
            self._counted,
            cast=Cast(self.cast.sum(axis=1), covered, self._rows - covered),
            balance=balance,
            prior=prior,
            voices=voices,
            groups=self._groups(left_out),
            balance_rows=balance_rows,
            left_out=left_out,
            tolerance=tolerance,
            max_iterations=max_iterations,
        )

    def _groups(self, left_out: np.ndarray | None) -> np.ndarray:
        """Which columns are interchangeable once some are left out, int64 (sources)."""
        import numpy as np

        if left_out is None or not left_out.any():
            return groups_of(self.arranged.names)
        heard = np.flatnonzero(~left_out)
        groups = np.arange(len(self.arranged.names))
        # How often a column says what does not depend on the others: where that tells all apart, nothing else is asked.
        totals = self.arranged.totals
        if totals is None or len(set(totals[heard].tolist())) < len(heard):
            rest = distinct(np.ascontiguousarray(self.patterns[:, heard]))
            weights = np.bincount(rest.inverse, self.weights, minlength=len(rest))
            names = column_names(rest.votes, weights.astype(self.weights.dtype))
            groups[heard] = np.unique(names, return_inverse=True)[1]
            groups[left_out] = len(heard) + np.arange(left_out.sum())
        return groups

    @cached_property
    def _pairs(self) -> Pairs:
        spoken = self.arranged.spoken if self._onehot is None else self._onehot.spoken
        return Pairs(self.arranged, spoken, classes=self.classes)
