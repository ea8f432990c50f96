"""How is a table of votes analysed that is larger than memory? A part at a time; the counts of the parts add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.parquet import ROW_GROUP, read_parts
from governance.votes.analysis import Analysis, analyse_answers, analyse_rows
from governance.votes.answers import Answers
from governance.votes.table import ID_COLUMN, check_classes, check_sources, check_values, read_votes, votes_told

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


@dataclass(frozen=True, eq=False)
class AnalysedVotes:
    """What a file of votes says of itself, and its counts; columns and sources stand in the order of the counts."""

    columns: tuple[str, ...]
    sources: tuple[str, ...]
    classes: tuple[str, ...]
    analysis: Analysis


def analysed(path: Path) -> AnalysedVotes:
    """The analysis of the votes in `path`, of either form. Raises what `read_votes` raises."""
    if "form" not in votes_told(path):
        return analyse_file(path)
    answers = read_votes(path)
    if not isinstance(answers, Answers):
        raise InvalidRecord("metadata", "form", "votes in long form", where=str(path))
    return AnalysedVotes(answers.columns, answers.sources, answers.classes, analyse_answers(answers))


def analyse_file(path: Path, *, rows: int = ROW_GROUP) -> AnalysedVotes:
    """The analysis of the votes in `path`, in wide form, `rows` of them in memory at a time, which changes no count.

    Raises what `read_votes` raises, but does not look whether an id stands there twice.
    """
    told, where = votes_told(path), str(path)
    check_classes(told["classes"], where=where)
    classes = tuple(told["classes"])
    columns: tuple[str, ...] = ()
    counts: list[Analysis] = []
    for number, part in enumerate(read_parts(path, columns=[ID_COLUMN], rows=rows)):
        if not number:
            columns = _columns(part, told["sources"], where=where)
        votes = _matrix(part, columns, first=number * rows, where=where)
        check_values(votes, n_classes=len(classes), columns=columns, where=where, first=number * rows)
        counts = [reduce(add, [*counts, analyse_rows(votes, n_classes=len(classes))])]
    return AnalysedVotes(columns, tuple(told["sources"][name] for name in columns), classes, counts[0])


def _columns(part: pl.DataFrame, sources: dict[str, str], *, where: str) -> tuple[str, ...]:
    columns = tuple(name for name in part.columns if name != ID_COLUMN)
    if set(columns) != set(sources):
        odd = sorted(set(columns) ^ set(sources))[0]
        raise InvalidRecord("columns", odd, "exactly the columns whose source versions the metadata names", where=where)
    check_sources(columns, [sources[name] for name in columns], where=where)
    return columns


def _matrix(part: pl.DataFrame, columns: tuple[str, ...], *, first: int, where: str) -> np.ndarray:
    """int8 (rows x sources). The view is turned by who counts it, so that nothing is copied twice."""
    import numpy as np
    import polars as pl

    for name in columns:
        if part[name].dtype != pl.Int8:
            raise InvalidRecord(f"columns.{name}", str(part[name].dtype), "votes as Int8", where=where)
        if part[name].null_count():
            row = first + part[name].is_null().arg_true()[0]
            raise InvalidRecord(f"votes[{row}].{name}", None, "a vote; who says nothing abstains with -1", where=where)
    return np.stack([part[name].to_numpy() for name in columns]).T
