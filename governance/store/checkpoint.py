"""How does a tree head leave the house, and how is it read back? (C2SP signed-note and tlog-checkpoint, Ed25519)"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.digest import LARGEST_INTEGER
from governance.errors import InvalidRecord
from governance.store.keys import public_hex

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DASH = "\u2014 "
_ED25519 = b"\x01"
#: the field of Ed25519, and the second coordinates of the points whose order divides 8
_PRIME = 2**255 - 19
_EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303021540
_WEAK = {0, 1, _PRIME - 1, _EIGHTH, _PRIME - _EIGHTH}


@dataclass(frozen=True)
class Signature:
    """One signature line: the key's name, the four bytes that hint at the key, 64 bytes of Ed25519."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: whose log, how many entries, which root."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[Signature, ...] = ()

    def body(self) -> bytes:
        """The signed bytes: three lines, each ended by a line feed (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    def to_note(self) -> str:
        """The note: body, an empty line, signature lines; an unsigned checkpoint ends after the empty line."""
        lines = [f"{_DASH}{s.name} {base64.b64encode(s.key_id + s.signature).decode()}\n" for s in self.signatures]
        return self.body().decode() + "\n" + "".join(lines)

    def signed(self, key: Ed25519PrivateKey) -> Checkpoint:
        """This checkpoint with a signature of `key`, under the log's own name."""
        public = bytes.fromhex(public_hex(key))
        made = Signature(self.origin, key_id(self.origin, public), key.sign(self.body()))
        return Checkpoint(self.origin, self.size, self.root, (*self.signatures, made))

    def signed_by(self, public: bytes) -> bool:
        """Whether one signature is a valid one of this Ed25519 public key (32 bytes)."""
        hint = key_id(self.origin, public)
        return any(
            signature.key_id == hint
            and signature.name == self.origin
            and is_signed(public, self.body(), signature.signature)
            for signature in self.signatures
        )


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of Ed25519 is one of `message` by the public key (32 bytes).

    Never by a key of small order, under which anybody can sign, nor by one that is not in the one form that every reader
    takes (RFC 8032 section 5.1.3): others than `cryptography` refuse it.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= _PRIME or y in _WEAK:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(name: str, public: bytes) -> bytes:
    """The first four bytes of SHA-256(name || 0x0A || 0x01 || public key) (C2SP signed-note, signature types)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def parse_note(text: str, *, where: str = "checkpoint") -> Checkpoint:
    """The checkpoint in a note. Raises InvalidRecord unless the text is exactly what `to_note` would write."""
    try:
        lines = text.split("\n")
        origin, size, root, empty = lines[:4]
        if empty or lines[-1] or not origin or " " in origin or "+" in origin or not size.isdecimal():
            raise ValueError("not origin, size, root and an empty line")
        head = base64.b64decode(root, validate=True)
        if len(head) != 32:
            raise ValueError("the root is not 32 bytes")
        signatures = tuple(_signature(line) for line in lines[4:-1])
        if int(size) > LARGEST_INTEGER:
            raise ValueError("no log has so many entries")
        checkpoint = Checkpoint(origin, int(size), head, signatures)
    except (ValueError, binascii.Error) as error:
        raise InvalidRecord("note", text[:80], f"a checkpoint note ({error})", where=where) from None
    if checkpoint.to_note() != text:
        raise InvalidRecord("note", text[:80], "a checkpoint note in its one canonical form", where=where)
    return checkpoint


def _signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise ValueError("a signature line begins with a dash and a space")
    name, _, encoded = line[len(_DASH) :].partition(" ")
    data = base64.b64decode(encoded, validate=True)
    if len(data) != 68 or not name:
        raise ValueError("a signature is 4 + 64 bytes")
    return Signature(name, data[:4], data[4:])
