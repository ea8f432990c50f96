"""What is a document made of? Claims that name their evidence, tables that do, and silences that are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from governance.errors import InvalidRecord
from governance.records import Record

SCHEMA_VERSION = 1
#: the command that runs what the records come from
REPRO = "labeltrail repro"
#: why something is not recorded: nobody made the record, there is no such record, or no record could say it
Sort = Literal["a record could hold it", "no kind of record holds it yet", "only a person can state it"]
SORTS: tuple[Sort, ...] = get_args(Sort)
RECORD, UNHELD, PERSON = SORTS


@dataclass(frozen=True)
class Claim:
    """One sentence and the names of the records that it stands on; without a record there is no claim."""

    text: str
    evidence: tuple[str, ...]
    #: whether a person states it, rather than the records
    person: bool = False

    def __post_init__(self) -> None:
        if not self.evidence:
            raise InvalidRecord("claim.evidence", self.text, "a sentence with the name of at least one record")


class Code(str):
    """A piece of a sentence that is typed as it stands: a field, a path, a command."""

    __slots__ = ()


@dataclass(frozen=True)
class Gap:
    """What is not recorded, of which sort, and the way out; `edit` says what to write before the command.

    The command of what a record could hold makes that record, and that of what only a person can state records the
    statement. Where no kind of record exists the command offers a stand-in, which leaves the gap open.
    """

    text: str
    command: str
    edit: tuple[str, ...] = ()
    sort: Sort = RECORD
    #: the controls that ask for it, where a report lists it once for all of them
    of: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Row:
    """One row of a table and the names of the records that it stands on."""

    cells: tuple[str, ...]
    evidence: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.evidence:
            raise InvalidRecord("row.evidence", self.cells, "a row with the name of at least one record")


@dataclass(frozen=True)
class Table:
    """A table in which every row names its evidence."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise InvalidRecord("row.cells", row.cells, f"{len(self.columns)} cells: {', '.join(self.columns)}")


@dataclass(frozen=True)
class Note:
    """How to read what follows; it says nothing about data or model."""

    text: str


@dataclass(frozen=True)
class Tally:
    """How many sections or silences of this very document are of which sort, in one group or, without a group, in all."""

    group: str
    label: str
    counts: tuple[tuple[str, int], ...]
    what: Literal["states", "gaps"] = "states"

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


Block = Claim | Gap | Table | Note | Tally


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]
    level: int = 2
    #: for a section about one control: which group it belongs to, its state, and in whose hands the rest is
    group: str = ""
    state: str = ""
    person: str = ""


@dataclass(frozen=True)
class Answer:
    """What the records say to a question, and what they are silent about."""

    claims: tuple[Claim, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def __add__(self, other: Answer) -> Answer:
        return Answer(
            tuple(dict.fromkeys((*self.claims, *other.claims))), tuple(dict.fromkeys((*self.gaps, *other.gaps)))
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (*self.claims, *self.gaps)


@dataclass(frozen=True)
class Document:
    """A card or a report as data: renderers only spell it out."""

    kind: str
    title: str
    sections: tuple[Section, ...]
    front_matter: dict[str, Any] = field(default_factory=dict)
    #: the records that the document is about
    about: tuple[str, ...] = ()
    #: one line for every cited record: name, kind, what it is
    appendix: tuple[tuple[str, str, str], ...] = ()

    def blocks(self) -> Iterator[Block]:
        """Every block, in order."""
        for section in self.sections:
            yield from section.blocks

    @property
    def claims(self) -> tuple[Claim | Row, ...]:
        """Every sentence and table row, once each, however often it is printed."""
        return tuple(dict.fromkeys(_statements(self.blocks())))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Every silence, once each."""
        return tuple(dict.fromkeys(block for block in self.blocks() if isinstance(block, Gap)))

    @property
    def cites(self) -> tuple[str, ...]:
        """The names of all records that the document stands on, sorted."""
        return tuple(sorted({name for said in self.claims for name in said.evidence}))

    def to_json(self) -> dict[str, Any]:
        """The document as plain JSON values, the same for the same facts."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": self.kind,
            "title": self.title,
            "front_matter": self.front_matter,
            "about": list(self.about),
            "claims": len(self.claims),
            "not_recorded": len(self.gaps),
            "cites": list(self.cites),
            "sections": [_section(section) for section in self.sections],
        }


def claim(text: str, *evidence: Record | str | None, person: bool = False) -> Claim:
    """A claim that stands on records or names; None and repetitions are left out, the order is kept."""
    names = [item if isinstance(item, str) else item.name for item in evidence if item is not None]
    return Claim(text, tuple(dict.fromkeys(names)), person)


def said(*parts: Claim | Gap | None) -> Answer:
    """An answer made of claims and gaps; None stands for nothing to say."""
    return Answer(
        tuple(part for part in parts if isinstance(part, Claim)), tuple(part for part in parts if isinstance(part, Gap))
    )


def gap(text: str, command: str = REPRO) -> Answer:
    """An answer that is nothing but one silence."""
    return Answer(gaps=(Gap(text, command),))


def describe(titles: Iterable[str], *fields: str) -> tuple[Gap, ...]:
    """One silence of the descriptions of all these sources, which their owners end by writing the fields; none of none."""
    titles = list(titles)
    if not titles:
        return ()
    wanted, last = " and ".join(fields), titles[-1]
    named = f"source {last}" if len(titles) == 1 else f"sources {', '.join(titles[:-1])} and {last}"
    fields_set = [part for name in fields for part in (" and ", Code(name))][1:]
    place = Code(f"pipelines/sources/{last if len(titles) == 1 else 'NAME'}.yaml")
    each = () if len(titles) == 1 else (" of each",)
    return (Gap(f"{wanted} of {named}", REPRO, edit=("set ", *fields_set, " in ", place, *each)),)


def describe_data(what: str, field: str) -> Gap:
    """The silence of a dataset's description, which the stage that states the dataset ends."""
    return Gap(what, REPRO, edit=("set ", Code(field), " of the dataset in ", Code("pipelines/collect.py")))


def attest(control: str) -> str:
    """The command with which a person answers a control."""
    return f'labeltrail attest "{control}" --statement "…" --by "…" --role "…" --expires YYYY-MM-DD'


def _statements(blocks: Iterable[Block]) -> Iterator[Claim | Row]:
    for block in blocks:
        if isinstance(block, Claim):
            yield block
        elif isinstance(block, Table):
            yield from block.rows


def _section(section: Section) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": section.title,
        "anchor": section.anchor,
        "level": section.level,
        "blocks": [_block(block) for block in section.blocks],
    }
    for key in ("group", "state", "person"):
        if value := getattr(section, key):
            told[key] = value
    return told


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Claim():
            return {"block": "claim", "text": block.text, "evidence": list(block.evidence), "person": block.person}
        case Gap():
            return {
                "block": "not recorded",
                "text": block.text,
                "sort": block.sort,
                "edit": "".join(f"`{part}`" if isinstance(part, Code) else part for part in block.edit),
                "command": block.command,
                "closes": block.sort != UNHELD,
                "person": block.sort == PERSON,
                "of": list(block.of),
            }
        case Table():
            rows = [{"cells": list(row.cells), "evidence": list(row.evidence)} for row in block.rows]
            return {"block": "table", "caption": block.caption, "columns": list(block.columns), "rows": rows}
        case Note():
            return {"block": "note", "text": block.text}
        case Tally():
            told = {"group": block.group, "label": block.label, "counts": dict(block.counts), "what": block.what}
            return {"block": "tally", **told}
