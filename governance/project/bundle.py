"""How is the evidence handed to somebody outside?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from governance.config import Config
from governance.digest import file_digest, sha256, write_atomically
from governance.documents.start_page import Committed, Enclosed, start_page
from governance.errors import BrokenEvidence, ConfigurationError, ExitCode, InvalidRecord, MissingEvidence, UnknownName
from governance.facts import Facts
from governance.lineage.rows import Held, Rows
from governance.project import git
from governance.project.report import Report, counted, table
from governance.proof.bundle import ABOUT, DOCUMENTS, FORMAT, START, TABLES, BundleCheck, check_bundle, make_bundle
from governance.proof.challenge import ChallengeCheck, check_challenge, is_challenge
from governance.proof.check import Check
from governance.proof.folder import Folder, check_folder
from governance.proof.published import verifier
from governance.records import (
    Commitment,
    Dataset,
    Disclosure,
    Document,
    Finding,
    Labels,
    Predictions,
    Record,
    Result,
    Votes,
)
from governance.store.checkpoint import parse_note
from governance.store.forgetting import erasures
from governance.store.trail import Trail

_UNSIGNED = "unsigned, so that nobody vouches for it without a checkpoint"


def bundle(
    config: Config,
    trail: Trail,
    facts: Facts,
    *,
    target: Path,
    verifier_to: Path | None = None,
    rows: Sequence[str] = (),
    reason: str = "",
    force: bool = False,
) -> Report:
    """1. the documents of the current runs, as they were recorded  2. a start page  3. the archive, checked as an outsider
    would, and written

    `facts` are those of the current runs; `rows` are the tables to hand out with it, for a `reason` that is recorded.
    Raises ConfigurationError (no such folder, a file there and no `force`, no reason, or that of another time), UnknownName
    (no such table), MissingEvidence (a recorded document or table is not here, or is another file now).
    """
    refuse_places(target, verifier_to, force=force)
    refuse_another_history(trail)
    # 1.
    files = _documents(config, facts)
    disclosed = _tables(config, trail, facts, rows, reason=reason)
    for one in disclosed:
        _put(files, TABLES, one.path)
    # 2.
    start, chain = trail.start(), trail.keychain()
    enclosed = [Enclosed(path, _says(path), len(data)) for path, data in sorted(files.items())]
    missing = _open(trail, facts)
    page = start_page(
        project=start.project,
        log=start.log,
        entries=trail.size(),
        public_key=chain.newest.public_key,
        key_since=chain.newest.since,
        enclosed=enclosed,
        committed=_committed(trail, facts),
        open_=missing,
    )
    # 3.
    data, newest = make_bundle(
        trail, {**files, START: page}, disclosure=_disclosure(config, trail, disclosed, reason=reason)
    )
    signed = bool(newest.signatures)
    key = chain.newest.key if signed else None
    checked = check_bundle(data, key=key)
    if checked.is_broken:
        first = checked.checks[0]
        raise MissingEvidence(f"this bundle would not hold: {first.says}", hint="`labeltrail verify` says more")
    write_out(target, data, what="bundle")
    if verifier_to is not None:
        write_out(verifier_to, verifier(), what="bundle")
    listed = [(file.path, file.says, f"{file.bytes:,}") for file in enclosed]
    told = {
        "file": str(target),
        "sha256": sha256(data),
        "format": FORMAT,
        "entries": checked.entries,
        "log": start.log,
        "public_key": chain.newest.public_key,
        "files": sorted([*files, START, ABOUT]),
        "rows": {one.record.name: getattr(one.record, "rows", 0) for one in disclosed},
        "open": missing,
        "verifier_sha256": sha256(verifier()),
    }
    signer = f"signed by {chain.newest.public_key}" if signed else _UNSIGNED
    blocks = (
        table(("file", "what it is", "bytes"), listed),
        f"{target}: {len(data):,} bytes, {counted(checked.entries, 'entry', 'entries')}, " + signer,
        f"verify.py has the SHA-256 {sha256(verifier())}: tell it to the auditor by another way than the bundle",
        *(f"rows handed out: {one.record.label}; the log says who decided it, and why" for one in disclosed),
        *missing,
    )
    return Report("bundle", told, blocks, ExitCode.FINE if signed else ExitCode.UNKNOWN)


def refuse_another_history(trail: Trail) -> None:
    """Raises BrokenEvidence where the log is not the one that this machine saw last: such a one is not handed out."""
    if trail.is_another_history():
        raise BrokenEvidence(
            f"log {trail.log}",
            expected="the history that this machine saw last",
            actual="one that was rolled back or written anew",
            hint="`labeltrail verify` says more; nothing was entered or written",
        )


def refuse_places(target: Path, verifier_to: Path | None, *, force: bool = False) -> None:
    """Raises ConfigurationError where one of the files could not be written, before the log speaks of any; and where one
    stands there already, but with `force`, or where it is the very verifier."""
    for place in (target, verifier_to):
        if place is None:
            continue
        if not os.access(place.parent, os.W_OK | os.X_OK) or place.is_dir():
            raise ConfigurationError(f"{place} cannot be written", hint="name a file in a folder that you may write")
        if force or not place.exists() or (place == verifier_to and place.read_bytes() == verifier()):
            continue
        # What was handed out may be the only copy of what somebody checks later.
        raise ConfigurationError(f"{place} is there already", hint="name another file, or give --force to overwrite it")


def write_out(place: Path, data: bytes, *, what: str) -> None:
    """Writes a file of a `what` that the log speaks of by now. Raises ConfigurationError."""
    try:
        write_atomically(place, data)
    except OSError as error:
        hint = f"the log notes a {what} that nobody has: make room, or name another place, then {what} again"
        raise ConfigurationError(f"{place} cannot be written: {error.strerror}", hint=hint) from None


def _is_no_archive(data: bytes) -> bool:
    """Whether nothing in a file looks like an archive. One that was cut or changed still has some of these marks."""
    marks = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")
    return not marks[0].startswith(data[:4]) and not any(mark in data for mark in marks)


def _committed(trail: Trail, facts: Facts) -> list[Committed]:
    """The newest commitment to each table of the current runs."""
    newest = {one.of: one for one in trail.facts().of(Commitment)}
    named = {record.name: record.label for record in facts}
    return [Committed(named[of], one.rows, one.scheme, one.root) for of, one in newest.items() if of in named]


def _documents(config: Config, facts: Facts) -> dict[str, bytes]:
    """The recorded documents by their path in the bundle."""
    recorded = {document.sha256 for document in facts.of(Document)}
    stages = {result.stage: result for result in facts.of(Result)}
    writers = [result for result in stages.values() if {ref.sha256 for ref in result.outputs} & recorded]
    files: dict[str, bytes] = {}
    for result in writers:
        for ref in result.outputs:
            path = PurePosixPath(ref.path)
            if path.suffix not in (".md", ".html"):
                continue
            place = config.root / ref.path
            if not place.is_file() or file_digest(place) != ref.sha256:
                hint = "`labeltrail verify` says what became of it, `labeltrail repro` makes it again"
                raise MissingEvidence(f"{ref.path} is not here as stage {result.stage} recorded it", hint=hint)
            _put(files, DOCUMENTS, place)
    return files


def _put(files: dict[str, bytes], folder: str, place: Path) -> None:
    """Puts a file among the enclosed ones, under its own name. Raises ConfigurationError for another one of that name."""
    path = folder + place.name.lower()
    if files.setdefault(path, content := place.read_bytes()) != content:
        says = f"{place} and another file would both be {path} in the bundle, and one of them would be missing"
        raise ConfigurationError(says, hint="give one of the two another name in dvc.yaml, then `labeltrail repro`")


def _tables(config: Config, trail: Trail, facts: Facts, names: Sequence[str], *, reason: str) -> list[Held[Record]]:
    """The tables that are asked for, as they were recorded."""
    kinds: dict[str, type[Record]] = {kind.kind: kind for kind in (Dataset, Votes, Labels, Predictions)}
    if unknown := [name for name in names if name not in kinds]:
        raise UnknownName("table", unknown[0], kinds, each="--rows")
    if bool(names) != bool(reason.strip()):
        raise ConfigurationError(
            "rows are handed out for a reason that the log keeps, and a reason is one for rows",
            hint="give --rows TABLE and --reason TEXT together",
        )
    erased = erasures(trail)
    lying = Rows(config.root, facts, id_column=config.id_column, erased=erased)
    held = [lying.held(kinds[name]) for name in dict.fromkeys(names)]
    for one in held:
        if standing := erased.of(getattr(one.record, "sha256", "")):
            says = f"{one.path.relative_to(config.root)} is not the table that was recorded: {standing.told}"
            raise MissingEvidence(says, hint="`labeltrail challenge` shows rows of it with proofs")
    return held


def _disclosure(config: Config, trail: Trail, tables: list[Held[Record]], *, reason: str) -> Disclosure | None:
    """Who decided to hand out these tables, and why. The log has a decision once: another time has a reason of its own."""
    if not tables:
        return None
    rows = sum(getattr(one.record, "rows", 0) for one in tables)
    named = [one.record.name for one in tables]
    made = Disclosure.make(tables=named, rows=rows, who=git.who(config.root), reason=reason.strip())
    if (entry := trail.positions().get(made.name)) is not None:
        raise ConfigurationError(
            f"entry {entry} says already that these rows were handed out, and for this very reason",
            hint="each time is a decision of its own: say in --reason what this one is for",
        )
    return made


def _says(path: str) -> str:
    if path.startswith(TABLES):
        return f"rows: the table of {path.removeprefix(TABLES).partition('.')[0]}, as it was recorded"
    name = path.removeprefix(DOCUMENTS).partition(".")[0].replace("_", " ")
    return name + (", for a browser" if path.endswith(".html") else "")


def _open(trail: Trail, facts: Facts) -> list[str]:
    """What the log itself says is not in order, one sentence each."""
    notes = [parse_note(note) for _, note, _ in trail.checkpoints()]
    unsigned = sum(not note.signatures for note in notes)
    told = [f"{counted(unsigned, 'checkpoint')} of {len(notes)} unsigned"] if unsigned else []
    told += [
        f"entry {link.since} revoked the key before it ({link.reason})"
        for link in trail.keychain().links
        if link.reason in ("lost", "compromised")
    ]
    outcomes = [finding.outcome for finding in facts.of(Finding)]
    told += [
        f"{counted(count, 'finding')} {says} in the current runs"
        for outcome, says in (("fail", "failed"), ("unknown", "could not be judged"))
        if (count := outcomes.count(outcome))
    ]
    if not facts.of(Document):
        told.append("no document is recorded")
    return told


def verify_bundle(place: Path, *, since: Path | None, key: str | None, seed: str | None = None) -> Report:
    """A bundle, a challenge or a folder of tiles held against itself and against what the caller trusts.

    `seed` is what has to have drawn the rows of a challenge. Raises ConfigurationError, InvalidRecord.
    """
    if since is not None and key is not None:
        raise ConfigurationError(
            "a checkpoint and a key were given, and one of them would not be asked", hint="give --since or --key"
        )
    # As it is, to the last byte, for the same answer as the published verifier's.
    anchor = _content(since, _A_CHECKPOINT).decode("utf-8", errors="replace") if since is not None else None
    try:
        public = bytes.fromhex(key) if key is not None else None
    except ValueError:
        public = b""
    if public is not None and len(public) != 32:
        raise InvalidRecord("key", key, "64 hexadecimal digits", where="--key")
    drawn, rows = "", ()
    not_checked = _NOT_CHECKED
    if place.is_dir():
        checked = check_folder(Folder(place), anchor=anchor, key=public)
    elif _is_no_archive(data := _content(place)):
        hint = "give what `labeltrail bundle` or `labeltrail challenge` wrote; without a file the project is checked"
        raise ConfigurationError(f"{place} is no bundle and no challenge: it is no archive at all", hint=hint)
    elif is_challenge(data):
        checked = check_challenge(data, anchor=anchor, key=public, seed=seed)
        drawn, rows, not_checked = checked.drawn, checked.told, _NOT_CHECKED_ROWS
        if seed is None:
            not_checked = ("whether the seed that drew is yours: give it with --seed", *not_checked)
    else:
        checked = check_bundle(data, anchor=anchor, key=public)
    if seed is not None and not isinstance(checked, ChallengeCheck) and not checked.is_broken:
        checked = BundleCheck(
            (Check("bundle", "broken", "bundle", "the seed that was given did not draw what is in it"),)
        )
    (check,) = checked.checks
    says = f"{check.culprit}: {check.says}" if checked.is_broken else check.says
    counted_ = f"{counted(checked.entries, 'entry', 'entries')} of the log {checked.origin}" if checked.entries else ""
    told = {
        "file": str(place),
        "state": check.state,
        "says": check.says,
        "entries": checked.entries,
        "log": checked.origin,
        "drawn": drawn,
        "rows": list(rows),
        "not_checked": list(not_checked),
    }
    heading = {"broken": "BROKEN", "unknown": "unknown", "fine": "whole and unchanged"}[check.state]
    blocks = [
        f"{heading}: {says}",
        counted_,
        drawn,
        *rows,
        check.hint,
        *(f"not checked: {what}" for what in not_checked),
    ]
    code = {"broken": ExitCode.BROKEN, "unknown": ExitCode.UNKNOWN, "fine": ExitCode.FINE}[check.state]
    return Report("verify", told, tuple(block for block in blocks if block), code)


_A_CHECKPOINT = "wanted: a checkpoint, as `labeltrail checkpoint` prints"
_A_FILE = (
    "name a file or folder that `labeltrail bundle`, `labeltrail challenge` or `labeltrail checkpoint --tiles` wrote"
)


def _content(place: Path, hint: str = _A_FILE) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{place}: {error.strerror}", hint=hint) from None


_NOT_CHECKED = ("files that are not in it: data, votes, labels, models", "what people stated")
_NOT_CHECKED_ROWS = (
    "every row that was not drawn",
    "entries of the log that are not in the file",
    "what people stated",
)
