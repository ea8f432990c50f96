"""What does every source say of every example?"""

from __future__ import annotations

import time

import schemas.votes
from governance.checks import contamination, currency, error_rate, kind_facts, licences, opacity, rejected, teacher
from governance.contracts import contract_record, screen
from governance.digest import file_digest
from governance.parquet import content_digest, read_table
from governance.records import Dataset, Votes
from governance.runs import StageRun, stage
from governance.sources.applying import Applied, apply_sources
from governance.sources.registry import RegisteredSource, registered
from governance.votes.analysis import vote_counts
from governance.votes.table import write_votes
from pipelines import _params
from pipelines._tables import SCREENED, VOTES
from schemas.examples import CLASSES

SOURCES = "pipelines/sources"


def find(run: StageRun, sources: list[RegisteredSource], dataset: Dataset, applied: Applied) -> None:
    """States what was found out about each source."""
    limit = _params.share(run.params, "max_error_share", stage="vote")
    for one in sources:
        record, subject, title = one.record, one.record.name, one.title
        run.state(licences.check(record.licence_declared, record.licence_found, subject=subject, title=title))
        seen = [known.domain for known in record.contamination]
        run.state(contamination.check(seen, dataset.domains, subject=subject, title=title))
        errors = applied.error_types[title]
        run.state(error_rate.check(errors, dataset.rows, subject=subject, title=title, limit=limit))
        run.state(opacity.check(record.opaque, subject=subject, title=title))
        run.state(kind_facts.check(record.source_kind, record.model_dump(), subject=subject, title=title))
        if record.teacher or record.source_kind in ("distilled", "pseudo"):
            # What the teacher learned from stands in the trail, which a stage does not read: `labeltrail source check`.
            run.state(teacher.check(record.teacher, None, subject=subject, title=title))
        if one.checked_version:
            run.state(currency.check(one.checked_version, record.version, subject=subject, title=title))


def main() -> None:
    """1. the source versions  2. every vote, and a sample again  3. write  4. sources, votes, contract and findings"""
    with stage("vote") as run:
        revoted = _params.whole(run.params, "revoted", stage="vote", least=1)
        time_limit = _params.optional_number(run.params, "time_limit", stage="vote")
        # 1.
        run.input(SOURCES)
        dataset = run.use(run.facts("screen").one(Dataset, role="screened"))
        sources = registered("pipelines.sources")
        frame = read_table(run.input(SCREENED), columns=["example_id", "text"])
        # 2.
        started = time.perf_counter()
        applied = apply_sources(
            sources,
            frame["example_id"],
            frame["text"].to_list(),
            classes=CLASSES,
            progress=run.progress,
            revote=revoted,
            seed=run.seed,
            time_limit=time_limit,
        )
        run.measure("votes a second", len(frame) * len(sources) / (time.perf_counter() - started))
        # 3.
        path = run.output(VOTES)
        write_votes(applied.table, path)
        # 4.
        for one in sources:
            run.state(one.record)
            if one.text is not None:
                run.state(one.text)
        written = read_table(path)
        votes = run.state(
            Votes.make(
                title="votes of the reference sources",
                dataset=dataset.name,
                sha256=file_digest(path),
                content=content_digest(written),
                **vote_counts(applied.table, error_types=applied.error_types),
                revoted=applied.revoted,
                revoted_differently=0,
            )
        )
        kept = screen(written, schemas.votes.Votes, where=VOTES)
        contract = run.state(contract_record(schemas.votes.Votes))
        turned_away = len(kept.quarantined)
        run.state(rejected.check(kept.failures, turned_away, len(written), subject=votes, contract=contract, limit=0.0))
        find(run, sources, dataset, applied)


if __name__ == "__main__":
    main()
