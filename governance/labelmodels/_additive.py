"""What do label models share in which each vote adds to the score of each class, and silence adds nothing?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord
from governance.labelmodels._base import FittedLabelModel, best
from governance.labelmodels._written import array_of
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: rows of which each is labelled by itself, and votes that are looked at together
_FEW, _AT_ONCE = 1 << 14, 1 << 18


class AdditiveLabelModel(FittedLabelModel):
    """log P(class), and on it for each vote a number a class: so a label comes apart into what each source added."""

    #: what a vote adds to the score of a class, float64, sources x classes x votes
    log_likelihood_: np.ndarray
    #: columns in the order in which evidence is added up
    order_: np.ndarray

    def _scores(self, votes: np.ndarray) -> np.ndarray:
        import numpy as np

        scores = np.repeat(np.log(self.balance_)[None, :], len(votes), axis=0)
        for source in self.order_:
            scores += evidence(self.log_likelihood_[source])[votes[:, source]]
        return scores

    def _by_row(self, votes: np.ndarray) -> np.ndarray | None:
        """What `_labels` says of every row, int8, where that costs no more than to look for patterns, else None."""
        return self._labels(votes) if len(votes) <= _FEW else None

    def _labels(self, votes: np.ndarray) -> np.ndarray:
        """int8 (rows): as `ranked` has it, which does not see in what order scores were added up."""
        import numpy as np

        from governance.labelmodels._vote_rows import Spoken

        classes, found = len(self.classes_), np.empty(len(votes), dtype=np.int8)
        tables = self.log_likelihood_.transpose(0, 2, 1).reshape(-1, classes)
        log_balance = np.log(self.balance_)
        step = max(1, _AT_ONCE // votes.shape[1])
        for start in range(0, len(votes), step):
            spoken = Spoken.of(votes[start : start + step])
            scores = np.repeat(log_balance[None], len(spoken.many), axis=0)
            spoken.said(classes=classes).by_row(tables, scores)
            found[start : start + step] = best(np.ascontiguousarray(scores.T))
            found[start : start + step][spoken.many == 0] = ABSTAIN
        return found

    def _restore_tables(self, state: Mapping[str, Any], *, where: str) -> None:
        """`log_likelihood` and `order` from what a file says."""
        sources, classes = len(self.columns_), len(self.classes_)
        shape, field = (sources, classes, classes), "state.log_likelihood"
        self.log_likelihood_ = array_of(state["log_likelihood"], shape, field=field, where=where)
        self.order_ = self._order_of(state["order"], where=where)

    def _order_of(self, order: object, *, where: str) -> np.ndarray:
        """The order of columns that a file tells. Raises InvalidRecord."""
        import numpy as np

        places = range(len(self.columns_))
        if not isinstance(order, list) or any(type(place) is not int for place in order) or sorted(order) != [*places]:
            raise InvalidRecord("state.order", order, "every column once", where=where)
        return np.array(order, dtype=np.int64)


def evidence(table: np.ndarray) -> np.ndarray:
    """What a vote adds as votes x classes, and a last row of zeros: index -1 is silence, which adds nothing."""
    import numpy as np

    return np.concatenate([table.T, np.zeros((1, table.shape[0]))])
