"""Who answered what, how often, where a wide table would lose something?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from governance.errors import InvalidRecord
from governance.votes.table import (
    ABSTAIN,
    ERROR,
    ID_COLUMN,
    SKIPPED,
    VoteTable,
    check_classes,
    check_ids,
    check_sources,
)

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: so many sources a wide table holds
WIDEST = 256
SOURCE_COLUMN, REPEAT_COLUMN, VOTE_COLUMN = "source", "repeat", "vote"
LONG_COLUMNS = (ID_COLUMN, SOURCE_COLUMN, REPEAT_COLUMN, VOTE_COLUMN)
_MOST_REPEATS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Every answer of some source versions, one after the other: `vote[n]` is what `sources[source[n]]` said of the example
    `ids[example[n]]` when it was asked for the `repeat[n]`-th time, from 0.

    `example`, `source` and `repeat` are int32, `vote` is int8: a class index from 0, or ABSTAIN, ERROR, SKIPPED. A
    question that was never asked has no answer. Answers are kept in the order of example, source and repeat, whatever
    order they came in. Nothing can be made that is not whole: InvalidRecord names the answer, never the text of an id.
    """

    ids: pl.Series
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    classes: tuple[str, ...]
    example: np.ndarray
    source: np.ndarray
    repeat: np.ndarray
    vote: np.ndarray

    def __post_init__(self) -> None:
        """1. names and ids  2. four arrays of one length, within bounds  3. no answer twice  4. in order"""
        import numpy as np
        import polars as pl

        # 1.
        ids = self.ids if isinstance(self.ids, pl.Series) else pl.Series(ID_COLUMN, list(self.ids), dtype=pl.String)
        object.__setattr__(self, "ids", ids.alias(ID_COLUMN))
        for field in ("columns", "sources", "classes"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        check_classes(self.classes, where="votes")
        check_sources(self.columns, self.sources, where="votes")
        check_ids(self.ids, where="votes")
        # 2.
        bounds = {"example": (0, len(ids)), "source": (0, len(self.columns)), "repeat": (0, _MOST_REPEATS)}
        wanted = {"example": "an example", "source": "a source", "repeat": "a number from 0"}
        arrays = {name: _whole(getattr(self, name), name, size=np.size(self.example)) for name in (*bounds, "vote")}
        for name, (least, beyond) in bounds.items():
            if len(odd := np.flatnonzero((arrays[name] < least) | (arrays[name] >= beyond))):
                given = int(arrays[name][odd[0]])
                raise InvalidRecord(f"answers[{odd[0]}].{name}", given, f"{wanted[name]} that is there", where="votes")
        _check_votes(arrays["vote"], self.classes)
        # 3. and 4.
        order = np.lexsort((arrays["repeat"], arrays["source"], arrays["example"]))
        inorder = {name: array[order] for name, array in arrays.items()}
        same = np.ones(max(len(order) - 1, 0), dtype=bool)
        for name in bounds:
            same &= inorder[name][1:] == inorder[name][:-1]
        if same.any():
            again = int(max(order[np.flatnonzero(same)[0]], order[np.flatnonzero(same)[0] + 1]))
            raise InvalidRecord(
                f"answers[{again}]",
                "example, source and repeat that another answer has",
                "each answer of a source on an example under a repeat of its own",
                where="votes",
            )
        for name, array in inorder.items():
            kept = np.ascontiguousarray(array, dtype=np.int8 if name == "vote" else np.int32)
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)

    def __len__(self) -> int:
        """How many examples there are; those that no source was asked about count."""
        return len(self.ids)

    @property
    def repeated(self) -> int:
        """How many answers a source gave on an example that it had answered about before."""
        return len(self.vote) - self._asked()

    @property
    def unasked(self) -> int:
        """How many examples no source was asked about."""
        import numpy as np

        return len(self) - len(np.unique(self.example))

    @property
    def is_wide(self) -> bool:
        """Whether a wide table loses nothing of this: it has one cell a source and an example, and one word, SKIPPED, for a
        question that was not asked and for one that was refused."""
        if len(self.columns) > WIDEST or self.repeated:
            return False
        return self._asked() == len(self) * len(self.columns) or not bool((self.vote == SKIPPED).any())

    def wide(self, *, repeats: Literal["refuse", "first", "last"] = "refuse") -> VoteTable:
        """The same votes with a column for each source; who was not asked is SKIPPED.

        Where a source answered twice, `repeats` says which answer counts. Raises InvalidRecord where it does not.
        """
        import numpy as np

        if repeats == "refuse" and self.repeated:
            raise InvalidRecord(
                "answers",
                f"{self.repeated} by sources that had answered before",
                "one answer of each source on an example",
                where="votes",
                hint='`wide(repeats="first")` and `wide(repeats="last")` say which of them counts',
            )
        matrix = np.full((len(self), len(self.columns)), SKIPPED, dtype=np.int8)
        new = self._new()
        counts = new if repeats == "first" else np.append(new[1:], True)[: len(new)]
        matrix[self.example[counts], self.source[counts]] = self.vote[counts]
        return VoteTable(self.ids, self.columns, self.sources, self.classes, matrix)

    def take(self, rows: Sequence[int] | np.ndarray) -> Answers:
        """The answers on these examples, in this order. Raises InvalidRecord where one is named twice."""
        import numpy as np

        rows = np.asarray(rows, dtype=np.int64)
        place = np.full(len(self), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        kept = place[self.example] >= 0
        parts = [part[kept] for part in (self.source, self.repeat, self.vote)]
        names = (self.columns, self.sources, self.classes)
        return Answers(self.ids.gather(rows), *names, place[self.example][kept], *parts)

    def aligned_to(self, ids: pl.Series | Sequence[str]) -> Answers:
        """The same answers in the order of `ids`. Raises InvalidRecord unless both name exactly the same examples."""
        import polars as pl

        from governance.votes.table import check_examples

        check_examples(self, ids)
        wanted = pl.DataFrame({ID_COLUMN: pl.Series(ids, dtype=pl.String)})
        here = pl.DataFrame({ID_COLUMN: self.ids, "row": pl.int_range(len(self.ids), eager=True)})
        return self.take(wanted.join(here, on=ID_COLUMN, how="left", maintain_order="left")["row"].to_numpy())

    def _asked(self) -> int:
        """How many questions were asked: pairs of an example and a source."""
        return int(self._new().sum())

    def _new(self) -> np.ndarray:
        """Whether an answer is the first of its source on its example."""
        import numpy as np

        new = np.ones(len(self.vote), dtype=bool)
        new[1:] = (self.example[1:] != self.example[:-1]) | (self.source[1:] != self.source[:-1])
        return new

    def frame(self) -> pl.DataFrame:
        """The long form: an answer a row, and one row without source for an example that no source was asked about."""
        import numpy as np
        import polars as pl

        example = pl.Series("row", self.example, dtype=pl.Int32)
        columns = pl.Series(SOURCE_COLUMN, self.columns, dtype=pl.String)
        answered = pl.DataFrame(
            [
                example,
                columns.gather(self.source.astype(np.uint32)),
                pl.Series(REPEAT_COLUMN, self.repeat, dtype=pl.Int32),
                pl.Series(VOTE_COLUMN, self.vote, dtype=pl.Int8),
            ]
        )
        silent = np.setdiff1d(np.arange(len(self), dtype=np.int32), self.example)
        rest = pl.DataFrame({"row": pl.Series(silent, dtype=pl.Int32)})
        whole = pl.concat([answered, rest], how="diagonal").sort("row", maintain_order=True)
        return pl.DataFrame([self.ids.gather(whole["row"]), *(whole[name] for name in LONG_COLUMNS[1:])])


def answers_of(table: VoteTable) -> Answers:
    """The answers in a wide table, a cell each."""
    import numpy as np

    rows, columns = table.matrix.shape
    example, source = np.divmod(np.arange(rows * columns), columns)
    names = (table.ids, table.columns, table.sources, table.classes)
    return Answers(*names, example, source, np.zeros(rows * columns, dtype=np.int32), table.matrix.reshape(-1))


def from_frame(frame: pl.DataFrame, *, classes: Sequence[str], sources: dict[str, str], where: str) -> Answers:
    """The answers in a table of the long form. Raises InvalidRecord, which names row and column."""
    import polars as pl

    if tuple(frame.columns) != LONG_COLUMNS:
        raise InvalidRecord("columns", frame.columns, f"the columns {', '.join(LONG_COLUMNS)}", where=where)
    types = {ID_COLUMN: pl.String, SOURCE_COLUMN: pl.String, REPEAT_COLUMN: pl.Int32, VOTE_COLUMN: pl.Int8}
    for name, wanted in types.items():
        if frame[name].dtype != wanted:
            raise InvalidRecord(f"columns.{name}", str(frame[name].dtype), f"{name} as {wanted}", where=where)
    check_classes(classes, where=where)
    check_sources(list(sources), list(sources.values()), where=where)
    ids = frame[ID_COLUMN].unique(maintain_order=True)
    check_ids(ids, where=where)
    unknown = (~frame[SOURCE_COLUMN].is_in(list(sources))).fill_null(value=False).arg_true()
    if len(unknown):
        wanted = "a source whose version the metadata names"
        raise InvalidRecord(f"votes[{unknown[0]}].source", frame[SOURCE_COLUMN][unknown[0]], wanted, where=where)
    silent = frame[SOURCE_COLUMN].is_null()
    for name in (REPEAT_COLUMN, VOTE_COLUMN):
        odd = (frame[name].is_null() != silent).arg_true()
        if len(odd):
            wanted = f"a {name} where a source answered, and none where none was asked"
            raise InvalidRecord(f"votes[{odd[0]}].{name}", frame[name][odd[0]], wanted, where=where)
    known = pl.DataFrame({ID_COLUMN: ids, "row": pl.int_range(len(ids), dtype=pl.Int32, eager=True)})
    rows = frame.join(known, on=ID_COLUMN, how="left", maintain_order="left")["row"]
    if (lone := silent.arg_true()).len() and rows.gather(lone).is_in(rows.filter(~silent).implode()).any():
        wanted = "a row without source only for an example that no source was asked about"
        row = int(lone.filter(rows.gather(lone).is_in(rows.filter(~silent).implode()))[0])
        raise InvalidRecord(f"votes[{row}].source", None, wanted, where=where)
    if rows.gather(lone).is_duplicated().any():
        row = int(lone.filter(~rows.gather(lone).is_first_distinct())[0])
        raise InvalidRecord(f"votes[{row}].source", None, "one row for an example without an answer", where=where)
    told = frame.with_columns(rows.alias("row")).filter(~silent)
    place = {name: number for number, name in enumerate(sources)}
    voters = told[SOURCE_COLUMN].replace_strict(place, return_dtype=pl.Int32).to_numpy()
    parts = (told["row"].to_numpy(), voters, told[REPEAT_COLUMN].to_numpy(), told[VOTE_COLUMN].to_numpy())
    try:
        return Answers(ids, tuple(sources), tuple(sources.values()), tuple(classes), *parts)
    except InvalidRecord as error:
        raise InvalidRecord(error.field, error.given, error.wanted, where=where, hint=error.hint) from None


def _whole(given: object, name: str, *, size: int) -> np.ndarray:
    import numpy as np

    array = np.asarray(given)
    if array.ndim != 1 or len(array) != size:
        raise InvalidRecord(
            f"answers.{name}", list(array.shape), f"one {name} for each of {size} answers", where="votes"
        )
    if not np.issubdtype(array.dtype, np.integer) and len(array):
        raise InvalidRecord(f"answers.{name}", str(array.dtype), "whole numbers", where="votes")
    return array.astype(np.int64)


def _check_votes(vote: np.ndarray, classes: Sequence[str]) -> None:
    import numpy as np

    if len(odd := np.flatnonzero((vote < SKIPPED) | (vote >= len(classes)))):
        wanted = (
            f"a class index from 0 to {len(classes) - 1}, {ABSTAIN} (abstains), {ERROR} (error) or {SKIPPED} (skipped)"
        )
        raise InvalidRecord(f"answers[{odd[0]}].vote", int(vote[odd[0]]), wanted, where="votes")
