"""A function that hangs is an error of a type of its own, in its exact number, and never an abstention."""

from __future__ import annotations

import re
import signal
import threading
import time
from contextlib import suppress

import pytest
from test_applying import CLASSES, applied, made

from governance.errors import ConfigurationError, InvalidRecord
from governance.limits import LimitReachedError, TimeLimit
from governance.sources import ERROR
from governance.sources.applying import apply_sources

LIMIT = 0.05
COUNTED = "raised TimeoutError (limit 0.05 s)"


def loops(text: str) -> int:
    while "hang" in text:
        pass
    return 1


def sleeps(text: str) -> int:
    if "hang" in text:
        time.sleep(600)
    return 1


def backtracks(text: str) -> int:
    """A pattern whose time doubles with each letter."""
    return int(re.fullmatch(r"(a+)+b", "a" * 60 if "hang" in text else "aab") is not None)


def waits(text: str) -> int:
    if "hang" in text:
        threading.Event().wait()
    return 1


def catches_errors(text: str) -> int:
    try:
        return loops(text)
    except Exception:
        return -1


def catches_everything(text: str) -> int:
    try:
        return loops(text)
    except BaseException:
        return -1


def makes_another_error_of_it(text: str) -> int:
    try:
        return loops(text)
    except BaseException:
        raise KeyError(text) from None


def hangs_again_when_struck(text: str) -> int:
    for _ in range(3):
        try:
            loops(text)
        except BaseException:  # noqa: S112 - it is what this is about
            continue
        return 1
    return -1


HANGING = (
    loops,
    sleeps,
    backtracks,
    waits,
    catches_errors,
    catches_everything,
    makes_another_error_of_it,
    hangs_again_when_struck,
)


def voted(vote, texts, *, limit: float | None = LIMIT, many: bool = False):
    ids = [f"t/{number}" for number in range(len(texts))]
    sources = [made(vote, many=many), made(lambda text: 0, title="other")]
    return apply_sources(sources, ids, texts, classes=CLASSES, revote=1000, time_limit=limit)


@pytest.mark.parametrize("vote", HANGING, ids=lambda vote: vote.__name__)
def test_what_hangs_is_an_error_with_its_exact_number(vote):
    """Every text on which it hangs, and no other; its neighbours and the other source vote as ever."""
    texts = ["a", "hang 1", "b", "hang 2", "c"]
    found = voted(vote, texts)
    assert found.table.matrix[:, 0].tolist() == [1, ERROR, 1, ERROR, 1]
    assert found.table.matrix[:, 1].tolist() == [0] * 5
    assert found.error_types == {"one": {COUNTED: 2}, "other": {}}
    assert found.revoted == 3
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_a_source_of_lists_that_hangs_on_one_text_votes_on_the_others():
    """The whole list is given up after its time, and each text is asked about alone."""
    found = apply_sources(
        [made(lambda texts: [loops(text) for text in texts], many=True)],
        ["a", "b", "c"],
        ["x", "hang", "y"],
        classes=CLASSES,
        time_limit=LIMIT,
    )
    assert found.table.matrix[:, 0].tolist() == [1, ERROR, 1]
    assert found.error_types["one"] == {COUNTED: 1}


def test_a_timeout_that_a_function_raises_itself_is_told_from_one_that_it_met():
    """`raised TimeoutError` is its own word, with and without a limit."""

    def gives_up(text: str) -> int:
        raise TimeoutError("the service is slow")

    assert voted(gives_up, ["a"]).error_types["one"] == {"raised TimeoutError": 1}
    assert applied(gives_up, ["a"]).error_types["one"] == {"raised TimeoutError": 1}


def test_a_limit_that_nothing_reaches_changes_no_vote():
    """The same votes, counts and second votes as without one."""
    texts = [f"{number}" * (number % 4) for number in range(600)]
    with_one, without = (voted(lambda text: (len(text) % 3) - 1, texts, limit=limit) for limit in (30, None))
    assert (with_one.table.matrix == without.table.matrix).all()
    assert (with_one.error_types, with_one.revoted) == (without.error_types, without.revoted)


def test_where_every_text_hangs_nothing_is_voted_again_and_all_is_an_error():
    """No second vote, and no claim that rows were proved to be aligned."""
    found = apply_sources([made(loops)], ["a", "b"], ["hang", "hang"], classes=CLASSES, time_limit=LIMIT)
    assert found.table.matrix.tolist() == [[ERROR], [ERROR]]
    assert found.revoted == 0


def test_who_interrupts_is_not_taken_for_a_limit():
    """Ctrl-C in a function ends the whole."""

    def interrupted(text: str) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        voted(interrupted, ["a"])
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.parametrize("given", [0, 0.0009, -1, float("nan"), float("inf"), True, "5"], ids=repr)
def test_a_limit_that_is_none_is_refused(given):
    """Before any source is asked."""
    asked: list[str] = []
    with pytest.raises(InvalidRecord, match="time_limit"):
        voted(asked.append, ["a"], limit=given)
    assert asked == []


def test_a_limit_in_another_thread_is_refused_with_the_reason():
    """Signals reach the main thread alone."""
    met: list[str] = []

    def other() -> None:
        try:
            voted(loops, ["a"])
        except ConfigurationError as error:
            met.append(f"{error.message} {error.hint}")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert "main thread" in met[0]
    assert "give no limit" in met[0]


def test_a_timer_that_somebody_else_set_is_left_alone():
    """There is one timer in a process: whoever uses it goes on using it."""
    signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        with pytest.raises(ConfigurationError, match="timer"):
            voted(loops, ["a"])
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_calls_in_another_thread_run_without_the_limit_and_are_counted():
    """A limit that does not hold somewhere is known not to hold there."""
    with TimeLimit(LIMIT) as limit:
        thread = threading.Thread(target=limit.call, args=(len, "text"))
        thread.start()
        thread.join()
        assert limit.elsewhere == 1
        with pytest.raises(LimitReachedError):
            limit.call(time.sleep, 600)
    assert limit.call(len, "outside of it") == 13


def test_the_former_handler_comes_back():
    """Also where something was raised meanwhile."""

    def mine(*_: object) -> None: ...

    signal.signal(signal.SIGALRM, mine)
    try:
        with pytest.raises(ConfigurationError), TimeLimit(LIMIT):
            raise ConfigurationError("no", hint="no")
        assert signal.getsignal(signal.SIGALRM) is mine
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_a_limit_that_holds_is_not_entered_again():
    """What holds goes on to hold, and the handler of before comes back in the end."""
    with TimeLimit(LIMIT) as limit:
        with pytest.raises(ConfigurationError, match="holds already"), limit:
            pass
        with pytest.raises(LimitReachedError):
            limit.call(time.sleep, 600)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    with limit, pytest.raises(LimitReachedError):
        limit.call(time.sleep, 600)


def test_the_least_limit_ends_what_hangs():
    """Whoever was struck is not struck again before it came back."""
    with TimeLimit(0.001) as limit:
        for hanging in HANGING:
            with pytest.raises(LimitReachedError):
                limit.call(hanging, "hang")
        # A busy machine may keep what is quick waiting for a millisecond, and not every time.
        assert any(answers_in_time(limit) for _ in range(100))


def answers_in_time(limit: TimeLimit) -> bool:
    """Whether something quick comes to its answer."""
    with suppress(LimitReachedError):
        return limit.call(len, "quick") == 5
    return False


def _without_the_timer(end):
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(2 * LIMIT)
    return end()


def _without_the_handler(end):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(2 * LIMIT)
    return end()


def _fails():
    raise KeyError("late")


@pytest.mark.parametrize("end", [lambda: 1, _fails], ids=["answers", "raises"])
@pytest.mark.parametrize("disarms", [_without_the_timer, _without_the_handler])
def test_what_a_function_says_too_late_does_not_count_where_it_took_the_timer_away(disarms, end):
    """The clock is asked, whatever became of the signal."""
    with TimeLimit(LIMIT) as limit, pytest.raises(LimitReachedError):
        limit.call(disarms, end)
