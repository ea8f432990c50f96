"""What do 25 challenged rows of 1,000,000 weigh, how long does an auditor wait for them, and what does making them take?"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from governance.digest import file_digest
from governance.parquet import content_digest, write_table
from governance.proof.asking import Asked, CommittedTable, make_challenge
from governance.proof.published import verifier
from governance.records import Dataset, Labels, Source, SourceVotes, Votes
from governance.store.commitments import RowTable
from governance.store.trail import Trail

ROWS, DRAWN, SOURCES, RUNS = 1_000_000, 25, 10, 9


def measure() -> dict[str, Any]:
    """Bytes of the archive, median seconds of `python -I -S verify.py`, seconds and memory of committing and making."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        trail = Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="bench", create=True)
        started = time.perf_counter()
        tables = _tables(trail, root)
        committed = time.perf_counter() - started
        started = time.perf_counter()
        data, checkpoint = make_challenge(
            trail, Asked("a seed", DRAWN, "bench", ""), tables, facts=trail.facts(), cuts=[1]
        )
        made = time.perf_counter() - started
        (root / "c.zip").write_bytes(data)
        (root / "note").write_text(checkpoint.to_note())
        (root / "verify.py").write_bytes(verifier())
        command = [sys.executable, "-I", "-S", "verify.py", "c.zip", "--checkpoint", "note"]
        seconds = []
        for _ in range(RUNS):
            started = time.perf_counter()
            subprocess.run(command, cwd=root, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
    return {
        "rows": ROWS,
        "rows drawn": DRAWN,
        "sources": SOURCES,
        "bytes of FILE.zip": len(data),
        "seconds of verify.py, median": round(statistics.median(seconds), 3),
        "seconds to write and commit to three tables": round(committed, 1),
        "seconds to make the challenge": round(made, 1),
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _tables(trail: Trail, root: Path) -> dict[str, CommittedTable]:
    """Texts, votes of ten sources and soft labels as the reference project has them, under records of their usual size."""
    sources = [_source(number) for number in range(SOURCES)]
    ids = pl.Series("example_id", [f"reviews/{number}" for number in range(ROWS)])
    number = pl.arange(0, ROWS, eager=True)
    said = "a text of the usual length, of which there are very many here, number "
    frames = {
        "dataset": pl.DataFrame([ids, (pl.Series([said]) + number.cast(pl.String)).alias("text")]),
        "votes": pl.DataFrame(
            [ids, *((number % (3 + j) % 3 - 1).cast(pl.Int8).alias(f"s{j}") for j in range(SOURCES))]
        ),
        "labels": pl.DataFrame([ids, (number % 2).cast(pl.Int8).alias("label"), (number / ROWS).alias("p_negative")]),
    }
    named = {}
    for name, frame in frames.items():
        write_table(frame, root / f"{name}.parquet")
        named[name] = {"sha256": file_digest(root / f"{name}.parquet"), "content": content_digest(frame), "rows": ROWS}
    dataset = Dataset.make(title="texts", role="screened", columns=[], **named["dataset"])
    counts = {"votes": (ROWS, ROWS), "abstained": 0, "errors": 0, "skipped": 0}
    columns = [SourceVotes(source=source.name, column=f"s{j}", **counts) for j, source in enumerate(sources)]
    told = {"covered": ROWS, "conflicts": 0, "patterns": 9, "revoted": 0, "revoted_differently": 0}
    votes = Votes.make(
        title="votes", dataset=dataset.name, classes=["no", "yes"], sources=columns, **told, **named["votes"]
    )
    labels = Labels.make(
        title="labels",
        votes=votes.name,
        label_model="labelmodel:" + "7" * 64,
        dataset=dataset.name,
        covered=ROWS,
        classes={},
        differs_from_majority=0,
        **named["labels"],
    )
    records = {"dataset": dataset, "votes": votes, "labels": labels}
    trail.append([*sources, *records.values()])
    tables = {}
    for name, record in records.items():
        rows = RowTable(trail, root / f"{name}.parquet", of=record.name, id_column="example_id")
        tables[name] = CommittedTable(rows, rows.committed(make_keys=True).commitment)
    trail.append([table.commitment for table in tables.values()])
    return tables


def _source(number: int) -> Source:
    # As much as a description of the reference project says, about 1,600 bytes.
    words = "what its owner says of it, in a sentence or two; " * 6
    return Source.make(
        title=f"source {number}",
        source_kind="lexicon",
        version="1",
        fingerprint=f"{number:064x}",
        summary=words,
        owner="us",
        origin=words,
        licence_declared="MIT",
        licence_found="MIT",
        terms=words,
        collection=words,
        personal_data=False,
    )
