"""A small log with votes and labels on a few texts, and the challenge that a seed makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from small_facts import finding, some_source

from governance.digest import file_digest
from governance.parquet import content_digest, write_table
from governance.proof.asking import Asked, CommittedTable, make_challenge
from governance.records import Dataset, Labels, Record, SourceVotes, Votes
from governance.store import keys
from governance.store.commitments import RowTable
from governance.store.trail import Trail

TEXTS = [f"the {word} text of {who}" for word in ("first", "second") for who in ("Ada", "Bo", "Cy", "Dee")]
IDS = [f"e/{number}" for number in range(len(TEXTS))]
NOWHERE = "labelmodel:" + "7" * 64


@dataclass(frozen=True)
class Challenged:
    """A challenge, the trail and the tables it was made of, the checkpoints of its log by size, and the log's key."""

    data: bytes
    trail: Trail
    tables: dict[str, CommittedTable]
    checkpoints: dict[int, str]
    key: bytes

    def again(self, seed: str, rows: int = 2, *, cuts: tuple[int, ...] = (), without: str = "") -> bytes:
        """Another challenge of the same log."""
        tables = {name: table for name, table in self.tables.items() if name != without}
        asked = Asked(seed, rows, "A. Ode", "")
        return make_challenge(self.trail, asked, tables, facts=self.trail.facts(), cuts=cuts)[0]


def frames(n_rows: int = len(TEXTS)) -> dict[str, pl.DataFrame]:
    """The three tables; the votes stand in another order than the texts and the labels."""
    numbers = list(range(n_rows))
    ids = [IDS[n] if n < len(IDS) else f"e/{n}" for n in numbers]
    texts = [TEXTS[n] if n < len(TEXTS) else f"text {n}" for n in numbers]
    votes = pl.DataFrame({"example_id": ids, "lexicon": [n % 3 - 1 for n in numbers]}).cast({"lexicon": pl.Int8})
    return {
        "dataset": pl.DataFrame({"example_id": ids, "text": texts}),
        "votes": votes.reverse(),
        "labels": pl.DataFrame({"example_id": ids, "label": [max(0, n % 3 - 1) for n in numbers], "p": 0.5}),
    }


def state(paths: dict[str, Path], made: dict[str, pl.DataFrame]) -> dict[str, Record]:
    """The records of the three tables and of their one source."""
    rows = len(made["labels"])
    named = {name: {"sha256": file_digest(paths[name]), "content": content_digest(made[name])} for name in made}
    source = some_source()
    dataset = Dataset.make(title="texts", role="screened", rows=rows, columns=[], **named["dataset"])
    votes = Votes.make(
        title="votes",
        dataset=dataset.name,
        rows=rows,
        classes=["no", "yes"],
        sources=[SourceVotes(source=source.name, column="lexicon", votes=(1, 1), abstained=1, errors=0, skipped=0)],
        covered=1,
        conflicts=0,
        patterns=1,
        revoted=0,
        revoted_differently=0,
        **named["votes"],
    )
    labels = Labels.make(
        title="labels",
        votes=votes.name,
        label_model=NOWHERE,
        dataset=dataset.name,
        rows=rows,
        covered=1,
        classes={},
        differs_from_majority=0,
        **named["labels"],
    )
    return {"source": source, "dataset": dataset, "votes": votes, "labels": labels}


def make_tables(trail: Trail, root: Path, *, subject_column: str = "", n_rows: int = len(TEXTS)) -> dict:
    """The three tables, written, stated and committed to."""
    made = frames(n_rows)
    paths = {name: root / f"{name}.parquet" for name in made}
    for name, frame in made.items():
        write_table(frame, paths[name])
    stated = state(paths, made)
    trail.append(list(stated.values()), at=1_700_000_000_000_000)
    tables = {}
    for name, path in paths.items():
        rows = RowTable(trail, path, of=stated[name].name, id_column="example_id", subject_column=subject_column)
        tables[name] = CommittedTable(rows, rows.committed(make_keys=True).commitment)
    trail.append([table.commitment for table in tables.values()], at=1_700_000_001_000_000)
    return tables


def make_challenged(root: Path, *, seed: str = "a seed", rows: int = 2, cuts: tuple[int, ...] = (1,)) -> Challenged:
    """A signed log of eleven entries, the newest of which is that of the challenge."""
    keys.create_key()
    trail = Trail.open("sqlite:///.labeltrail/trail.db", root=root, project="small", create=True)
    trail.append([finding(1), finding(2)], at=1_700_000_000_000_000)
    tables = make_tables(trail, root)
    asked = Asked(seed, rows, "A. Ode", "")
    data, _ = make_challenge(trail, asked, tables, facts=trail.facts(), cuts=cuts)
    notes = {size: note for size, note, _ in trail.checkpoints()}
    return Challenged(data, trail, tables, notes, bytes.fromhex(trail.start().public_key or ""))
