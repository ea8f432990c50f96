"""What is a cited record, in one line of an appendix?"""

from __future__ import annotations

from collections.abc import Iterable

from governance.claims.data import sentence
from governance.claims.words import number, when
from governance.facts import Facts
from governance.records import (
    Attestation,
    Dataset,
    Evaluation,
    Finding,
    LabelModel,
    Labels,
    Model,
    Recipe,
    Record,
    Result,
    Source,
    Votes,
)


def appendix(facts: Facts, names: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """(name, kind, one line) for every name that the facts hold, in the given order."""
    found = ((name, facts.get(name)) for name in names)
    return tuple((name, record.kind, line(record, facts)) for name, record in found if record is not None)


def line(record: Record, facts: Facts) -> str:
    """What it is, in a few words."""
    match record:
        case Dataset():
            return f"{record.title}, {number(record.rows, 'example')} {when(record.role)}"
        case Source():
            return f"source {record.title} {record.version}, {record.source_kind}"
        case Votes():
            return f"{record.title}: {number(len(record.sources), 'source')} over {number(record.rows, 'example')}"
        case LabelModel():
            return f"{record.title}, {record.method}"
        case Labels():
            return f"{record.title}: {number(record.covered)} of {number(record.rows, 'example')} labelled"
        case Model():
            return f"{record.title}, {record.architecture}"
        case Evaluation():
            return f"{record.title}: {number(len(record.metrics), 'figure')}"
        case Finding():
            return sentence(record, facts)
        case Recipe():
            return f"what decided the outputs of stage {record.stage}"
        case Result():
            return f"what stage {record.stage} made"
        case Attestation():
            return f"{record.control}, stated by {record.by} ({record.role})"
        case _:
            return record.label
