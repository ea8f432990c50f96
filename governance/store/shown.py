"""How are many leaves of one tree shown at once, and that the tree grew from an earlier one?

One list of nodes does for all of them. Whoever walks the tree of RFC 9162 section 2.1.1 from its root, left before right,
goes into every subtree that holds a shown leaf or a cut; of every other one the list has the root, in the order of the
walk. For a single leaf these are the nodes of its audit path (section 2.1.3.1). The size is never taken from the list.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from governance.errors import InvalidRecord
from governance.store.merkle import Frontier, node_hash


@dataclass(frozen=True)
class Shape:
    """Which leaves of a tree of `size` are shown, and at which earlier sizes it is cut; both in rising order."""

    size: int
    numbers: Sequence[int]
    cuts: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not _rise(self.numbers, 0, self.size):
            raise InvalidRecord("numbers", list(self.numbers)[:5], f"leaves of a tree of {self.size}, rising")
        if not _rise(self.cuts, 0, self.size):
            raise InvalidRecord("cuts", list(self.cuts)[:5], f"sizes below {self.size}, rising")

    def hidden(self, start: int, stop: int) -> bool:
        """Whether the list of nodes has the root over these leaves, since none of them is shown and no cut divides them."""
        first = bisect_left(self.numbers, start)
        if first < len(self.numbers) and self.numbers[first] < stop:
            return False
        cut = bisect_right(self.cuts, start)
        return not (cut < len(self.cuts) and self.cuts[cut] < stop)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The leaves under each node of the list, in its order."""
        open_ = [(0, self.size)] if self.size else []
        while open_:
            start, stop = open_.pop()
            if self.hidden(start, stop):
                yield start, stop
            elif stop - start > 1:
                middle = _middle(start, stop)
                open_ += [(middle, stop), (start, middle)]


@dataclass
class Walked:
    """What a list of nodes and the shown leaves come to: every subtree's root that was met, by its range."""

    size: int
    roots: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def root(self) -> bytes:
        return self.roots[0, self.size]

    def root_at(self, size: int) -> bytes | None:
        """The root of the tree as it was at an earlier size, or None where no cut shows it."""
        return self._over(0, size) if 0 < size <= self.size else None

    def _over(self, start: int, stop: int) -> bytes | None:
        if (start, stop) in self.roots or stop - start == 1:
            return self.roots.get((start, stop))
        middle = _middle(start, stop)
        left = self._over(start, middle)
        right = self._over(middle, stop) if left is not None else None
        return node_hash(left, right) if left is not None and right is not None else None


def show(leaves: Iterable[bytes], shape: Shape) -> list[bytes]:
    """The list of nodes for a shape, from all leaves in order; they are read once and not kept."""
    rising, at, nodes = iter(leaves), 0, []
    for start, stop in shape.ranges():
        for _ in range(start - at):  # shown leaves in between
            next(rising)
        frontier = Frontier()
        for _ in range(stop - start):
            frontier.push(next(rising))
        nodes.append(frontier.root())
        at = stop
    return nodes


def walk(shown: Mapping[int, bytes], nodes: Sequence[bytes], *, size: int, cuts: Sequence[int] = ()) -> Walked:
    """What the shown leaves and the nodes come to.

    Raises InvalidRecord where there are fewer or more nodes than this shape has, or leaves that such a tree has not.
    """
    shape, walked, rest = Shape(size, sorted(shown), cuts), Walked(size), iter(nodes)

    def over(start: int, stop: int) -> bytes:
        if shape.hidden(start, stop):
            node = next(rest, None)
            if node is None:
                raise InvalidRecord("nodes", len(nodes), "a node for every part of the tree that is not shown")
        elif stop - start == 1:
            node = shown[start]
        else:
            middle = _middle(start, stop)
            node = node_hash(over(start, middle), over(middle, stop))
        walked.roots[start, stop] = node
        return node

    if not shown:
        raise InvalidRecord("numbers", [], "at least one leaf")
    over(0, size)
    if next(rest, None) is not None:
        raise InvalidRecord("nodes", len(nodes), "no more nodes than the tree has parts that are not shown")
    return walked


def _middle(start: int, stop: int) -> int:
    """Where the tree over these leaves divides: after the largest power of two that is smaller (RFC 9162, 2.1.1)."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def _rise(numbers: Sequence[int], least: int, below: int) -> bool:
    inside = all(type(number) is int and least <= number < below for number in numbers)
    return inside and all(one < other for one, other in pairwise(numbers))
