"""How does the label set answer an outsider who names the rows by a seed of his own?"""

from __future__ import annotations

from pathlib import Path

from governance.config import Config
from governance.digest import sha256
from governance.errors import ExitCode, InvalidRecord, MissingEvidence
from governance.facts import Facts
from governance.lineage.rows import Held, Rows
from governance.project import git
from governance.project.bundle import refuse_another_history, refuse_places, write_out
from governance.project.report import Report, counted
from governance.proof.anchors import read_anchor, tracked
from governance.proof.asking import Asked, CommittedTable, make_challenge
from governance.proof.challenge import FORMAT, check_challenge
from governance.proof.published import verifier
from governance.records import MOST_ROWS, Commitment, Dataset, Labels, LongVotes, Record, Votes
from governance.store.blocks import BY_ROW
from governance.store.commitments import RowTable
from governance.store.forgetting import erasures
from governance.store.trail import Trail

_LONGEST_SEED = 200


def challenge(
    config: Config,
    trail: Trail,
    facts: Facts,
    *,
    target: Path,
    seed: str,
    rows: int,
    reason: str = "",
    since: Path | None = None,
    verifier_to: Path | None = None,
    force: bool = False,
) -> Report:
    """1. what was asked for can be done  2. the tables lie here as they were recorded and committed to  3. the archive,
    checked as an outsider would, and written

    `facts` are those of the current runs; `since` is a checkpoint that the outsider holds. Raises InvalidRecord,
    ConfigurationError, MissingEvidence (no labels, no commitment to single rows), BrokenEvidence (a table was changed).
    """
    # 1.
    refuse_places(target, verifier_to, force=force)
    if not 0 < len(seed) <= _LONGEST_SEED:
        raise InvalidRecord("seed", seed, f"a text of 1 to {_LONGEST_SEED} characters", where="--seed")
    if not 0 < rows <= MOST_ROWS:
        raise InvalidRecord("rows", rows, f"1 to {MOST_ROWS} rows", where="--rows")
    cuts = {checkpoint.size for checkpoint in tracked(config, trail.log).values()}
    if since is not None:
        cuts.add(read_anchor(since, log=trail.log).size)
    refuse_another_history(trail)
    # 2.
    everything = trail.facts()
    tables = _tables(config, trail, facts, everything)
    # 3.
    asked = Asked(seed, rows, git.who(config.root), reason)
    data, newest = make_challenge(trail, asked, tables, facts=everything, cuts=cuts)
    signed = bool(newest.signatures)
    checked = check_challenge(data, anchor=newest.to_note())
    if checked.is_broken:
        raise MissingEvidence(
            f"this challenge would not hold: {checked.checks[0].says}", hint="`labeltrail verify` says more"
        )
    write_out(target, data, what="challenge")
    if verifier_to is not None:
        write_out(verifier_to, verifier(), what="challenge")
    size = tables["labels"].commitment.rows
    told = {
        "file": str(target),
        "sha256": sha256(data),
        "bytes": len(data),
        "format": FORMAT,
        "seed": seed,
        "rows": min(rows, size),
        "of": size,
        "tables": {table: one.commitment.name for table, one in tables.items()},
        "entries": checked.entries,
        "entry": newest.size - 1,
        "log": trail.log,
        "public_key": trail.keychain().newest.public_key,
        "verifier_sha256": sha256(verifier()),
    }
    blocks = (
        f"{target}: {counted(min(rows, size), 'row')} of {size:,}, {len(data):,} bytes; entry {newest.size - 1} says that "
        f"they were shown, of {', '.join(tables)}",
        "signed" if signed else "unsigned, so that nobody vouches for it without a checkpoint",
        f"verify.py has the SHA-256 {sha256(verifier())}: tell it to the auditor by another way than this file",
    )
    return Report("challenge", told, blocks, ExitCode.FINE if signed else ExitCode.UNKNOWN)


def _tables(config: Config, trail: Trail, facts: Facts, everything: Facts) -> dict[str, CommittedTable]:
    """The labels, and the votes and the dataset behind them where those are committed to by row."""
    held = Rows(config.root, facts, id_column=config.id_column, erased=erasures(trail))
    labels = held.held(Labels)
    behind = {"votes": (Votes, labels.record.votes), "dataset": (Dataset, labels.record.dataset)}
    commitments = {one.of: one for one in everything.of(Commitment) if one.scheme == "rows/v1"}
    if labels.record.name not in commitments:
        if any(one.of == labels.record.name for one in everything.of(Commitment)):
            says = "the labels are committed to in blocks of rows, and no single row of a block can be shown"
            raise MissingEvidence(says, hint=BY_ROW)
        hint = "`labeltrail sync` commits to the tables of recorded runs"
        raise MissingEvidence("no commitment to single rows of the labels is recorded", hint=hint)
    if isinstance(everything.get(labels.record.votes), LongVotes):
        says = (
            "the votes behind these labels are in long form, with several rows for an example: a proof that a row is in "
            "the table does not prove that no other answer on the example was left out, so that a challenge shows none"
        )
        hint = (
            "`labeltrail bundle FILE --rows votes --reason TEXT` hands the table out whole; labels combined of votes in "
            "wide form (one answer of each source) can be challenged"
        )
        raise MissingEvidence(says, hint=hint)
    found: dict[str, Held[Record]] = {"labels": labels}
    for table, (kind, name) in behind.items():
        if name in commitments:
            found[table] = held.held(kind, sha256=getattr(everything.get(name), "sha256", ""))
    return {
        table: CommittedTable(_opened(trail, one, commitments[one.record.name]), commitments[one.record.name])
        for table, one in found.items()
    }


def _opened(trail: Trail, held: Held[Record], commitment: Commitment) -> RowTable:
    return RowTable(
        trail, held.path, of=commitment.of, id_column=commitment.id_column, subject_column=commitment.subject_column
    )
