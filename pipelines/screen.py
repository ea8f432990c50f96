"""Which examples keep this project's contract?"""

from __future__ import annotations

from governance.checks import balance, leakage, rejected
from governance.contracts import contract_record, screen
from governance.digest import content_salt, file_digest
from governance.parquet import content_digest, read_table, write_table
from governance.records import Dataset
from governance.runs import stage
from pipelines import _params
from pipelines._tables import EXAMPLES, QUARANTINE, SCREENED, class_counts, columns_of, count
from schemas.examples import DOMAINS, SPLITS, Examples


def main() -> None:
    """1. hold every row against the contract  2. good rows and quarantine  3. dataset, contract, findings"""
    with stage("screen") as run:
        most = _params.share(run.params, "max_rejected_share", stage="screen")
        rarest = _params.share(run.params, "min_class_share", stage="screen")
        path = run.input(EXAMPLES)
        collected = run.use(run.facts("collect").one(Dataset, role="collected"))
        # 1.
        frame = read_table(path, columns=Examples.to_schema().columns)
        found = screen(frame, Examples, where=EXAMPLES)
        # 2.
        good = run.output(SCREENED)
        write_table(found.good, good)
        # A plain digest of a few rows would let an outsider confirm a guess at them.
        salt = content_salt(path, purpose="quarantine")
        write_table(found.quarantined, run.output(QUARANTINE), metadata={"salt": salt})
        # 3.
        subject = run.state(
            Dataset.make(
                title="rated texts that keep the contract",
                role="screened",
                sha256=file_digest(good),
                content=content_digest(found.good),
                rows=len(found.good),
                columns=columns_of(found.good),
                splits=count(found.good, "split", SPLITS),
                domains=count(found.good, "domain", DOMAINS),
                classes=class_counts(found.good),
                counts={
                    "exact duplicates": int(found.good["duplicate_of"].is_not_null().sum()),
                    "rows in quarantine": len(found.quarantined),
                },
                language=collected.language,
                origin=collected.origin,
                licence=collected.licence,
                terms=collected.terms,
                collection=collected.collection,
                personal_data=collected.personal_data,
                derived_from=[collected.name],
            )
        )
        contract = run.state(contract_record(Examples))
        turned_away = len(found.quarantined)
        run.state(
            rejected.check(
                found.failures, turned_away, len(frame), subject=collected.name, contract=contract, limit=most
            )
        )
        run.state(balance.check(class_counts(found.good), subject=subject, limit=rarest))
        run.state(leakage.check(found.good["text"].to_list(), found.good["split"].to_list(), subject=subject))


if __name__ == "__main__":
    main()
