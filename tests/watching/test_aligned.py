"""Whether rows and votes are in step is told by votes that came in time, and by nothing else."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from governance.fingerprint import Behaviour
from governance.limits import TimeLimit
from governance.watching import findings
from governance.watching.aligned import LEAST, align
from governance.watching.points import Points
from governance.watching.session import Application, Voter

LIMIT = 0.01


class Function:
    """Votes 0 or 1 by the row's number, and is slow from one of its calls on, or in some of them."""

    def __init__(self, slow=lambda call: False, shift: int = 0) -> None:
        self.slow, self.shift, self.calls = slow, shift, 0

    def __call__(self, point: int) -> int:
        self.calls += 1
        if self.slow(self.calls - 1):
            time.sleep(600)
        return self.of(point + self.shift)

    @staticmethod
    def of(point: int) -> int:
        return point % 2


def applied(*functions: Function, rows: int = 100, late: bool = False) -> Application:
    """What these functions were seen to vote, before any second vote; with `late` all of it ran into the limit."""
    voters = [Voter(f"f{j}", "", Behaviour("0" * 64, (), ())) for j in range(len(functions))]
    votes = [[Function.of(row) for _ in functions] for row in range(rows)]
    limit = TimeLimit(LIMIT)
    errors = {(row, j): limit.says for row in range(rows) for j in range(len(functions))} if late else {}
    return Application(
        "LFApplier",
        Points([str(row) for row in range(rows)], "position", list(range(rows)), {}),
        voters,
        list(functions),
        matrix=np.array(votes if not late else np.full_like(votes, -1)).reshape(rows, len(functions)),
        errors=errors,
        limit=limit,
    )


def stated(application: Application):
    """The findings on alignment, as a run states them, and the alignment."""
    alignment, told = align(application), []
    findings.state_alignment(SimpleNamespace(state=told.append), application, alignment, subject=f"votes:{'0' * 64}")  # type: ignore[arg-type]
    return alignment, [(one.check, one.outcome) for one in told], told[0].says


def test_a_function_that_became_slow_raises_no_alarm():
    """All of its second votes are late, and another function proves that rows are in place."""
    alignment, told, says = stated(applied(Function(), Function(slow=lambda call: True)))
    assert (alignment.revoted, alignment.differing, alignment.late) == (LEAST, 0, LEAST)
    assert told == [("alignment", "pass")]
    assert f"({LEAST} votes ran into the time limit and are left out)" in says


def test_a_function_that_is_slow_in_the_third_vote_alone_raises_no_alarm():
    """It is not even called one that answers differently when it is asked twice."""
    late_then = Function(slow=lambda call: call >= LEAST)
    changed = Function(shift=1)
    alignment, _, _ = stated(applied(Function(), late_then, changed))
    assert (alignment.differing, alignment.unsteady, alignment.changed) == (0, (), ("f2",))
    assert alignment.late == LEAST


def test_rows_of_which_no_second_vote_came_in_time_prove_nothing():
    """The finding is unknown, and no row counts as voted on again."""
    alignment, told, says = stated(applied(Function(slow=lambda call: True)))
    assert (alignment.revoted, alignment.differing) == (0, 0)
    assert told == [("alignment", "unknown")]
    assert f"each of {LEAST} sampled votes ran into the time limit" in says


def test_where_every_call_hung_while_the_script_voted_nothing_is_asked_again():
    """Nor is anything passed."""
    function = Function(slow=lambda call: True)
    alignment, told, _ = stated(applied(function, late=True))
    assert (alignment.revoted, function.calls) == (0, 0)
    assert told == [("alignment", "unknown")]


@pytest.mark.parametrize("application", [applied(Function(), rows=0), applied(rows=9)], ids=["no row", "no function"])
def test_where_there_is_nothing_to_vote_on_nothing_is_passed(application):
    """An empty frame, and an applier without functions."""
    alignment, told, says = stated(application)
    assert (alignment.revoted, told) == (0, [("alignment", "unknown")])
    assert "there are none" in says


def test_rows_out_of_step_are_still_found_where_some_votes_are_late():
    """Each second call is late, and the others differ both times."""
    alignment, told, _ = stated(applied(Function(slow=lambda call: call < LEAST and call % 2 == 1, shift=1)))
    assert (alignment.revoted, alignment.differing, alignment.late) == (LEAST // 2, LEAST // 2, LEAST // 2)
    assert told == [("alignment", "fail")]


def test_a_late_vote_does_not_prove_that_rows_are_in_place():
    """A function whose votes were all late agrees with nothing, so that one that differs is believed."""
    alignment, told, _ = stated(applied(Function(slow=lambda call: True), Function(shift=1)))
    assert (alignment.differing, alignment.changed) == (LEAST, ())
    assert told == [("alignment", "fail")]
