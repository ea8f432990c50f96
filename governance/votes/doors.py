"""How do votes that lie in memory come in, whichever library holds them, with whose they are?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord
from governance.votes.table import ABSTAIN, ID_COLUMN, VoteTable

if TYPE_CHECKING:
    import numpy as np

    from governance.votes.answers import Answers

#: whole numbers that a float holds exactly; pandas makes floats of votes where some are missing
_EXACT = 2**53


def take_votes(
    given: Any,
    *,
    sources: Mapping[str, str] | Sequence[str],
    classes: Sequence[str],
    ids: Sequence[Any] | None = None,
    id_column: str = ID_COLUMN,
    unstored: int | None = None,
) -> VoteTable | Answers:
    """Votes from a polars or pandas table, a numpy array or a scipy sparse matrix, bound to ids and source versions.

    `sources` names the source version of each column: by name for a table, in order for a matrix. Ids come from
    `id_column`, from the index of a pandas table that has no such column and was given an index, or from `ids`. A sparse
    matrix has no votes where it stores none: `unstored` says what stands there (a class index, or ABSTAIN). Raises
    InvalidRecord; a float that is no whole number, and a missing vote, are no votes.
    """
    if hasattr(given, "tocoo"):
        return _matrix(_dense(given, unstored), sources, classes, ids)
    columns = getattr(given, "columns", None)
    if columns is None:
        return _matrix(given, sources, classes, ids)
    names = [str(name) for name in columns]
    if isinstance(sources, Mapping):
        versions = dict(sources)
    else:
        versions = dict(zip([name for name in names if name != id_column], sources, strict=False))
        if len(versions) != len(sources):
            raise InvalidRecord("sources", len(sources), f"one source version for each of {len(versions)} columns")
    if id_column in names:
        if ids is not None:
            raise InvalidRecord("ids", f"ids beside a column {id_column!r}", "ids from one place")
        ids = _listed(given[id_column])
    elif ids is None:
        ids = _index(given, id_column)
    for name in versions:
        if name not in names:
            raise InvalidRecord("columns", names[:12], f"a column {name!r}, whose source version is given")
    for name in names:
        if name != id_column and name not in versions:
            raise InvalidRecord("columns", name, "a column whose source version is given, and no other")
    import numpy as np

    votes = [_votes(given[name], name) for name in versions]
    matrix = np.stack(votes, axis=1) if votes else np.zeros((len(ids), 0), dtype=np.int8)
    return VoteTable(_texts(ids), tuple(versions), tuple(versions.values()), tuple(classes), matrix)


def _matrix(
    given: Any, sources: Mapping[str, str] | Sequence[str], classes: Sequence[str], ids: Sequence[Any] | None
) -> VoteTable:
    import numpy as np

    if ids is None:
        hint = "pass ids=, in the order of the rows"
        raise InvalidRecord("ids", None, "the ids of the rows, which a matrix does not hold", hint=hint)
    array = np.asarray(given)
    if array.ndim != 2:
        raise InvalidRecord("matrix", list(array.shape), "rows x sources")
    if not isinstance(sources, Mapping):
        sources = {f"column {number}": source for number, source in enumerate(sources)}
    if array.shape[1] != len(sources):
        raise InvalidRecord("sources", len(sources), f"one source version for each of {array.shape[1]} columns")
    votes = [_votes(array[:, number], name) for number, name in enumerate(sources)]
    matrix = np.stack(votes, axis=1) if votes else np.zeros(array.shape, dtype=np.int8)
    return VoteTable(_texts(ids), tuple(sources), tuple(sources.values()), tuple(classes), matrix)


def _dense(given: Any, unstored: int | None) -> np.ndarray:
    """A sparse matrix with a vote in every place. What it stores as zero is class 0, also where others would drop it."""
    import numpy as np

    if unstored is None:
        hint = f"unstored={ABSTAIN} where its makers left abstentions out, unstored=0 where they left class 0 out"
        raise InvalidRecord("unstored", None, "which vote stands where a sparse matrix stores none", hint=hint)
    coo = given.tocoo()
    places = np.asarray(coo.row, dtype=np.int64) * coo.shape[1] + coo.col
    if len(np.unique(places)) != len(places):
        raise InvalidRecord("matrix", "a place that is stored twice", "each place once")
    matrix = np.full(coo.shape, unstored, dtype=np.asarray(coo.data).dtype)
    matrix[coo.row, coo.col] = coo.data
    return matrix


def _votes(column: Any, name: str) -> np.ndarray:
    """One column as int8. A missing vote is none: who says nothing abstains."""
    import numpy as np

    # pandas writes a missing vote as NA, which numpy would make an object of.
    array = np.asarray(_listed(column) if not isinstance(column, np.ndarray) else column)
    if array.dtype.kind == "b":
        array = array.astype(np.int8)
    if array.dtype.kind == "f" and bool((np.isfinite(array) & (np.abs(array) < _EXACT)).all()):
        whole = array.astype(np.int64)
        odd = np.flatnonzero(whole != array)
        if len(odd):
            raise InvalidRecord(f"votes[{odd[0]}].{name}", float(array[odd[0]]), "a whole number")
        array = whole
    if array.dtype.kind not in "iu":
        missing = [n for n, value in enumerate(array.tolist()) if value is None or value != value]  # noqa: PLR0124 - NaN
        if missing:
            wanted = f"a vote; who says nothing abstains with {ABSTAIN}"
            raise InvalidRecord(f"votes[{missing[0]}].{name}", None, wanted)
        raise InvalidRecord(f"columns.{name}", str(array.dtype), "votes as whole numbers")
    if len(odd := np.flatnonzero((array < -128) | (array > 127))):
        raise InvalidRecord(f"votes[{odd[0]}].{name}", int(array[odd[0]]), "a vote, which fits int8")
    return array.astype(np.int8)


def _listed(column: Any) -> list[Any]:
    for way in ("to_list", "tolist"):
        if hasattr(column, way):
            return list(getattr(column, way)())
    return list(column)


def _index(given: Any, id_column: str) -> list[Any]:
    """The ids in the index of a pandas table. One that only counts rows names nobody."""
    index = getattr(given, "index", None)
    # A RangeIndex has a step; so has no index that somebody chose.
    if index is None or callable(index) or hasattr(index, "step"):
        hint = f"name the column of the ids {id_column!r}, say id_column=, or pass ids="
        raise InvalidRecord("columns", "no ids", f"a column {id_column!r}, or ids", hint=hint)
    return _listed(index)


def _texts(ids: Sequence[Any]) -> Any:
    """Ids as texts: whole numbers in their one spelling, and nothing else made into one."""
    import polars as pl

    told: list[Any] = []
    for row, value in enumerate(_listed(ids)):
        number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not number and not isinstance(value, str):
            raise InvalidRecord(f"{ID_COLUMN}[{row}]", type(value).__name__, "a text or a whole number")
        told.append(str(value) if number else value)
    return pl.Series(ID_COLUMN, told, dtype=pl.String)
