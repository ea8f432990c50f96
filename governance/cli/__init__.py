"""The command `labeltrail`: verbs that ask the project and tell its answers."""

from governance.cli.app import main

__all__ = ["main"]
