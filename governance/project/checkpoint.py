"""How does the newest checkpoint leave the store, so that git and other people carry it?"""

from __future__ import annotations

from governance.config import Config
from governance.digest import write_atomically
from governance.errors import BrokenEvidence, ExitCode, MissingEvidence
from governance.project.report import Report
from governance.proof.anchors import FOLDER, tracked, tracked_path
from governance.proof.log import LogCheck
from governance.store.checkpoint import parse_note
from governance.store.trail import Trail


def checkpoint(config: Config, trail: Trail) -> Report:
    """1. the log holds, and grew from the checkpoint that git carries  2. its newest checkpoint takes that one's place

    Raises MissingEvidence (no entry yet), BrokenEvidence (the first thing that does not fit); then nothing was written.
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
    write_atomically(path, note.encode())
    where = f"{FOLDER}/{trail.log}"
    signed = bool(newest.signatures)
    data = {"file": where, "note": note, "log": trail.log, "size": newest.size, "signed": signed}
    blocks = (
        *note.splitlines(),
        f"written to {where}: commit it, and give it to somebody who keeps it",
        *(() if signed else ("unsigned: `labeltrail doctor` says why",)),
    )
    return Report("checkpoint", data, blocks, ExitCode.FINE if signed else ExitCode.UNKNOWN)
