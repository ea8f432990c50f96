"""Do the votes that came back stand beside the rows that were voted on? A sample is voted again, in another order.

Whoever answers differently when asked twice proves nothing about rows; rows are out of place where sources that repeat
themselves disagree with the table, and no other source that repeats itself shows that they are in place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from governance.errors import GovernanceError
from governance.limits import LimitReachedError
from governance.watching.rng import untouched
from governance.watching.session import Application

#: rows voted again: a fiftieth of them, within these limits
LEAST, MOST = 20, 200
#: how many differences chance would have made, for sources without one to be taken as proof
_PROOF = 5.0


@dataclass(frozen=True)
class Alignment:
    """`revoted` rows were voted again in time and `differing` of them came out otherwise; `unsteady` sources answer
    differently when asked twice, and `changed` ones differ although their rows are in place."""

    revoted: int
    differing: int
    unsteady: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    #: how many rows the matrix has, where that is another number than there were rows
    rows: int | None = None
    index_order: bool = False
    #: votes of the sample that say nothing, since they ran into the time limit
    late: int = 0

    @property
    def broken(self) -> bool:
        return self.rows is not None or self.differing > 0


def align(application: Application, *, seed: int = 0) -> Alignment:
    """Votes a sample again, decided by `seed`; the random generators of the process are put back afterwards."""
    import numpy as np

    from governance.votes.alignment import sample_rows

    points, matrix = application.points, application.matrix
    if matrix.shape != (len(points), len(application.functions)):
        return Alignment(0, 0, rows=matrix.shape[0])
    rows = sample_rows(len(points), size=max(LEAST, min(MOST, len(points) // 50)), seed=seed)
    told = matrix[rows]
    late = _late_before(application, rows)
    with untouched(), _limit_of(application):
        again = _vote(application, rows, late)
        differ = (again != told) & ~late
        if not differ.any():
            return Alignment(_asked(late), 0, late=int(late.sum()))
        twice = _vote(application, rows, late)
    names = [one.name for one in application.voters]
    unsteady = ((again != twice) & ~late).any(axis=0)
    steady = ~unsteady
    wrong = (again != told) & ~late & steady[None, :]
    unsteady_names = tuple(name for name, odd in zip(names, unsteady, strict=True) if odd)
    revoted, lost = _asked(late), int(late.sum())
    if not wrong.any():
        return Alignment(revoted, 0, unsteady_names, late=lost)
    where = np.flatnonzero(wrong.any(axis=1))
    agreeing = [j for j in range(len(names)) if steady[j] and not wrong[:, j].any()]
    # A vote that was late is no proof of its row.
    expected = sum(int((~late[where, j]).sum()) * (1 - _likeness(matrix[:, j])) for j in agreeing)
    if expected >= _PROOF:
        changed = tuple(names[j] for j in range(len(names)) if wrong[:, j].any())
        return Alignment(revoted, 0, unsteady_names, changed, late=lost)
    ordered = _in_index_order(application, rows, again, late | unsteady[None, :])
    return Alignment(revoted, len(where), unsteady_names, index_order=ordered, late=lost)


def _asked(late: Any) -> int:
    """Rows of which a vote at least came in time."""
    return int((~late).any(axis=1).sum())


@contextmanager
def _limit_of(application: Application) -> Iterator[None]:
    """The time that its functions were held to; where that cannot hold at the end of a process, they run without."""
    with ExitStack() as held:
        if application.limit is not None:
            with suppress(GovernanceError):
                held.enter_context(application.limit)
        yield


def _late_before(application: Application, rows: Any) -> Any:
    """Votes of the sample that ran into the limit while the script voted, bool, rows x sources."""
    import numpy as np

    late, limit = np.zeros((len(rows), len(application.functions)), dtype=bool), application.limit
    if limit is not None:
        for place, row in enumerate(rows.tolist()):
            for j in range(late.shape[1]):
                late[place, j] = application.errors.get((row, j)) == limit.says
    return late


def _vote(application: Application, rows: Any, late: Any) -> Any:
    """Votes of the sample, cast from its end and put back; what raises is an abstention, as in the table.

    What is `late` already is not asked again: it would hang again. What runs into the limit now becomes so.
    """
    import numpy as np

    votes, limit = np.full((len(rows), len(application.functions)), -1, dtype=np.int64), application.limit
    for place in reversed(range(len(rows))):
        point = application.points.row(int(rows[place]))
        for j, function in enumerate(application.functions):
            if late[place, j]:
                continue
            try:
                answer = function(point) if limit is None else limit.call(function, point)
                votes[place, j] = answer if answer >= 0 else -1
            except LimitReachedError:
                late[place, j] = True
            except Exception:
                votes[place, j] = -1
    return votes


def _likeness(column: Any) -> float:
    """How probable it is that two rows drawn at random hold the same vote."""
    total = len(column)
    return sum((count / total) ** 2 for count in Counter(column.tolist()).values())


def _in_index_order(application: Application, rows: Any, again: Any, left_out: Any) -> bool:
    """Whether the rows came back sorted by the frame's index, as snorkel's parallel applier returns them."""
    import numpy as np

    # A list has an `index` too, which is a method.
    if not hasattr(application.points.rows, "iloc"):
        return False
    index = application.points.rows.index
    place = np.empty(len(index), dtype=np.int64)
    place[np.argsort(np.asarray(index), kind="stable")] = np.arange(len(index))
    return bool(((application.matrix[place[rows]] == again) | left_out).all())
