"""What does each source say of each example?

The ids are bound to the rows before any source runs, a crash is never an abstention, and a sample is voted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from governance.errors import GovernanceError, InvalidRecord
from governance.limits import LimitReachedError, TimeLimit
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
    """Votes, the errors behind them by column and type, and how many rows were voted a second time (all alike).

    Rows on which a source took too long are not among the latter: a clock may say otherwise the second time.
    """

    table: VoteTable
    error_types: Mapping[str, Mapping[str, int]]
    revoted: int


@dataclass
class Faults:
    """What went wrong with one source: counts by type, and the numbers of the rows on which it took too long."""

    types: Counter[str] = field(default_factory=Counter)
    late: set[int] = field(default_factory=set)


def apply_sources(
    sources: Sequence[RegisteredSource],
    ids: pl.Series | Sequence[str],
    texts: Sequence[str],
    *,
    classes: Sequence[str],
    progress: Progress | None = None,
    revote: int = 200,
    seed: int = 0,
    time_limit: float | None = None,
) -> Applied:
    """1. bind ids to rows  2. every source votes on every text  3. a sample is voted again, in reverse order

    Where a source raises, or answers something that is no class index, the vote is ERROR with the error's type, and so
    where it takes longer than `time_limit` seconds (for each text that it is asked about; language models have time-outs
    of their own). An error of this library ends the whole (a missing package is not a property of a text). Raises
    InvalidRecord for ids and texts that do not fit, BrokenEvidence where the second votes differ, ConfigurationError where
    no limit can hold (another thread than the main one).
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
    with TimeLimit(time_limit) if time_limit is not None else nullcontext() as limit:
        # 2.
        steps = [(j, start) for j in range(len(sources)) for start in range(0, len(texts), BLOCK)]
        faults = [Faults() for _ in sources]
        for j, start in progress(steps, total=len(steps), says="voting") if progress else steps:
            block = range(start, min(start + BLOCK, len(texts)))
            matrix[block, j] = cast_votes(sources[j], texts, block, classes=len(classes), faults=faults[j], limit=limit)
        table = VoteTable(ids, columns, names, classes, matrix)  # type: ignore[arg-type]
        # 3.
        late = set[int]().union(*(one.late for one in faults))
        rows = sample_rows(len(texts), size=min(revote, len(texts)), seed=seed)
        rows = rows[~np.isin(rows, sorted(late))]
        again = [Faults() for _ in sources]
        second = vote_again(sources, texts, rows, classes=len(classes), limit=limit, faults=again)
    kept = ~np.isin(rows, sorted(set[int]().union(*(one.late for one in again))))
    revoted = check_alignment(second[kept], table, rows[kept]) if kept.any() else 0
    types = {one.title: dict(sorted(found.types.items())) for one, found in zip(sources, faults, strict=True)}
    return Applied(table, types, revoted=revoted)


def vote_again(
    sources: Sequence[RegisteredSource],
    texts: Sequence[str],
    rows: Sequence[int] | np.ndarray,
    *,
    classes: int,
    limit: TimeLimit | None = None,
    faults: Sequence[Faults] | None = None,
) -> np.ndarray:
    """Votes on some rows only, cast in the reverse order and put back: int8, rows x sources."""
    import numpy as np

    # Reversed, because a source that goes by position or remembers the last text would otherwise agree with itself.
    backwards = [int(row) for row in reversed(rows)]
    found = faults or [Faults() for _ in sources]
    columns = [
        cast_votes(one, texts, backwards, classes=classes, faults=told, limit=limit)
        for one, told in zip(sources, found, strict=True)
    ]
    return np.ascontiguousarray(np.stack(columns, axis=1)[::-1])


def cast_votes(
    source: RegisteredSource,
    texts: Sequence[str],
    rows: Sequence[int],
    *,
    classes: int,
    faults: Faults,
    limit: TimeLimit | None = None,
) -> np.ndarray:
    """One source's votes on the texts of some rows, int8; what went wrong is added to `faults`."""
    import numpy as np

    # A language model is waited for over the network, for as long as its description says.
    held = limit if source.record.source_kind != "llm" else None
    some = [texts[row] for row in rows]
    if source.many:
        given = _together(source.vote, some, held)
        if given is not None:
            return np.array([_vote(value, classes, faults.types) for value in given], dtype=np.int8)
    # One text must not spoil the votes of its neighbours, so each is asked about alone.
    vote = _alone(source.vote) if source.many else source.vote
    votes = []
    for row, text in zip(rows, some, strict=True):
        try:
            votes.append(_single(vote, text, classes, faults.types, held))
        except LimitReachedError:
            votes.append(ERROR)
            faults.late.add(row)
    return np.array(votes, dtype=np.int8)


def _together(vote: Callable[[list[str]], Any], texts: list[str], limit: TimeLimit | None) -> list[Any] | None:
    def asked(texts: list[str]) -> list[Any]:
        return list(vote(texts))

    try:
        given = asked(list(texts)) if limit is None else limit.call(asked, list(texts), times=max(1, len(texts)))
    except GovernanceError:
        raise
    except (Exception, SystemExit):
        return None
    return given if len(given) == len(texts) else None


def _alone(vote: Callable[[list[str]], Any]) -> Callable[[str], Any]:
    """A source that takes lists, asked about one text."""

    def alone(text: str) -> Any:
        given = list(vote([text]))
        if len(given) != 1:
            raise _WrongLengthError
        return given[0]

    return alone


class _WrongLengthError(Exception):
    """A source answered more or fewer votes than it was given texts."""


def _single(vote: Callable[[str], Any], text: str, classes: int, errors: Counter[str], limit: TimeLimit | None) -> int:
    """One vote, or ERROR with its type counted. Raises LimitReachedError, counted too."""
    try:
        value = vote(text) if limit is None else limit.call(vote, text)
    except GovernanceError:
        raise
    except LimitReachedError:
        if limit is not None:
            errors[limit.says] += 1
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
