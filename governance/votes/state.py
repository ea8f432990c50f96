"""What must be remembered of votes for label models to learn of them? Little, and what is remembered of parts adds up."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, sha256
from governance.errors import InvalidRecord
from governance.votes.analysis import Analysis, analyse_rows
from governance.votes.hashing import pattern_hashes
from governance.votes.patterns import Patterns, distinct
from governance.votes.plain import votes_of
from governance.votes.table import ABSTAIN, VoteTable

if TYPE_CHECKING:
    import numpy as np

#: fewer distinct rows than these say too little of any votes
LEAST = 1_024


@dataclass(frozen=True, eq=False)
class VoteState:
    """Votes of any number of rows, as integers: states of parts, in any order, add up to the very state of all rows.

    `patterns`: distinct rows of evidence, in which ERROR and SKIPPED are silence. `analysis`: every count of `Analysis`, of
    all rows. `sources` is None for a plain matrix. Where there are more than `most` patterns, every second of them is
    forgotten, and again until they fit: one in 2**`level` is kept, chosen by its content alone, with its whole count.
    """

    columns: tuple[str, ...]
    sources: tuple[str, ...] | None
    classes: tuple[str, ...]
    patterns: Patterns
    analysis: Analysis
    most: int | None = None
    level: int = 0

    @classmethod
    def of(cls, votes: VoteTable | np.ndarray, *, n_classes: int | None = None, most: int | None = None) -> VoteState:
        """The state of some rows, of none as well. Raises InvalidRecord."""
        columns, sources, classes, matrix = votes_of(votes, n_classes=n_classes, where="votes")
        return cls.of_rows(matrix, columns=columns, sources=sources, classes=classes, most=most)

    @classmethod
    def of_rows(
        cls,
        matrix: np.ndarray,
        *,
        columns: tuple[str, ...],
        sources: tuple[str, ...] | None,
        classes: tuple[str, ...],
        most: int | None = None,
    ) -> VoteState:
        """The state of votes that were checked, int8 (rows x sources). Raises InvalidRecord for `most` alone."""
        import numpy as np

        if most is not None and (type(most) is not int or most < LEAST):
            raise InvalidRecord("most", most, f"a whole number from {LEAST}", where="votes")
        patterns = distinct(np.maximum(matrix, np.int8(ABSTAIN)), inverse=False)
        analysis = analyse_rows(matrix, n_classes=len(classes))
        return cls(columns, sources, classes, patterns, analysis, most)._fitting()

    def __add__(self, other: VoteState) -> VoteState:
        for field in ("columns", "sources", "classes", "most"):
            here, there = getattr(self, field), getattr(other, field)
            if here != there:
                raise InvalidRecord(field, there, f"those of the other part: {here}", where="votes")
        level = max(self.level, other.level)
        patterns = self._at(level).merge(other._at(level))
        return replace(self, patterns=patterns, analysis=self.analysis + other.analysis, level=level)._fitting()

    @property
    def rows(self) -> int:
        """How many rows this is the state of."""
        return self.analysis.rows

    @property
    def sampled(self) -> float:
        """The share of the rows with a vote whose patterns are kept; 1.0 where nothing was forgotten."""
        import numpy as np

        if not self.level or not self.analysis.covered:
            return 1.0
        return int(self.patterns.counts[np.any(self.patterns.votes >= 0, axis=1)].sum()) / self.analysis.covered

    @property
    def digest(self) -> str:
        """SHA-256 of all that is remembered, which no partition and no order of rows can be seen in."""
        told = {
            "columns": list(self.columns),
            "sources": None if self.sources is None else list(self.sources),
            "classes": list(self.classes),
            "level": self.level,
            "patterns": [len(self.patterns), sha256(self.patterns.votes.tobytes())],
            "counts": sha256(self.patterns.counts.astype("<i8").tobytes()),
            "analysis": {field.name: _told(getattr(self.analysis, field.name)) for field in fields(Analysis)},
        }
        return sha256(canonical(told))

    def _fitting(self) -> VoteState:
        """This state, with as many patterns as it may have."""
        import numpy as np

        if self.most is None or len(self.patterns) <= self.most:
            return self
        # Kept are the hashes below 2^(64 - level): the level is the least at which the first one too many is not.
        beyond = int(np.partition(pattern_hashes(self.patterns.votes, self.columns), self.most)[self.most])
        level = 65 - beyond.bit_length()
        return replace(self, patterns=self._at(level), level=level)

    def _at(self, level: int) -> Patterns:
        """The patterns that are kept at a level, which is this one or higher."""
        import numpy as np

        if level == self.level:
            return self.patterns
        limit = np.uint64(2 ** max(64 - level, 0) - 1)
        kept = pattern_hashes(self.patterns.votes, self.columns) <= limit
        return Patterns(self.patterns.votes[kept], self.patterns.counts[kept], self.patterns.inverse)


def _told(value: Any) -> Any:
    """A count, or the digest of an array of them."""
    return int(value) if isinstance(value, int) else sha256(value.astype("<i8").tobytes())
