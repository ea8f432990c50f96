"""How do several sources make up one small code, so that what they say together is looked up once and counted once?

With K classes a source has K + 1 things to say, silence among them, and m sources together have (K + 1)^m: a code. What is
summed over sources is summed for every code first, and then looked up for every pattern; what is counted by source is
counted by code, and only then shared out among the group's sources.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

from governance.labelmodels._said import Said

if TYPE_CHECKING:
    import numpy as np

#: codes a group may have: the sums of one class fit into a processor's first cache
_CODES = 4_096


class Codes:
    """The code of every pattern in every group, `codes` uint16 (groups x patterns); silence is the digit 0.

    `by_source` is evidence, int8 (sources x patterns), whose votes are below `classes`. What is there for each code stands
    group after group: `groups` says where those of each group do. Sums are of numbers of `dtype`.
    """

    def __init__(self, by_source: np.ndarray, *, classes: int, dtype: type = float) -> None:
        import numpy as np

        sources, patterns = by_source.shape
        self._sources, self._classes, base = sources, classes, classes + 1
        members = _members(patterns, sources, base)
        self.codes = np.zeros((len(members), patterns), dtype=np.uint16)
        for group, (first, last) in enumerate(members):
            for source in range(first, last):
                self.codes[group] *= np.uint16(base)
                # No vote is 127: there are 127 classes at most.
                self.codes[group] += (by_source[source] + np.int8(1)).view(np.uint8)
        spoken = [_spoken(last - first, classes) for first, last in members]
        ends = list(itertools.accumulate((len(many) for many, _ in spoken), initial=0))
        self.groups = [slice(begin, end) for begin, end in itertools.pairwise(ends)]
        starts = np.zeros(ends[-1] + 1, dtype=np.int32)
        np.cumsum(np.concatenate([many for many, _ in spoken]), out=starts[1:])
        cells = [said + np.int32(first * classes) for (first, _), (_, said) in zip(members, spoken, strict=True)]
        self._said = Said(starts, np.concatenate(cells), width=sources * classes, dtype=dtype)

    def sums(self, tables: np.ndarray) -> np.ndarray:
        """What the sources of a group say together, several x codes, of tables sources x several x votes."""
        import numpy as np

        sums = np.zeros((tables.shape[1], self.groups[-1].stop), dtype=tables.dtype)
        for k, one in enumerate(sums):
            self._said.by_row(tables[:, k].ravel(), one)
        return sums

    def shared_out(self, counted: np.ndarray) -> np.ndarray:
        """What was counted by source, sources x several x votes, from what was by code, several x codes."""
        import numpy as np

        votes = np.zeros((len(counted), self._sources * self._classes), dtype=counted.dtype)
        for codes, one in zip(counted, votes, strict=True):
            self._said.by_cell(codes, one)
        return votes.reshape(len(counted), self._sources, self._classes).transpose(1, 0, 2)


@lru_cache(maxsize=64)
def _spoken(sources: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """How many votes stand in each code of so many sources, int32 (codes), and at which cells, int32 (votes)."""
    import numpy as np

    base = classes + 1
    worth = base ** np.arange(sources - 1, -1, -1)
    votes = np.arange(base**sources)[:, None] // worth % base - 1
    there = votes >= 0
    many, cells = there.sum(axis=1, dtype=np.int32), (np.arange(sources) * classes + votes)[there].astype(np.int32)
    for kept in (many, cells):
        kept.setflags(write=False)
    return many, cells


def look_ups(patterns: int, sources: int, *, classes: int) -> int:
    """How many look-ups and counts, or what costs as much, a step of EM takes for each class."""
    base = classes + 1
    return min(_cost(patterns, sources, width, base=base) for width in _widths(sources, base))


def _widths(sources: int, base: int) -> list[int]:
    """How many sources a group may have."""
    return [width for width in range(1, sources + 1) if width == 1 or base**width <= _CODES]


def _cost(patterns: int, sources: int, width: int, *, base: int) -> int:
    # A pattern costs a look-up and a count for each group; a code costs about as much again to sum up and share out.
    return -(-sources // width) * (patterns + 2 * base**width)


def _members(patterns: int, sources: int, base: int) -> list[tuple[int, int]]:
    """The groups, as first source and the one after the last: as wide as pays for itself on so many patterns."""
    width = min(_widths(sources, base), key=lambda width: _cost(patterns, sources, width, base=base))
    # Groups of even size have the fewest codes.
    groups = -(-sources // width)
    bounds = [sources * group // groups for group in range(groups + 1)]
    return list(itertools.pairwise(bounds))
