"""What do rows of evidence say, gone through row by row, source by source or vote by vote?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from governance.labelmodels._said import Said
from governance.votes.product import product
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: places for votes that are looked at together
AT_ONCE = 1 << 20
#: votes that are kept one by one at most, of some twenty bytes each
MOST = 1 << 22
#: from so many places for each vote on, votes are looked at and not places
_PLACES_A_VOTE = 4
#: up to so many sources places cost no more than votes
_NARROW = 16


@dataclass(frozen=True, eq=False)
class Spoken:
    """Votes row by row, and those of a row source by source: `source` and `vote`, int32 (votes).

    Those of row i stand from `starts[i]` to before `starts[i + 1]`, int32 (rows + 1).
    """

    starts: np.ndarray
    source: np.ndarray
    vote: np.ndarray
    sources: int

    @classmethod
    def of(cls, votes: np.ndarray) -> Spoken:
        """The votes of evidence, int8 (rows x sources)."""
        import numpy as np

        rows, sources = votes.shape
        flat = votes.ravel()
        # What follows costs votes, not places for them.
        there = np.flatnonzero(flat >= 0)
        row = there // sources
        starts = np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(np.bincount(row, minlength=rows), out=starts[1:])
        row *= sources
        return cls(starts, np.subtract(there, row, dtype=np.int32), flat.take(there).astype(np.int32), sources)

    @cached_property
    def many(self) -> np.ndarray:
        """How many sources vote in each row, int32 (rows)."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def votes(self) -> np.ndarray:
        """The evidence, int8 (rows x sources)."""
        import numpy as np

        found = np.full((len(self.starts) - 1, self.sources), ABSTAIN, dtype=np.int8)
        found[np.repeat(np.arange(len(found)), self.many), self.source] = self.vote
        return found

    def said(self, *, classes: int, dtype: Any = float) -> Said:
        """Who says what, to be added up as numbers of `dtype`."""
        import numpy as np

        cells = self.source * np.int32(classes)
        cells += self.vote
        return Said(self.starts, cells, width=self.sources * classes, dtype=dtype)

    def arranged(self, order: np.ndarray, rows: np.ndarray) -> Spoken:
        """The votes of `rows`, in that order, of sources that stand in `order`."""
        import numpy as np

        many = self.many.take(rows)
        starts = np.zeros(len(rows) + 1, dtype=np.int32)
        np.cumsum(many, out=starts[1:])
        place = np.empty(self.sources, dtype=np.int64)
        place[order] = np.arange(self.sources)
        # Votes of a row are put into order as numbers: the row, then the source, then a byte for the vote.
        row = np.repeat(np.arange(len(rows)) * self.sources, many)
        here = np.arange(len(row)) + np.repeat(self.starts.take(rows) - starts[:-1], many)
        keys = row + place.take(self.source.take(here))
        keys <<= 8
        keys |= self.vote.take(here)
        keys.sort()
        source = (keys >> 8) - row
        return Spoken(starts, source.astype(np.int32), (keys & 0xFF).astype(np.int32), self.sources)


@dataclass(frozen=True, eq=False)
class VoteRows:
    """Rows of evidence, `votes` int8 (rows x sources), of which each counts `given`, whole or float (rows), or once.

    Rows may be alike where counts are whole numbers; rows beside fractions are distinct.
    """

    votes: np.ndarray
    given: np.ndarray | None = None

    @property
    def counts(self) -> np.ndarray:
        """How often each row counts, whole or float (rows)."""
        import numpy as np

        return np.ones(len(self.votes), dtype=np.int64) if self.given is None else self.given

    @cached_property
    def once(self) -> bool:
        """Whether each row counts once."""
        return self.given is None or bool((self.given == 1).all())

    @cached_property
    def highest(self) -> int:
        """The highest class that is named, or ABSTAIN."""
        return int(self.votes.max(initial=ABSTAIN))

    @cached_property
    def is_sparse(self) -> bool:
        """Whether there are so many sources, of which so few vote, that votes are looked at, and not places for them."""
        return self.votes.shape[1] > _NARROW and self._cast * _PLACES_A_VOTE < self.votes.size

    @cached_property
    def _cast(self) -> int:
        """How many votes there are."""
        import numpy as np

        return int(np.count_nonzero(self.votes >= 0))

    @cached_property
    def by_source(self) -> np.ndarray:
        """The votes of each source side by side, int8 (sources x rows)."""
        import numpy as np

        return np.ascontiguousarray(self.votes.T)

    @cached_property
    def spoken(self) -> Spoken | None:
        """The votes one by one, where they are few."""
        return Spoken.of(self.votes) if self.is_sparse and self._cast <= MOST else None


def voting(votes: np.ndarray) -> np.ndarray:
    """How many sources vote in each row, int32 (rows)."""
    import numpy as np

    # Sums of fewer than 2^24 ones are exact as short floats, whose product is the fastest sum.
    many = product((votes >= 0).astype(np.float32), np.ones(votes.shape[1], dtype=np.float32))
    return many.astype(np.int32)
