"""How is one committed row of a table shown, and no other?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.digest import canonical, parse_canonical
from governance.errors import BrokenEvidence, InvalidRecord
from governance.proof.extract import read_lines, read_nodes
from governance.records import Commitment
from governance.store import merkle
from governance.store.commitments import OpenedRow, RowTable
from governance.store.shown import Shape, show, walk

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Answer:
    """A row that was asked for: its number, whose it is, and what it says by column; nothing of one that was erased."""

    number: int
    id: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


def paths(table: str) -> tuple[str, str]:
    """Where the answers from a table stand, and the nodes that lead from them to its committed root."""
    return f"{table}.jsonl", f"{table}.nodes"


def need_as_many(rows: RowTable, commitment: Commitment, *, table: str) -> None:
    """Raises BrokenEvidence where a table has more or fewer rows than were committed to."""
    if rows.rows != commitment.rows:
        raise BrokenEvidence(table, expected=f"{commitment.rows} rows", actual=str(rows.rows), hint=_LOOK)


def make_answers(rows: RowTable, commitment: Commitment, numbers: Sequence[int], *, table: str) -> dict[str, bytes]:
    """The files that show these rows, in this order. Reads every row, and keeps none.

    Raises BrokenEvidence where the table is not the committed one, MissingEvidence where a subject has no key.
    """
    shape = Shape(commitment.rows, sorted(numbers))
    nodes = show(rows.leaves(make_keys=False), shape)
    opened = {number: rows.at(number) for number in numbers}
    shown = {number: _leaf(one) for number, one in opened.items()}
    root = walk(shown, nodes, size=shape.size).root.hex()
    if root != commitment.root:
        raise BrokenEvidence(table, expected=f"the committed root {commitment.root}", actual=root, hint=_LOOK)
    told = [_told(number, one) for number, one in opened.items()]
    lines, list_of_nodes = paths(table)
    return {lines: b"".join(canonical(one) + b"\n" for one in told), list_of_nodes: b"".join(nodes)}


def _leaf(one: OpenedRow | bytes) -> bytes:
    return one if isinstance(one, bytes) else merkle.leaf_hash(one.salt + one.row)


def _told(number: int, one: OpenedRow | bytes) -> dict[str, Any]:
    if isinstance(one, bytes):
        return {"leaf": one.hex(), "number": number}
    return {"number": number, "row": parse_canonical(one.row, where="row"), "salt": one.salt.hex()}


def read_answers(
    files: Mapping[str, bytes], commitment: Commitment, *, table: str, erased: Mapping[int, int]
) -> list[Answer]:
    """The rows that a table answered with; of one in `erased` (its number, and the entry that says so) its leaf will do.

    Raises InvalidRecord where they are not those that were committed to.
    """
    lines, list_of_nodes = paths(table)
    answers: list[Answer] = []
    shown: dict[int, bytes] = {}
    for at, line in enumerate(read_lines(files, lines), 1):
        where = f"{lines}, line {at}"
        told = parse_canonical(line, where=where)
        answer, leaf = _answer(told, commitment, erased, where=where)
        if answer.number in shown:
            raise InvalidRecord("number", answer.number, "each row once", where=where)
        shown[answer.number] = leaf
        answers.append(answer)
    root = walk(shown, read_nodes(files, list_of_nodes), size=commitment.rows).root.hex()
    if root != commitment.root:
        raise InvalidRecord(table, root, f"rows that lead to the committed root {commitment.root}")
    return answers


def _answer(told: Any, commitment: Commitment, erased: Mapping[int, int], *, where: str) -> tuple[Answer, bytes]:
    """What one line answers, and the leaf that it comes to."""
    fields = set(told) if isinstance(told, dict) else set()
    wanted = {"leaf", "number"} if "leaf" in fields else {"number", "row", "salt"}
    if fields != wanted or type(told["number"]) is not int:
        raise InvalidRecord("answer", told, "number, row and salt", where=where)
    number, digits = told["number"], told["leaf"] if "leaf" in fields else told["salt"]
    if not isinstance(digits, str) or not _HEX.fullmatch(digits):
        raise InvalidRecord("answer", digits, "64 hexadecimal digits", where=where)
    if "leaf" in fields:
        if number not in erased:
            raise InvalidRecord("leaf", number, "a row, since no entry says that it was erased", where=where)
        return Answer(number), bytes.fromhex(digits)
    row = told["row"]
    if not isinstance(row, dict) or set(row) != set(commitment.columns):
        raise InvalidRecord("row", row, f"the columns {', '.join(commitment.columns)}", where=where)
    example = row.get(commitment.id_column)
    if not isinstance(example, str):
        raise InvalidRecord(commitment.id_column, example, "a text", where=where)
    return Answer(number, example, row), merkle.leaf_hash(bytes.fromhex(digits) + canonical(row))


_LOOK = "`labeltrail verify` names everything that does not fit"
