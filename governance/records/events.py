"""What happened on this machine, once?"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import StringConstraints, model_validator

from governance.records.base import Count, Decimal, Digest, Name, Record
from governance.records.runs import Distribution, FileRef

#: what saw which files a stage opened
Watcher = Literal["audit hook", "inotify"]

StageOutcome = Literal["executed", "restored", "unchanged", "failed", "aborted", "not reached"]


class LogStart(Record):
    """The first entry of a log."""

    kind = "log"
    event = True

    log: str
    project: str
    #: Ed25519 public key, hexadecimal, that signs this log's checkpoints until a key change names another; absent where
    #: none was at hand
    public_key: Digest | None = None

    @property
    def label(self) -> str:
        return f"log of {self.project}"


class Adoption(Record):
    """Whoever holds the log's key looked at entries that were recorded without it, and vouches for them from here on."""

    kind = "adoption"
    event = True

    #: the first and the last size of the log that had an unsigned checkpoint, and the root at the last
    first: Count
    last: Count
    root: Digest
    who: str

    @property
    def label(self) -> str:
        return f"entries {self.first} to {self.last} adopted by {self.who}"


class Environment(Record):
    """What a process could have used, whether or not it did; the recipe holds what it did use."""

    kind = "environment"

    python: str
    implementation: str
    #: everything installed, sorted by name
    distributions: tuple[Distribution, ...]
    #: the files below the project that pin versions, sorted by path
    constraints: tuple[FileRef, ...]
    #: thread counts, hash seed and the other variables that change results
    variables: dict[str, str]

    @property
    def label(self) -> str:
        return f"{self.implementation} {self.python}, {len(self.distributions)} distributions"


class Execution(Record):
    """One process that ran a stage: times in microseconds since 1970 UTC, memory in bytes, CPU time in microseconds."""

    kind = "execution"
    event = True

    stage: str
    result: Name
    started: Count
    ended: Count
    cpu: Count
    peak_memory: Count
    #: rows a second, microseconds a prediction and the like, measured by the stage itself
    measured: dict[str, Decimal] = {}
    machine: dict[str, str]
    environment: Name
    library: Digest
    #: the commit that was checked out, and the digest of what code, parameters and contracts had otherwise
    revision: str | None
    dirty: Digest | None
    who: str
    #: what saw the files that it opened; empty where nothing did
    observed: tuple[Watcher, ...] = ()
    #: what was found about its recipe as it ran; an equal finding of an earlier execution is the same record
    findings: tuple[Name, ...] = ()

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        found = ((finding, "wasGeneratedBy", self.name) for finding in self.findings)
        return ((self.name, "wasInformedBy", self.result), (self.name, "used", self.environment), *found)


class Repro(Record):
    """One `labeltrail repro`: how every stage ended."""

    kind = "repro"
    event = True

    started: Count
    ended: Count
    stages: dict[str, StageOutcome]
    results: dict[str, Name]
    revision: str | None

    @property
    def label(self) -> str:
        told: dict[str, int] = {}
        for outcome in self.stages.values():
            told[outcome] = told.get(outcome, 0) + 1
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(told.items()))

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.name, "wasInformedBy", result) for result in dict.fromkeys(self.results.values()))


class NoPersonalData(Record):
    """Somebody states, in the project's labeltrail.toml, that none of its tables holds personal data."""

    kind = "impersonal"
    event = True

    says: Annotated[str, StringConstraints(min_length=1)]
    #: who recorded it, and the commit that was checked out
    who: str
    revision: str | None

    @property
    def label(self) -> str:
        return f"no personal data, recorded by {self.who}"


class Commitment(Record):
    """A salted commitment to the rows of a table; it belongs to one store, because the salts are that store's own.

    `rows/v1` has a leaf for each row, `blocks/v1` one for each 1,024 rows, and stands on a statement that nobody's data is
    among them.
    """

    kind = "commitment"

    of: Name
    scheme: Literal["rows/v1", "blocks/v1"]
    rows: Count
    root: Digest
    columns: tuple[str, ...]
    id_column: str
    subject_column: str
    statement: Name | None = None

    @model_validator(mode="after")
    def _blocks_are_nobodys(self) -> Self:
        if (self.scheme == "blocks/v1") != (self.statement is not None):
            raise ValueError("blocks/v1, and nothing else, names the statement that there is no personal data")
        return self

    def body(self) -> dict[str, Any]:
        body = super().body()
        if self.statement is None:
            del body["statement"]  # commitments to rows have no such field
        return body

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.of, self.statement)
