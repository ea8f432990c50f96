"""Does everything that was recorded still hold? Contents are hashed again, not only names compared."""

from __future__ import annotations

from collections.abc import Iterator

from governance.config import Config
from governance.dvc.files import read_lock, read_stages
from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, MissingEvidence
from governance.facts import Facts
from governance.proof.check import Check, Verification, gather
from governance.proof.files import StageFiles
from governance.proof.log import LogCheck
from governance.records import Commitment, Record, Result
from governance.store.commitments import commit_rows
from governance.store.trail import Trail


def verify(trail: Trail, config: Config) -> Verification:
    """1. the log and the tables projected from it  2. the outputs of every stage, in the project, in dvc.lock and in
    DVC's cache  3. the commitments to rows of the tables that are here  4. what was left unchecked is said"""
    log = LogCheck(trail)
    checks = list(log.run())
    recorded = Facts(entry.record for _, entry in log.entries)
    counts = {"entries": len(log.entries), "checkpoints": log.checkpoints, "records": len(recorded)}
    not_checked: list[str] = []
    # 2.
    try:
        locks = read_lock(config.root)
        stages = read_stages(config.root)
    except (ConfigurationError, InvalidRecord) as error:
        checks.append(Check("dvc.lock", "broken", "dvc.lock", error.message, error.hint or ""))
        locks, stages = {}, {}
    seen: list[StageFiles] = []
    for stage in stages.values():
        files = StageFiles(config=config, stage=stage, locked=locks.get(stage.name), recorded=recorded)
        checks += list(files.check())
        seen.append(files)
    checks += [
        Check("dvc.lock", "missing", f"stage {name}", "dvc.lock holds a stage that dvc.yaml does not")
        for name in sorted(set(locks) - set(stages))
    ]
    counts["files"] = sum(files.counted for files in seen)
    # 3.
    current = [files.run.result for files in seen if files.run]
    counts["rows"] = 0
    # A file that is already named as changed would only be named twice.
    changed = {
        check.culprit.partition(": ")[2] for check in checks if check.what == "files" and check.state == "broken"
    }
    for rows, check in _commitments(trail, config, recorded, current, changed):
        counts["rows"] += rows
        if check:
            checks.append(check)
    # 4.
    older = [result for result in recorded.of(Result) if result.name not in {result.name for result in current}]
    if older:
        not_checked.append(f"{len(older)} earlier results, whose files are not checked out here")
    if not log.public_key:
        not_checked.append("who signed: this log has no key, its checkpoints are unsigned")
    not_checked.append("whether the owner rewrote the whole log: compare with a checkpoint kept elsewhere")
    return gather(checks, counts=counts, not_checked=not_checked)


def _commitments(
    trail: Trail, config: Config, recorded: Facts, current: list[Result], changed: set[str]
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
            yield _one_commitment(trail, config, committed[name], path)


def _one_commitment(trail: Trail, config: Config, commitment: Commitment, path: str) -> tuple[int, Check | None]:
    try:
        again = commit_rows(
            trail,
            config.root / path,
            of=commitment.of,
            id_column=config.id_column,
            subject_column=config.subject_column,
            make_keys=False,
        ).commitment
    except MissingEvidence as error:
        return 0, Check("commitments", "unknown", path, error.message)
    except GovernanceError as error:
        return 0, Check("commitments", "broken", path, error.message)
    if again == commitment:
        return commitment.rows, None
    says = f"its {again.rows} rows do not give the committed root of {commitment.rows} rows"
    return again.rows, Check("commitments", "broken", path, says)


def is_row_table(record: Record) -> bool:
    """Whether a record names a table with a row for each example, which is committed to row by row."""
    return record.kind in ("dataset", "votes", "labels", "predictions")
