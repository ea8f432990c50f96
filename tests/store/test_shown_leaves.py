"""Many leaves are shown by one list of nodes, which shows nothing else and cannot be made to show another tree."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.store import merkle
from governance.store.shown import Shape, show, walk


def leaves_of(size: int) -> list[bytes]:
    return [hashlib.sha256(str(number).encode()).digest() for number in range(size)]


@st.composite
def shapes(draw):
    size = draw(st.integers(1, 90))
    numbers = draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=12))
    cuts = draw(st.sets(st.integers(1, size - 1), max_size=4)) if size > 1 else set()
    return Shape(size, sorted(numbers), sorted(cuts))


@given(shapes())
def test_the_shown_leaves_and_the_nodes_come_to_the_root_and_to_the_roots_at_every_cut(shape):
    """For any leaves of a tree of any size; the root at a cut is that of the tree as it was."""
    leaves = leaves_of(shape.size)
    nodes = show(iter(leaves), shape)
    shown = {number: leaves[number] for number in shape.numbers}
    walked = walk(shown, nodes, size=shape.size, cuts=shape.cuts)
    assert walked.root == merkle.root(leaves)
    assert [walked.root_at(cut) for cut in shape.cuts] == [merkle.root(leaves[:cut]) for cut in shape.cuts]
    assert all(walked.root_at(size) in (None, merkle.root(leaves[:size])) for size in range(1, shape.size + 1))


@given(shapes(), st.data())
def test_a_changed_leaf_or_node_comes_to_another_root(shape, data):
    """One bit of any shown leaf or node; a list with a node more or less is refused by name."""
    leaves = leaves_of(shape.size)
    nodes = show(leaves, shape)
    shown = {number: leaves[number] for number in shape.numbers}
    which = data.draw(st.integers(0, len(nodes) + len(shown) - 1))
    if which < len(nodes):
        nodes[which] = bytes([nodes[which][0] ^ 1]) + nodes[which][1:]
    else:
        number = shape.numbers[which - len(nodes)]
        shown[number] = bytes([shown[number][0] ^ 1]) + shown[number][1:]
    assert walk(shown, nodes, size=shape.size, cuts=shape.cuts).root != merkle.root(leaves)
    for wrong in ([*nodes, leaves[0]], nodes[:-1] if nodes else [leaves[0]]):
        with pytest.raises(InvalidRecord, match="nodes"):
            walk(shown, wrong, size=shape.size, cuts=shape.cuts)


@given(st.integers(1, 200), st.data())
def test_the_nodes_for_one_leaf_are_those_of_its_audit_path(size, data):
    """RFC 9162 section 2.1.3.1 gives the same nodes in another order."""
    leaves, number = leaves_of(size), data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_proof(merkle.levels(leaves), number)
    assert sorted(path) == sorted(show(leaves, Shape(size, [number])))


def test_many_leaves_cost_less_than_their_paths_one_by_one():
    """What paths share is told once."""
    leaves = leaves_of(4096)
    numbers = list(range(0, 4096, 164))
    assert len(numbers) == 25
    assert len(show(leaves, Shape(4096, numbers))) <= 25 * 8 < 25 * 12


@pytest.mark.parametrize(
    ("size", "numbers", "cuts"),
    [(3, [3], []), (3, [-1], []), (3, [1, 1], []), (3, [2, 1], []), (3, [0], [3]), (3, [0], [-1]), (3, [0], [2, 2])],
)
def test_leaves_and_cuts_outside_of_the_tree_are_refused(size, numbers, cuts):
    """A tree has the leaves that its size says, and an earlier tree is a smaller one."""
    with pytest.raises(InvalidRecord, match=r"numbers|cuts"):
        Shape(size, numbers, cuts)
    with pytest.raises(InvalidRecord, match="at least one"):
        walk({}, [], size=3)
