"""What is published by others about trees and notes holds here: for the library and for `verify.py`."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path

import pytest

from governance.proof import published
from governance.store import merkle
from governance.store.checkpoint import key_id

_SPEC = importlib.util.spec_from_file_location("vectors_verify", Path(published.__file__).parent / "verify.py")
assert _SPEC
assert _SPEC.loader
verify_py = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(verify_py)

# The reference tree of certificate-transparency's own tests (RFC 6962 and RFC 9162 hash alike): eight leaves.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
#: (leaf from 1, size, path)
PATHS = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        2,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
#: (first size, second size, proof)
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def digests(hexes: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in hexes]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_that_are_published(size):
    """Of each of the eight trees, by the library and by the verifier."""
    assert merkle.root(merkle.leaf_hash(leaf) for leaf in LEAVES[:size]).hex() == ROOTS[size - 1]
    shown = {number: verify_py.leaf_hash(leaf) for number, leaf in enumerate(LEAVES[:size])}
    assert verify_py.fold(shown, b"", size)[0, size].hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("leaf", "size", "path"), PATHS)
def test_the_inclusion_proofs_are_those_that_are_published(leaf, size, path):
    """Made node by node as published, and leading to the published root."""
    stack = merkle.levels([merkle.leaf_hash(entry) for entry in LEAVES[:size]])
    assert merkle.inclusion_proof(stack, leaf - 1) == digests(path)
    root = merkle.root_from_inclusion(stack[0][leaf - 1], leaf - 1, size, digests(path))
    assert root == bytes.fromhex(ROOTS[size - 1])


@pytest.mark.parametrize(("first", "second", "proof"), CONSISTENCY)
def test_the_consistency_proofs_are_those_that_are_published(first, second, proof):
    """Made node by node as published, and accepted between the published roots."""
    stack = merkle.levels([merkle.leaf_hash(entry) for entry in LEAVES[:second]])
    assert merkle.consistency_proof(stack, first) == digests(proof)
    roots = [bytes.fromhex(ROOTS[size - 1]) for size in (first, second)]
    assert merkle.is_consistent(first, roots[0], second, roots[1], digests(proof))


# The example of golang.org/x/mod/sumdb/note: verifier key, text, signature line.
VERIFIER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_published_example_of_a_signed_note_is_one_here():
    """Its key has the published id, and its signature is one of its text by that key, for library and verifier."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, hint, encoded = VERIFIER_KEY.split("+", 2)
    kind, public = base64.b64decode(encoded)[:1], base64.b64decode(encoded)[1:]
    assert (kind, len(public)) == (b"\x01", 32)
    assert key_id(name, public).hex() == hint
    signature = base64.b64decode(SIGNATURE)
    assert signature[:4].hex() == hint
    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], TEXT)
    assert verify_py.is_signed(public, TEXT, signature[4:])
    assert not verify_py.is_signed(public, TEXT[:-1], signature[4:])
