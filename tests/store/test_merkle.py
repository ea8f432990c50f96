"""The tree over the entries, held against its definition and an independent implementation."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof, verify_consistency

from governance.errors import InvalidRecord
from governance.store import merkle

leaves_of = st.lists(st.binary(max_size=12), max_size=70)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 defines it, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


@given(leaves_of)
def test_the_root_is_the_one_that_the_rfc_defines(entries):
    """Appending one by one gives the tree hash of the definition, for every size."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    assert merkle.root(leaves) == defined_root(leaves)


@given(leaves_of, st.lists(st.integers(0, 70), max_size=6))
def test_leaves_taken_in_many_at_a_time_grow_the_same_tree(entries, cuts):
    """Wherever the parts begin and end, peaks and root are those of pushing one leaf after the other."""
    assert merkle.leaf_hashes(entries) == [merkle.leaf_hash(entry) for entry in entries]
    leaves = merkle.leaf_hashes(entries)
    one, many, start = merkle.Frontier(), merkle.Frontier(), 0
    for stop in [*sorted(cut for cut in cuts if cut <= len(leaves)), len(leaves)]:
        many.extend(leaves[start:stop])
        for leaf in leaves[start:stop]:
            one.push(leaf)
        start = stop
        assert (many.size, many.peaks) == (one.size, one.peaks)
    assert many.root() == merkle.root(leaves)


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=40))
def test_the_root_is_that_of_an_independent_implementation(entries):
    """pymerkle computes the same root over the same entries."""
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert merkle.root(merkle.leaf_hash(entry) for entry in entries) == tree.get_root()


def test_the_empty_tree_and_one_leaf_have_the_published_values():
    """The values of the certificate-transparency test vectors."""
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(leaves_of, st.integers(0, 80))
def test_a_frontier_goes_on_where_it_was_written_down(entries, cut):
    """Writing a frontier down and reading it back changes nothing of what follows."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    first = merkle.Frontier()
    for leaf in leaves[:cut]:
        first.push(leaf)
    again = merkle.Frontier.from_text(first.size, first.to_text())
    for leaf in leaves[cut:]:
        again.push(leaf)
    assert again.root() == defined_root(leaves)
    assert again.size == len(leaves)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "ab" * 32, "ab" * 32 + " " + "cd" * 31])
def test_a_frontier_that_cannot_be_of_its_size_is_refused(text):
    """Three leaves have two peaks of 32 bytes."""
    with pytest.raises(InvalidRecord, match="frontier"):
        merkle.Frontier.from_text(3, text)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_an_inclusion_proof_leads_to_the_root_and_nowhere_else(entries, data):
    """The proof of a leaf gives the root; of another leaf, position, size or with a changed step it does not."""
    leaves = [merkle.leaf_hash(entry + bytes([i])) for i, entry in enumerate(entries)]
    stack = merkle.levels(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.inclusion_proof(stack, index)
    head = defined_root(leaves)
    assert merkle.root_from_inclusion(leaves[index], index, len(leaves), proof) == head
    other = data.draw(st.integers(0, len(leaves) - 1).filter(lambda i: i != index or len(leaves) == 1))
    if other != index:
        assert merkle.root_from_inclusion(leaves[other], index, len(leaves), proof) != head
        assert merkle.root_from_inclusion(leaves[index], other, len(leaves), proof) != head
    if proof:
        changed = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof]
        bad[changed] = bytes([bad[changed][0] ^ 1]) + bad[changed][1:]
        assert merkle.root_from_inclusion(leaves[index], index, len(leaves), bad) != head
        assert merkle.root_from_inclusion(leaves[index], index, len(leaves), proof[:-1]) != head
    assert merkle.root_from_inclusion(leaves[index], index, len(leaves), [*proof, head]) is None
    assert merkle.root_from_inclusion(leaves[index], len(leaves), len(leaves), proof) is None


def test_a_proof_that_stops_short_leads_nowhere():
    """A node of the tree cannot pass for a leaf of it by leaving out the steps below."""
    leaves = [merkle.leaf_hash(bytes([i])) for i in range(4)]
    stack = merkle.levels(leaves)
    proof = merkle.inclusion_proof(stack, 0)
    assert merkle.root_from_inclusion(leaves[0], 0, 4, proof) == merkle.root(leaves)
    assert merkle.root_from_inclusion(stack[1][0], 0, 4, proof[1:]) is None
    assert merkle.root_from_inclusion(stack[2][0], 0, 4, []) is None


def test_there_is_no_proof_of_a_leaf_that_is_not_there():
    """A position beyond the tree is refused by name."""
    stack = merkle.levels([merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")])
    for index in (-1, 2):
        with pytest.raises(InvalidRecord, match="index"):
            merkle.inclusion_proof(stack, index)
    with pytest.raises(InvalidRecord, match="index"):
        merkle.inclusion_proof([], 0)


def test_consistency_proofs_are_those_of_the_rfc_for_seven_leaves():
    """The three examples of RFC 9162 section 2.1.5, node by node."""
    a, b, c, d, e, f, j = (merkle.leaf_hash(bytes([n])) for n in range(7))
    g, h, i = merkle.node_hash(a, b), merkle.node_hash(c, d), merkle.node_hash(e, f)
    k, l = merkle.node_hash(g, h), merkle.node_hash(i, j)  # noqa: E741 - the RFC's own letters
    stack = merkle.levels([a, b, c, d, e, f, j])
    assert merkle.consistency_proof(stack, 3) == [c, d, g, l]
    assert merkle.consistency_proof(stack, 4) == [l]
    assert merkle.consistency_proof(stack, 6) == [i, j, k]


@given(leaves_of, st.data())
def test_a_tree_that_only_grew_is_shown_to_have_grown(entries, data):
    """The proof between any two sizes is accepted, and refused with any node changed, left out or added."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    first = data.draw(st.integers(0, len(leaves)))
    roots = merkle.root(leaves[:first]), merkle.root(leaves)
    proof = merkle.consistency_proof(merkle.levels(leaves), first)

    def accepted(steps: list[bytes]) -> bool:
        return merkle.is_consistent(first, roots[0], len(leaves), roots[1], steps)

    assert accepted(proof)
    assert not accepted([*proof, b"\0" * 32])
    for position in range(len(proof)):
        assert not accepted([*proof[:position], *proof[position + 1 :]])
        assert not accepted([*proof[:position], b"\0" * 32, *proof[position + 1 :]])


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=70), st.data())
def test_no_proof_joins_two_histories(entries, data):
    """Where one of the first entries was other, the honest proof of either history is refused for the other."""
    first = data.draw(st.integers(1, len(entries)))
    other = list(entries)
    changed = data.draw(st.integers(0, first - 1))
    other[changed] += b"!"
    one, two = [[merkle.leaf_hash(entry) for entry in history] for history in (entries, other)]
    for steps in (merkle.consistency_proof(merkle.levels(tree), first) for tree in (one, two)):
        assert not merkle.is_consistent(first, merkle.root(one[:first]), len(two), merkle.root(two), steps)


def test_a_log_that_runs_backwards_is_not_consistent():
    """A later tree that is smaller, and an empty one that is no empty one, have no proof."""
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(4)]
    assert not merkle.is_consistent(4, merkle.root(leaves), 3, merkle.root(leaves[:3]), [])
    assert not merkle.is_consistent(0, leaves[0], 4, merkle.root(leaves), [])
    with pytest.raises(InvalidRecord, match="first"):
        merkle.consistency_proof(merkle.levels(leaves), 5)


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=40), st.data())
def test_inclusion_proofs_hold_the_nodes_of_an_independent_implementation(entries, data):
    """pymerkle's audit path of a leaf is made of the same nodes."""
    index = data.draw(st.integers(0, len(entries) - 1))
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    theirs = tree.prove_inclusion(index + 1, len(entries)).serialize()["path"]
    ours = merkle.inclusion_proof(merkle.levels([merkle.leaf_hash(entry) for entry in entries]), index)
    leaf = merkle.leaf_hash(entries[index]).hex()
    assert sorted(theirs) == sorted([leaf, *(node.hex() for node in ours)])


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=60), st.data())
def test_what_an_independent_implementation_proves_to_have_grown_is_accepted_here(entries, data):
    """pymerkle proves growth between the same two states, with the two roots that ours has; from any other it does not."""
    first = data.draw(st.integers(1, len(entries)))
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    roots = merkle.root(leaves[:first]), merkle.root(leaves)
    theirs = tree.prove_consistency(first, len(entries))
    verify_consistency(tree.get_root(first), tree.get_root(len(entries)), theirs)
    assert (tree.get_root(first), tree.get_root(len(entries))) == roots
    ours = merkle.consistency_proof(merkle.levels(leaves), first)
    assert merkle.is_consistent(first, roots[0], len(entries), roots[1], ours)
    # Both refuse where the first tree was another one; the paths themselves are of different form.
    assert not merkle.is_consistent(first, merkle.leaf_hash(b"other"), len(entries), roots[1], ours)
    with pytest.raises(InvalidProof):
        verify_consistency(merkle.leaf_hash(b"other"), roots[1], theirs)
