"""Which column of the votes does somebody mean by a source's name?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from governance.errors import AmbiguousName, InvalidRecord, UnknownName
from governance.facts import Facts, short
from governance.project.counterfactual.label_set import LabelSet
from governance.records import Source


@dataclass(frozen=True)
class Voter:
    """A source version and its column."""

    column: str
    name: str
    title: str
    version: str
    votes: int

    def to_json(self) -> dict[str, Any]:
        """As every answer tells a source."""
        return {
            "source": self.name,
            "title": self.title,
            "version": self.version,
            "column": self.column,
            "votes": self.votes,
        }


def voters(labels: LabelSet) -> list[Voter]:
    """Who voted, in the order of the votes."""
    found = []
    for place, (column, name) in enumerate(zip(labels.table.columns, labels.table.sources, strict=True)):
        source = labels.facts.get(name)
        version = source.version if isinstance(source, Source) else ""
        said = int((labels.table.matrix[:, place] >= 0).sum())
        found.append(Voter(column, name, source.label if source else column, version, said))
    return found


def find_voter(known: Sequence[Voter], given: str, *, facts: Facts, each: str | None = None) -> Voter:
    """The voter of a title, a column, a name or a shortened name; `each` is an option that is given once for each.

    Raises AmbiguousName where two versions have it, UnknownName with the nearest, InvalidRecord for a source version
    that is recorded and did not vote here.
    """
    column = [voter for voter in known if voter.column == given]
    titled = [voter for voter in known if voter.title == given]
    named = [voter for voter in known if _shortens(given, voter.name)]
    found = titled or column or named
    if len(found) > 1:
        raise AmbiguousName(given, [f"{voter.title} {voter.version} ({short(voter.name)})" for voter in found])
    if found:
        return found[0]
    try:
        record = facts.resolve(given)
    except UnknownName:
        record = None
    if isinstance(record, Source):
        raise InvalidRecord(
            "source",
            f"{record.title} {record.version} ({short(record.name)})",
            f"a source version that voted in the current votes: {', '.join(voter.title for voter in known)}",
        )
    often = Counter(voter.title for voter in known)
    written = {voter.title: short(voter.name) for voter in known if often[voter.title] > 1}
    raise UnknownName("source", given, often, written=written, each=each)


def _shortens(given: str, name: str) -> bool:
    digits = given.removeprefix("source:")
    return len(digits) >= 4 and name.partition(":")[2].startswith(digits)
