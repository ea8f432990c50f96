"""What can go wrong, with which exit code, and which way out?"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command answers to the shell; the same number always means the same thing."""

    FINE = 0
    FINDINGS = 1
    USAGE = 2
    BROKEN = 3
    UNKNOWN = 4
    BUSY = 5


class GovernanceError(Exception):
    """The root of every error this library raises on purpose.

    Subclasses hold their facts as attributes and build the sentence from them; `hint` is the way out.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        return str(self.args[0])

    def facts(self) -> dict[str, object]:
        """The error as data, for `--json`."""
        # Whoever carries an exception may hang notes of its own on it; those begin with an underscore.
        facts = {key: value for key, value in vars(self).items() if value is not None and not key.startswith("_")}
        return {"error": type(self).__name__, "message": self.message, **facts}


class ConfigurationError(GovernanceError):
    """The project, its configuration or the command's arguments cannot be used as they are."""


class NotAProject(ConfigurationError):
    """No labeltrail.toml here or in any folder above."""

    def __init__(self, folder: object) -> None:
        self.folder = str(folder)
        super().__init__(
            f"{folder} is not a LabelTrail project: no labeltrail.toml here or in any folder above",
            hint="run `labeltrail init` in the folder of your project, or name it with -C DIR",
        )


class NoSuchFolder(ConfigurationError):
    """The folder that was named is not there, or is a file."""

    def __init__(self, folder: object, *, is_file: bool) -> None:
        self.folder, self.is_file = str(folder), is_file
        super().__init__(
            f"{folder} is a file, wanted a folder" if is_file else f"{folder}: there is no such folder",
            hint="name the folder of a project, or one below it, with -C DIR",
        )


#: of more names than these only such as begin alike are compared: so many take about half a second
_COMPARED = 10_000


def _near(given: str, known: Sequence[str]) -> list[str]:
    if len(known) > _COMPARED:
        known = [name for name in known if name[:2].lower() == given[:2].lower()][:_COMPARED]
    return get_close_matches(given, known, n=3, cutoff=0.5)


class UnknownName(GovernanceError):
    """A name that nothing carries; the nearest known names are suggested.

    `written` says what to write for a known name that means nothing by itself, such as a title that several records have;
    `each` is what stands before every name where several may be given ("--without", or nothing).
    """

    def __init__(
        self,
        what: str,
        given: str,
        known: Iterable[str],
        *,
        hint: str | None = None,
        written: Mapping[str, str] | None = None,
        each: str | None = None,
    ) -> None:
        self.what, self.given = what, given
        known, written = sorted(set(known)), written or {}
        parts = [part.strip() for part in given.split(",")]
        several = each is not None and len(parts) > 1 and set(parts) <= set(known)
        near = parts if several else _near(given, known)
        self.suggestions = list(dict.fromkeys(written.get(name, name) for name in near))
        # Names are told as a shell reads them.
        if several:
            told = " ".join(f"{each} {shlex.quote(name)}".strip() for name in self.suggestions)
            hint = f"name each by itself: `{told}`"
        elif near:
            told = [f"{written[name]} ({name})" if name in written else shlex.quote(name) for name in near]
            hint = f"did you mean {' or '.join(told)}?"
        elif hint is None:
            # A short list helps to choose, a long one only hides that nothing is near.
            hint = f"there is {', '.join(known)}" if 0 < len(known) <= 12 else None
        super().__init__(f"no {what} is named {given!r}", hint=hint)


class AmbiguousName(GovernanceError):
    """A shortened name that fits more than one record."""

    def __init__(self, given: str, matches: Sequence[str]) -> None:
        self.given, self.matches = given, list(matches)[:8]
        more = f" and {len(matches) - len(self.matches)} more" if len(matches) > len(self.matches) else ""
        super().__init__(
            f"{given!r} fits {len(matches)} records", hint=f"give more of it: {', '.join(self.matches)}{more}"
        )


class InvalidRecord(GovernanceError):
    """One value that is not what its field wants."""

    def __init__(
        self, field: str, given: object, wanted: str, *, where: str | None = None, hint: str | None = None
    ) -> None:
        self.field, self.given, self.wanted, self.where = field, given, wanted, where
        shown = repr(given) if len(repr(given)) <= 120 else repr(given)[:117] + "..."
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{field}: given {shown}, wanted {wanted}", hint=hint)


class BrokenEvidence(GovernanceError):
    """Bytes that contradict what was recorded."""

    exit_code = ExitCode.BROKEN

    def __init__(self, what: str, *, expected: object, actual: object, hint: str | None = None) -> None:
        self.what, self.expected, self.actual = what, expected, actual
        super().__init__(f"{what}: expected {expected}, found {actual}", hint=hint)


class MissingEvidence(GovernanceError):
    """Nothing contradicts the records, but what would prove them is not there."""

    exit_code = ExitCode.UNKNOWN


class RemoteUnusable(ConfigurationError):
    """DVC's remote is not set up, or does not let us in."""

    def __init__(self, remote: str, reason: str, *, hint: str) -> None:
        self.remote, self.reason = remote, reason
        super().__init__(f"DVC's remote {remote}: {reason}", hint=hint)


class RemoteSilent(MissingEvidence):
    """DVC's remote does not answer."""

    def __init__(self, remote: str, reason: str, *, hint: str) -> None:
        self.remote, self.reason = remote, reason
        super().__init__(f"DVC's remote {remote} does not answer: {reason}", hint=hint)


class Busy(GovernanceError):
    """Somebody else holds the lock."""

    exit_code = ExitCode.BUSY


class StoreLost(MissingEvidence):
    """The server of the store went away; `recorded` is "no" where nothing can have been, else "unknown"."""

    def __init__(self, store: str, reason: str, *, recorded: str) -> None:
        self.store, self.reason, self.recorded = store, reason, recorded
        told, hint = "nothing was recorded", "try again when it answers"
        if recorded == "unknown":
            told = "it went away while it was asked to keep what was recorded, and whether it did is not known"
            hint = "record it again when it answers: a fact that is there already is not entered twice"
        super().__init__(f"{store} went away ({reason}); {told}", hint=hint)
