"""Checkpoints as signed notes, and the keys that sign them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.errors import ConfigurationError, InvalidRecord
from governance.store import keys
from governance.store.checkpoint import Checkpoint, key_id, parse_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PLAIN = Checkpoint("0123456789abcdef0123456789abcdef", 42, hashlib.sha256(b"x").digest())
SIGNED = PLAIN.signed(KEY)


def test_a_note_has_the_lines_that_the_specification_asks_for():
    """Origin, size, root, an empty line, then signature lines that begin with an em dash."""
    lines = SIGNED.to_note().split("\n")
    assert lines[:4] == [PLAIN.origin, "42", base64.b64encode(PLAIN.root).decode(), ""]
    assert lines[4].startswith(f"\u2014 {PLAIN.origin} ")
    blob = base64.b64decode(lines[4].rpartition(" ")[2])
    assert (
        blob[:4]
        == hashlib.sha256(PLAIN.origin.encode() + b"\n\x01" + PUBLIC).digest()[:4]
        == key_id(PLAIN.origin, PUBLIC)
    )
    KEY.public_key().verify(blob[4:], "\n".join(lines[:3]).encode() + b"\n")


def test_a_note_reads_back_and_knows_its_signer():
    """A signed note is signed by its key and by no other; an unsigned one by nobody."""
    assert parse_note(SIGNED.to_note()) == SIGNED
    assert parse_note(PLAIN.to_note()) == PLAIN
    assert SIGNED.signed_by(PUBLIC)
    assert not PLAIN.signed_by(PUBLIC)
    assert not SIGNED.signed_by(Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_no_single_flipped_bit_passes():
    """Every one-bit change of a signed note is refused as a note or is no longer signed."""
    data = SIGNED.to_note().encode()
    passed = []
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << (position % 8)
        try:
            note = parse_note(flipped.decode("utf-8"))
        except (UnicodeDecodeError, InvalidRecord):
            continue
        if note.signed_by(PUBLIC):
            passed.append(position)
    assert passed == []


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n42\n", "\n042\n"),
        lambda note: note.replace("\n42\n", "\n+42\n"),
        lambda note: note.replace("\n42\n", "\n\u0664\u0662\n"),
        lambda note: note.replace("\n42\n", "\n-1\n"),
        lambda note: note + "\n",
        lambda note: note[:-1],
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace("\u2014", "-"),
        lambda note: "\n" + note,
        lambda note: note.replace("=\n", "\n", 1),
        lambda note: "",
    ],
    ids=[
        "zero",
        "plus",
        "digits",
        "negative",
        "line",
        "cut",
        "no_gap",
        "crlf",
        "hyphen",
        "no_origin",
        "padding",
        "empty",
    ],
)
def test_another_spelling_of_the_same_note_is_refused(change):
    """There is one form, and nothing else is read."""
    with pytest.raises(InvalidRecord, match="checkpoint"):
        parse_note(change(SIGNED.to_note()))


def test_a_key_is_made_once_and_for_its_owner_alone():
    """Making a key twice keeps the first; others have no right to it."""
    assert keys.load_key() is None
    path = keys.create_key()
    first = path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    keys.create_key()
    assert path.read_bytes() == first
    loaded = keys.load_key()
    assert loaded is not None
    assert base64.b64encode(loaded.private_bytes_raw()) == first.strip()


@pytest.mark.parametrize("rights", [0o644, 0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_not_used(rights):
    """A signature that anybody else could have made proves nothing, be it the owner's group alone."""
    path = keys.create_key()
    path.chmod(rights)
    with pytest.raises(ConfigurationError, match="read by others"):
        keys.load_key()


@pytest.mark.parametrize(
    "text", ["not base64!", base64.b64encode(b"short").decode(), base64.b64encode(b"x" * 33).decode()]
)
def test_what_is_no_key_is_refused_by_where_it_stands(monkeypatch, text):
    """A broken key in the environment is named by its variable, never printed."""
    monkeypatch.setenv(keys.KEY_VARIABLE, text)
    with pytest.raises(ConfigurationError, match=keys.KEY_VARIABLE) as caught:
        keys.load_key()
    assert text not in str(caught.value)


def test_the_environments_key_comes_before_the_file(monkeypatch):
    """A machine that is given a key uses that one."""
    keys.create_key()
    monkeypatch.setenv(keys.KEY_VARIABLE, base64.b64encode(bytes(range(32))).decode())
    loaded = keys.load_key()
    assert loaded is not None
    assert keys.public_hex(loaded) == PUBLIC.hex()
