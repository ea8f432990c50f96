"""A challenge shows the rows that the seed draws, as they were committed to, and no others: to two verifiers."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import rows as tables_of_rows
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence import make_evidence, standalone
from hypothesis import given
from hypothesis import strategies as st
from rows import IDS, TEXTS, Challenged, make_challenged
from small_facts import finding

from governance.digest import canonical, parse_canonical
from governance.errors import BrokenEvidence, InvalidRecord, MissingEvidence
from governance.parquet import write_table
from governance.proof import published
from governance.proof.archive import read_archive, write_archive
from governance.proof.asking import CommittedTable
from governance.proof.challenge import check_challenge
from governance.proof.drawing import draw_rows
from governance.records import Challenge, Commitment, Dataset, ErasedRows, Erasure, Labels, Record, Votes
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.commitments import RowTable
from governance.store.entry import read_entry
from governance.store.forgetting import KeptLeaf, keep_leaves

verify_py = standalone()


@pytest.fixture
def challenged(tmp_path: Path, own_home: Path) -> Challenged:
    return make_challenged(tmp_path)


def both(data: bytes, *, anchor: str | None = None, key: bytes | None = None, seed: str | None = None) -> set[int]:
    """The exit codes of `verify.py` and of the library: one number where they agree."""
    code, _ = verify_py.verify(data, anchor=anchor.encode() if anchor is not None else None, key=key, seed=seed)
    state = check_challenge(data, anchor=anchor, key=key, seed=seed).checks[0].state
    return {code, {"broken": 3, "unknown": 4, "fine": 0}[state]}


def newest(challenged: Challenged) -> str:
    return challenged.checkpoints[max(challenged.checkpoints)]


def test_a_challenge_is_whole_for_whoever_trusts_its_key_or_a_checkpoint_that_it_shows(challenged):
    """With the key, the newest checkpoint, or an older one that it was cut at: 0. With nothing to trust: 4."""
    assert len(challenged.data) <= 8192
    assert both(challenged.data, key=challenged.key) == {0}
    assert both(challenged.data, anchor=newest(challenged)) == {0}
    assert both(challenged.again("a seed", cuts=(10,)), anchor=challenged.checkpoints[10]) == {0}
    assert both(challenged.data) == {4}


def test_both_verifiers_say_the_same_of_each_row(challenged):
    """Row number, example, label and votes by the titles of their sources; the last lines count."""
    _, told = verify_py.verify(challenged.data, key=challenged.key)
    checked = check_challenge(challenged.data, key=challenged.key)
    assert told[2:-3] == [checked.drawn, *checked.told]
    of = challenged.tables["labels"].commitment.name
    assert told[2] == f"seed 'a seed' drew 2 of the 8 rows of {of}"
    labels = read_archive(challenged.data, where="test")["labels.jsonl"].splitlines()
    for line, row in zip(told[3:-3], map(parse, labels), strict=True):
        said = {0: ("no", "abstains"), 1: ("no", "no"), 2: ("yes", "yes")}[row["number"] % 3]
        assert line == f"row {row['number']}, e/{row['number']}: {said[0]}; words {said[1]}"


def flips(data: bytes) -> Iterator[bytes]:
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        yield bytes(flipped)


def test_every_single_bit_of_a_challenge_counts(challenged):
    """Each bit of the archive flipped, one at a time, with the checkpoint at hand: all are found, none is missed."""
    note = newest(challenged)
    missed = [number for number, flipped in enumerate(flips(challenged.data)) if both(flipped, anchor=note) != {3}]
    assert missed == []


FILES = [f"{table}.{end}" for table in ("labels", "votes", "dataset") for end in ("jsonl", "nodes")]


@pytest.mark.parametrize("path", [*FILES, "entries.jsonl", "log.nodes", "places.json", "checkpoint", "about.json"])
def test_every_single_bit_of_every_file_counts_in_an_archive_made_anew(challenged, path):
    """Nothing rests on the archive's own check sums: what the rows say is bound by the commitments alone."""
    files = read_archive(challenged.data, where="test")
    trust = {"key": challenged.key} if path in ("checkpoint", "labels.jsonl") else {"anchor": newest(challenged)}
    missed = [
        number
        for number, flipped in enumerate(flips(files[path]))
        if both(write_archive(files | {path: flipped}), **trust) != {3}
    ]
    assert missed == []


def parse(line: bytes) -> dict:
    return parse_canonical(line, where="test")


def changed(challenged: Challenged, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The challenge with files that somebody changed, in an archive of the right form."""
    files = read_archive(challenged.data, where="test")
    change(files)
    return write_archive(files)


def lines(files: dict[str, bytes], path: str) -> list[dict]:
    return [parse(line) for line in files[path].splitlines()]


def put(files: dict[str, bytes], path: str, told: list[dict]) -> None:
    files[path] = b"".join(canonical(one) + b"\n" for one in told)


def edit(path: str, change: Callable[[list[dict]], list[dict]]) -> Callable[[dict[str, bytes]], None]:
    return lambda files: put(files, path, change(lines(files, path)))


def with_field(field: str, value: object) -> Callable[[list[dict]], list[dict]]:
    return lambda told: [told[0] | {field: value}, *told[1:]]


def swapped(field: str) -> Callable[[list[dict]], list[dict]]:
    return lambda told: [told[0] | {field: told[1][field]}, told[1] | {field: told[0][field]}]


def in_row(column: str, value: object) -> Callable[[list[dict]], list[dict]]:
    return lambda told: [told[0] | {"row": told[0]["row"] | {column: value}}, *told[1:]]


def reversed_everywhere(files: dict[str, bytes]) -> None:
    for table in ("labels", "votes", "dataset"):
        edit(f"{table}.jsonl", lambda told: told[::-1])(files)


def cut_everywhere(files: dict[str, bytes]) -> None:
    for table in ("labels", "votes", "dataset"):
        edit(f"{table}.jsonl", lambda told: told[:1])(files)


def exchange(one: str, other: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files[one], files[other] = files[other], files[one]

    return change


EDITS = {
    "a row left out": edit("labels.jsonl", lambda told: told[:1]),
    "a row left out everywhere": cut_everywhere,
    "a row answered twice": edit("labels.jsonl", lambda told: [*told, told[0]]),
    "one row twice in place of two": edit("labels.jsonl", lambda told: [told[0], told[0]]),
    "rows in another order": edit("labels.jsonl", lambda told: told[::-1]),
    "rows in another order everywhere": reversed_everywhere,
    "votes of the other row": edit("votes.jsonl", lambda told: told[::-1]),
    "texts of the other row": edit("dataset.jsonl", lambda told: told[::-1]),
    "the salt of another row": edit("labels.jsonl", swapped("salt")),
    "the number of another row": edit("labels.jsonl", swapped("number")),
    "the content of another row": edit("labels.jsonl", swapped("row")),
    "another label": edit("labels.jsonl", in_row("label", 3)),
    "another vote": edit("votes.jsonl", in_row("lexicon", 5)),
    "another text": edit("dataset.jsonl", in_row("text", "a nicer text")),
    "a column more": edit("labels.jsonl", in_row("checked", True)),
    "a field more": edit("labels.jsonl", with_field("checked", True)),
    "a salt in capitals": edit("labels.jsonl", lambda told: [told[0] | {"salt": told[0]["salt"].upper()}, told[1]]),
    "a short salt": edit("labels.jsonl", lambda told: [told[0] | {"salt": told[0]["salt"][:-2]}, told[1]]),
    "a number that is none": edit("labels.jsonl", with_field("number", True)),
    "a row number beyond the table": edit("labels.jsonl", with_field("number", 8)),
    "a negative row number": edit("labels.jsonl", with_field("number", -1)),
    "nodes of another table": exchange("votes.nodes", "dataset.nodes"),
    "answers of another table": exchange("votes.jsonl", "dataset.jsonl"),
    "a node more": lambda files: files.update({"labels.nodes": files["labels.nodes"] + bytes(32)}),
    "a node less": lambda files: files.update({"labels.nodes": files["labels.nodes"][:-32]}),
    "half a node": lambda files: files.update({"labels.nodes": files["labels.nodes"][:-1]}),
    "no answers": lambda files: files.update({"labels.jsonl": b""}),
    "half a line": lambda files: files.update({"labels.jsonl": files["labels.jsonl"][:-1]}),
    "words behind the last line": lambda files: files.update({"labels.jsonl": files["labels.jsonl"] + b"x"}),
    "a file missing": lambda files: files.pop("votes.nodes"),
    "a table missing": lambda files: (files.pop("votes.nodes"), files.pop("votes.jsonl")),
    "a file more": lambda files: files.update({"notes.txt": b"all is well"}),
    "places exchanged": lambda files: files.update({"places.json": files["places.json"].replace(b"4,5", b"5,4")}),
    "another place": lambda files: files.update({"places.json": files["places.json"].replace(b"[0,3", b"[0,2")}),
    "a place twice": lambda files: files.update({"places.json": files["places.json"].replace(b"4,5", b"4,4")}),
    "places that are no numbers": lambda files: files.update({"places.json": b'["0"]'}),
    "no places": lambda files: files.update({"places.json": b"[]"}),
    "an entry dropped": edit("entries.jsonl", lambda told: [*told[:2], *told[3:]]),
    "the challenge's own entry dropped": edit("entries.jsonl", lambda told: told[:-1]),
    "another format": lambda files: files.update({"about.json": b'{"format":"labeltrail-challenge/2"}'}),
    "the format of a bundle": lambda files: files.update({"about.json": b'{"format":"labeltrail-bundle/1"}'}),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_challenge_that_was_changed_is_refused(challenged, name):
    """Whatever is exchanged, added or left out, by whoever can write archives."""
    data = changed(challenged, EDITS[name])
    assert data != challenged.data
    assert both(data, key=challenged.key) == {3}
    assert both(data, anchor=newest(challenged)) == {3}


def asked_as(files: dict[str, bytes], key: Ed25519PrivateKey | None, **changes: object) -> None:
    """Another last entry under a checkpoint made anew, as whoever holds the log's key can make it."""
    told = lines(files, "entries.jsonl")
    told[-1]["body"] |= changes
    put(files, "entries.jsonl", told)
    old, places = parse_note(files["checkpoint"].decode()), parse(files["places.json"])
    leaves = [merkle.leaf_hash(line) for line in files["entries.jsonl"].splitlines()]
    met = verify_py.fold(dict(zip(places, leaves, strict=True)), files["log.nodes"], old.size, [1])
    checkpoint = Checkpoint(old.origin, old.size, met[0, old.size])
    files["checkpoint"] = (checkpoint.signed(key) if key else checkpoint).to_note().encode()


def owners_key() -> Ed25519PrivateKey:
    from governance.store import keys

    key = keys.load_key()
    assert key is not None
    return key


def test_even_the_owner_cannot_answer_with_other_rows_than_the_seed_draws(challenged):
    """The rows of another seed, more or fewer of them, other commitments: refused though the owner signs it."""
    told = lines(read_archive(challenged.data, where="test"), "entries.jsonl")
    asked = told[-1]["body"]
    commitments = asked["commitments"]
    committed = {Commitment.make(**one["body"]).name: one["body"] for one in told if one["kind"] == "commitment"}
    labels = committed[commitments[0]]

    def drawn(seed: str) -> list[int]:
        return draw_rows(seed, root=labels["root"], size=labels["rows"], rows=asked["rows"])

    # Of so few rows two seeds can draw the same.
    seeds = (f"seed {number} that suits the owner" for number in range(99))
    wrong = {
        "another seed": {"seed": next(seed for seed in seeds if drawn(seed) != drawn(asked["seed"]))},
        "fewer rows asked": {"rows": 1},
        "more rows asked": {"rows": 3},
        "more rows than there are": {"rows": 9},
        "no rows": {"rows": 0},
        "votes and dataset exchanged": {"commitments": [commitments[0], commitments[2], commitments[1]]},
        "the labels last": {"commitments": [*commitments[1:], commitments[0]]},
        "without the labels": {"commitments": commitments[1:]},
        "the labels twice": {"commitments": [commitments[0], *commitments]},
        "without the votes that are answered": {"commitments": [commitments[0], commitments[2]]},
        "nothing": {"commitments": []},
        "grown from a size that is none": {"since": [11]},
        "grown from sizes out of order": {"since": [3, 1]},
        "a commitment that is not here": {"commitments": ["commitment:" + "0" * 64, *commitments[1:]]},
    }
    key = owners_key()
    unnoticed = []
    for name, changes in wrong.items():
        data = changed(challenged, lambda files, changes=changes: asked_as(files, key, **changes))
        if both(data, key=challenged.key) != {3}:
            unnoticed.append(name)
    assert unnoticed == []
    same = changed(challenged, lambda files: asked_as(files, key, reason="another reason"))
    assert both(same, key=challenged.key) == {0}  # so that the changes above are what is refused


def test_without_the_key_no_entry_can_be_put_in_the_newest_ones_place(challenged):
    """A forger's checkpoint over another last entry is nobody's."""
    forger = Ed25519PrivateKey.generate()
    for key in (None, forger):
        data = changed(challenged, lambda files, key=key: asked_as(files, key, who="somebody else"))
        assert both(data, key=challenged.key) == {3}
        assert both(data, anchor=newest(challenged)) == {3}
        assert both(data) == {4}


def test_a_challenge_of_another_log_is_refused(challenged, tmp_path):
    """Whole in itself, and not of the log whose checkpoint or key is trusted; nor does a bundle pass for a challenge."""
    (tmp_path / "other").mkdir()
    other = make_challenged(tmp_path / "other")
    assert both(other.data, anchor=newest(challenged)) == {3}
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert both(challenged.data, key=stranger) == {3}
    mixed = read_archive(challenged.data, where="test") | {"checkpoint": newest(other).encode()}
    assert both(write_archive(mixed), key=challenged.key) == {3}
    theirs = read_archive(other.data, where="test")
    for path in FILES:
        files = read_archive(challenged.data, where="test") | {path: theirs[path]}
        assert both(write_archive(files), key=challenged.key) == {3}, path
    (tmp_path / "bundle").mkdir()
    assert check_challenge(make_evidence(tmp_path / "bundle").data).is_broken


def test_a_checkpoint_of_another_size_or_root_is_not_the_one_that_was_given(challenged):
    """A longer log, another root over as many entries, an empty log: refused."""
    note = parse_note(newest(challenged))
    for size, root in ((note.size + 1, note.root), (note.size, bytes(32)), (0, merkle.EMPTY_ROOT), (1, bytes(32))):
        assert both(challenged.data, anchor=Checkpoint(note.origin, size, root).to_note()) == {3}, size
    assert both(challenged.data, anchor="no checkpoint") == {3}


def test_an_older_checkpoint_has_to_be_shown_and_signed(challenged):
    """Where the archive does not show the log at that size, or the checkpoint is unsigned, its origin is unknown."""
    challenged.trail.append([finding(number) for number in range(10, 30)])
    data = challenged.again("another", cuts=())
    assert both(data, key=challenged.key) == {0}
    assert both(data, anchor=newest(challenged)) == {4}
    shown = challenged.again("another", cuts=tuple(challenged.checkpoints))
    committed = [{0} if size >= 10 else {4} for size in challenged.checkpoints]
    assert [both(shown, anchor=note) for note in challenged.checkpoints.values()] == committed
    bare = [note.split("\n\n")[0] + "\n\n" for note in challenged.checkpoints.values()]
    assert [both(shown, anchor=note) for note in bare] == [{4}] * len(bare)


def test_rows_that_were_committed_to_after_the_auditors_checkpoint_are_not_vouched_for(challenged):
    """Whoever knew the seed by then could have chosen the rows; what was committed to before cannot have been."""
    note = challenged.checkpoints[1]
    assert both(challenged.data, anchor=note) == {4}
    says = "the rows were committed to after the checkpoint that was given: perhaps to suit the seed"
    assert says in verify_py.verify(challenged.data, anchor=note.encode())[1][0]
    assert check_challenge(challenged.data, anchor=note).checks[0].says == says


@pytest.mark.parametrize("table", ["votes", "dataset"])
def test_a_table_behind_the_labels_that_was_committed_to_for_the_seed_is_not_vouched_for(challenged, tmp_path, table):
    """Labels committed to in time draw the rows; votes or texts made up for these rows afterwards are not taken for old."""
    kept = max(challenged.checkpoints)
    assert both(challenged.again("heard", cuts=(kept,)), anchor=challenged.checkpoints[kept]) == {0}
    column, made_up = {"votes": ("lexicon", pl.lit(1, pl.Int8)), "dataset": ("text", pl.lit("harmless"))}[table]
    write_table(tables_of_rows.frames()[table].with_columns(made_up.alias(column)), tmp_path / "made_up.parquet")
    of = challenged.tables[table].commitment.of
    rows = RowTable(challenged.trail, tmp_path / "made_up.parquet", of=of, id_column="example_id", subject_column="")
    challenged.tables[table] = CommittedTable(rows, rows.committed(make_keys=True).commitment)
    challenged.trail.append([challenged.tables[table].commitment])
    assert both(challenged.again("heard", cuts=(kept,)), anchor=challenged.checkpoints[kept]) == {4}


@pytest.mark.parametrize("table", ["labels", "votes", "dataset"])
@pytest.mark.parametrize("way", ["rows", "amended"])
def test_a_row_that_is_called_erased_when_the_seed_is_heard_is_not_vouched_for(challenged, tmp_path, table, way):
    """Whoever kept a checkpoint from before learns of it; a newer one covers it, also where it is entered once more."""
    seed, labels = "heard", challenged.tables["labels"].commitment
    (number, *_) = draw_rows(seed, root=labels.root, size=labels.rows, rows=2)
    hide(challenged, tmp_path / f"{table}.parquet", number, way=way)
    before, after = 11, challenged.trail.size()
    data = challenged.again(seed, cuts=(before, after))
    assert [both(data, anchor=challenged.checkpoints[before]), both(data, key=challenged.key)] == [{4}, {0}]
    says = "rows that were drawn were erased after the checkpoint that was given: perhaps to suit the seed"
    assert says in verify_py.verify(data, anchor=challenged.checkpoints[before].encode())[1][0]
    assert check_challenge(data, anchor=challenged.checkpoints[before]).checks[0].says == says
    note = challenged.trail.checkpoints()[-2][1]
    assert parse_note(note).size == after
    assert both(data, anchor=note) == {0}
    hide(challenged, tmp_path / f"{table}.parquet", number, way=way)
    assert both(challenged.again(seed, cuts=(after,)), anchor=note) == {0}


@pytest.mark.parametrize("table", ["labels", "votes", "dataset"])
def test_an_erasure_of_rows_that_were_not_drawn_is_nothing_to_the_auditor(challenged, tmp_path, table):
    """Others go when they ask to; what the seed draws is shown all the same."""
    seed, labels = "heard", challenged.tables["labels"].commitment
    drawn = draw_rows(seed, root=labels.root, size=labels.rows, rows=2)
    hide(
        challenged,
        tmp_path / f"{table}.parquet",
        next(number for number in range(labels.rows) if number not in drawn),
        way="rows",
    )
    assert both(challenged.again(seed, cuts=(11,)), anchor=challenged.checkpoints[11]) == {0}


def hide(challenged: Challenged, path: Path, number: int, *, way: str) -> None:
    """Enters an erasure of the row of a table on the labelled example of this number, and keeps its leaf alone."""
    one = challenged.tables[path.stem]
    position = one.rows.ids.index(IDS[number])
    made = {"at": challenged.trail.size(), "who": "A. Ode", "reason": "", "files": [], "keys": 1, "others": 0}
    part = ErasedRows.model_validate({"commitment": one.commitment.name, "rows": (), "amended": (), way: (position,)})
    kept = {one.commitment.of: {position: KeptLeaf(one.rows.leaf(position), amended=True)}}
    erasure = Erasure.make(rows=[part], **made)
    challenged.trail.append([erasure], also=lambda connection, _: keep_leaves(challenged.trail, connection, kept))
    rows = RowTable(challenged.trail, path, of=one.commitment.of, id_column="example_id", subject_column="")
    challenged.tables[path.stem] = CommittedTable(rows, one.commitment)


def test_a_commitment_that_is_entered_again_later_is_as_old_as_its_first_entry(challenged):
    """The rows were bound by then; a log that says it twice, which only its owner can make, is judged by both alike."""
    entries = [data for _, data, _ in challenged.trail.raw_entries()]
    commitments = [parse(data) for data in entries if parse(data)["kind"] == "commitment"]
    again = [canonical(one | {"at": one["at"] + 10**6}) for one in commitments]
    asked = parse(entries[-1])
    told = [*entries[:-1], *again, canonical(asked | {"body": asked["body"] | {"since": [10]}})]
    root = merkle.root(merkle.leaf_hash(data) for data in told)
    made = {
        "entries.jsonl": b"".join(data + b"\n" for data in told),
        "places.json": canonical(list(range(len(told)))),
        "log.nodes": b"",
        "checkpoint": Checkpoint(challenged.trail.log, len(told), root).signed(owners_key()).to_note().encode(),
    }
    data = changed(challenged, lambda files: files.update(made))
    assert both(data, anchor=challenged.checkpoints[10]) == {0}


def test_rows_that_another_seed_drew_are_no_answer(challenged):
    """The archive says which seed drew them: whoever gives their own learns of another, in words and by the exit code."""
    for seed, code in (("a seed", 0), ("a seed that suits the owner", 3), ("", 3)):
        assert both(challenged.data, seed=seed, key=challenged.key) == {code}
        assert both(challenged.data, seed=seed, anchor=newest(challenged)) == {code}


@pytest.mark.parametrize("table", ["labels", "votes", "dataset"])
def test_a_commitment_to_a_part_of_a_table_is_refused(tmp_path, own_home, monkeypatch, table):
    """An owner who leaves rows out of what the seed draws from has committed to a smaller table than was recorded."""
    monkeypatch.setattr("rows.state", larger(table, tables_of_rows.state))
    challenged = make_challenged(tmp_path)
    assert both(challenged.data, key=challenged.key) == {3}
    assert both(challenged.data, anchor=newest(challenged)) == {3}


def larger(table: str, state: Callable[..., dict[str, Record]]) -> Callable[..., dict[str, Record]]:
    """The records of the tables, one of which says that it has a row more."""

    def made(*given: object) -> dict[str, Record]:
        stated = state(*given)
        rest = {
            name: record.body() | ({"rows": 9} if name == table else {})
            for name, record in stated.items()
            if name != "source"
        }
        dataset = Dataset.make(**rest["dataset"])
        votes = Votes.make(**rest["votes"] | {"dataset": dataset.name})
        labels = Labels.make(**rest["labels"] | {"dataset": dataset.name, "votes": votes.name})
        return {"source": stated["source"], "dataset": dataset, "votes": votes, "labels": labels}

    return made


def test_what_no_honest_writer_writes_is_refused_by_both(challenged):
    """A size that no log has, and a signature line without a name: neither verifier falls over."""
    old = parse_note(newest(challenged))
    for digits in (16, 20, 400, 4000):
        note = f"{old.origin}\n{'9' * digits}\n{newest(challenged).splitlines()[2]}\n\n".encode()
        data = changed(challenged, lambda files, note=note: files.update(checkpoint=note))
        assert both(data) == {3}, digits
    nameless = "\u2014  " + newest(challenged).splitlines()[4].split(" ")[2] + "\n"
    data = changed(challenged, lambda files: files.update(checkpoint=files["checkpoint"] + nameless.encode()))
    assert both(data, key=challenged.key) == {3}


def test_no_other_row_can_be_found_in_a_challenge(challenged):
    """Neither id nor text nor salt nor leaf of any row that was not drawn."""
    drawn = {row["number"] for row in lines(read_archive(challenged.data, where="test"), "labels.jsonl")}
    assert len(drawn) == 2
    for number in range(len(TEXTS)):
        # An id may stand in a digest by accident, and does not stand in quotes.
        assert (f'"{IDS[number]}"'.encode() in challenged.data) == (number in drawn)
        assert (TEXTS[number].encode() in challenged.data) == (number in drawn)
        for name in ("labels", "dataset"):
            opened = challenged.tables[name].rows.opened(number)
            assert (opened.salt.hex().encode() in challenged.data) == (number in drawn)
            assert opened.salt not in challenged.data
            assert (opened.row in challenged.data) == (number in drawn)
    entries = read_archive(challenged.data, where="test")["entries.jsonl"]
    assert not any(example.encode() in entries for example in (*(f'"{one}"' for one in IDS), *TEXTS))


def test_what_was_shown_is_entered_into_the_log(challenged):
    """The newest entry names seed, number, commitments and who decided it; it names no example."""
    _, entry = challenged.trail.entries()[-1]
    record = entry.record
    assert isinstance(record, Challenge)
    assert (record.seed, record.rows, record.who) == ("a seed", 2, "A. Ode")
    assert record.commitments == tuple(
        challenged.tables[table].commitment.name for table in ("labels", "votes", "dataset")
    )


def test_the_same_seed_asked_again_is_answered_again(challenged):
    """Each showing is an entry of its own, with the same rows, whatever was recorded in between."""
    size = challenged.trail.size()
    again = challenged.again("a seed", cuts=(1,))
    assert both(again, key=challenged.key, seed="a seed") == {0}
    challenged.trail.append([finding(99)])
    once_more = challenged.again("a seed", cuts=(1,))
    assert both(once_more, key=challenged.key, seed="a seed") == {0}
    assert challenged.trail.size() == size + 3
    assert len({read_archive(data, where="test")["labels.jsonl"] for data in (challenged.data, again, once_more)}) == 1


@pytest.mark.parametrize("without", ["votes", "dataset"])
def test_a_table_without_a_commitment_is_said_not_to_be_shown(challenged, without):
    """Labels alone can be challenged; what is missing is told."""
    data = challenged.again("x", 3, without=without)
    assert both(data, key=challenged.key) == {0}
    assert f"not shown: rows of the {without}" in check_challenge(data).told
    assert without not in verify_py.verify(data)[1][-2]


def test_as_many_rows_as_there_are_at_most(challenged):
    """Whoever asks for more gets all of them, each once."""
    data = challenged.again("all", 10_000)
    assert both(data, key=challenged.key) == {0}
    assert sorted(row["number"] for row in lines(read_archive(data, where="test"), "votes.jsonl")) == list(range(8))
    assert read_archive(data, where="test")["labels.nodes"] == b""


def test_a_table_that_is_not_the_committed_one_is_not_handed_out(challenged, tmp_path):
    """Another cell, a row less, a missing example: refused before anything is entered into the log."""
    size = challenged.trail.size()
    frame = challenged.tables["labels"].rows.frame
    for number, other in enumerate([frame.head(7), frame.with_columns(label=1 - frame["label"])]):
        write_table(other, tmp_path / f"{number}.parquet")
        commitment = challenged.tables["labels"].commitment
        rows = RowTable(challenged.trail, tmp_path / f"{number}.parquet", of=commitment.of, id_column="example_id")
        with pytest.raises(BrokenEvidence, match="labels"):
            Challenged(**vars(challenged) | {"tables": {"labels": CommittedTable(rows, commitment)}}).again("s")
    renamed = challenged.tables["votes"].rows
    renamed.ids = [example + "0" for example in renamed.ids]
    with pytest.raises(MissingEvidence, match="2 of the 2 drawn examples"):
        challenged.again("s")
    assert challenged.trail.size() == size


def test_the_published_verifier_checks_a_challenge_alone(challenged, tmp_path):
    """`python -I -S verify.py` says the rows, and exits with 0, 3 and 4."""
    for name, data in (
        ("c.zip", challenged.data),
        ("note", newest(challenged).encode()),
        ("verify.py", (Path(published.__file__).parent / "verify.py").read_bytes()),
    ):
        (tmp_path / name).write_bytes(data)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "verify.py", "c.zip", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    whole = run("--checkpoint", "note")
    assert (whole.returncode, run().returncode) == (0, 4)
    assert "words " in whole.stdout
    (tmp_path / "c.zip").write_bytes(challenged.data[:-1])
    assert run("--checkpoint", "note").returncode == 3


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.integers(1, 400), st.data())
def test_the_drawn_rows_are_different_ones_of_the_table_and_always_the_same(seed, size, data):
    """Both verifiers draw the same; a longer draw begins with a shorter one."""
    rows = data.draw(st.integers(1, size))
    root = hashlib.sha256(data.draw(st.binary(max_size=4))).hexdigest()
    drawn = draw_rows(seed, root=root, size=size, rows=rows)
    assert len(set(drawn)) == len(drawn) == rows
    assert all(0 <= number < size for number in drawn)
    assert drawn == draw_rows(seed, root=root, size=size, rows=rows)
    assert drawn == verify_py.draw(seed, rows, {"root": root, "rows": size})
    assert draw_rows(seed, root=root, size=size, rows=1) == drawn[:1]


def test_every_row_is_drawn_about_as_often_as_any_other():
    """Over many seeds the counts are spread as chance spreads them (chi-square with 49 degrees of freedom)."""
    counts: Counter[int] = Counter()
    for seed in range(2_000):
        counts.update(draw_rows(str(seed), root="0" * 64, size=50, rows=5))
    expected = 2_000 * 5 / 50
    assert sum((counts[number] - expected) ** 2 / expected for number in range(50)) < 85.35  # p = 0.001
    moved = [draw_rows("s", root=f"{n:064x}", size=1_000_000, rows=1)[0] for n in range(50)]
    assert len(set(moved)) == 50


def test_a_seed_that_is_no_text_is_refused_by_name_and_nothing_is_entered(challenged):
    """What a terminal hands on of bytes that are not UTF-8 has no digest that an auditor could compute again."""
    size = challenged.trail.size()
    with pytest.raises(InvalidRecord, match="seed"):
        challenged.again("lottery \udcff")
    assert challenged.trail.size() == size


def test_drawing_more_rows_than_there_are_is_refused_by_name():
    """And none, and a negative number."""
    for rows in (0, -1, 4):
        with pytest.raises(InvalidRecord, match="rows"):
            draw_rows("s", root="0" * 64, size=3, rows=rows)


def test_the_entry_of_a_commitment_of_another_kind_is_no_commitment(challenged):
    """A name that is not that of a commitment among the shown entries is refused by both."""
    told = lines(read_archive(challenged.data, where="test"), "entries.jsonl")
    names = [read_entry(canonical(one), where="test").record for one in told]
    labels = next(record for record in names if record.kind == "labels")
    assert any(isinstance(record, Commitment) for record in names)
    data = changed(challenged, lambda files: asked_as(files, owners_key(), commitments=[labels.name]))
    assert both(data, key=challenged.key) == {3}
