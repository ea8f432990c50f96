"""Which private keys are at hand, and where do they live? Never in the repository."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from governance.digest import sync_folder, write_atomically
from governance.errors import Busy, ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: base64 of the 32-byte Ed25519 seed (RFC 8032 section 5.1.5), for machines without a home; several, the newest first,
#: with commas or spaces between them
KEY_VARIABLE = "LABELTRAIL_SIGNING_KEY"
_WANTED = "wanted: base64 of 32 bytes; `labeltrail init` makes one"


def key_path() -> Path:
    """Where this user's signing key lies: $XDG_CONFIG_HOME/labeltrail/signing.key, or below ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return _key_below(base)


# Everything that is recorded asks for it, and joining a path takes longer than reading a file.
@lru_cache(maxsize=4)
def _key_below(base: str) -> Path:
    return Path(base) / "labeltrail" / "signing.key"


def kept_path(public: str) -> Path:
    """Where a superseded key of this user lies: other logs may still be signed by it."""
    return key_path().parent / "keys" / f"{public[:16]}.key"


def load_key(public: str | None = None) -> Ed25519PrivateKey | None:
    """The private half of a public key (hexadecimal), or None where it is not at hand; by default this user's newest key.

    Looked for in the environment, in this user's key file and among the keys that it superseded. Raises
    ConfigurationError for a key that others may read or that is no key.
    """
    for key in _at_hand(public):
        if public is None or public_hex(key) == public:
            return key
    return None


def is_at_hand(public: str | None) -> bool:
    """Whether the private half can be used here. One that others can read cannot, and `labeltrail doctor` says so."""
    try:
        return public is not None and load_key(public) is not None
    except ConfigurationError:
        return False


def _at_hand(public: str | None) -> Iterator[Ed25519PrivateKey]:
    yield from _given()
    mine = _read_if_there(key_path())
    if mine is not None:
        yield mine
    kept = _read_if_there(kept_path(public)) if public else None
    if kept is not None:
        yield kept


def _given() -> list[Ed25519PrivateKey]:
    """The keys in the environment, in their order there."""
    text = os.environ.get(KEY_VARIABLE)
    if not text:
        return []
    parts = [part for part in re.split(r"[\s,]+", text) if part]
    return [_parse(part, where=KEY_VARIABLE) for part in parts or [""]]


def _read_if_there(path: Path) -> Ed25519PrivateKey | None:
    """The key in a file, or None where there is no file."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return None
        if mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others", hint=f"chmod 600 {path}")
        with open(path, "rb", buffering=0) as stream:
            text = stream.read().decode("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", hint="check its owner and rights, and its disk"
        ) from None
    return _parse(text.strip(), where=str(path))


def _parse(text: str, *, where: str) -> Ed25519PrivateKey:
    try:
        return _key_in(text)
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"{where} holds no signing key", hint=_WANTED) from None


# Making a key of the same text again takes as long as signing with it. The file is read each time all the same: it may be
# gone, or somebody else's.
@lru_cache(maxsize=4)
def _key_in(text: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))


def create_key() -> Path:
    """Makes this user's signing key where there is none yet, readable by its owner only, and answers where it lies."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_path()
    if not path.exists():
        _keep(path, Ed25519PrivateKey.generate())
    return path


def next_key(*, used: Collection[str], fresh: bool) -> tuple[Ed25519PrivateKey, str]:
    """The key that follows on those that a log has used (hexadecimal), and in words where it comes from.

    1. one in the environment that the log has not used  2. this user's key where the log has not used it, unless a
    `fresh` one is wanted  3. a new one, which takes the place of this user's key; that one is kept beside it

    The key is on the disk before it is answered, and so is the one whose place it takes: a crash costs no key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    # 1.
    for key in _given():
        if public_hex(key) not in used:
            return key, f"from {KEY_VARIABLE}"
    # 2.
    path = key_path()
    mine = _read_if_there(path)
    if mine is not None and not fresh and public_hex(mine) not in used:
        return mine, f"yours, at {path}"
    # 3.
    if mine is not None:
        kept = kept_path(public_hex(mine))
        _keep(kept, mine)
        there = _read_if_there(kept)
        if there is None or public_hex(there) != public_hex(mine):
            raise ConfigurationError(f"{kept} holds another key than its name says", hint="move it away and look at it")
    key = Ed25519PrivateKey.generate()
    with _writing(path):
        write_atomically(path, _text(key), mode=0o600)
    return key, f"made at {path}; keep a copy"


@contextmanager
def changing_keys(*, wait_seconds: float = 10.0) -> Iterator[None]:
    """Holds this user's keys, so that of two that make a new key neither loses the other's. Raises Busy."""
    from filelock import FileLock, Timeout

    lock = FileLock(key_path().with_name("keys.lock"), timeout=wait_seconds)
    try:
        # Where nothing can be written nothing can be lost, and the environment may hold the keys.
        with contextlib.suppress(OSError):
            key_path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        yield
    except Timeout:
        raise Busy("somebody else is changing your keys", hint="try again when that has ended") from None
    finally:
        lock.release()


def _keep(path: Path, key: Ed25519PrivateKey) -> None:
    """A key in a file of its own, readable by its owner only. A file that is there is left as it is."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made under another name and linked: of two that make a key at once, the second keeps the first one's.
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        write_atomically(fresh, _text(key), mode=0o600)
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
        sync_folder(path.parent)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"no signing key can be made at {path}: {error.strerror}",
            hint=f"set XDG_CONFIG_HOME, or put a key into {KEY_VARIABLE}; `labeltrail init --no-key` does without one",
        ) from None


def _text(key: Ed25519PrivateKey) -> bytes:
    return base64.b64encode(key.private_bytes_raw()) + b"\n"


@lru_cache(maxsize=4)
def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key, 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
