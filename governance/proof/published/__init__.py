"""What is handed to those who do not want our software: files that stand alone."""

from __future__ import annotations

from pathlib import Path


def verifier() -> bytes:
    """The bytes of `verify.py`, which checks bundles with Python's standard library alone."""
    return (Path(__file__).parent / "verify.py").read_bytes()
