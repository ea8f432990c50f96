"""How is anything named by its content? The only hashing in the library."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from governance.errors import InvalidRecord

# RFC 8785 section 3.1 builds on I-JSON (RFC 7493 section 2.2): integers beyond this lose digits in other readers.
LARGEST_INTEGER = 2**53 - 1
_BLOCK = 1 << 20


def sha256(data: bytes) -> str:
    """SHA-256 of `data`, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError where the file cannot be read."""
    return _file_hash(path, "sha256")


def file_md5(path: Path) -> str:
    """MD5 of a file's bytes, only ever to compare with what DVC wrote down."""
    return _file_hash(path, "md5")


def _file_hash(path: Path, algorithm: str) -> str:
    state = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def tree_digest(folder: Path) -> str:
    """One digest for a folder: the canonical list of its files' relative paths and digests, sorted by path.

    Byte-code caches are left out, since running code must not change the name of the code.
    """
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.relative_to(folder).parts
    )
    return sha256(canonical([[path.relative_to(folder).as_posix(), file_digest(path)] for path in files]))


def path_digest(path: Path) -> str:
    """The digest of a file, or of a folder as `tree_digest` names it."""
    return tree_digest(path) if path.is_dir() else file_digest(path)


def keyed(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over length-prefixed parts, 32 bytes (RFC 2104)."""
    return keyed_frame(key, framed(*parts))


def framed(*parts: bytes) -> bytes:
    """Parts, each after its length in 8 bytes, so that no other parts make the same bytes."""
    return b"".join([len(part).to_bytes(8, "big") + part for part in parts])


def keyed_frame(key: bytes, frame: bytes) -> bytes:
    """`keyed` over parts that are framed already: what many rows have in common is framed once."""
    return hmac.digest(key, frame, "sha256")


def content_salt(path: Path, *, purpose: str) -> str:
    """A salt that only somebody who holds the whole file can compute, 64 hexadecimal digits.

    A small file made from a large one (a quarantine of three rows) carries it, so that its plain digest in a public log
    does not let an outsider confirm a guess at those rows. It differs from the file's own digest, which is public.
    """
    state = hashlib.sha256(purpose.encode() + b"\x00")
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def decimal(value: float) -> str:
    """The shortest decimal string that reads back as the same float64. Raises InvalidRecord for NaN and infinities."""
    value = float(value)
    if not math.isfinite(value):
        raise InvalidRecord("number", value, "a finite number")
    return repr(value)


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of `value`: objects with ASCII keys, arrays, strings, integers, booleans and null.

    Floats are refused, because two writers may print them differently: pass `decimal(x)`.
    With ASCII keys, code point order is the UTF-16 order that RFC 8785 section 3.2.3 asks for, and Python's JSON writer
    escapes strings as its section 3.2.2.2 does; a property test holds the two against an independent implementation.
    """
    if not _is_plain(value):
        _refuse_uncanonical(value, "value")
    text = _encoded(value)
    if not text.isascii():
        _refuse_uncanonical(value, "value")
    return text.encode("utf-8")


def _encoded(value: Any) -> str:
    return "".join(_ENCODER(value, 0)) if _ENCODER is not None else _WRITER.encode(value)


def _is_plain(value: Any) -> bool:
    """Whether `value` is of nothing but the plainest kinds, texts apart; where it is not, it may still be canonical."""
    left = [value if type(value) in _CONTAINERS else [value]]
    for inner in left:
        if type(inner) is dict and not all(type(key) is str and key.isascii() for key in inner):
            return False
        for item in inner.values() if type(inner) is dict else inner:
            kind = type(item)
            if kind is str or item is None or kind is bool:
                continue
            if kind in _CONTAINERS:
                left.append(item)
            elif kind is not int or not -LARGEST_INTEGER <= item <= LARGEST_INTEGER:
                return False
    return True


_CONTAINERS = (dict, list, tuple)
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
# What CPython's writer makes anew for each value, made once: making it takes as long as writing a record.
_makes = getattr(json.encoder, "c_make_encoder", None)
_ENCODER = (
    _makes(None, _WRITER.default, json.encoder.encode_basestring, None, ":", ",", True, False, True) if _makes else None
)


def _refuse_uncanonical(value: Any, where: str) -> None:
    kind = type(value)
    if kind is str:
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise InvalidRecord(where, value, "text without lone surrogates") from None
    elif kind is int:
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise InvalidRecord(where, value, "an integer within 2^53 - 1, or a string")
    elif kind is bool or value is None:
        return
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if type(key) is not str or not key.isascii():
                raise InvalidRecord(where, key, "an object key in ASCII")
            _refuse_uncanonical(inner, f"{where}.{key}")
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for index, inner in enumerate(value):
            _refuse_uncanonical(inner, f"{where}[{index}]")
    else:
        raise InvalidRecord(
            where, value, "text, an integer, true, false, null, a list or an object (floats as strings)"
        )


def parse_canonical(data: bytes, *, where: str) -> Any:
    """The value of canonical bytes. Raises InvalidRecord where they are not JSON or not in their one canonical form."""
    try:
        value = json.loads(data.decode("utf-8"))
        again = canonical(value)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord("bytes", data[:60], f"canonical JSON ({error})", where=where) from None
    if again != data:
        raise InvalidRecord("bytes", data[:60], "canonical JSON (RFC 8785), in its one form", where=where)
    return value


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644, synchronised: bool = True) -> None:
    """`path` holds either what it held before or all of `data`: temporary file, fsync, rename, fsync of the folder.

    What is not `synchronised` outlives its process, and a power cut soon after may take it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with _writing(partial, mode) as stream:
            stream.write(data)
            if synchronised:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if synchronised:
        sync_folder(path.parent)


def _writing(path: Path, mode: int) -> BinaryIO:
    """A new file, in a folder that is made where it is not there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        descriptor = os.open(path, flags, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, mode)
    return os.fdopen(descriptor, "wb")


def make_folder(folder: Path) -> None:
    """Makes a folder, with those above it, whose name survives a power cut: what is synced inside would go with it."""
    missing = [above for above in folder.parents if not above.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in (folder, *missing):
        sync_folder(made.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
