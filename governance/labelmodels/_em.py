"""Which tables of P(vote | class) make the votes most likely, given a prior? Found step by step, from the prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    import numpy as np


#: how many times its last move EM goes on ahead at most
_FURTHEST = 5.0
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

        # What is no number makes every sum none.
        if not np.isfinite(self._worth() + self.tables.sum() + self.balance.sum()):
            wanted = "votes, weights and parameters from which finite tables can be learned"
            hint = "are weights or the strength extreme? as a share of their sum they say the same"
            raise InvalidRecord("fit", "NaN or infinity", wanted, where=where, hint=hint)
        return self

    def _worth(self) -> float:
        return self.log_prior


@dataclass(frozen=True, eq=False)
class Found(Climbed):
    """Where EM ended, and what that is worth.

    `objective`: the log likelihood of the votes under the tables, and `log_prior`. `labels`: the best class of every
    pattern, or example, under them, int8.
    """

    objective: float
    labels: np.ndarray

    def _worth(self) -> float:
        return self.objective


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

    if left_out is None or not left_out.any():
        left_out, heard = None, np.ones(counted.sources, dtype=bool)
    else:
        heard = ~left_out
    #: what a log probability adds, sources x 1 x 1: nothing where its source is left out, and all of it where this is None
    loud = None if left_out is None and (voices == 1.0).all() else (voices * heard)[:, None, None]
    sizes = np.bincount(groups)
    shared = None if sizes.max() == 1 else partial(_shared, groups=groups, sizes=sizes)
    beside, on_rows = _pseudo_rows(prior, cast)
    learns, size = balance_rows is not None, prior.size
    given, worth = (balance_rows * balance, cast.covered + balance_rows) if balance_rows is not None else (0.0, 1.0)
    #: what a step comes to: shares, sources x classes x votes, and after them the balance; and which of them count, or None
    moved, counts = np.empty(size + len(balance)), None
    shares, learned = moved[:size].reshape(prior.shape), moved[size:]
    if left_out is not None or not learns:
        counts = np.ones(len(moved))
        counts[:size].reshape(prior.shape)[~heard], counts[size:] = 0.0, float(learns)
    np.divide(prior, beside, out=shares)
    learned[:] = balance
    begun, logs, ahead = moved.copy(), np.log(moved), _Ahead(counts)
    converged, iterations = False, 0
    while True:
        tables = logs[:size].reshape(prior.shape)
        votes, rows = counted.expected_votes(tables if loud is None else tables * loud, logs[size:])
        if cast.silent:
            # Rows on which nobody is heard are believed to be as the balance has it, and say nothing of it.
            rows -= cast.silent * begun[size:]
        np.add(votes if shared is None else shared(votes), prior, out=shares)
        shares /= (rows[:, None] if on_rows is None else rows[:, None] * on_rows) + beside
        if learns:
            np.divide(rows + given, worth, out=learned)
        begun -= moved
        if counts is not None:
            begun *= counts
        iterations += 1
        converged = bool(np.maximum.reduce(np.abs(begun, out=begun)) <= tolerance)
        found = np.log(moved)
        if converged or iterations == max_iterations:
            break
        logs = ahead.of(logs, found)
        begun = np.exp(logs)
        if learns:
            total = np.add.reduce(begun[size:])
            begun[size:] /= total
            logs[size:] -= np.log(total)
    tables = found[:size].reshape(prior.shape)
    leaned = prior * tables
    log_prior = float((leaned if left_out is None else leaned[heard]).sum())
    return Climbed(tables if loud is None else tables * loud, learned, iterations, converged, log_prior)


def _pseudo_rows(prior: np.ndarray, cast: Cast) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows, sources x classes x 1, on which a source casts its pseudo-votes; and on which it votes at all, 1 or 0, sources
    x 1 x 1, None where all do. One that never votes has no rows but these."""
    import numpy as np

    votes_at_all, often = cast.votes > 0, np.maximum(cast.votes, cast.covered / _RAREST)
    each = cast.covered / np.where(votes_at_all, often, cast.covered)
    on_rows = None if votes_at_all.all() else votes_at_all[:, None, None].astype(np.float64)
    return (prior.sum(axis=2) * each[:, None])[:, :, None], on_rows


class _Ahead:
    """Where to go on from, so that EM needs fewer steps: Anderson's acceleration (1965) of depth one, in logarithms.

    If what is left shrinks by the same share in each step, its end is known after two. Numbers that do not count, in
    `counts` 0 and not 1, have no say in how far to go, and EM that would turn around is left alone.
    """

    def __init__(self, counts: np.ndarray | None) -> None:
        self._counts, self._before = counts, None

    def of(self, begun: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Where to go on after a step that began at `begun` and came to `found`."""
        import numpy as np

        left, before = found - begun, self._before
        if self._counts is not None:
            left *= self._counts
        self._before = (left, found)
        if before is None:
            return found.copy()
        change = left - before[0]
        square = float(np.add.reduce(change * change))
        further = -float(np.add.reduce(left * change)) / square if square > 0 else 0.0
        # In few digits: the last bits of what is nearly nothing would be all that tells how far to go.
        return found + round(min(max(further, 0.0), _FURTHEST), 2) * (found - before[1])


def _shared(votes: np.ndarray, *, groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Expected votes in which every column of a group has the mean of its group; the groups have so many columns."""
    import numpy as np

    summed = np.zeros((len(sizes), *votes.shape[1:]))
    np.add.at(summed, groups, votes)
    return (summed / np.maximum(sizes, 1)[:, None, None])[groups]
