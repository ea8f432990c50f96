"""Is this plain matrix a matrix of votes, and of which kind of task?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from governance.errors import InvalidRecord
from governance.votes.table import ABSTAIN, VoteTable, check_classes, check_values

if TYPE_CHECKING:
    import numpy as np


def votes_of(
    votes: VoteTable | np.ndarray, *, n_classes: int | None, where: str
) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...], np.ndarray]:
    """(columns, source versions, classes, matrix) of a table, or of a matrix whose columns and classes are numbers.

    Raises InvalidRecord; a table knows its classes, and must not be told others.
    """
    if isinstance(votes, VoteTable):
        if n_classes not in (None, len(votes.classes)):
            raise InvalidRecord("n_classes", n_classes, f"the table's own {len(votes.classes)}, or none", where=where)
        return votes.columns, votes.sources, votes.classes, votes.matrix
    if type(n_classes) is not int:
        raise InvalidRecord("n_classes", n_classes, "the number of classes beside a plain matrix", where=where)
    matrix = as_votes(votes, where=where)
    classes = tuple(str(k) for k in range(n_classes))
    columns = tuple(str(j) for j in range(matrix.shape[1]))
    check_classes(classes, where=where)
    check_values(matrix, n_classes=n_classes, columns=columns, where=where)
    return columns, None, classes, matrix


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
        raise InvalidRecord("votes", list(matrix.shape), "rows x sources, at least one of each", where=where)
    if matrix.dtype.kind == "f" and np.isnan(matrix).any():
        row, column = np.argwhere(np.isnan(matrix))[0]
        wanted = f"a vote; who says nothing abstains with {ABSTAIN}"
        raise InvalidRecord(f"votes[{row}].{column}", "NaN", wanted, where=where)
    if matrix.dtype.kind not in "iu":
        raise InvalidRecord("votes", str(matrix.dtype), "whole numbers", where=where)
    if matrix.size and (matrix.min() < np.iinfo(np.int8).min or matrix.max() > np.iinfo(np.int8).max):
        raise InvalidRecord("votes", int(matrix.max()), "votes that fit int8", where=where)
    return np.ascontiguousarray(matrix, dtype=np.int8)


def _refuse_task(given: object, *, where: str) -> NoReturn:
    raise InvalidRecord(
        "votes",
        given,
        "rows x sources, one class a vote",
        where=where,
        hint="multi-label and sequence tasks have several; split them into one task for each label or token",
    )
