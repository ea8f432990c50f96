"""How does a tree head leave the house, and how is it read back? (C2SP signed-note and tlog-checkpoint, Ed25519)"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.errors import InvalidRecord

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DASH = "\u2014 "
_ED25519 = b"\x01"


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
        public = key.public_key().public_bytes_raw()
        made = Signature(self.origin, key_id(self.origin, public), key.sign(self.body()))
        return Checkpoint(self.origin, self.size, self.root, (*self.signatures, made))

    def signed_by(self, public: bytes) -> bool:
        """Whether one signature is a valid one of this Ed25519 public key (32 bytes)."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        hint = key_id(self.origin, public)
        for signature in self.signatures:
            if signature.key_id != hint or signature.name != self.origin:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature.signature, self.body())
            except (InvalidSignature, ValueError):
                continue
            return True
        return False


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
