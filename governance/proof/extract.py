"""How are a few entries of a log shown to stand in it, each at its place?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from governance.digest import canonical, parse_canonical
from governance.errors import InvalidRecord
from governance.records import Challenge, LogStart, Record
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import read_entry
from governance.store.shown import Shape, Walked, show, walk
from governance.store.trail import Trail

CHECKPOINT, ENTRIES, PLACES, NODES = "checkpoint", "entries.jsonl", "places.json", "log.nodes"
#: entries read from the store at once
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Extract:
    """Some entries of a log by their positions, and the checkpoint that covers them."""

    checkpoint: Checkpoint
    records: Mapping[int, Record]
    walked: Walked

    @property
    def start(self) -> LogStart:
        start = self.records[0]
        assert isinstance(start, LogStart)  # noqa: S101 - `read_extract` has looked
        return start

    def position(self, name: str) -> int:
        """Where a record was entered. Raises InvalidRecord where it is not among the shown ones."""
        for position, record in self.records.items():
            if record.name == name:
                return position
        raise InvalidRecord("entries", name, "every record that the challenge needs")

    def record(self, name: str) -> Record:
        return self.records[self.position(name)]


def make_extract(
    trail: Trail, checkpoint: Checkpoint, positions: Iterable[int], *, cuts: Sequence[int] = ()
) -> dict[str, bytes]:
    """The files that show the entries at `positions` under a checkpoint; `cuts`, in rising order, are sizes of earlier
    checkpoints that somebody may hold. Reads the whole log, and keeps little of it."""
    shape = Shape(checkpoint.size, sorted(set(positions)), cuts)
    kept: dict[int, bytes] = {}

    def leaves() -> Iterable[bytes]:
        wanted = set(shape.numbers)
        for start in range(0, shape.size, _AT_ONCE):
            for position, data, _ in trail.raw_entries(start=start, stop=min(start + _AT_ONCE, shape.size)):
                if position in wanted:
                    kept[position] = data
                yield merkle.leaf_hash(data)

    rising = leaves()
    nodes = show(rising, shape)
    for _ in rising:  # shown entries behind the last node
        pass
    return {
        CHECKPOINT: checkpoint.to_note().encode(),
        ENTRIES: b"".join(kept[position] + b"\n" for position in shape.numbers),
        PLACES: canonical(list(shape.numbers)),
        NODES: b"".join(nodes),
    }


def read_extract(files: Mapping[str, bytes]) -> Extract:
    """The shown entries; the newest says at which earlier sizes the log is shown, too.

    Raises InvalidRecord where they do not stand at their places under the checkpoint. Nothing is believed before.
    """
    checkpoint = parse_note(taken(files, CHECKPOINT).decode("utf-8", errors="replace"))
    places = parse_canonical(taken(files, PLACES), where=PLACES)
    lines = read_lines(files, ENTRIES)
    if not isinstance(places, list) or len(lines) != len(places):
        raise InvalidRecord(PLACES, places, f"the positions of {len(lines)} entries")
    asked = read_entry(lines[-1], where=ENTRIES).record
    if not isinstance(asked, Challenge):
        raise InvalidRecord("newest entry", asked.kind, "that of a challenge")
    Shape(checkpoint.size, places, asked.since)  # refuses positions that do not rise
    shown = {at: merkle.leaf_hash(line) for at, line in zip(places, lines, strict=True)}
    walked = walk(shown, read_nodes(files, NODES), size=checkpoint.size, cuts=asked.since)
    if walked.root != checkpoint.root:
        raise InvalidRecord("entries", walked.root.hex(), f"the root of the checkpoint, {checkpoint.root.hex()}")
    records = [read_entry(line, where=f"line {number}").record for number, line in enumerate(lines, 1)]
    first = records[0]
    if 0 not in shown or not isinstance(first, LogStart) or first.log != checkpoint.origin:
        raise InvalidRecord("origin", checkpoint.origin, "the log that begins with the first entry")
    return Extract(checkpoint, dict(zip(shown, records, strict=True)), walked)


def taken(files: Mapping[str, bytes], path: str) -> bytes:
    """The content of a file that has to be there."""
    if path not in files:
        raise InvalidRecord("files", sorted(files), f"{path} among them")
    return files[path]


def read_lines(files: Mapping[str, bytes], path: str) -> list[bytes]:
    """The whole lines of a file."""
    lines = taken(files, path).split(b"\n")
    if lines.pop() or not lines:
        raise InvalidRecord(path, "half a line", "whole lines")
    return lines


def read_nodes(files: Mapping[str, bytes], path: str) -> list[bytes]:
    """The nodes in a file, 32 bytes each."""
    data = taken(files, path)
    if len(data) % 32:
        raise InvalidRecord(path, len(data), "nodes of 32 bytes each")
    return [data[at : at + 32] for at in range(0, len(data), 32)]
