"""How does what was seen of a script become a run: tables, records and findings?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.digest import file_digest
from governance.records import Dataset, Finding, Source, Votes
from governance.runs.outside import CAPTURED
from governance.runs.stage import StageRun, watched_run
from governance.watching import findings, models, tables
from governance.watching.aligned import Alignment
from governance.watching.notes import Told
from governance.watching.session import Application, Session


def finish(told: Told, *, root: Path, name: str, notes: Path) -> None:
    """1. what decided it  2. rows, sources and votes  3. label models and labels  4. trained models  5. what was found

    Raises GovernanceError where that cannot be recorded; what an earlier run left stays as it was.
    """
    seen = told.seen
    with watched_run(f"{CAPTURED}/{name}", root=root, notes=notes, told=told.process, executed=told.executed) as run:
        # 1.
        _decided(run, told)
        for path in told.read:
            if _is_input(run, path):
                run.input(Path(path).relative_to(root).as_posix())
        # 2.
        made = [_voted(run, one, number, seen) for number, one in enumerate(seen.applications, start=1)]
        votes = {id(one): record for one, record in zip(seen.applications, made, strict=True) if record is not None}
        # 3.
        fitted = models.state_label_models(run, seen, votes)
        labels = models.state_labels(run, seen, votes, fitted)
        # 4.
        models.state_trained(run, seen, labels)
        # 5.
        for one in seen.fitted:
            if id(one) in fitted:
                findings.state_seed(run, one, fitted[id(one)])
        subject = next((record.name for record in reversed(made) if record is not None), None)
        if subject is not None:
            findings.state_unknown(run, seen, subject=subject)
        run.measure("seconds of capture", seen.seconds)


def _decided(run: StageRun, told: Told) -> None:
    """The command and what label models were told stand where a stage has its section of params.yaml."""
    fitted = told.seen.fitted
    run.params = {"argv": told.process.argv, "label models": [one.parameters for one in fitted if one.parameters]}
    # A block has its own, which is no longer the session's when the script ends.
    limits = {one.seconds for one in (told.seen.limit, *(a.limit for a in told.seen.applications)) if one is not None}
    if limits:
        run.params["time limit"] = sorted(limits) if len(limits) > 1 else limits.pop()
    seeds = [one.seed for one in fitted if one.seed is not None]
    run.seed = seeds[-1] if seeds else 0
    run.threads = told.threads


def _is_input(run: StageRun, path: str) -> bool:
    """A file of the project that is neither code nor something that LabelTrail, git or DVC keep."""
    place = Path(path)
    if not place.is_file() or not place.is_relative_to(run.root) or place.suffix in (".py", ".pyc"):
        return False
    parts = place.relative_to(run.root).parts
    kept = parts[0] in (run.config.artifacts, "labeltrail.toml", "params.yaml") or "site-packages" in parts
    return not kept and not any(part.startswith(".") or part == "__pycache__" for part in parts)


def _voted(run: StageRun, application: Application, number: int, seen: Session) -> Votes | None:
    """One call of an applier; None, and a fault told, where its votes cannot be held."""
    if application.alignment is None:
        return None
    with seen.watching("votes"):
        return _stated(run, application, application.alignment, number, seen)
    return None


def _stated(run: StageRun, application: Application, alignment: Alignment, number: int, seen: Session) -> Votes | None:
    from governance.parquet import content_digest, read_table, write_table
    from governance.votes.analysis import vote_counts

    folder = f"{run.config.artifacts}/{run.name}"
    ordinal = "" if number == 1 else f"_{number}"
    # The rows, whatever becomes of the votes.
    path = run.output(f"{folder}/data{ordinal}.parquet")
    write_table(tables.data_frame(application.points, id_column=run.config.id_column), path)
    written = read_table(path)
    dataset = Dataset.make(
        title=f"rows{_of(number)} of {run.name}",
        role="collected",
        sha256=file_digest(path),
        content=content_digest(written),
        rows=len(written),
        columns=[{"name": name, "dtype": str(dtype)} for name, dtype in written.schema.items()],
        collection=f"the rows that {application.applier} voted on, called by {application.points.named_by}",
    )
    run.state(dataset)
    sources = _sources(run, application)
    for source in sources:
        run.state(source)
    if alignment.rows is not None:
        says = (
            f"{application.applier} gave {alignment.rows:,} rows of votes for {len(application.points):,} rows of data."
        )
        run.state(Finding.make(check="alignment", subject=dataset.name, outcome="fail", says=says))
        return None
    table = tables.vote_table(application, sources, classes=tables.classes_of(application, seen))
    path = run.output(f"{folder}/votes{ordinal}.parquet")
    tables.write(table, path, id_column=run.config.id_column)
    errors = tables.error_types(application, table.columns)
    votes = Votes.make(
        title=f"votes{_of(number)} of {run.name}",
        dataset=dataset.name,
        sha256=file_digest(path),
        content=content_digest(read_table(path)),
        **vote_counts(table, error_types=errors),
        revoted=alignment.revoted,
        revoted_differently=alignment.differing,
    )
    run.state(votes)
    run.measure(f"votes a second{_of(number)}", table.matrix.size / max(application.seconds, 1e-9))
    _find(run, application, alignment, votes, sources, table, errors)
    return votes


def _of(number: int) -> str:
    return "" if number == 1 else f" {number}"


def _sources(run: StageRun, application: Application) -> list[Source]:
    """Source versions: described in YAML of their name where the project has that, else by what their code says."""
    from governance.sources.captured import captured_source

    described_in = run.root / "pipelines" / "sources"
    return [
        captured_source(one.name, one.behaviour, summary=one.summary, described_in=described_in)
        for one in application.voters
    ]


def _find(
    run: StageRun,
    application: Application,
    alignment: Alignment,
    votes: Votes,
    sources: list[Source],
    table: Any,
    errors: Mapping[str, Mapping[str, int]],
) -> None:
    findings.state_alignment(run, application, alignment, subject=votes.name)
    findings.state_errors(run, sources, table, errors)
    findings.state_likeness(run, table, subject=votes.name)
    findings.state_naming(run, application, subject=votes.name)
