"""How do rows, votes and labels that were captured lie in tables?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord
from governance.records import Source
from governance.votes.table import ABSTAIN, ERROR, ID_COLUMN, VoteTable
from governance.watching.points import Points
from governance.watching.session import Application, Labelled, Session

if TYPE_CHECKING:
    import polars as pl


def data_frame(points: Points, *, id_column: str) -> pl.DataFrame:
    """Ids and every plain column."""
    import polars as pl

    named = {name: values for name, values in points.columns.items() if name != id_column}
    return pl.DataFrame(
        [
            pl.Series(id_column, points.ids, dtype=pl.String),
            *(pl.Series(name, values, dtype=_dtype(values)) for name, values in named.items()),
        ]
    )


def _dtype(values: Sequence[Any]) -> Any:
    import polars as pl

    kind = next((type(value) for value in values if value is not None), str)
    return {bool: pl.Boolean, int: pl.Int64, float: pl.Float64}.get(kind, pl.String)


def classes_of(application: Application, seen: Session) -> tuple[str, ...]:
    """Class indices by name, since snorkel knows no other names: as many as a label model of these votes knows."""
    known = [one.cardinality for one in seen.fitted if one.votes is application]
    known += [one.model.cardinality for one in seen.labelled if one.votes is application]
    highest = int(application.matrix.max(initial=1)) + 1
    return tuple(str(k) for k in range(max([2, highest, *known])))


def vote_table(application: Application, sources: Sequence[Source], *, classes: Sequence[str]) -> VoteTable:
    """Votes beside their ids; where a function raised, the vote is ERROR. Raises InvalidRecord."""
    import numpy as np
    import polars as pl

    if len(classes) > 127:
        raise InvalidRecord("votes", len(classes), "2 to 127 classes of which exactly one is right")
    matrix = np.where(application.matrix < 0, ABSTAIN, application.matrix).astype(np.int8)
    for row, column in application.errors:
        matrix[row, column] = ERROR
    ids = pl.Series(ID_COLUMN, application.points.ids, dtype=pl.String)
    columns = tuple(ascii_name(one.name) for one in application.voters)
    return VoteTable(ids, columns, tuple(one.name for one in sources), tuple(classes), matrix)


def ascii_name(name: str) -> str:
    """A name of ASCII characters; others are escaped."""
    return str(name).encode("ascii", "backslashreplace").decode()


def error_types(application: Application, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """How often each source raised what, by column."""
    counts: dict[str, Counter[str]] = {column: Counter() for column in columns}
    for (_, column), what in application.errors.items():
        counts[columns[column]][ascii_name(what)] += 1
    return {column: dict(sorted(counted.items())) for column, counted in counts.items()}


def write(table: VoteTable, path: Path, *, id_column: str) -> None:
    """The votes as every project of ours holds them, under the project's own name for ids."""
    from governance.parquet import read_metadata, read_table, write_table
    from governance.votes.table import write_votes

    write_votes(table, path)
    if id_column != ID_COLUMN:
        told = read_metadata(path)
        write_table(read_table(path).rename({ID_COLUMN: id_column}), path, metadata=told)


def label_frame(labels: Labelled, *, id_column: str, classes: Sequence[str]) -> pl.DataFrame:
    """One row an example: what the label model said, and what a count of votes says."""
    import numpy as np
    import polars as pl

    matrix, p = labels.votes.matrix, np.asarray(labels.probabilities, dtype=np.float64)
    covered = (matrix >= 0).any(axis=1)
    counted = np.stack([(matrix == k).sum(axis=1) for k in range(len(classes))], axis=1)
    best = counted.max(axis=1, keepdims=True)
    alone = (counted == best).sum(axis=1) == 1
    majority = np.where(covered & alone, counted.argmax(axis=1), ABSTAIN).astype(np.int8)
    label = np.where(covered, p.argmax(axis=1), ABSTAIN) if labels.predictions is None else labels.predictions
    ranked = np.sort(p, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(ranked[:, -1]) - np.log(ranked[:, -2])
    odds_told = [float(x) if seen and np.isfinite(x) else None for x, seen in zip(odds, covered, strict=True)]
    return pl.DataFrame(
        [
            pl.Series(id_column, labels.votes.points.ids, dtype=pl.String),
            pl.Series("covered", covered),
            pl.Series("majority", majority, dtype=pl.Int8),
            pl.Series("label", np.asarray(label).astype(np.int8), dtype=pl.Int8),
            *(pl.Series(f"p_{name}", p[:, k]) for k, name in enumerate(classes)),
            pl.Series("log_odds", odds_told, dtype=pl.Float64),
        ]
    )
