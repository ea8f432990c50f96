"""Do the rows that an outsider's seed draws say what was committed to, and are they the rows that the seed draws?

One archive: the entries that matter with their places in the log, the checkpoint over them, and the drawn rows with their
salts. The newest entry says what was shown; no other row can be learned from it, since every other leaf is salted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from governance.digest import canonical
from governance.errors import GovernanceError, InvalidRecord
from governance.proof.answers import Answer, paths, read_answers
from governance.proof.archive import read_archive
from governance.proof.bundle import ABOUT, BundleCheck
from governance.proof.check import Check
from governance.proof.drawing import draw_rows
from governance.proof.extract import CHECKPOINT, ENTRIES, NODES, PLACES, Extract, read_extract
from governance.proof.origin import by_key, by_nobody, by_older
from governance.records import Challenge, Commitment, Erasure, Labels, Votes
from governance.store.checkpoint import parse_note
from governance.store.keychain import Keychain

FORMAT = "labeltrail-challenge/1"
_ABOUT = canonical({"format": FORMAT})
#: the tables of a challenge, in this order; the labels are in each
TABLES = ("labels", "votes", "dataset")
_SILENCE = {-1: "abstains", -2: "failed", -3: "skipped"}


@dataclass(frozen=True)
class ChallengeCheck(BundleCheck):
    """What came of holding a challenge's answers against their commitments; `told` has a line for each row."""

    drawn: str = ""
    told: tuple[str, ...] = ()


def is_challenge(data: bytes) -> bool:
    """Whether these are the bytes of a challenge, and not of a bundle."""
    with suppress(InvalidRecord):
        return read_archive(data, where="file").get(ABOUT) == _ABOUT
    return False


def check_challenge(
    data: bytes, *, anchor: str | None = None, key: bytes | None = None, seed: str | None = None
) -> ChallengeCheck:
    """1. the archive is canonical  2. its entries stand in the log of its checkpoint, the newest is the challenge's own
    3. the rows are those that the seed draws, and lead to the committed roots  4. rows of one example, from tables that
    the labels name  5. nothing else is in the archive  6. somebody who is trusted vouches for the checkpoint

    `anchor` and `key` are those of `check_bundle`, `seed` is what has to have drawn the rows. The first fault ends it.
    """
    try:
        # 1.
        files = read_archive(data, where="challenge")
        if files.get(ABOUT) != _ABOUT:
            raise InvalidRecord(ABOUT, files.get(ABOUT), f"the format {FORMAT}")
        # 2.
        extract = read_extract(files)
        asked = extract.records.get(extract.checkpoint.size - 1)
        if not isinstance(asked, Challenge):
            raise InvalidRecord("newest entry", asked.kind if asked else None, "that of a challenge")
        # 3.
        tables = _tables(extract, asked)
        answers = {
            table: read_answers(files, commitment, table=table, erased=_erased(extract, commitment))
            for table, commitment in tables.items()
        }
        _drawn(asked, tables["labels"], answers["labels"])
        size, of = tables["labels"].rows, asked.commitments[0]
        drawn = f"seed {asked.seed!r} drew {asked.rows} of the {size} rows of {of}"
        # 4.
        told = _one_example_each(extract, tables, answers)
        # 5.
        known = {ABOUT, CHECKPOINT, ENTRIES, PLACES, NODES, *(path for table in tables for path in paths(table))}
        if set(files) != known:
            raise InvalidRecord("files", sorted(set(files) ^ known), "exactly the files of a challenge")
        if seed not in (None, asked.seed):
            raise InvalidRecord("seed", asked.seed, f"the one that was given, {seed!r}")
        # 6.
        vouched = _origin(extract, tables, answers, anchor=anchor, key=key)
    except GovernanceError as error:
        return ChallengeCheck((Check("challenge", "broken", "challenge", error.message, error.hint or ""),))
    return ChallengeCheck((vouched,), len(extract.records), extract.checkpoint.origin, drawn, tuple(told))


def _tables(extract: Extract, asked: Challenge) -> dict[str, Commitment]:
    """The commitments by table; each is to the table that the record before it names."""
    tables: dict[str, Commitment] = {}
    for name in asked.commitments:
        commitment = extract.record(name)
        if not isinstance(commitment, Commitment) or commitment.scheme != "rows/v1":
            raise InvalidRecord("commitment", name, "a commitment to single rows")
        if getattr(extract.record(commitment.of), "rows", None) != commitment.rows:
            raise InvalidRecord("commitment", f"{commitment.rows} rows", "one to as many rows as its table has")
        tables[commitment.of.partition(":")[0]] = commitment
    if list(tables) != [table for table in TABLES if table in tables] or len(tables) != len(asked.commitments):
        raise InvalidRecord("commitments", list(tables), f"one to each of {', '.join(TABLES)}, in this order")
    labels = extract.record(tables["labels"].of) if "labels" in tables else None
    if not isinstance(labels, Labels):
        raise InvalidRecord("commitments", list(tables), "the labels first")
    votes = extract.record(labels.votes)
    if not isinstance(votes, Votes) or votes.dataset != labels.dataset:
        raise InvalidRecord("labels", labels.votes, "votes on the dataset that the labels are of")
    for table, of in (("votes", labels.votes), ("dataset", labels.dataset)):
        if table in tables and tables[table].of != of:
            raise InvalidRecord(table, tables[table].of, f"the one behind the labels, {of}")
    return tables


def _erased(extract: Extract, commitment: Commitment) -> dict[int, int]:
    """The rows of a table that are gone, or that name one that is, each with the first entry that says so."""
    erased: dict[int, int] = {}
    for position, record in extract.records.items():
        for part in record.rows if isinstance(record, Erasure) else ():
            if part.commitment == commitment.name:
                erased = dict.fromkeys((*part.rows, *part.amended), position) | erased
    return erased


def _drawn(asked: Challenge, labels: Commitment, answers: Sequence[Answer]) -> None:
    expected = draw_rows(asked.seed, root=labels.root, size=labels.rows, rows=asked.rows)
    given = [answer.number for answer in answers]
    if given != expected:
        raise InvalidRecord("rows", given[:5], f"the rows that the seed draws, {expected[:5]} and so on")


def _one_example_each(
    extract: Extract, tables: Mapping[str, Commitment], answers: Mapping[str, Sequence[Answer]]
) -> list[str]:
    """A line for each row. Raises InvalidRecord where rows of one line are not of one example."""
    ids = [answer.id for answer in answers["labels"] if answer.id is not None]
    for table, given in answers.items():
        theirs = [answer.id for answer in given]
        alike = len(theirs) == len(ids) and all(one in (None, other) for one, other in zip(theirs, ids, strict=True))
        if table != "labels" and not alike:
            raise InvalidRecord(table, theirs[:5], "a row of each labelled example, in the same order")
    labels = extract.record(tables["labels"].of)
    votes = extract.record(labels.votes) if isinstance(labels, Labels) else labels
    assert isinstance(votes, Votes)  # noqa: S101 - `_tables` has looked
    titles = {part.column: extract.record(part.source).label for part in votes.sources}
    gone, of_votes = _erased(extract, tables["labels"]), iter(answers.get("votes", ()))
    told = []
    for answer in answers["labels"]:
        if answer.id is None:
            told.append(f"row {answer.number}: erased by entry {gone[answer.number]}")
            continue
        said = [f"row {answer.number}, {answer.id}: {_said(answer.row.get('label'), votes.classes)}"]
        cast = next(of_votes).row.items() if "votes" in answers else ()
        said += [f"{titles[column]} {_said(vote, votes.classes)}" for column, vote in cast if column in titles]
        told.append("; ".join(said))
    return [*told, *(f"not shown: rows of the {table}" for table in TABLES if table not in tables)]


def _said(value: object, classes: Sequence[str]) -> str:
    if type(value) is int and 0 <= value < len(classes):
        return classes[value]
    return _SILENCE.get(value, "unknown") if type(value) is int else "unknown"


def _origin(
    extract: Extract,
    tables: Mapping[str, Commitment],
    answers: Mapping[str, Sequence[Answer]],
    *,
    anchor: str | None,
    key: bytes | None,
) -> Check:
    """Who vouches for the checkpoint. Raises InvalidRecord where what is trusted contradicts it."""
    mine, keychain = extract.checkpoint, Keychain.of(extract.start, extract.records.items())
    if key is not None:
        return by_key(mine, keychain, key, what="challenge")
    if anchor is None:
        return by_nobody(what="challenge")
    trusted = parse_note(anchor, where="the checkpoint that was given")
    if trusted.origin != mine.origin:
        raise InvalidRecord("checkpoint", trusted.origin, f"a checkpoint of the log {mine.origin}")
    if not 0 < trusted.size <= mine.size:
        raise InvalidRecord("checkpoint", f"{trusted.size} entries", f"one over at most {mine.size}")
    root = extract.walked.root_at(trusted.size)
    if root is None:
        says = f"it does not show that the log grew from the checkpoint over {trusted.size} entries"
        return _unknown(says, "ask for it again, made with `--since` and that checkpoint")
    if root != trusted.root:
        raise InvalidRecord("checkpoint", f"{trusted.size} entries", "one that this log grew from, not another history")
    # Of a few entries nobody can tell that no change of the key was left out; a checkpoint after it tells.
    if len(extract.records) < mine.size and trusted.size < mine.size and not keychain.vouches(trusted):
        says = "the checkpoint that was given is not signed by the key that is shown"
        return _unknown(says, "give a newer one, or the key")
    vouched = by_older(mine, keychain, trusted, what="challenge")
    late = _late(extract, tables, answers, size=trusted.size) if vouched.state == "fine" else None
    if late is not None:
        says = f"{late} after the checkpoint that was given: perhaps to suit the seed"
        return _unknown(says, "keep a checkpoint of today, and let a new seed draw")
    return vouched


def _late(
    extract: Extract, tables: Mapping[str, Commitment], answers: Mapping[str, Sequence[Answer]], *, size: int
) -> str | None:
    """What whoever had heard the seed could have done, when the log had more than `size` entries."""
    # Votes that were made up for the seed would be as false as labels.
    if max(extract.position(commitment.name) for commitment in tables.values()) >= size:
        return "the rows were committed to"
    # A row that should not be seen would only have to be called erased.
    gone = {table: _erased(extract, commitment) for table, commitment in tables.items()}
    erased = [gone[table][answer.number] for table, given in answers.items() for answer in given if answer.id is None]
    return "rows that were drawn were erased" if max(erased, default=0) >= size else None


def _unknown(says: str, hint: str) -> Check:
    return Check("challenge", "unknown", "origin", says, hint)
