"""How does the newest checkpoint leave the store, so that git and other people carry it?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from governance.config import Config
from governance.digest import write_atomically
from governance.errors import BrokenEvidence, ExitCode, MissingEvidence
from governance.project.report import Report, counted
from governance.proof.anchors import FOLDER, tracked, tracked_path
from governance.proof.log import LogCheck
from governance.proof.publish import Published, publish
from governance.store.checkpoint import parse_note
from governance.store.database import file_faults
from governance.store.trail import Trail


def checkpoint(config: Config, trail: Trail, *, tiles: Path | None = None) -> Report:
    """1. the log holds, and grew from the checkpoint that git carries  2. its newest checkpoint takes that one's place
    3. where a folder is given, the log is published there as tiles

    Raises MissingEvidence (no entry yet), BrokenEvidence (the first thing that does not fit); then nothing was written.
    ConfigurationError where it cannot be written; with `tiles` also Busy.
    """
    # 1.
    found = [check for check in LogCheck(trail, anchors=tracked(config, trail.log)).run() if check.state == "broken"]
    if found:
        first = found[0]
        raise BrokenEvidence(first.culprit, expected="a whole log", actual=first.says, hint="no checkpoint was written")
    stored = trail.checkpoints()
    if not stored:
        raise MissingEvidence("the log has no entry yet", hint="`labeltrail init` starts one")
    note = stored[-1][1]
    # 2.
    newest = parse_note(note)
    path = tracked_path(config.root, trail.log)
    with file_faults(path):
        write_atomically(path, note.encode())
    where = f"{FOLDER}/{trail.log}"
    signed = bool(newest.signatures)
    # 3.
    published = publish(trail, tiles) if tiles is not None else None
    public = trail.keychain().newest.public_key
    data: dict[str, Any] = {"file": where, "note": note, "log": trail.log, "size": newest.size, "signed": signed}
    data["public_key"] = public
    blocks = (
        *note.splitlines(),
        f"written to {where}: commit it, and give it to somebody who keeps it",
        f"signed by {public}" if signed else "unsigned: `labeltrail doctor` says why",
    )
    if published is not None:
        data["tiles"] = {
            "folder": str(tiles),
            "size": published.checkpoint.size,
            "written": published.written,
            "kept": published.kept,
            "removed": published.removed,
            "large": list(published.large),
        }
        blocks += tuple(_told(published, tiles))
    return Report("checkpoint", data, blocks, ExitCode.FINE if signed else ExitCode.UNKNOWN)


def _told(published: Published, folder: Path | None) -> Iterator[str]:
    done = f"{counted(published.written, 'tile')} written, {published.kept} there already, {published.removed} removed"
    yield f"published to {folder}: {counted(published.checkpoint.size, 'entry', 'entries')}, {done}"
    if published.large:
        held = f"{counted(len(published.large), 'bundle')} with an entry of more than 65,535 bytes"
        yield f"below tile/large, where readers of C2SP bundles do not look: {held}, {published.large[0]} first"
