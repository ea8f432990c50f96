"""How is a function that hangs ended, so that its row is an error and the next row gets its vote?

By SIGALRM, whose handler raises inside of the function: Python runs handlers of signals in the main thread, between two
steps of its interpreter (docs.python.org/3/library/signal.html). docs/decisions/0027 says what that cannot end.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from governance.errors import ConfigurationError, InvalidRecord

#: whatever catches what is raised in it is struck again after so many seconds, or after a shorter limit; whoever is struck
#: needs time to come back, so that no shorter one is fit, and no call is started in less than the least limit
_AGAIN, _NOT_BEFORE, _LEAST = 0.2, 0.01, 0.001


class LimitReachedError(TimeoutError):
    """A function was not done when its time was over."""


class _Struck(BaseException):
    """What the handler raises; no `except Exception` of the function catches it."""


class TimeLimit:
    """Seconds that one call may take, as a context in the main thread; `call` holds functions to it.

    >>> import time
    >>> with TimeLimit(0.05) as limit:
    ...     limit.call(len, "quick")
    ...     try:
    ...         limit.call(time.sleep, 60)
    ...     except TimeoutError as error:
    ...         print(error)
    5
    not done after 0.05 s
    """

    def __init__(self, seconds: float) -> None:
        number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if not number or not math.isfinite(seconds) or seconds < _LEAST:
            raise InvalidRecord("time_limit", seconds, f"seconds, a number of {_LEAST:g} or more")
        self.seconds = float(seconds)
        #: calls that were made in another thread, where nothing holds them to the limit
        self.elsewhere = 0
        self._thread: int | None = None
        self._running = self._fired = False

    def __enter__(self) -> Self:
        """Raises ConfigurationError where no limit can hold: another thread than the main one, no POSIX, a timer in use;
        and where it holds already."""
        if self._thread is not None:
            raise ConfigurationError(
                "this time limit holds already", hint="make another one for what runs inside of it"
            )
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            hint = "vote in the main thread of a POSIX system, or give no limit"
            raise ConfigurationError("a time limit for functions needs the main thread and SIGALRM", hint=hint)
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            hint = "give no limit, or leave ITIMER_REAL and signal.alarm alone meanwhile"
            raise ConfigurationError("a timer of this process is in use, and there is only one", hint=hint)
        self._former = signal.signal(signal.SIGALRM, self._strike)
        self._thread = threading.get_ident()
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._former if self._former is not None else signal.SIG_DFL)
        self._thread = None

    @property
    def says(self) -> str:
        """How a vote that was not there in time is counted."""
        return f"raised TimeoutError (limit {self.seconds:g} s)"

    def call(self, function: Callable[..., Any], *given: Any, times: int = 1) -> Any:
        """What the function answers within `times` the limit. Raises LimitReachedError, and what the function raises."""
        if threading.get_ident() != self._thread:
            self.elsewhere += 1
            return function(*given)
        seconds, answer = self.seconds * times, None
        self._fired, started = False, time.monotonic()
        try:
            try:
                self._running = True
                signal.setitimer(signal.ITIMER_REAL, seconds, max(_NOT_BEFORE, min(seconds, _AGAIN)))
                answer = function(*given)
            finally:
                self._running = False
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _Struck:
            self._running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Exception:
            # Whatever it made of being struck, it was not done in time.
            if not self._is_late(started, seconds):
                raise
        if self._is_late(started, seconds):
            raise LimitReachedError(f"not done after {seconds:g} s")
        return answer

    def _is_late(self, started: float, seconds: float) -> bool:
        # Nothing strikes a function that takes the timer or the handler away.
        return self._fired or time.monotonic() - started > seconds

    def _strike(self, _number: int, _frame: FrameType | None) -> None:
        self._fired = True
        if self._running:
            raise _Struck
