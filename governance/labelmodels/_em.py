"""Which tables of P(vote | class) make the votes most likely, given a prior? Found step by step, from the prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np


#: a source that votes on less than one row in so many casts its pseudo-votes as if it voted on one in so many
_RAREST = 1e100


class Counted(Protocol):
    """Patterns of votes that can be counted under log tables, sources x classes x votes."""

    sources: int
    classes: int

    def expected_votes(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """In the shape of the tables, and expected rows (classes)."""
        ...

    def ending(self, tables: np.ndarray, log_balance: np.ndarray) -> tuple[float, np.ndarray]:
        """log P(votes), and the best class of every pattern, int8 (patterns), as `ranked` has it."""
        ...


@dataclass(frozen=True, eq=False)
class Cast:
    """How many rows each source votes on, float64 (sources), and on how many any of those votes that are heard, or none."""

    votes: np.ndarray
    covered: float
    silent: float


@dataclass(frozen=True, eq=False)
class Climbed:
    """`tables`: what each vote adds to the score of each class, float64 (sources x classes x votes), all zeros for a source
    that is left out: log P(vote | class) times the source's voice.

    `log_prior` is the log likelihood of the tables under their prior, up to a constant.
    """

    tables: np.ndarray
    balance: np.ndarray
    iterations: int
    converged: bool
    log_prior: float

    def checked(self, *, where: str) -> Self:
        """Itself. Raises InvalidRecord where what was found is no number: a label from it would be made up."""
        import numpy as np

        objective = self.objective if isinstance(self, Found) else self.log_prior
        if not (np.isfinite(objective) and np.isfinite(self.tables).all() and np.isfinite(self.balance).all()):
            wanted = "votes, weights and parameters from which finite tables can be learned"
            hint = "are weights or the strength extreme? as a share of their sum they say the same"
            raise InvalidRecord("fit", "NaN or infinity", wanted, where=where, hint=hint)
        return self


@dataclass(frozen=True, eq=False)
class Found(Climbed):
    """Where EM ended, and what that is worth.

    `objective`: the log likelihood of the votes under the tables, and `log_prior`. `labels`: the best class of every
    pattern, or example, under them, int8.
    """

    objective: float
    labels: np.ndarray


def climb(
    counted: Counted,
    *,
    cast: Cast,
    balance: np.ndarray,
    prior: np.ndarray,
    voices: np.ndarray,
    groups: np.ndarray,
    balance_rows: float | None = None,
    left_out: np.ndarray | None = None,
    tolerance: float,
    max_iterations: int,
) -> Climbed:
    """EM by maximum a posteriori from the prior.

    `prior` holds pseudo-votes, sources x classes x votes. P(vote | class) is the share of all covered rows of the class, so
    that a source which is silent on a class says more by a vote for another; that it is silent on a row adds nothing. With
    `balance_rows` the balance is learned too, and the given one counts as so many rows. Columns of one group in `groups`,
    int64 (sources), have equal tables in exact arithmetic, and get equal ones here: otherwise EM may enlarge the last bits
    by which they differ until they part. Sources in `left_out`, bool (sources), say nothing, and have no part in the prior
    or in the end. It ends when neither a P(vote | class) nor the balance moves by more than `tolerance`.
    """
    import numpy as np

    heard = np.ones(counted.sources, dtype=bool) if left_out is None else ~left_out
    #: what a log probability adds, sources x 1 x 1: nothing where its source is left out
    loud = (voices * heard)[:, None, None]
    sizes = np.bincount(groups)
    shared = None if sizes.max() == 1 else partial(_shared, groups=groups, sizes=sizes)
    pseudo = prior.sum(axis=2)
    #: pseudo-rows, sources x classes, on which a source casts its pseudo-votes; one that never votes has no others
    votes_at_all, often = cast.votes > 0, np.maximum(cast.votes, cast.covered / _RAREST)
    beside = (pseudo * (cast.covered / np.where(votes_at_all, often, cast.covered))[:, None])[:, :, None]
    on_rows = votes_at_all[:, None, None].astype(np.float64)
    shares = prior / beside
    tables = np.log(shares) * loud
    log_balance, given = np.log(balance), balance
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        votes, rows = counted.expected_votes(tables, log_balance)
        if cast.silent:
            # Rows on which nobody is heard are believed to be as the balance has it, and say nothing of it.
            rows -= cast.silent * balance
        moved = np.add(votes if shared is None else shared(votes), prior, order="C")
        moved /= rows[:, None] * on_rows + beside
        shares -= moved
        step = np.abs(shares, out=shares).max(where=heard[:, None, None], initial=0.0)
        shares = moved
        if balance_rows is not None:
            learned = (rows + balance_rows * given) / (cast.covered + balance_rows)
            step, balance = max(step, np.abs(learned - balance).max()), learned
            log_balance = np.log(balance)
        iterations += 1
        converged = bool(step <= tolerance)
        tables = np.log(shares)
        tables *= loud
    return Climbed(tables, balance, iterations, converged, float((prior * np.log(shares))[heard].sum()))


def _shared(votes: np.ndarray, *, groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Expected votes in which every column of a group has the mean of its group; the groups have so many columns."""
    import numpy as np

    summed = np.zeros((len(sizes), *votes.shape[1:]))
    np.add.at(summed, groups, votes)
    return (summed / np.maximum(sizes, 1)[:, None, None])[groups]
