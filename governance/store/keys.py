"""Which key signs, and where does it live? Never in the repository."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from governance.digest import write_atomically
from governance.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: base64 of the 32-byte Ed25519 seed (RFC 8032 section 5.1.5), for machines without a home
KEY_VARIABLE = "LABELTRAIL_SIGNING_KEY"


def key_path() -> Path:
    """Where this user's signing key lies: $XDG_CONFIG_HOME/labeltrail/signing.key, or below ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "labeltrail" / "signing.key"


def load_key() -> Ed25519PrivateKey | None:
    """The signing key from the environment or this user's key file, or None where there is none.

    Raises ConfigurationError for a key that others may read or that is no key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = os.environ.get(KEY_VARIABLE)
    where = KEY_VARIABLE
    if not text:
        path = key_path()
        where = str(path)
        if not path.is_file():
            return None
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others", hint=f"chmod 600 {path}")
        text = path.read_text(encoding="ascii", errors="replace")
    try:
        seed = base64.b64decode(text.strip(), validate=True)
        return Ed25519PrivateKey.from_private_bytes(seed)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f"{where} holds no signing key", hint="wanted: base64 of 32 bytes; `labeltrail init` makes one"
        ) from None


def create_key() -> Path:
    """Makes this user's signing key where there is none yet, readable by its owner only, and answers where it lies."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_path()
    if not path.exists():
        seed = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made under another name and linked: of two that make a key at once, the second keeps the first one's.
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            write_atomically(fresh, seed, mode=0o600)
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
            fresh.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"no signing key can be made at {path}: {error.strerror}",
                hint=f"give --no-key, set XDG_CONFIG_HOME, or put a key into {KEY_VARIABLE}",
            ) from None
    return path


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key, 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
