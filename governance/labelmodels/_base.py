"""What does every label model promise? fit, predict_proba and a file from which it comes back bit for bit."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from governance.digest import canonical
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.labelmodels._vote_rows import VoteRows
from governance.labelmodels._written import FORMAT, SAMPLED, VERSION, VOICED, text_of, value_of
from governance.votes.patterns import Patterns, distinct, sorts_at_once
from governance.votes.plain import as_votes, names_of, numbered, votes_of
from governance.votes.table import ABSTAIN, VoteTable, check_values

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.state import VoteState

#: scores that differ by less than this share of the best one (or of 1) are equal: the rest is the order of a sum
TIE = 1e-12
#: so many places for votes are learned from row by row, if they are in so few rows or rows are wide
_ROW_BY_ROW, _FEW_ROWS = 1 << 20, 1 << 13
#: whole numbers below this are exact as floats
_EXACT = 2.0**53
#: from this weight on no share of it is lost; and the exponent of the smallest power of two with all its digits
_TINY, _LEAST_EXPONENT = 1e-30, -1021
#: what tells the labels of rows, int8 (rows)
RowLabels = Callable[[], "np.ndarray"]


class FittedLabelModel(ABC):
    """A label model in the manner of scikit-learn: parameters in the constructor, learned things in `name_`.

    Votes come as a VoteTable, or as an int8 matrix (rows x sources) together with n_classes. ABSTAIN, ERROR and SKIPPED
    carry no evidence. Everything is float64; where there are many rows it costs distinct vote patterns, not rows.
    """

    method: ClassVar[str]
    #: the versions of its file, of a whole fit and of a sampled one
    written: ClassVar[tuple[int, int]] = (VERSION, SAMPLED)
    classes_: tuple[str, ...]
    columns_: tuple[str, ...]
    sources_: tuple[str, ...] | None = None
    #: P(class), as the model uses it
    balance_: np.ndarray
    #: the share of the rows with a vote that it learned from; 1.0 where it learned from all of them
    sampled_: float = 1.0

    def fit(
        self,
        votes: VoteTable | np.ndarray,
        y: None = None,
        *,
        n_classes: int | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> Self:
        """Learns from votes; a row counts as often as its `sample_weight`, float (rows), says, and once without one.

        `y` is there for scikit-learn, which gives every estimator one. Raises InvalidRecord for labels in it, and for
        parameters or votes that nothing can be learned from.
        """
        check_unlabelled(y, where=self.method)
        self._fit(votes, n_classes=n_classes, sample_weight=sample_weight)
        return self

    def fit_predict(
        self,
        votes: VoteTable | np.ndarray,
        y: None = None,
        *,
        n_classes: int | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> np.ndarray:
        """The labels of the very votes that it learns from: what `fit` and then `predict` give, patterns looked for once.

        int8 (rows). Raises InvalidRecord.
        """
        check_unlabelled(y, where=self.method)
        patterns, told = self._fit(votes, n_classes=n_classes, sample_weight=sample_weight, inverse=True)
        if told is not None:
            found = told()
        elif patterns is not None:
            found = self._labels(self._heard(patterns.votes))
        else:
            return self.predict(votes)
        return found if patterns is None else found.take(patterns.inverse)

    def _fit(
        self,
        votes: VoteTable | np.ndarray,
        *,
        n_classes: int | None,
        sample_weight: np.ndarray | None,
        inverse: bool = False,
    ) -> tuple[Patterns | None, RowLabels | None]:
        """`fit`; the patterns of the evidence, with the rows' places among them where `inverse` asks for it, or None where
        none were looked for; and what tells their labels, or those of the rows, if it is at hand."""
        columns, sources, classes, matrix = votes_of(votes, n_classes=n_classes, where=self.method)
        if not len(matrix):
            raise InvalidRecord("votes", 0, "at least one row", where=self.method)
        patterns, found, counts = None, evidence_of(matrix), None
        # Few rows, or wide ones, are learned from one by one: the same bits come of them, and to look for patterns first
        # would take longer.
        many = found.size > _ROW_BY_ROW or (len(found) > _FEW_ROWS and sorts_at_once(found))
        if sample_weight is not None or many:
            patterns = distinct(found, inverse=inverse or sample_weight is not None)
            found, counts = patterns.votes, patterns.counts
            if sample_weight is not None:
                counts = weighted(patterns, _checked_weights(sample_weight, len(matrix), where=self.method))
        told = self._learn_covered(VoteRows(found, counts), n_classes=len(classes))
        self.classes_, self.columns_, self.sources_ = classes, columns, sources
        self.sampled_ = 1.0
        return patterns, told

    def _heard(self, votes: np.ndarray) -> np.ndarray:
        """What of evidence, int8 (rows x sources), this model hears."""
        return votes

    def fit_state(self, state: VoteState) -> Self:
        """Learns from the state of votes, bit for bit what `fit` learns from the votes, unless the state is sampled.

        `sampled_` and `parameters` say of how many rows a sampled state knows. Raises InvalidRecord.
        """
        self._learn_covered(VoteRows(state.patterns.votes, state.patterns.counts), n_classes=len(state.classes))
        self.classes_, self.columns_, self.sources_ = state.classes, state.columns, state.sources
        self.sampled_ = state.sampled
        return self

    def _learn_covered(self, given: VoteRows, *, n_classes: int) -> RowLabels | None:
        """Learns from those rows of evidence that are there at all; what `_learn` gives, if that is all of them."""
        rows = len(given.votes)
        if not given.once and not (there := given.counts > 0).all():
            given = VoteRows(given.votes[there], given.counts[there])
        if given.highest < 0:
            wanted = "at least one row with a vote"
            raise InvalidRecord(
                "votes", "no vote at all", wanted, where=self.method, hint="no source votes: see them first"
            )
        told = self._learn(given, n_classes=n_classes)
        return told if len(given.votes) == rows else None

    def predict_scores(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """log P(class, votes), rows x classes, not normalised: a difference keeps its digits where P is nearly 1."""
        return self._by_pattern(votes, self._scores)

    def predict_proba(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """P(class | votes), rows x classes; a row without a vote gets the class balance."""
        return self._by_pattern(votes, lambda patterns: normalised(self._scores(patterns)))

    def predict(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """The label of every row, int8; ABSTAIN where no source voted; the lower class index of those within TIE."""
        matrix = evidence_of(self._matrix(votes))
        found = self._by_row(matrix)
        if found is None:
            patterns = distinct(matrix)
            found = self._labels(patterns.votes).take(patterns.inverse)
        return found

    def _by_row(self, votes: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 - for models that add up quickly
        """What `_labels` says of every row, where that costs no more than to look for patterns, else None."""
        return None

    def _by_pattern(self, votes: VoteTable | np.ndarray, answer: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """What `answer` says of each distinct row of evidence, for every row."""
        patterns = distinct(evidence_of(self._matrix(votes)))
        return answer(patterns.votes).take(patterns.inverse, axis=0)

    def _labels(self, votes: np.ndarray) -> np.ndarray:
        """int8 (patterns)."""
        import numpy as np

        return np.where((votes >= 0).any(axis=1), ranked(self._scores(votes))[0], ABSTAIN).astype(np.int8)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's clone passes it
        """The constructor's parameters, as given."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        """The constructor's call, with the parameters that are not its own defaults."""
        defaults = inspect.signature(type(self)).parameters
        told = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not defaults[name].default]
        return f"{type(self).__name__}({', '.join(told)})"

    def set_params(self, **params: Any) -> Self:
        """Other values of the constructor's parameters, checked when the model learns. Raises UnknownName."""
        for name, value in params.items():
            if name not in self.get_params():
                raise UnknownName(f"parameter of {self.method}", name, self.get_params())
            setattr(self, name, value)
        return self

    def to_bytes(self) -> bytes:
        """label_model.json: canonical JSON in which every number is the shortest decimal that reads back the same."""
        self._check_fitted()
        if self.sources_ is None:
            raise InvalidRecord(
                "sources",
                None,
                "the source version of every column",
                where=self.method,
                hint="fit on a VoteTable to save",
            )
        told = {
            "format": FORMAT,
            "v": self.written[self.sampled_ != 1.0],
            "method": self.method,
            "classes": list(self.classes_),
            "columns": list(self.columns_),
            "sources": list(self.sources_),
            "parameters": self.parameters(),
            "state": self._state(),
        }
        return canonical(told) + b"\n"

    def parameters(self) -> dict[str, str]:
        """What decided the fit, as text: every parameter that has a value, and `sampled` where a part of it is unseen."""
        told = {name: value for name, value in self.get_params().items() if value is not None}
        if self.sampled_ != 1.0:
            told["sampled"] = self.sampled_
        return {name: value if isinstance(value, str) else text_of(value) for name, value in sorted(told.items())}

    @classmethod
    def restored(cls, told: Mapping[str, Any], *, where: str) -> Self:
        """The model whose file says `told`. Raises InvalidRecord."""
        if told["v"] == VOICED and VOICED not in cls.written:
            raise InvalidRecord("v", VOICED, f"{VERSION} or {SAMPLED} of a {cls.method}", where=where)
        model = cls()
        model.classes_ = tuple(told["classes"])
        model.columns_, model.sources_ = tuple(told["columns"]), tuple(told["sources"])
        for name, text in told["parameters"].items():
            if name == "sampled" and told["v"] != VERSION:
                fits = {"fits": lambda share: 0 < share < 1, "wanted": "a share of rows between 0 and 1"}
                model.sampled_ = checked_number(name, value_of(text, where=where), where=where, **fits)
                continue
            if name not in model.get_params():
                wanted = f"parameters of {cls.method}: {', '.join(model.get_params())}"
                raise InvalidRecord(f"parameters.{name}", text, wanted, where=where)
            setattr(model, name, value_of(text, where=where))
        model._restore(told["state"], where=where)
        return model

    @abstractmethod
    def _learn(self, given: VoteRows, *, n_classes: int) -> RowLabels | None:
        """Learns from rows, one of which has a vote; what tells all their labels, int8 (rows), if that is at hand."""

    @abstractmethod
    def _scores(self, votes: np.ndarray) -> np.ndarray:
        """log scores, patterns x classes, for votes int8 (patterns x sources)."""

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """What was learned, as canonical JSON can hold it."""

    @abstractmethod
    def _restore(self, state: Mapping[str, Any], *, where: str) -> None:
        """Takes back what `_state` gave, held against the classes and columns."""

    def _check_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            raise ConfigurationError(f"{self.method} has learned nothing yet", hint="call fit(votes) first")

    def _matrix(self, votes: VoteTable | np.ndarray) -> np.ndarray:
        """The votes on the columns this model knows, in its order. Raises InvalidRecord where they are others."""
        import numpy as np

        self._check_fitted()
        if isinstance(votes, VoteTable):
            if votes.classes != self.classes_:
                raise InvalidRecord("classes", list(votes.classes), f"{list(self.classes_)}", where=self.method)
            known = set(zip(self.columns_, self.sources_ or (), strict=False))
            differing = sorted(known ^ set(zip(votes.columns, votes.sources, strict=True)))
            if differing:
                wanted = "exactly the source versions that this model learned of"
                raise InvalidRecord("columns", differing[0][0], wanted, where=self.method)
            return votes.matrix[:, [votes.columns.index(column) for column in self.columns_]]
        matrix, names = as_votes(votes, where=self.method), names_of(votes, where=self.method)
        if names is not None and set(names) == set(self.columns_):
            matrix = np.ascontiguousarray(matrix[:, [names.index(column) for column in self.columns_]])
        elif names is not None and self.columns_ != numbered(len(self.columns_)):
            known, given = set(self.columns_), set(names)
            wanted = f"the columns that this model learned of, in any order: {_some(self.columns_)}"
            lacking = "" if given - known else f"all but {_some(sorted(known - given))}"
            raise InvalidRecord("columns", lacking or min(given - known), wanted, where=self.method)
        elif matrix.shape[1] != len(self.columns_):
            raise InvalidRecord("votes", list(matrix.shape), f"{len(self.columns_)} sources", where=self.method)
        check_values(matrix, n_classes=len(self.classes_), columns=self.columns_, where=self.method)
        return matrix


def _some(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def check_unlabelled(y: object, *, where: str) -> None:
    """Raises InvalidRecord where labels are given, as to a classifier."""
    if y is not None:
        hint = "leave it out; how many classes there are is told with `n_classes=`"
        wanted = "none: label models learn without labels"
        raise InvalidRecord("y", type(y).__name__, wanted, where=where, hint=hint)


def evidence_of(matrix: np.ndarray) -> np.ndarray:
    """The same votes with ERROR and SKIPPED as silence: neither says anything of the class."""
    import numpy as np

    return matrix if matrix.min(initial=ABSTAIN) == ABSTAIN else np.maximum(matrix, np.int8(ABSTAIN))


def weighted(patterns: Patterns, weights: np.ndarray) -> np.ndarray:
    """The weight of every pattern, whole or float (patterns), from that of every row; its bits know no order of rows."""
    import numpy as np

    if weights.dtype.kind in "iu":
        # Whole numbers are exact as floats below 2^53.
        return np.bincount(patterns.inverse, weights, minlength=len(patterns)).astype(np.int64)
    order = np.lexsort((weights, patterns.inverse))
    return np.add.reduceat(weights[order], np.cumsum(patterns.counts) - patterns.counts)


def unit_of(weights: np.ndarray) -> float:
    """In what weights, float64 (patterns), are shared among classes: 1.0, or a power of two where all of them are tiny.

    A share may be as small as e^-600 of its weight, and would be nothing then.
    """
    largest = float(weights.max(initial=0.0))
    return 1.0 if largest >= _TINY or not largest else 2.0 ** max(math.frexp(largest)[1], _LEAST_EXPONENT)


def _checked_weights(given: object, rows: int, *, where: str) -> np.ndarray:
    """One number from 0 to 2^53 for each row; whole numbers as int64, others as float64. Raises InvalidRecord."""
    import numpy as np

    weights = np.asarray(given)
    if weights.dtype.kind not in "iuf" or weights.shape != (rows,):
        shown = f"{weights.dtype} {list(weights.shape)}"
        raise InvalidRecord("sample_weight", shown, f"one number for each of {rows} rows", where=where)
    # The comparison is false for NaN too.
    odd = np.flatnonzero(~((weights >= 0) & (weights <= _EXACT)))
    if len(odd):
        raise InvalidRecord(f"sample_weight[{odd[0]}]", weights[odd[0]].item(), "a number from 0 to 2^53", where=where)
    if not weights.any():
        raise InvalidRecord("sample_weight", "0 for every row", "a weight above 0", where=where)
    whole = weights.dtype.kind in "iu" or bool((weights == np.floor(weights)).all())
    return weights.astype(np.int64 if whole and float(weights.sum()) < _EXACT else np.float64)


def normalised(scores: np.ndarray) -> np.ndarray:
    """Probabilities of log scores, row by row."""
    import numpy as np

    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def ranked(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best class and the runner-up of every row, int64 (rows) both; of equal ones the lower index stands first.

    Scores within TIE are equal, so that the last bits of a sum, which depend on its order, never choose a label.
    """
    import numpy as np

    rows = np.arange(len(scores))
    label = _near_best(scores).argmax(axis=1)
    rest = scores.astype(np.float64)
    rest[rows, label] = -np.inf
    near = _near_best(rest)
    near[rows, label] = False
    return label, near.argmax(axis=1)


def best(scores: np.ndarray) -> np.ndarray:
    """The best class, int8 (rows), as `ranked` has it, of scores that stand classes x rows."""
    import numpy as np

    least = scores.max(axis=0)
    least -= TIE * np.maximum(1.0, np.abs(least))
    # How many classes stand before the first of those that are good enough.
    worse = scores[0] < least
    found = worse.astype(np.int8)
    for more in scores[1:-1]:
        worse &= more < least
        found += worse
    return found


def log_odds(scores: np.ndarray) -> np.ndarray:
    """The best class against the runner-up, float64 (rows): above 0, and exactly 0 where both are equal."""
    import numpy as np

    rows = np.arange(len(scores))
    label, runner_up = ranked(scores)
    tied = _near_best(scores)[rows, runner_up]
    return np.where(tied, 0.0, scores[rows, label] - scores[rows, runner_up])


def _near_best(scores: np.ndarray) -> np.ndarray:
    """Which classes are as good as the best, bool, rows x classes."""
    import numpy as np

    best = scores.max(axis=1, keepdims=True)
    return scores >= best - TIE * np.maximum(1.0, np.abs(best))


def checked_balance(balance: Sequence[float] | np.ndarray, *, n_classes: int, where: str) -> np.ndarray:
    """P(class) as float64. Raises InvalidRecord unless there is one finite number above 0 a class and they sum to 1."""
    import numpy as np

    try:
        given = np.array(balance, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidRecord("balance", balance, "numbers", where=where) from None
    if given.shape != (n_classes,):
        raise InvalidRecord("balance", list(given.shape), f"one number for each of {n_classes} classes", where=where)
    # The comparison is also false for NaN.
    if not (np.all(given > 0) and abs(float(given.sum()) - 1) <= 1e-9):
        raise InvalidRecord("balance", given.tolist(), "finite numbers above 0 that sum to 1", where=where)
    return given


def checked_number(name: str, value: object, *, fits: Callable[[float], bool], wanted: str, where: str) -> float:
    """`value` as a float. Raises InvalidRecord unless it is a number that `fits`; write `fits` so that NaN does not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not fits(float(value)):
        raise InvalidRecord(name, value, wanted, where=where)
    return float(value)
