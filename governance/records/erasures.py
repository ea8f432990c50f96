"""What was taken out when a person asked to be forgotten? It never says who she was."""

from __future__ import annotations

from governance.records.base import Count, Digest, Name, Part, Record


class ErasedFile(Part):
    """A recorded content that held rows of the person, and what stands in its place."""

    path: str
    before: Digest
    #: absent where nothing stands in its place
    after: Digest | None
    bytes: Count
    #: how many rows were taken out, and how many rows of others were amended because they named one of them
    rows: Count
    amended: Count


class ErasedRows(Part):
    """The numbers of the rows of a committed table whose leaves the store keeps, since no row and no key makes them."""

    commitment: Name
    rows: tuple[Count, ...]
    #: rows of others in which a cell named a row that was taken out, and is empty now
    amended: tuple[Count, ...]


class Erasure(Record):
    """The rows of one person were taken out of every table here, and the keys of her commitments destroyed."""

    kind = "erasure"
    event = True

    at: Count
    who: str
    reason: str
    files: tuple[ErasedFile, ...]
    rows: tuple[ErasedRows, ...]
    #: subject keys destroyed, and contents removed or rewritten that no record names (older versions, downloads, notes)
    keys: Count
    others: Count

    @property
    def label(self) -> str:
        return f"erasure in {len(self.files)} recorded files"

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.name, "used", commitment) for commitment in dict.fromkeys(r.commitment for r in self.rows))
