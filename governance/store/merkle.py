"""Which tree of hashes stands over the entries, and what does it prove? (RFC 9162 section 2.1)"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from governance.errors import InvalidRecord

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """MTH of one entry: SHA-256(0x00 || entry), 32 bytes (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each entry, for very many of them. Raises TypeError where one is not bytes."""
    hashed = hashlib.sha256
    return [hashed(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes; the other prefix keeps a node from passing for a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """The roots of the complete subtrees over `size` leaves, largest first: all that appending needs to know."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def push(self, leaf: bytes) -> None:
        """Takes in one leaf hash; as many peaks merge as the old size has trailing one bits."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Takes in many leaf hashes, one complete subtree after the other, each hashed level by level."""
        start = 0
        while start < len(leaves):
            # The largest complete subtree that begins at this size and that the leaves still fill.
            width = 1 << ((len(leaves) - start).bit_length() - 1)
            width = min(width, self.size & -self.size) if self.size else width
            node = _complete(leaves[start : start + width])
            merged = self.size // width
            while merged & 1:
                node = node_hash(self.peaks.pop(), node)
                merged >>= 1
            self.peaks.append(node)
            self.size += width
            start += width

    def root(self) -> bytes:
        """The tree head over everything pushed so far, 32 bytes."""
        if not self.peaks:
            return EMPTY_ROOT
        peaks = reversed(self.peaks)
        head = next(peaks)
        for peak in peaks:
            head = node_hash(peak, head)
        return head

    def to_text(self) -> str:
        return " ".join(peak.hex() for peak in self.peaks)

    @classmethod
    def from_text(cls, size: int, text: str) -> Frontier:
        """Raises InvalidRecord where the peaks cannot belong to a tree of this size."""
        try:
            peaks = [bytes.fromhex(part) for part in text.split()]
        except ValueError:
            peaks = [b""]
        if len(peaks) != size.bit_count() or any(len(peak) != 32 for peak in peaks):
            raise InvalidRecord("frontier", text, f"{size.bit_count()} digests for a tree of {size} leaves")
        return cls(size=size, peaks=peaks)


def _complete(leaves: Sequence[bytes]) -> bytes:
    """The head of a complete tree, whose number of leaves is a power of two."""
    hashed = hashlib.sha256
    while len(leaves) > 1:
        pairs = iter(leaves)
        leaves = [hashed(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return leaves[0]


def root(leaves: Iterable[bytes]) -> bytes:
    """The tree head over leaf hashes, 32 bytes."""
    frontier = Frontier()
    frontier.extend(leaves if isinstance(leaves, Sequence) else list(leaves))
    return frontier.root()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Every complete node by level, level 0 the leaves: what many inclusion proofs of one tree share."""
    stack = [list(leaves)]
    while len(stack[-1]) > 1:
        below = stack[-1]
        stack.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return stack


def inclusion_proof(stack: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The audit path of leaf `index`, from the leaf upwards (RFC 9162 section 2.1.3.1), over `levels(leaves)`.

    Raises InvalidRecord where there is no such leaf.
    """
    size = len(stack[0]) if stack else 0
    if not 0 <= index < size:
        raise InvalidRecord("index", index, f"a leaf of a tree of {size}")
    return _path(stack, index, 0, size)


def _path(stack: Sequence[Sequence[bytes]], index: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + _split(stop - start)
    if index < middle:
        return [*_path(stack, index, start, middle), _subtree(stack, middle, stop)]
    return [*_path(stack, index, middle, stop), _subtree(stack, start, middle)]


def _subtree(stack: Sequence[Sequence[bytes]], start: int, stop: int) -> bytes:
    width = stop - start
    if width & (width - 1) == 0:
        return stack[width.bit_length() - 1][start // width]
    middle = start + _split(width)
    return node_hash(_subtree(stack, start, middle), _subtree(stack, middle, stop))


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (RFC 9162 section 2.1.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162 section 2.1.3.2), or None where the proof cannot be of this shape.

    Take `size` from a signed checkpoint: the proof alone does not bind it.
    """
    if not 0 <= index < size:
        return None
    node, last, head = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            head = node_hash(step, head)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            head = node_hash(head, step)
        node >>= 1
        last >>= 1
    return head if last == 0 else None


def consistency_proof(stack: Sequence[Sequence[bytes]], first: int) -> list[bytes]:
    """What shows that the tree over `levels(leaves)` began with its first `first` leaves (RFC 9162 section 2.1.4.1).

    Empty where both are the same tree, or the first one is empty. Raises InvalidRecord where the tree is smaller.
    """
    size = len(stack[0]) if stack else 0
    if not 0 <= first <= size:
        raise InvalidRecord("first", first, f"the size of an earlier tree, at most {size}")
    return _subproof(stack, first, 0, size, whole=True) if first else []


def _subproof(stack: Sequence[Sequence[bytes]], first: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
    if first == stop - start:
        return [] if whole else [_subtree(stack, start, stop)]
    middle = start + _split(stop - start)
    if first <= middle - start:
        return [*_subproof(stack, first, start, middle, whole=whole), _subtree(stack, middle, stop)]
    rest = _subproof(stack, first - (middle - start), middle, stop, whole=False)
    return [*rest, _subtree(stack, start, middle)]


def is_consistent(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the second tree began with the first one (RFC 9162 section 2.1.4.2); sizes and roots are from checkpoints."""
    if not 0 <= first <= second:
        return False
    if first == 0:
        return first_root == EMPTY_ROOT and not proof
    if first == second:
        return first_root == second_root and not proof
    if not proof:
        return False
    # 1. a first tree that is complete is its own first node
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    # 2. up to where the two trees part
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    # 3. both roots from the same nodes
    one = other = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            one, other = node_hash(step, one), node_hash(step, other)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            other = node_hash(other, step)
        node >>= 1
        last >>= 1
    return last == 0 and one == first_root and other == second_root
