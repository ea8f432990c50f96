"""What did the sources say, counted?"""

from __future__ import annotations

from governance.records.base import Count, Decimal, Digest, Name, Part, Record


class SourceVotes(Part):
    """What one source version said over all examples, in counts."""

    source: Name
    column: str
    votes: tuple[Count, ...]  # one count a class
    abstained: Count
    errors: Count
    skipped: Count
    error_types: dict[str, Count] = {}


class Votes(Record):
    """A vote set: every vote of some source versions on one dataset version."""

    kind = "votes"

    title: str
    dataset: Name
    sha256: Digest
    content: Digest
    rows: Count
    classes: tuple[str, ...]
    sources: tuple[SourceVotes, ...]
    covered: Count
    conflicts: Count
    patterns: Count
    #: rows that were voted a second time, and how many of those differed; alignment is proved by 0 of many
    revoted: Count
    revoted_differently: Count

    def voted_by(self, source: SourceVotes) -> int:
        """On how many examples a source voted."""
        return sum(source.votes)

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return self._derived(self.dataset, *(column.source for column in self.sources))

    @property
    def coverage(self) -> Decimal:
        return repr(self.covered / self.rows) if self.rows else "0.0"


class LongVotes(Votes):
    """A vote set in long form, a row an answer, where a wide table would lose something.

    Fields of v1 keep their meaning: `rows`, `covered` and `conflicts` count examples, and a source covers an example once,
    however often it answered. `sources` count answers, so that a source may have more of them than there are examples;
    a source that was not asked has no answer, where v1 counts it as skipped.
    """

    kind = "votes"
    v = 2

    #: all answers, and those by which a source answered about an example again
    answers: Count
    repeated: Count
    #: examples that no source was asked about
    unasked: Count
    #: on how many examples each of the sources voted
    covers: tuple[Count, ...]

    def voted_by(self, source: SourceVotes) -> int:
        return self.covers[self.sources.index(source)]
