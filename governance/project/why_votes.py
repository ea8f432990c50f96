"""What was voted on an example that no label model has been fitted on?"""

from __future__ import annotations

from typing import Any

from governance.config import Config
from governance.erased import by_entries
from governance.errors import MissingEvidence
from governance.facts import Facts, short
from governance.lineage.rows import Held, Rows
from governance.project.report import Report, Table, table
from governance.records import Commitment, Dataset, Labels, Record, Source, Votes
from governance.store.commitments import RowTable, SubjectKeys
from governance.store.forgetting import erasures
from governance.store.trail import Trail
from governance.votes.answers import LONG_COLUMNS

_SILENCE = {-1: "abstained", -2: "error", -3: "skipped"}


def votes_alone(example: str, *, config: Config, trail: Trail, facts: Facts) -> Held[Votes] | None:
    """The newest table of votes that holds an example and from which no labels were made; None where there is none.

    An example of a label set is that label set's to explain. Raises BrokenEvidence, and MissingEvidence for one that was
    erased.
    """
    labelled = {labels.votes for labels in facts.of(Labels)}
    alone = [votes for votes in facts.of(Votes) if votes.name not in labelled]
    if not alone:
        return None
    rows = Rows(config.root, facts, id_column=config.id_column, erased=erasures(trail))
    known = [rows.held(Votes, sha256=votes.sha256) for votes in facts.of(Votes) if votes.name in labelled]
    if any(example in rows.index(held) for held in known):
        return None
    for votes in reversed(alone):
        held = rows.held(Votes, sha256=votes.sha256)
        if example in rows.index(held):
            return held
    entry = SubjectKeys(trail).erased(example)
    if entry is not None:
        raise MissingEvidence(f"this example was {by_entries([entry])}", hint="`labeltrail log` shows the entry")
    return None if known else rows.held(Votes, sha256=alone[-1].sha256)


def votes_on(example: str, held: Held[Votes], *, config: Config, trail: Trail, facts: Facts) -> Report:
    """1. what every source said  2. the example itself  3. where its rows stand in this store

    Raises UnknownName with the nearest ids.
    """
    votes = held.record
    rows = Rows(config.root, facts, id_column=config.id_column, erased=erasures(trail))
    # 1.
    numbered = rows.all(held, example)
    said = list(_said(numbered, votes, facts))
    # 2.
    dataset = facts.get(votes.dataset)
    data_held = rows.held(Dataset, sha256=dataset.sha256) if isinstance(dataset, Dataset) else None
    tables: dict[str, tuple[Held[Record], list[tuple[int, dict[str, Any]]]]] = {"votes": (held, numbered)}
    text = None
    if data_held is not None:
        tables["dataset"] = (data_held, rows.all(data_held, example))
        text = next((row.get(config.text_column) for _, row in tables["dataset"][1]), None)
    # 3.
    store = _stands(tables, config=config, trail=trail)
    data: dict[str, Any] = {
        "example": example,
        "label": None,
        "text": text,
        "classes": list(votes.classes),
        "votes": said,
        "records": {what: one.record.name for what, (one, _) in tables.items()},
        "runs": {held.result.stage: held.result.name},
        "store": store,
    }
    return Report("why", data, tuple(_blocks(data)))


def _said(numbered: list[tuple[int, dict[str, Any]]], votes: Votes, facts: Facts):
    if set(LONG_COLUMNS) <= set(numbered[0][1]):
        by_column = {column.column: column.source for column in votes.sources}
        cast = [(row["source"], row["repeat"], row["vote"]) for _, row in numbered if row["source"] is not None]
        given = [(column, by_column[column], repeat, vote) for column, repeat, vote in cast]
    else:
        row = numbered[0][1]
        given = [(column.column, column.source, 0, row[column.column]) for column in votes.sources]
    for column, name, repeat, vote in given:
        source = facts.get(name)
        yield {
            "source": name,
            "title": source.label if source else column,
            "version": source.version if isinstance(source, Source) else "",
            "kind": source.source_kind if isinstance(source, Source) else "",
            "repeat": repeat,
            "vote": vote,
            "said": votes.classes[vote] if vote >= 0 else _SILENCE[vote],
        }


def _stands(tables: dict[str, tuple[Held[Record], list[tuple[int, dict[str, Any]]]]], *, config: Config, trail: Trail):
    """Log id, positions and salted leaves, as `Explainer` tells them; a leaf for each row of the example."""
    positions = trail.positions()
    committed = {one.of: one for one in trail.facts().of(Commitment)}
    leaves = []
    for what, (held, numbered) in tables.items():
        commitment = committed.get(held.record.name)
        if commitment is None:
            continue
        told = {"of": what, "commitment": commitment.name, "entry": positions.get(commitment.name)}
        if commitment.scheme != "rows/v1":
            says = "in a block, which is committed to as a whole: no proof of this row alone"
            leaves += [{**told, "row": number, "says": says} for number, _ in numbered]
            continue
        of, columns = held.record.name, {"id_column": config.id_column, "subject_column": config.subject_column}
        rows = RowTable(trail, held.path, of=of, **columns)
        leaves += [{**told, "row": rows.numbers[number], "leaf": rows.leaf(number).hex()} for number, _ in numbered]
    entries = {what: positions.get(held.record.name) for what, (held, _) in tables.items()}
    return {"log": trail.log, "size": trail.size(), "entries": entries, "commitments": leaves}


def _blocks(data: dict[str, Any]) -> list[str | Table]:
    again = any(vote["repeat"] for vote in data["votes"])
    cast = [
        (
            vote["title"],
            vote["kind"],
            vote["version"],
            *((vote["repeat"],) if again else ()),
            vote["said"],
            short(vote["source"]),
        )
        for vote in data["votes"]
    ]
    headings = ("source", "kind", "version", *(("repeat",) if again else ()), "said", "name")
    blocks: list[str | Table] = [f"{data['example']} has no label: no label model was fitted on its votes"]
    blocks.append(table(headings, cast) if cast else "no source was asked about it")
    blocks.append(table(("run", "result"), [(stage, short(name)) for stage, name in data["runs"].items()]))
    leaves = [
        (leaf["of"], leaf["row"], leaf["entry"], f"{leaf['leaf'][:16]}…" if "leaf" in leaf else leaf["says"])
        for leaf in data["store"]["commitments"]
    ]
    blocks.append(table(("committed", "row", "entry", "salted leaf"), leaves))
    return blocks
