"""What does an outsider get who trusts neither our software nor our database?

One archive: the whole log, its checkpoint, a start page and the documents. The newest entry lists every other file with its
digest, so that the signature over the checkpoint covers all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from governance.digest import canonical, sha256
from governance.errors import GovernanceError, InvalidRecord
from governance.facts import is_row_table
from governance.proof.archive import read_archive, write_archive
from governance.proof.check import Check
from governance.proof.origin import log_start, vouched_for
from governance.records import Bundle, Disclosure, Document, Result
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry, read_entry
from governance.store.trail import Trail

FORMAT = "labeltrail-bundle/1"
CHECKPOINT, ENTRIES, ABOUT = "checkpoint", "entries.jsonl", "about.json"
START = "index.html"
DOCUMENTS, TABLES = "documents/", "rows/"


def make_bundle(
    trail: Trail, files: Mapping[str, bytes], *, disclosure: Disclosure | None = None
) -> tuple[bytes, Checkpoint]:
    """1. what is in it is entered into the log  2. the log up to there, its checkpoint and the files become one archive

    Answers the archive and the checkpoint in it. Files below `rows/` hold rows: `disclosure` says who decided that.
    Raises what `Trail.append` raises; then there is no bundle, and no entry that speaks of one.
    """
    # 1.
    listed = {**files, ABOUT: canonical({"format": FORMAT})}
    refs = [{"path": path, "sha256": sha256(data), "bytes": len(data)} for path, data in sorted(listed.items())]
    write_archive(listed)  # refuses paths before anything is entered
    appended = trail.append([*([disclosure] if disclosure else []), Bundle.make(files=refs)])
    # 2.
    entries = b"".join(data + b"\n" for _, data, _ in trail.raw_entries(stop=appended.checkpoint.size))
    note = appended.checkpoint.to_note().encode()
    return write_archive({**listed, CHECKPOINT: note, ENTRIES: entries}), appended.checkpoint


@dataclass(frozen=True)
class BundleCheck:
    """What came of holding a bundle against itself and against what somebody trusts."""

    checks: tuple[Check, ...]
    entries: int = 0
    origin: str = ""

    @property
    def is_broken(self) -> bool:
        return any(check.state == "broken" for check in self.checks)


def check_bundle(data: bytes, *, anchor: str | None = None, key: bytes | None = None) -> BundleCheck:
    """1. the archive is canonical  2. the entries are those of the checkpoint  3. the newest one lists all other files
    4. each document is one that the log recorded  5. somebody who is trusted vouches for the checkpoint

    `anchor` is a checkpoint note of the same log got some other way, `key` its public key (32 bytes), likewise. The first
    fault ends it: nothing behind it can be believed.
    """
    try:
        # 1.
        files = read_archive(data, where="bundle")
        if files.get(ABOUT) != canonical({"format": FORMAT}):
            raise InvalidRecord(ABOUT, files.get(ABOUT), f"the format {FORMAT}")
        # 2.
        checkpoint, entries, leaves = _log(files)
        # 3. and 4.
        _files(files, entries)
        # 5.
        origin = vouched_for(checkpoint, enumerate(entries), leaves, what="bundle", anchor=anchor, key=key)
    except GovernanceError as error:
        return BundleCheck((Check("bundle", "broken", "bundle", error.message, error.hint or ""),))
    return BundleCheck((origin,), len(entries), checkpoint.origin)


def _log(files: Mapping[str, bytes]) -> tuple[Checkpoint, list[Entry], list[bytes]]:
    for path in (CHECKPOINT, ENTRIES):
        if path not in files:
            raise InvalidRecord("files", sorted(files), f"{path} among them")
    checkpoint = parse_note(files[CHECKPOINT].decode("utf-8", errors="replace"))
    lines = files[ENTRIES].split(b"\n")
    if lines.pop():
        raise InvalidRecord(ENTRIES, "half a line", "whole lines")
    entries = [read_entry(line, where=f"line {number}") for number, line in enumerate(lines, 1)]
    leaves = [merkle.leaf_hash(line) for line in lines]
    is_of_its_log(checkpoint, entries, leaves)
    return checkpoint, entries, leaves


def is_of_its_log(checkpoint: Checkpoint, entries: list[Entry], leaves: list[bytes]) -> None:
    """Whether a checkpoint is over these entries, and of the log that they begin. Raises InvalidRecord where it is not."""
    if (len(leaves), merkle.root(leaves)) != (checkpoint.size, checkpoint.root):
        raise InvalidRecord("entries", f"{len(leaves)} entries", f"the {checkpoint.size} entries of the checkpoint")
    if log_start(entries).log != checkpoint.origin:
        raise InvalidRecord("origin", checkpoint.origin, "the log that begins with the first entry")


def _files(files: Mapping[str, bytes], entries: list[Entry]) -> None:
    last = entries[-1].record
    if not isinstance(last, Bundle):
        raise InvalidRecord("newest entry", last.kind, "that of a bundle")
    held = [
        {"path": path, "sha256": sha256(data), "bytes": len(data)}
        for path, data in sorted(files.items())
        if path not in (CHECKPOINT, ENTRIES)
    ]
    listed = [ref.model_dump() for ref in last.files]
    if held != listed:
        wrong = next((ref["path"] for ref in (*held, *listed) if ref not in held or ref not in listed), "a file")
        raise InvalidRecord("file", wrong, "exactly the files that the newest entry lists")
    records = [entry.record for entry in entries]
    tables = {getattr(record, "sha256", "") for record in records if is_row_table(record)}
    recorded = {record.sha256 for record in records if isinstance(record, Document)}
    recorded |= {ref.sha256 for record in records if isinstance(record, Result) for ref in record.outputs}
    enclosed = [ref for ref in held if ref["path"] not in (ABOUT, START)]
    for ref in enclosed:
        if ref["sha256"] not in recorded:
            raise InvalidRecord("document", ref["path"], "a document or a table that the log recorded")
    # Rows are rows wherever in the archive they lie.
    plain = all(ref["path"].startswith(DOCUMENTS) and ref["sha256"] not in tables for ref in enclosed)
    if not plain and not isinstance(records[-2], Disclosure):
        raise InvalidRecord("entry before the newest", records[-2].kind, "who decided to hand out rows")
