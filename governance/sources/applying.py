"""What does each source say of each example?

The ids are bound to the rows before any source runs, a crash is never an abstention, and a sample is voted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from governance.errors import GovernanceError, InvalidRecord
from governance.sources.registry import RegisteredSource
from governance.votes.alignment import check_alignment, sample_rows
from governance.votes.table import ABSTAIN, ERROR, VoteTable

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: rows between two steps of the progress bar
BLOCK = 512


class Progress(Protocol):
    """Passes items on and may draw a bar; `StageRun.progress` is one."""

    def __call__(self, items: Iterable[Any], *, total: int, says: str) -> Iterator[Any]: ...


@dataclass(frozen=True, eq=False)
class Applied:
    """Votes, the errors behind them by column and type, and how many rows were voted a second time (all alike)."""

    table: VoteTable
    error_types: Mapping[str, Mapping[str, int]]
    revoted: int


def apply_sources(
    sources: Sequence[RegisteredSource],
    ids: pl.Series | Sequence[str],
    texts: Sequence[str],
    *,
    classes: Sequence[str],
    progress: Progress | None = None,
    revote: int = 200,
    seed: int = 0,
) -> Applied:
    """1. bind ids to rows  2. every source votes on every text  3. a sample is voted again, in reverse order

    Where a source raises, or answers something that is no class index, the vote is ERROR with the error's type. An
    error of this library ends the whole (a missing package is not a property of a text). Raises InvalidRecord for ids
    and texts that do not fit, BrokenEvidence where the second votes differ.
    """
    import numpy as np

    # 1.
    texts = list(texts)
    if len(ids) != len(texts):
        raise InvalidRecord("texts", len(texts), f"one text for each of {len(ids)} ids")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidRecord(f"texts[{row}]", type(text).__name__, "text")
    if not sources:
        raise InvalidRecord("sources", [], "at least one source")
    # Ids, columns and classes are judged before anything is voted.
    matrix = np.full((len(texts), len(sources)), ABSTAIN, dtype=np.int8)
    columns, names = [one.title for one in sources], [one.record.name for one in sources]
    VoteTable(ids, columns, names, classes, matrix)  # type: ignore[arg-type]
    # 2.
    errors: dict[str, dict[str, int]] = {}
    steps = [(j, start) for j in range(len(sources)) for start in range(0, len(texts), BLOCK)]
    counters = [Counter[str]() for _ in sources]
    for j, start in progress(steps, total=len(steps), says="voting") if progress else steps:
        block = texts[start : start + BLOCK]
        matrix[start : start + len(block), j] = cast_votes(sources[j], block, classes=len(classes), errors=counters[j])
    for one, counter in zip(sources, counters, strict=True):
        errors[one.title] = dict(sorted(counter.items()))
    table = VoteTable(ids, columns, names, classes, matrix)  # type: ignore[arg-type]
    # 3.
    rows = sample_rows(len(texts), size=min(revote, len(texts)), seed=seed)
    again = vote_again(sources, texts, rows, classes=len(classes))
    return Applied(table, errors, revoted=check_alignment(again, table, rows))


def vote_again(
    sources: Sequence[RegisteredSource], texts: Sequence[str], rows: Sequence[int] | np.ndarray, *, classes: int
) -> np.ndarray:
    """Votes on some rows only, cast in the reverse order and put back: int8, rows x sources."""
    import numpy as np

    # Reversed, because a source that goes by position or remembers the last text would otherwise agree with itself.
    backwards = [texts[int(row)] for row in reversed(rows)]
    columns = [cast_votes(one, backwards, classes=classes, errors=Counter()) for one in sources]
    return np.ascontiguousarray(np.stack(columns, axis=1)[::-1])


def cast_votes(source: RegisteredSource, texts: list[str], *, classes: int, errors: Counter[str]) -> np.ndarray:
    """One source's votes on some texts, int8; what went wrong is added to `errors` by type."""
    import numpy as np

    if source.many:
        given = _together(source.vote, texts)
        if given is not None:
            return np.array([_vote(value, classes, errors) for value in given], dtype=np.int8)
        # One text must not spoil the votes of its neighbours, so each is asked about alone.
        return np.array([_single_of_many(source.vote, text, classes, errors) for text in texts], dtype=np.int8)
    return np.array([_single(source.vote, text, classes, errors) for text in texts], dtype=np.int8)


def _together(vote: Callable[[list[str]], Any], texts: list[str]) -> list[Any] | None:
    try:
        given = list(vote(list(texts)))
    except GovernanceError:
        raise
    except (Exception, SystemExit):
        return None
    return given if len(given) == len(texts) else None


def _single_of_many(vote: Callable[[list[str]], Any], text: str, classes: int, errors: Counter[str]) -> int:
    def alone(text: str) -> Any:
        given = list(vote([text]))
        if len(given) != 1:
            raise _WrongLengthError
        return given[0]

    return _single(alone, text, classes, errors)


class _WrongLengthError(Exception):
    """A source answered more or fewer votes than it was given texts."""


def _single(vote: Callable[[str], Any], text: str, classes: int, errors: Counter[str]) -> int:
    try:
        value = vote(text)
    except GovernanceError:
        raise
    except _WrongLengthError:
        errors["answered another number of votes"] += 1
        return ERROR
    except (Exception, SystemExit) as error:
        errors[f"raised {_ascii(type(error).__name__)}"] += 1
        return ERROR
    return _vote(value, classes, errors)


def _vote(value: Any, classes: int, errors: Counter[str]) -> int:
    """A class index or ABSTAIN as it is; True and False are 1 and 0; all else is an error, never an abstention."""
    import numpy as np

    if isinstance(value, (int, np.integer, np.bool_)):
        number = int(value)
        if number == ABSTAIN or 0 <= number < classes:
            return number
        errors["answered a class out of range"] += 1
        return ERROR
    errors[f"answered {_ascii(type(value).__name__)}"] += 1
    return ERROR


def _ascii(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()
