"""Does everything that was recorded still hold? Contents are hashed again, not only names compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from governance.claims.words import number
from governance.config import STATE_FOLDER, Config
from governance.dvc.files import LockedStage, Stage, read_lock, read_stages
from governance.erased import INTENT, Erased
from governance.errors import Busy, GovernanceError, MissingEvidence
from governance.facts import Facts, is_row_table
from governance.proof.anchors import read_anchor, tracked
from governance.proof.check import Check, Verification, gather
from governance.proof.files import StageFiles
from governance.proof.log import LogCheck
from governance.records import Commitment, Erasure, Execution, Repro, Result
from governance.runs.outside import outside_stages
from governance.store.blocks import commit_blocks, wrong_block
from governance.store.checkpoint import Checkpoint
from governance.store.commitments import commit_rows
from governance.store.forgetting import kept_leaves
from governance.store.keychain import NEW_WORD, Keychain, told_end
from governance.store.trail import Trail

_RESUME = "`labeltrail subject erase --resume` completes it"


def verify(trail: Trail, config: Config, *, since: Path | None = None) -> Verification:
    """1. the log and the tables projected from it  2. the outputs of every stage, in the project, in dvc.lock and in
    DVC's cache  3. the commitments to rows of the tables that are here  4. what was left unchecked is said

    `since` is a checkpoint from outside the store that the log has to have grown from, besides the tracked one. Raises
    ConfigurationError for one that cannot be read or is of another log.
    """
    # 1.
    log = LogCheck(trail, anchors=_anchors(trail, config, since))
    checks = [*log.run(), *_end_of_trust(log, since)]
    recorded = Facts(entry.record for _, entry in log.entries)
    erased = Erased((seq, entry.record) for seq, entry in log.entries)
    counts = {"entries": len(log.entries), "checkpoints": log.checkpoints, "records": len(recorded)}
    not_checked: list[str] = []
    # 2.
    stages, locks = _declared(config, recorded, checks)
    seen: list[StageFiles] = []
    for stage in stages.values():
        files = StageFiles(config=config, stage=stage, locked=locks.get(stage.name), recorded=recorded, erased=erased)
        checks += list(files.check())
        seen.append(files)
    counts["files"] = sum(files.counted for files in seen)
    # 3.
    current = [files.run.result for files in seen if files.run]
    counts["rows"] = 0
    # A file that is already named as changed would only be named twice.
    changed = {
        check.culprit.partition(": ")[2]
        for check in checks
        if check.what == "files" and check.state in ("broken", "returned")
    }
    for rows, check in _commitments(trail, config, recorded, current, changed, erased):
        counts["rows"] += rows
        if check:
            checks.append(check)
    if (config.state / INTENT).is_file():
        says = "it was cut off: what its entry says is erased may still lie here"
        checks.append(Check("erasure", "unknown", f"{STATE_FOLDER}/{INTENT}", says, _RESUME))
    # 4.
    not_checked += _left_out(recorded, current, uncached=sum(files.uncached for files in seen))
    not_checked += _unproved(log, since)
    return gather(checks, counts=counts, not_checked=not_checked)


def verify_log(trail: Trail, config: Config, *, since: Path | None = None) -> Verification:
    """The log alone: entries hashed to their leaves, the tree, every checkpoint, and those that left the house.

    What an entry says is not read, so that a log of a million entries takes little longer than hashing it.
    Raises as `verify` does.
    """
    log = LogCheck(trail, anchors=_anchors(trail, config, since), contents=False)
    checks = [*log.run(), *_end_of_trust(log, since)]
    not_checked = ["the log alone was looked at: what its entries say, tables, files, DVC's cache and rows were not"]
    counts = {"entries": log.size, "checkpoints": log.checkpoints}
    return gather(checks, counts=counts, not_checked=[*not_checked, *_unproved(log, since)])


def _anchors(trail: Trail, config: Config, since: Path | None) -> dict[str, Checkpoint]:
    anchors = tracked(config, trail.log)
    if since is not None:
        anchors[str(since)] = read_anchor(since, log=trail.log)
    return anchors


def _unproved(log: LogCheck, since: Path | None) -> Iterator[str]:
    yield from _keys_left_out(log.keychain)
    if since is None:
        yield "whether its owner rewrote the whole log: give --since a checkpoint that somebody else keeps"


def _end_of_trust(log: LogCheck, since: Path | None) -> Iterator[Check]:
    """Where a key was revoked after the checkpoint that is trusted, its word does not reach the newest entries."""
    if since is None or log.keychain is None:
        return
    ended = log.keychain.end_of_trust(log.keychain.at(log.anchors[str(since)].size))
    if ended:
        says = told_end(ended, trusted="the key of the checkpoint that was given")
        yield Check("checkpoints", "unknown", f"entry {ended.since}", says, NEW_WORD)


def _keys_left_out(chain: Keychain | None) -> Iterator[str]:
    if chain is None or chain.newest.public_key is None:
        yield "who signed: this log has no key, its checkpoints are unsigned"
        return
    for link in chain.links:
        if link.reason in ("lost", "compromised"):
            yield (
                f"who signed before entry {link.since}: it revoked the key of that time ({link.reason}), and all before it "
                f"stands on the signature of the key that it named, {link.public_key}"
            )


def _declared(config: Config, recorded: Facts, checks: list[Check]) -> tuple[dict[str, Stage], dict[str, LockedStage]]:
    """The stages of dvc.yaml, those that the last repro knew, and those that ran outside of DVC.

    Whoever takes a stage out of dvc.yaml does not take out its check.
    """
    outside = outside_stages(config, recorded.of(Result))
    stages: dict[str, Stage] = {}
    locks: dict[str, LockedStage] = {}
    try:
        locks = read_lock(config.root)
    except GovernanceError as error:
        checks.append(Check("dvc.lock", "broken", "dvc.lock", error.message, error.hint or ""))
    try:
        stages = dict(read_stages(config.root))
    except GovernanceError as error:
        there = (config.root / "dvc.yaml").is_file()
        if there or not outside:
            state = "broken" if there else "missing"
            checks.append(Check("dvc.yaml", state, "dvc.yaml", error.message, error.hint or ""))
    repros = recorded.of(Repro)
    last = set(repros[-1].stages) if repros else set()
    if set(locks) <= set(stages) and any(set(repro.stages) == set(stages) for repro in repros):
        # An older revision, checked out whole: it ran with just these stages, and its lock knows no other.
        last = set(stages)
    for name in sorted({*last, *locks} - set(stages)):
        says = "dvc.yaml does not hold it, though it was there when the pipeline last ran"
        hint = "if it was taken out on purpose, `labeltrail repro` records the pipeline as it is now"
        checks.append(Check("dvc.yaml", "missing", f"stage {name}", says, hint))
        stages[name] = Stage(name, locks[name].command if name in locks else "", (), (), ())
    return {**outside, **stages}, locks


def _left_out(recorded: Facts, current: list[Result], *, uncached: int) -> Iterator[str]:
    names = {result.name for result in current}
    older = sum(result.name not in names for result in recorded.of(Result))
    if older:
        yield f"{number(older, 'earlier result')}, whose files are not checked out here"
    executed = {execution.result for execution in recorded.of(Execution)}
    foreign = sum(name not in executed for name in names)
    if foreign:
        yield f"who ran {number(foreign, 'current result')}: taken in from files, and no execution is recorded here"
    if uncached:
        yield f"{number(uncached, 'content')} that dvc.lock names and DVC's cache does not hold"


def _commitments(
    trail: Trail, config: Config, recorded: Facts, current: list[Result], changed: set[str], erased: Erased
) -> Iterator[tuple[int, Check | None]]:
    """(rows hashed, what was wrong) for each committed table that a current result holds."""
    committed = {commitment.of: commitment for commitment in recorded.of(Commitment)}
    for result in current:
        by_digest = {output.sha256: output.path for output in result.outputs}
        for name in result.generated:
            record = recorded.get(name)
            path = by_digest.get(getattr(record, "sha256", ""))
            if record is None or path is None or name not in committed:
                if record is not None and path is not None and is_row_table(record):
                    yield (
                        0,
                        Check(
                            "commitments", "missing", f"{record.label}: {path}", "no commitment to its rows is recorded"
                        ),
                    )
                continue
            if path in changed or not (config.root / path).is_file():
                continue
            if committed[name].scheme == "blocks/v1":
                gone = erased.of(getattr(record, "sha256", ""))
                yield _one_in_blocks(trail, config, committed[name], path, lost=gone.says if gone else "")
                continue
            yield _one_commitment(trail, config, committed[name], path, told=_told_erased(recorded, name))


def _told_erased(recorded: Facts, of: str) -> set[int]:
    """The rows of a record's table of which entries of the log say that they were erased or amended."""
    names = {commitment.name for commitment in recorded.of(Commitment) if commitment.of == of}
    parts = [part for erasure in recorded.of(Erasure) for part in erasure.rows if part.commitment in names]
    return {number for part in parts for number in (*part.rows, *part.amended)}


def _one_commitment(
    trail: Trail, config: Config, commitment: Commitment, path: str, *, told: set[int]
) -> tuple[int, Check | None]:
    # A leaf that the store keeps is taken for the row's own: whoever can write there must not choose for which rows.
    if odd := sorted(set(kept_leaves(trail, commitment.of)) - told):
        says = f"the store keeps the leaf of row {odd[0]} as if it were erased, and no entry says so"
        return 0, Check("commitments", "broken", path, says)
    try:
        again = commit_rows(
            trail,
            config.root / path,
            of=commitment.of,
            id_column=commitment.id_column,
            subject_column=commitment.subject_column,
            make_keys=False,
        ).commitment
    except Busy:
        raise  # whoever writes just now has broken nothing
    except MissingEvidence as error:
        return 0, Check("commitments", "unknown", path, error.message)
    except GovernanceError as error:
        return 0, Check("commitments", "broken", path, error.message)
    if again == commitment:
        return commitment.rows, None
    says = f"its {again.rows} rows do not give the committed root of {commitment.rows} rows"
    return again.rows, Check("commitments", "broken", path, says)


def _one_in_blocks(
    trail: Trail, config: Config, commitment: Commitment, path: str, *, lost: str
) -> tuple[int, Check | None]:
    if lost:
        says = f"rows of it were {lost}, and its blocks were committed to with them"
        return 0, Check("commitments", "unknown", path, says)
    try:
        of, id_column, statement = commitment.of, commitment.id_column, commitment.statement or ""
        again = commit_blocks(
            trail, config.root / path, of=of, id_column=id_column, statement=statement, first_time=False
        )
        if again == commitment:
            return commitment.rows, None
        says = wrong_block(trail, config.root / path, commitment)
    except Busy:
        raise  # whoever writes just now has broken nothing
    except MissingEvidence as error:
        return 0, Check("commitments", "unknown", path, error.message)
    except GovernanceError as error:
        return 0, Check("commitments", "broken", path, error.message)
    return again.rows, Check("commitments", "broken", path, says)
