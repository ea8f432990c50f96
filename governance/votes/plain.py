"""Is this plain matrix a matrix of votes, and of which kind of task?"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NoReturn

from governance.errors import InvalidRecord
from governance.votes.table import ABSTAIN, VoteTable, check_classes, check_values

if TYPE_CHECKING:
    import numpy as np


def votes_of(
    votes: VoteTable | np.ndarray, *, n_classes: int | None, where: str
) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...], np.ndarray]:
    """(columns, source versions, classes, matrix) of a table, or of a matrix whose classes are numbers.

    Columns of a matrix are numbers too, unless it is a data frame, which has names. Raises InvalidRecord; a table knows its
    classes, and must not be told others.
    """
    if isinstance(votes, VoteTable):
        if n_classes not in (None, len(votes.classes)):
            raise InvalidRecord("n_classes", n_classes, f"the table's own {len(votes.classes)}, or none", where=where)
        return votes.columns, votes.sources, votes.classes, votes.matrix
    many = _whole(n_classes)
    if many is None:
        wanted, hint = "a whole number: the classes beside a plain matrix", "as in `fit(votes, n_classes=2)`"
        raise InvalidRecord("n_classes", n_classes, wanted, where=where, hint=hint)
    matrix = as_votes(votes, where=where)
    classes = tuple(str(k) for k in range(many))
    columns = names_of(votes, where=where) or numbered(matrix.shape[1])
    check_classes(classes, where=where)
    check_values(matrix, n_classes=len(classes), columns=columns, where=where)
    return columns, None, classes, matrix


def names_of(votes: object, *, where: str) -> tuple[str, ...] | None:
    """The names of a data frame's columns; None for what has none. Raises InvalidRecord where two are the same."""
    # Tables of Arrow have their names elsewhere, and under `columns` what stands in them.
    given = getattr(votes, "column_names", getattr(votes, "columns", None))
    if given is None:
        return None
    names = tuple(str(name) for name in given)
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise InvalidRecord("columns", doubled, "a name for each column that no other has", where=where)
    return names


def numbered(columns: int) -> tuple[str, ...]:
    """What columns without names are called."""
    return tuple(map(str, range(columns)))


def as_votes(given: object, *, where: str) -> np.ndarray:
    """`given` as int8 (rows x sources), with at least one source. Raises InvalidRecord.

    One vote a row and source: multi-label and sequence tasks, which have several, are refused by name.
    """
    import numpy as np

    try:
        matrix = np.asarray(given)
    except ValueError:  # rows of different lengths
        _refuse_task("rows of different lengths", where=where)
    if matrix.ndim == 3:
        _refuse_task(list(matrix.shape), where=where)
    if matrix.dtype.kind == "O" and any(isinstance(vote, (list, tuple, set, frozenset, dict)) for vote in matrix.flat):
        _refuse_task("several votes in one place", where=where)
    if matrix.ndim != 2 or not matrix.shape[1]:
        shown = list(matrix.shape) if matrix.ndim else type(given).__name__
        raise InvalidRecord("votes", shown, "rows x sources, at least one of each", where=where)
    if matrix.dtype.kind == "O":
        _refuse_first(matrix, [_whole(vote) is None for vote in matrix.flat], where=where)
    elif matrix.dtype.kind == "f":
        _refuse_first(matrix, matrix != np.floor(matrix), where=where)
    elif matrix.dtype.kind not in "iu":
        raise InvalidRecord("votes", str(matrix.dtype), "whole numbers", where=where)
    if matrix.dtype == np.int8:
        return np.ascontiguousarray(matrix)
    narrow = np.iinfo(np.int8)
    if matrix.size and (matrix.min() < narrow.min or matrix.max() > narrow.max):
        row, column = np.argwhere((matrix < narrow.min) | (matrix > narrow.max))[0]
        shown = matrix[row, column]
        shown = shown.item() if isinstance(shown, np.generic) else shown
        raise InvalidRecord(f"votes[{row}].{column}", shown, "votes that fit int8", where=where)
    return np.ascontiguousarray(matrix, dtype=np.int8)


def _whole(value: Any) -> int | None:
    """A whole number of Python's or numpy's as one of Python's; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:  # no number, a fraction, an array, or a truth of numpy's
        return None


def _refuse_first(matrix: np.ndarray, odd: object, *, where: str) -> None:
    """Raises InvalidRecord for the first place that is `odd`, bool in the order of the matrix, if there is one."""
    import numpy as np

    places = np.flatnonzero(np.asarray(odd))
    if not len(places):
        return
    row, column = divmod(int(places[0]), matrix.shape[1])
    vote = matrix[row, column]
    missing = vote is None or str(vote) in ("nan", "<NA>")
    shown = "NaN" if str(vote) == "nan" else vote if isinstance(vote, str) or vote is None else str(vote)
    wanted = f"a vote; who says nothing abstains with {ABSTAIN}" if missing else "whole numbers"
    raise InvalidRecord(f"votes[{row}].{column}", shown, wanted, where=where)


def _refuse_task(given: object, *, where: str) -> NoReturn:
    raise InvalidRecord(
        "votes",
        given,
        "rows x sources, one class a vote",
        where=where,
        hint="multi-label and sequence tasks have several; split them into one task for each label or token",
    )
