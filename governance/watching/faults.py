"""On which row did which function fail, also in another process? Failures travel beside the votes and are taken off again.

These functions stand under their own names in this module, so that a worker process finds them where it unpickles them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from governance.limits import LimitReachedError, TimeLimit

OUT_OF_RANGE = "answered a class out of range"
#: what holds functions to a time while an applier is at work in this process
limits: list[TimeLimit] = []
#: snorkel's own functions, once they were replaced in this process
originals: dict[str, Callable[..., Any]] = {}
_local = threading.local()


class Noting:
    """A labelling function that notes what it raised, and raises it."""

    __slots__ = ("_failed", "_function", "_place", "name")

    def __init__(self, function: Any, place: int, failed: list[tuple[int, str]]) -> None:
        self._function, self._place, self._failed = function, place, failed
        self.name = function.name

    def __call__(self, x: Any) -> Any:
        try:
            answer = limits[-1].call(self._function, x) if limits else self._function(x)
        except LimitReachedError as error:
            self._failed.append((self._place, limits[-1].says))
            # The script and snorkel meet what a slow function of their own would raise.
            raise TimeoutError(str(error)) from None
        except Exception as error:
            self._failed.append((self._place, f"raised {type(error).__name__}"))
            raise
        if answer.__class__ is not int and not hasattr(answer, "__index__"):
            self._failed.append((self._place, f"answered {type(answer).__name__}"))
        elif answer.__class__ is int and answer < -1:
            # snorkel takes whatever is below zero for an abstention.
            self._failed.append((self._place, OUT_OF_RANGE))
        return answer


def _noting(functions: list[Any]) -> tuple[list[Noting], list[tuple[int, str]]]:
    """The functions of one applier under notes; made once in a thread."""
    kept = getattr(_local, "kept", None)
    if kept is None or kept[0] is not functions:
        failed: list[tuple[int, str]] = []
        kept = (functions, [Noting(one, place, failed) for place, one in enumerate(functions)], failed)
        _local.kept = kept
    kept[2].clear()
    return kept[1], kept[2]


def votes_of_row(x: Any, lfs: list[Any], f_caller: Any) -> list[tuple[int, Any]]:
    """Stands for snorkel's `apply_lfs_to_data_point` of frames; failures come last, with text in place of a class."""
    original = originals.get("frame")
    if original is None:  # a worker process, in which nothing was replaced
        from snorkel.labeling.apply.pandas import apply_lfs_to_data_point as original
    noting, failed = _noting(lfs)
    labels = original(x, noting, f_caller)  # pyright: ignore[reportArgumentType] - a stand-in with their name
    return [*labels, *failed] if failed else labels


def without_failures(labels: Any) -> tuple[list[Any], list[tuple[int, int, str]]]:
    """(rows as snorkel made them, (row, source, failure))."""
    rows = list(labels)
    found: list[tuple[int, int, str]] = []
    for number, row in enumerate(rows):
        if row and row[-1][1].__class__ is str:
            found += [(number, place, what) for place, what in row if what.__class__ is str]
            rows[number] = [(place, vote) for place, vote in row if vote.__class__ is not str]
    return rows, found


def votes_of_point(x: Any, index: int, lfs: list[Any], f_caller: Any, told: Callable[[int, int, str], None]) -> Any:
    """The same for lists, whose applier stays in its process."""
    noting, failed = _noting(lfs)
    labels = originals["list"](x, index, noting, f_caller)
    for place, what in failed:
        told(index, place, what)
    return labels
