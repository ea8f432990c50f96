"""What was the data, what was it held against, and what was found?"""

from __future__ import annotations

from typing import Literal

from governance.records.base import Count, Decimal, Digest, Name, Part, Record

Outcome = Literal["pass", "fail", "unknown"]


class Column(Part):
    """One column of a table and the type that it has."""

    name: str
    dtype: str


class Dataset(Record):
    """A dataset version: one table of examples, named by its content."""

    kind = "dataset"

    title: str
    role: Literal["collected", "screened"]
    sha256: Digest
    content: Digest
    rows: Count
    columns: tuple[Column, ...]
    #: examples in each split, domain and class, by name
    splits: dict[str, Count] = {}
    domains: dict[str, Count] = {}
    classes: dict[str, Count] = {}
    #: plain facts worth a line on the card, such as {"exact duplicates": 131}
    counts: dict[str, Count] = {}
    origin: str = ""
    licence: str = ""
    terms: str = ""
    collection: str = ""
    personal_data: str = ""
    #: languages of the texts as tags of BCP 47, separated by commas
    language: str = ""
    derived_from: tuple[Name, ...] = ()

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(*self.derived_from)


class Contract(Record):
    """A pandera contract: what every row had to satisfy."""

    kind = "contract"

    title: str
    digest: Digest
    checks: tuple[str, ...]


class Finding(Record):
    """One question, its outcome, what was measured beside what is allowed, and one sentence."""

    kind = "finding"

    check: str
    subject: Name
    outcome: Outcome
    measured: Decimal | None = None
    limit: Decimal | None = None
    says: str
    contract: Name | None = None

    @property
    def label(self) -> str:
        return f"{self.check}: {self.outcome}"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        used = ((self.name, "used", self.contract),) if self.contract else ()
        return (*self._derived(self.subject), *used)
