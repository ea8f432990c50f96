"""The log: appended to, never changed, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from behind import Behind
from small_facts import NOBODY, finding

from governance.errors import BrokenEvidence, Busy, ConfigurationError, InvalidRecord, MissingEvidence
from governance.proof.log import LogCheck
from governance.records import LogStart, Recipe, Repro, Result
from governance.store import keys, merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.entry import Entry, read_entry
from governance.store.tables import EdgeRow, FileRow, FindingRow, NodeRow, RecordRow, ResultRow
from governance.store.trail import Trail

URL = "sqlite:///.labeltrail/trail.db"


def open_again(trail: Trail, url: str, root: Path) -> Trail:
    trail.database.close()
    return Trail.open(url, root=root, project="tests")


def test_records_come_back_in_the_order_in_which_they_were_entered(trail, store_url, tmp_path):
    """Another process reads exactly what was appended, after the start of the log."""
    again = open_again(trail, store_url, tmp_path)
    names = [entry.record.name for _, entry in again.entries()]
    assert names[1:] == [finding(i).name for i in (1, 2, 3, 4)]
    assert isinstance(again.entries()[0][1].record, LogStart)
    assert again.size() == 5
    assert again.entries(start=3, stop=4)[0][1].at == 1_700_000_001_000_000


def test_a_fact_is_entered_once_however_often_it_is_stated(trail):
    """Stating known facts adds nothing, also beside new ones and twice in one call."""
    appended = trail.append([finding(1), finding(9), finding(9), finding(2)])
    assert list(appended.positions.values()) == [5]
    assert trail.append([finding(9)]).positions == {}
    assert trail.size() == 6


def test_every_transaction_ends_with_a_signed_checkpoint_over_everything(trail):
    """Sizes are those of the transactions, roots those of the entries, and the signer is the log's key."""
    leaves = [leaf for _, _, leaf in trail.raw_entries()]
    public = bytes.fromhex(trail.start().public_key or "")
    notes = [parse_note(note) for _, note, _ in trail.checkpoints()]
    assert [note.size for note in notes] == [1, 3, 5]
    for note in notes:
        assert note.root == merkle.root(leaves[: note.size])
        assert note.origin == trail.log
        assert note.signed_by(public)


def test_without_a_key_entries_are_recorded_and_checkpoints_are_unsigned(store_url, tmp_path):
    """A machine without a key records, and its checkpoints say that nobody signed."""
    trail = Trail.open(store_url, root=tmp_path, project="tests", create=True)
    appended = trail.append([finding(1)])
    assert not appended.signed
    assert trail.start().public_key is None
    keys.create_key()
    assert not trail.append([finding(2)]).signed  # a key that the log does not name proves nothing about it


def test_another_users_key_does_not_sign_this_log(trail, monkeypatch, tmp_path_factory):
    """Only the key named at the log's start signs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("other")))
    keys.create_key()
    assert not trail.append([finding(7)]).signed


def test_what_another_process_recorded_without_the_key_is_not_signed_in_passing(trail, monkeypatch, tmp_path_factory):
    """Whoever has signed once asks again whose the head is, when somebody else has recorded since."""
    assert trail.append([finding(7)]).signed
    assert trail.append([finding(8)]).signed
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("other")))
        assert not Trail(trail.database, trail.log).append([finding(9)]).signed
    assert not trail.append([finding(10)]).signed


def test_a_projection_rebuilt_from_the_log_is_the_same(trail):
    """Dropping every projected table and making it anew gives the same rows."""
    recipe = Recipe.make(
        stage="s", inputs=[], parameters={}, seed=1, code=[], distributions=[], python="3", threads=1, hash_seed="0"
    )
    outputs = [{"path": "a", "sha256": "1" * 64, "bytes": 3}]
    result = Result.make(stage="s", recipe=recipe.name, outputs=outputs, generated=[finding(1).name], used=[NOBODY])
    trail.append([recipe, result])
    tables = (RecordRow, EdgeRow, ResultRow, FileRow, FindingRow)
    before = {table: trail.projected(table) for table in tables}
    assert [len(before[table]) for table in tables] == [7, 7, 1, 1, 4]
    trail.rebuild()
    assert {table: trail.projected(table) for table in tables} == before


def test_a_text_with_a_nul_is_recorded_and_shown_with_its_sign(trail, store_url, tmp_path):
    """The entry keeps the character, the tables of both stores have the sign for it, and they fit each other."""
    odd = finding(7, says="before\0after")
    trail.append([odd])
    again = open_again(trail, store_url, tmp_path)
    assert again.entries()[-1][1].record == odd
    assert "before\N{SYMBOL FOR NULL}after" in {row["says"] for row in again.projected(FindingRow)}
    again.rebuild()
    assert not [check for check in LogCheck(again).run() if check.state == "broken"]


def test_an_edge_is_projected_from_the_record_that_states_it(trail):
    """The subject of an edge is the record, its object what the record refers to, its position that of the entry."""
    names = {node["number"]: node["name"] for node in trail.projected(NodeRow)}
    edges = [(edge["seq"], names[edge["subject"]], names[edge["object"]]) for edge in trail.projected(EdgeRow)]
    assert edges == [(number, finding(number).name, NOBODY) for number in (1, 2, 3, 4)]


def test_records_are_numbered_as_entries_first_name_them(trail):
    """One transaction goes on from the numbers of those before it, and another object of the same log from both."""
    trail.append([finding(5)])
    Trail(trail.database, trail.log).append([finding(6), finding(7)])
    names = [finding(number).name for number in range(1, 8)]
    assert [(node["number"], node["name"]) for node in trail.projected(NodeRow)] == list(
        enumerate([trail.entries()[0][1].record.name, names[0], NOBODY, *names[1:]])
    )


def test_an_entry_that_leaves_a_field_to_its_default_is_not_read():
    """Two spellings of one record would have two leaves: what would not be written so is refused."""
    whole = Entry(1, finding(1)).to_bytes()
    assert read_entry(whole, where="entry").to_bytes() == whole
    short = whole.replace(b'"limit":null,', b"")
    assert short != whole
    with pytest.raises(InvalidRecord, match="one canonical form"):
        read_entry(short, where="entry")


def test_a_transaction_that_fails_leaves_nothing_behind(trail, monkeypatch):
    """When the checkpoint cannot be made, neither entries nor rows are there."""
    before = trail.raw_entries(), trail.projected(RecordRow), trail.checkpoints()

    def broken(*_, **__):
        raise ValueError("no checkpoint today")

    monkeypatch.setattr(Checkpoint, "to_note", broken)
    with pytest.raises(BrokenEvidence, match="no checkpoint today"):
        trail.append([finding(8)])
    assert (trail.raw_entries(), trail.projected(RecordRow), trail.checkpoints()) == before


def test_a_second_writer_is_told_that_the_store_is_locked(trail, store_url, tmp_path):
    """While somebody writes, another writer is refused within its patience, and afterwards succeeds."""
    other = Trail.open(store_url, root=tmp_path, project="tests", wait_seconds=0.05)
    with trail.database.writing(), pytest.raises(Busy, match="locked"):
        other.append([finding(8)])
    assert other.append([finding(8)]).positions == {finding(8).name: 5}


def test_a_commit_that_waits_for_a_reader_in_vain_is_taken_back_whole(sqlite_url, tmp_path, own_home):
    """SQLite commits when nobody reads any more: the same writer is told to try again, and then succeeds."""
    reader = Trail.open(sqlite_url, root=tmp_path, project="tests", create=True)
    writer = Trail.open(sqlite_url, root=tmp_path, project="tests", wait_seconds=0.05)
    with reader.database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM trail_entry").fetchall()
        with pytest.raises(Busy, match="locked"):
            writer.append([finding(8)])
    assert writer.append([finding(8)]).positions == {finding(8).name: 1}


def test_a_log_that_its_newest_checkpoint_does_not_cover_is_not_gone_on_with(trail, store_url, tmp_path):
    """Nothing is appended to a log that was cut or spliced."""
    Behind(store_url, tmp_path).change("DELETE FROM trail_entry WHERE seq = 4")
    with pytest.raises(BrokenEvidence, match="expected 5 entries, found 4"):
        open_again(trail, store_url, tmp_path).append([finding(8)])


def test_a_changed_frontier_is_not_gone_on_with(trail, store_url, tmp_path):
    """The next root would otherwise stand on a tree that nobody signed."""
    peaks = " ".join(["ab" * 32, "cd" * 32])
    Behind(store_url, tmp_path).change("UPDATE trail_checkpoint SET frontier = ? WHERE size = 5", (peaks,))
    with pytest.raises(BrokenEvidence, match="checkpoint 5"):
        open_again(trail, store_url, tmp_path).append([finding(8)])


def test_a_store_that_is_not_ours_is_refused_and_left_alone(tmp_path):
    """A foreign file, another application's database, a folder and a database with other tables are named."""
    folder = tmp_path / ".labeltrail"
    folder.mkdir()
    path = folder / "trail.db"
    path.write_text("dear diary")
    with pytest.raises(ConfigurationError, match="not a LabelTrail store"):
        Trail.open(URL, root=tmp_path, project="tests", create=True)
    assert path.read_text() == "dear diary"
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    with pytest.raises(ConfigurationError, match="songs"):
        Trail.open(URL, root=tmp_path, project="tests", create=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id = 12345")
    connection.close()
    with pytest.raises(ConfigurationError, match="another application"):
        Trail.open(URL, root=tmp_path, project="tests", create=True)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match="folder"):
        Trail.open(URL, root=tmp_path, project="tests", create=True)


def test_no_store_and_an_empty_store_are_missing_evidence(tmp_path):
    """Where nothing is recorded yet, the way to record is named and nothing is made."""
    with pytest.raises(MissingEvidence, match="no store here yet"):
        Trail.open(URL, root=tmp_path, project="tests")
    assert not (tmp_path / ".labeltrail").exists()


def test_a_store_without_the_log_that_the_project_names_is_broken_evidence(trail, store_url, tmp_path):
    """A store that was exchanged for another is noticed, never gone on with."""
    trail.database.close()
    (tmp_path / ".labeltrail" / "log").write_text("f" * 32 + "\n")
    with pytest.raises(BrokenEvidence, match="the log ffff"):
        Trail.open(store_url, root=tmp_path, project="tests", create=True)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # a server's files are not ours to zero
def test_a_store_of_torn_bytes_is_broken_evidence(trail, tmp_path):
    """Zeroed pages end in one error that names the store."""
    trail.database.close()
    path = tmp_path / ".labeltrail" / "trail.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x00" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(BrokenEvidence, match=r"trail\.db"):
        Trail.open(URL, root=tmp_path, project="tests").entries()


def test_an_entry_that_cannot_be_read_is_named(trail, store_url, tmp_path):
    """Reading a log with a changed entry names the entry."""
    data = trail.raw_entries()[2][1].replace(b"pass", b"fine")
    Behind(store_url, tmp_path).change("UPDATE trail_entry SET data = ? WHERE seq = 2", (data,))
    with pytest.raises(BrokenEvidence, match="entry 2"):
        open_again(trail, store_url, tmp_path).entries()


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from small_facts import finding
from governance.store.trail import Trail
trail = Trail.open(sys.argv[5], root=Path(sys.argv[1]), project="tests", create=True, wait_seconds=30)
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    trail.append([finding(number)])
    print(number, flush=True)
"""


def writer(root: Path, url: str, start: int, stop: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parent.parent)
    command = [sys.executable, "-c", WRITER, str(root), tests, str(start), str(stop), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_that_begin_a_project_at_once_share_one_log_and_lose_nothing(store_url, tmp_path):
    """Three processes write at once into a store that none of them has made before: every entry is there once."""
    parts = ((0, 15), (15, 30), (10, 20))
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(writer(tmp_path, store_url, *part)) for part in parts]
        assert [process.wait(60) for process in writers] == [0, 0, 0]
    trail = Trail.open(store_url, root=tmp_path, project="tests")
    names = [entry.record.name for _, entry in trail.entries()][1:]
    assert sorted(names) == sorted(finding(number).name for number in range(30))
    assert parse_note(trail.checkpoints()[-1][1]).root == merkle.root(leaf for _, _, leaf in trail.raw_entries())


def test_a_writer_that_is_killed_loses_no_entry_that_it_acknowledged(store_url, tmp_path):
    """After SIGKILL the store opens, holds every acknowledged entry, and the next writer goes on."""
    for round_ in range(3):
        with writer(tmp_path, store_url, round_ * 1000, round_ * 1000 + 900) as process:
            assert process.stdout is not None
            acknowledged = [int(process.stdout.readline()) for _ in range(5 + 7 * round_)]
            os.kill(process.pid, signal.SIGKILL)
            acknowledged += [int(line) for line in process.stdout.read().split("\n") if line.strip()]
        trail = Trail.open(store_url, root=tmp_path, project="tests")
        began = time.monotonic()
        known = {entry.record.name for _, entry in trail.entries()}
        assert time.monotonic() - began < 5
        assert {finding(number).name for number in acknowledged} <= known
        trail.append([Repro.make(started=round_, ended=round_, stages={}, results={}, revision=None)])
        assert parse_note(trail.checkpoints()[-1][1]).size == trail.size() == len(trail.raw_entries())
