"""How do several sources make up one small code, so that what they say together is looked up once and counted once?

With K classes a source has K + 1 things to say, silence among them, and m sources together have (K + 1)^m: a code. What is
summed over sources is summed for every code first, and then looked up for every pattern; what is counted by source is
counted by code, and only then shared out among the group's sources.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: codes a group may have: the sums of one class fit into a processor's first cache
_CODES = 4_096


class Codes:
    """The code of every pattern in every group, `codes` uint16 (groups x patterns); silence is the digit 0.

    `by_source` is evidence, int8 (sources x patterns), whose votes are below `classes`.
    """

    def __init__(self, by_source: np.ndarray, *, classes: int) -> None:
        import numpy as np

        sources, patterns = by_source.shape
        self.sources, self.classes, self._base = sources, classes, classes + 1
        self._members = _members(patterns, sources, self._base)
        self.codes = np.zeros((len(self._members), patterns), dtype=np.uint16)
        #: how many codes each group has
        self.sizes = [self._base ** (last - first) for first, last in self._members]
        for group, (first, last) in enumerate(self._members):
            for source in range(first, last):
                self.codes[group] *= np.uint16(self._base)
                # No vote is 127: there are 127 classes at most.
                self.codes[group] += (by_source[source] + np.int8(1)).view(np.uint8)

    def sums(self, tables: np.ndarray) -> list[np.ndarray]:
        """For each group what its sources say together, several x codes, of tables sources x several x votes."""
        import numpy as np

        silent = np.zeros((*tables.shape[:2], 1), dtype=tables.dtype)
        said = np.concatenate([silent, tables], axis=2)
        sums: list[np.ndarray] = []
        for first, last in self._members:
            table = said[first]
            for source in range(first + 1, last):
                table = (table[:, :, None] + said[source][:, None, :]).reshape(len(table), -1)
            sums.append(np.ascontiguousarray(table))
        return sums

    def shared_out(self, counted: list[np.ndarray]) -> np.ndarray:
        """What was counted by source, sources x several x votes, from what was by code, several x codes for each group."""
        import numpy as np

        several = len(counted[0])
        votes = np.empty((self.sources, several, self.classes), dtype=counted[0].dtype)
        for (first, last), table in zip(self._members, counted, strict=True):
            if last - first == 1:
                votes[first] = table[:, 1:]
                continue
            rest = table
            for source in range(first, last):
                by_digit = rest.reshape(several, self._base, -1)
                votes[source] = by_digit.sum(axis=2)[:, 1:]
                rest = by_digit.sum(axis=1)
        return votes


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
