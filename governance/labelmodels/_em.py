"""Which tables of P(vote | class) make the votes most likely, given a prior? Found step by step, from the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

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

    def log_likelihood(self, tables: np.ndarray, log_balance: np.ndarray) -> float:
        """log P(votes)."""
        ...


@dataclass(frozen=True, eq=False)
class Cast:
    """How many rows each source votes on, float64 (sources), and on how many any of those votes that are heard, or none."""

    votes: np.ndarray
    covered: float
    silent: float


@dataclass(frozen=True, eq=False)
class Found:
    """`tables`: what each vote adds to the score of each class, float64 (sources x classes x votes), all zeros for a source
    that is left out: log P(vote | class) times the source's voice.

    `objective` is the log likelihood under these tables, plus that of the tables under their prior, up to a constant.
    """

    tables: np.ndarray
    balance: np.ndarray
    iterations: int
    converged: bool
    objective: float

    def checked(self, *, where: str) -> Found:
        """Itself. Raises InvalidRecord where what was found is no number: a label from it would be made up."""
        import numpy as np

        if not (np.isfinite(self.objective) and np.isfinite(self.tables).all() and np.isfinite(self.balance).all()):
            wanted = "votes, weights and parameters from which finite tables can be learned"
            hint = "are weights or the strength extreme? as a share of their sum they say the same"
            raise InvalidRecord("fit", "NaN or infinity", wanted, where=where, hint=hint)
        return self


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
) -> Found:
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
    silenced = None if heard.all() else ~heard
    sizes, loud = np.bincount(groups), voices[:, None, None]
    all_apart = sizes.max() == 1
    pseudo = prior.sum(axis=2)
    given = balance
    #: pseudo-rows, sources x classes, on which a source casts its pseudo-votes; one that never votes has no others
    votes_at_all, often = cast.votes > 0, np.maximum(cast.votes, cast.covered / _RAREST)
    beside = pseudo * (cast.covered / np.where(votes_at_all, often, cast.covered))[:, None]
    on_rows = votes_at_all[:, None].astype(np.float64)
    shares = prior / beside[:, :, None]
    tables = _tables(shares, loud, silenced)
    converged, iterations = False, 0
    while not converged and iterations < max_iterations:
        votes, rows = counted.expected_votes(tables, np.log(balance))
        # Rows on which nobody is heard are believed to be as the balance has it, and say nothing of it.
        rows = rows - cast.silent * balance
        moved = np.add(votes if all_apart else _shared(votes, groups, sizes), prior, order="C")
        moved /= (rows * on_rows + beside)[:, :, None]
        steps = np.abs(moved - shares)
        step = (steps if silenced is None else steps[heard]).max(initial=0.0)
        if balance_rows is not None:
            learned = (rows + balance_rows * given) / (rows.sum() + balance_rows)
            step, balance = max(step, np.abs(learned - balance).max()), learned
        iterations += 1
        converged = bool(step <= tolerance)
        shares = moved
        tables = _tables(shares, loud, silenced)
    objective = counted.log_likelihood(tables, np.log(balance)) + float((prior * np.log(shares))[heard].sum())
    return Found(tables, balance, iterations, converged, objective)


def _tables(shares: np.ndarray, loud: np.ndarray, silenced: np.ndarray | None) -> np.ndarray:
    """log P(vote | class) times the voices, sources x classes x votes; all zeros for a source in `silenced`."""
    import numpy as np

    tables = np.log(shares)
    tables *= loud
    if silenced is not None:
        tables[silenced] = 0.0
    return tables


def _shared(votes: np.ndarray, groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Expected votes in which every column of a group has the mean of its group; the groups have so many columns."""
    import numpy as np

    summed = np.zeros((len(sizes), *votes.shape[1:]))
    np.add.at(summed, groups, votes)
    return (summed / np.maximum(sizes, 1)[:, None, None])[groups]
