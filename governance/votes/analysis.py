"""How much do the sources say, how often do they meet, and how often do they disagree? Counted in integers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidRecord
from governance.records import LongVotes, SourceVotes, Votes
from governance.votes.answers import Answers
from governance.votes.counting import counts_of
from governance.votes.patterns import Patterns, distinct, distinct_answers
from governance.votes.table import ABSTAIN, ERROR, SKIPPED, VoteTable

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Analysis:
    """Counts over rows; two analyses of two partitions add up to the analysis of both.

    rows, covered (at least one vote), overlaps (at least two), conflicts (at least two that differ): integers.
    votes: sources x classes. abstained, errors, skipped, and a source's share of overlaps and conflicts: one integer a
    source. both and agreed: sources x sources, rows on which both voted, and on which both voted the same.
    voting: how many rows had 0, 1, 2, ... voting sources.
    """

    rows: int
    covered: int
    overlaps: int
    conflicts: int
    votes: np.ndarray
    abstained: np.ndarray
    errors: np.ndarray
    skipped: np.ndarray
    source_overlaps: np.ndarray
    source_conflicts: np.ndarray
    both: np.ndarray
    agreed: np.ndarray
    voting: np.ndarray

    def __add__(self, other: Analysis) -> Analysis:
        if self.votes.shape != other.votes.shape:
            raise InvalidRecord("analysis", list(other.votes.shape), f"sources x classes as {list(self.votes.shape)}")
        return Analysis(
            **{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        )

    def times(self, often: int) -> Analysis:
        """The counts of `often` times the same rows."""
        return Analysis(**{field.name: getattr(self, field.name) * often for field in fields(self)})


def analyse(patterns: Patterns, *, n_classes: int) -> Analysis:
    """Every count of `Analysis` from distinct patterns.

    How often a pattern is there is a sum of powers of two, so the patterns are counted once for each power.
    """
    import numpy as np

    total, counts = analyse_rows(patterns.votes[:0], n_classes=n_classes), patterns.counts
    for power in range(int(counts.max(initial=0)).bit_length()):
        these = np.flatnonzero((counts >> power) & 1)
        if len(these):
            total += analyse_rows(patterns.votes[these], n_classes=n_classes).times(1 << power)
    return total


def analyse_answers(answers: Answers) -> Analysis:
    """Every count of `Analysis` from the long form; costs answers and pairs of sources, never a matrix of examples.

    Votes, abstentions, errors and refusals are counted by answer. Everything about examples counts each once, however
    often a source answered: it voted where one of its answers is a class, and two sources agree where all their votes
    are one class. A question that was not asked is not counted as skipped.
    """
    import numpy as np
    from scipy import sparse

    rows, sources, classes = len(answers), len(answers.columns), len(answers.classes)
    voted = answers.vote >= 0
    example, source, vote = (part[voted].astype(np.int64) for part in (answers.example, answers.source, answers.vote))
    votes = np.bincount(source * classes + vote, minlength=sources * classes).reshape(sources, classes)
    # Each pair of an example and a source that voted, with its lowest and highest vote; pairs are in order already.
    pair = example * sources + source
    start = np.flatnonzero(np.diff(pair, prepend=-1))
    at, who = example[start], source[start]
    low = np.minimum.reduceat(vote, start) if len(start) else vote
    high = np.maximum.reduceat(vote, start) if len(start) else vote
    voting = np.bincount(at, minlength=rows)
    lowest, highest = np.full(rows, classes), np.full(rows, -1)
    np.minimum.at(lowest, at, low)
    np.maximum.at(highest, at, high)
    overlapping = voting >= 2
    conflicting = overlapping & (lowest != highest)

    def meetings(chosen: np.ndarray) -> np.ndarray:
        ones = np.ones(int(chosen.sum()), dtype=np.int64)
        table = sparse.csr_array((ones, (at[chosen], who[chosen])), shape=(rows, sources))
        return np.asarray((table.T @ table).toarray(), dtype=np.int64)

    steady = low == high
    agreed = sum(
        (meetings(steady & (low == k)) for k in range(classes)), start=np.zeros((sources,) * 2, dtype=np.int64)
    )

    def counted(code: int) -> np.ndarray:
        return np.bincount(answers.source[answers.vote == code], minlength=sources).astype(np.int64)

    return Analysis(
        rows=rows,
        covered=int((voting >= 1).sum()),
        overlaps=int(overlapping.sum()),
        conflicts=int(conflicting.sum()),
        votes=votes.astype(np.int64),
        abstained=counted(ABSTAIN),
        errors=counted(ERROR),
        skipped=counted(SKIPPED),
        source_overlaps=np.bincount(who[overlapping[at]], minlength=sources).astype(np.int64),
        source_conflicts=np.bincount(who[conflicting[at]], minlength=sources).astype(np.int64),
        both=meetings(np.ones(len(at), dtype=bool)),
        agreed=agreed,
        voting=np.bincount(voting, minlength=sources + 1).astype(np.int64),
    )


def analyse_rows(matrix: np.ndarray, *, n_classes: int) -> Analysis:
    """Every count of `Analysis` from rows of votes, int8 (rows x sources), in one pass and little memory.

    It costs the same whether rows repeat each other or not, and adds up: any parts of the rows, in any order, give the
    very same counts as all of them.
    """
    import numpy as np

    if matrix.ndim != 2 or matrix.dtype != np.int8:
        raise InvalidRecord("matrix", f"{matrix.dtype} {list(matrix.shape)}", "int8 votes, rows x sources")
    return Analysis(**counts_of(matrix, n_classes=n_classes))


def source_votes(
    table: VoteTable | Answers, analysis: Analysis, *, error_types: Mapping[str, Mapping[str, int]] | None = None
) -> tuple[SourceVotes, ...]:
    """What each source said, as records hold it; `error_types` gives counts by exception for each column."""
    types = error_types or {}
    parts: list[SourceVotes] = []
    for j, (column, source) in enumerate(zip(table.columns, table.sources, strict=True)):
        told = {name: int(count) for name, count in sorted(types.get(column, {}).items())}
        if told and sum(told.values()) != int(analysis.errors[j]):
            raise InvalidRecord(
                f"error_types.{column}", sum(told.values()), f"the {analysis.errors[j]} errors that were voted"
            )
        parts.append(
            SourceVotes(
                source=source,
                column=column,
                votes=tuple(int(count) for count in analysis.votes[j]),
                abstained=int(analysis.abstained[j]),
                errors=int(analysis.errors[j]),
                skipped=int(analysis.skipped[j]),
                error_types=told,
            )
        )
    return tuple(parts)


def vote_counts(
    table: VoteTable | Answers, *, error_types: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, Any]:
    """The counts of a `records.Votes` for this table: rows, classes, sources, covered, conflicts, patterns.

    For the long form those of a `records.LongVotes`: also answers, repeated, unasked and covers.
    """
    if isinstance(table, VoteTable):
        patterns = distinct(table.matrix, inverse=False)
        analysis = analyse_rows(table.matrix, n_classes=len(table.classes))
        further: dict[str, Any] = {}
    else:
        patterns, analysis = distinct_answers(table), analyse_answers(table)
        further = {"answers": len(table.vote), "repeated": table.repeated, "unasked": table.unasked}
        further["covers"] = tuple(analysis.both.diagonal().tolist())
    return {
        "rows": analysis.rows,
        "classes": table.classes,
        "sources": source_votes(table, analysis, error_types=error_types),
        "covered": analysis.covered,
        "conflicts": analysis.conflicts,
        "patterns": len(patterns),
        **further,
    }


def votes_record(
    table: VoteTable | Answers, *, error_types: Mapping[str, Mapping[str, int]] | None = None, **fields: Any
) -> Votes:
    """The record of votes as `write_votes` writes them; `fields` are what the table cannot tell. Raises InvalidRecord."""
    if not isinstance(table, VoteTable) and table.is_wide:
        table = table.wide()
    kind = Votes if isinstance(table, VoteTable) else LongVotes
    return kind.make(**vote_counts(table, error_types=error_types), **fields)
