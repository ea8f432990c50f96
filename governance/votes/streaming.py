"""How are votes counted that are larger than memory? A part at a time; the counts of the parts add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord
from governance.parquet import ROW_GROUP, read_parts
from governance.votes.analysis import Analysis, analyse_answers, analyse_rows
from governance.votes.answers import Answers
from governance.votes.state import LEAST, VoteState
from governance.votes.table import ID_COLUMN, check_classes, check_sources, check_values, read_votes, votes_told
from governance.votes.threads import available_threads, in_turn

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: bytes that a state may be made in
MEMORY = 1 << 28


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


def state_of(
    paths: Path | str | Sequence[Path | str], *, memory: int = MEMORY, threads: int | None = None
) -> VoteState:
    """The state of the votes in one file, or in several that are parts of one table; the order of files is no matter.

    About `memory` bytes are held beside the interpreter: half of them for the parts of files that are worked on, half for
    patterns; where these do not fit, the state is sampled and says so. Neither threads nor the cut into files changes a
    count, and `memory` only that one. Raises what `read_votes` raises, and InvalidRecord where files are of different
    columns, source versions or classes, or memory is too small; that an id stands there twice is not noticed.
    """
    files = [Path(path) for path in ([paths] if isinstance(paths, (Path, str)) else paths)]
    if not files:
        raise InvalidRecord("paths", [], "at least one file of votes")
    workers = available_threads() if threads is None else threads
    columns, sources, classes = _whose(files[0])
    rows, most = _shares(memory, sources=len(sources), threads=workers)
    state = partial(VoteState.of_rows, columns=columns, sources=sources, classes=classes, most=most)
    parts = (part for path in files for part in _parts(path, columns, sources, classes, rows=rows))
    return reduce(add, in_turn(state, parts, threads=workers))


def _whose(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(columns, source versions, classes) of a file, the columns in its own order."""
    told, where = votes_told(path), str(path)
    if "form" in told:
        raise InvalidRecord("metadata", "long form", "votes in wide form, a row an example", where=where)
    check_classes(told["classes"], where=where)
    columns = _columns(next(read_parts(path, columns=[ID_COLUMN], rows=1)), told["sources"], where=where)
    return columns, tuple(told["sources"][name] for name in columns), tuple(told["classes"])


def _parts(
    path: Path, columns: tuple[str, ...], sources: tuple[str, ...], classes: tuple[str, ...], *, rows: int
) -> Iterator[np.ndarray]:
    """The votes in `path`, int8 (rows x sources) in the order of `columns`, a few rows at a time."""
    here, where = _whose(path), str(path)
    for field, given, wanted in (
        ("sources", sorted(zip(*here[:2], strict=True)), sorted(zip(columns, sources, strict=True))),
        ("classes", here[2], classes),
    ):
        if given != wanted:
            raise InvalidRecord(f"metadata.{field}", given, f"those of the first file: {wanted}", where=where)
    for number, part in enumerate(read_parts(path, rows=rows, without=ID_COLUMN)):
        votes = _matrix(part, columns, first=number * rows, where=where)
        check_values(votes, n_classes=len(classes), columns=columns, where=where, first=number * rows)
        yield votes


def _shares(memory: object, *, sources: int, threads: int) -> tuple[int, int]:
    """(rows of a part, most patterns) that fit into so many bytes. Raises InvalidRecord."""
    # Two states are merged in a third, beside the keys and ranks of all rows; a part is votes, evidence, bits and keys.
    a_pattern, a_row = 4 * (sources + 16), 4 * (sources + 8)
    least = 4 * LEAST * a_pattern
    if type(memory) is not int or memory < least:
        wanted = f"at least {least} bytes for {sources} sources"
        raise InvalidRecord("memory", memory, wanted, hint="the votes are sampled where memory is short, but not below")
    rows = memory // 2 // a_row // (threads + 1)
    return max(LEAST, min(rows, ROW_GROUP)), memory // 2 // a_pattern


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
