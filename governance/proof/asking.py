"""How are the rows that a seed draws handed out, with what shows them and nothing else?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.digest import canonical
from governance.errors import MissingEvidence
from governance.facts import Facts
from governance.proof.answers import make_answers, need_as_many
from governance.proof.archive import write_archive
from governance.proof.bundle import ABOUT
from governance.proof.challenge import FORMAT, TABLES
from governance.proof.drawing import draw_rows
from governance.proof.extract import make_extract
from governance.records import Challenge, Commitment, Erasure, KeyChange, Labels, Result, Votes
from governance.store.checkpoint import Checkpoint
from governance.store.commitments import RowTable
from governance.store.trail import Trail


@dataclass(frozen=True)
class Asked:
    """Whose seed draws how many rows, and who hands them out for which reason."""

    seed: str
    rows: int
    who: str
    reason: str


@dataclass(frozen=True)
class CommittedTable:
    """A table that lies here, and the recorded commitment to its rows."""

    rows: RowTable
    commitment: Commitment


def make_challenge(
    trail: Trail, asked: Asked, tables: Mapping[str, CommittedTable], *, facts: Facts, cuts: Iterable[int] = ()
) -> tuple[bytes, Checkpoint]:
    """1. the seed draws rows of the labels; the other tables show the same examples  2. what is shown is entered into the
    log  3. the entries that matter, with their places under the checkpoint over all of it, and the rows become one archive

    `tables` has the labels and any of votes and dataset. Raises what `make_answers` and `Trail.append` raise; then there is
    no archive, and no entry that speaks of one.
    """
    # 1.
    for table, one in tables.items():
        need_as_many(one.rows, one.commitment, table=table)
    labels = tables["labels"]
    size = labels.commitment.rows
    drawn = draw_rows(asked.seed, root=labels.commitment.root, size=size, rows=min(asked.rows, size))
    ids = [example for number in drawn if (example := _example(labels.rows, number)) is not None]
    files = {ABOUT: canonical({"format": FORMAT})}
    # Where every drawn row was erased, no other table has a row to show.
    chosen = [(table, tables[table]) for table in TABLES if table in tables and (ids or table == "labels")]
    for table, one in chosen:
        numbers = drawn if table == "labels" else _numbers(one.rows, ids, table=table)
        files |= make_answers(one.rows, one.commitment, numbers, table=table)
    # 2.
    commitments = [one.commitment.name for _, one in chosen]
    before = trail.size()
    # The log as it was just before is shown too: so that the same seed, asked again, is entered again.
    sizes = sorted({before, *(cut for cut in cuts if 0 < cut < before)})
    record = Challenge.make(
        seed=asked.seed, rows=len(drawn), commitments=commitments, since=sizes, who=asked.who, reason=asked.reason
    )
    checkpoint = trail.append([record]).checkpoint
    # 3.
    positions = trail.positions()
    needed = {positions[name] for name in _needed(facts, labels.commitment, commitments) if name in positions}
    erased = [one for one in facts.of(Erasure) if {part.commitment for part in one.rows} & set(commitments)]
    needed |= {positions[record.name] for record in (*facts.of(KeyChange), *erased)}
    files |= make_extract(trail, checkpoint, {0, *needed, checkpoint.size - 1}, cuts=sizes)
    return write_archive(files), checkpoint


def _example(rows: RowTable, number: int) -> str | None:
    """Whose row it is; None where it was erased or amended since, so that nothing but its leaf is left."""
    return None if number in rows.kept else rows.ids[bisect_left(rows.numbers, number)]


def _numbers(rows: RowTable, wanted: list[str], *, table: str) -> list[int]:
    """The row of each example. Raises MissingEvidence where one has none."""
    places = dict.fromkeys(wanted, -1)
    for number, example in zip(rows.numbers, rows.ids, strict=True):
        if example in places:
            places[example] = number
    missing = sum(number < 0 for number in places.values())
    if missing:
        raise MissingEvidence(f"{missing} of the {len(wanted)} drawn examples have no row in the {table}")
    return list(places.values())


def _needed(facts: Facts, labels: Commitment, commitments: list[str]) -> set[str]:
    """The records from the sources to the labels, the results that stated them with their recipes, and the commitments."""
    stated = facts.get(labels.of)
    votes = facts.get(stated.votes) if isinstance(stated, Labels) else None
    if not isinstance(stated, Labels) or not isinstance(votes, Votes):
        raise MissingEvidence("the labels name no votes that are recorded here")
    names = {stated.name, votes.name, stated.label_model, stated.dataset, *(part.source for part in votes.sources)}
    made = [result for result in facts.of(Result) if {stated.name, votes.name, stated.dataset} & set(result.generated)]
    return {*names, *commitments, *(name for result in made for name in (result.name, result.recipe))}
