"""Killed at any moment, or with a disk that fails: nothing acknowledged is lost, nothing is torn, and all goes on."""

from __future__ import annotations

import errno
import os
import signal

import pytest
from behind import Behind
from crashing.crowd import Crowd, acknowledged
from crashing.injected import FAULTS, WAYS, Injector, can_trace, sample
from crashing.lost_answer import BreakingLine
from crashing.nursery import SQLITE, Nursery, look_at, make_place
from crashing.outage import Outage
from crashing.power import cut_power
from filelock import FileLock
from small_facts import finding

from governance.errors import Busy, ConfigurationError, StoreLost
from governance.proof.log import LogCheck
from governance.store import pointer as pointer_room
from governance.store.trail import Trail

traced = pytest.mark.skipif(
    not can_trace(), reason="without strace, or the right to trace, no system call can be made to fail here"
)


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as made:
        yield made


@traced
@pytest.mark.parametrize("seed", [1, 2])
def test_a_recorder_may_be_killed_or_fail_at_any_write(tmp_path, nursery, seed):
    """A sample of the write calls of recording a run, with SIGKILL, EIO and ENOSPC; `make soak` strikes at every one."""
    injector = Injector(tmp_path, nursery)
    calls = {way: injector.calls(way) for way in WAYS}
    assert {call.name for call in calls["first"]} >= {"pwrite64", "fdatasync", "unlink", "openat", "rename", "mkdir"}
    strikes = sample(calls, seed=seed, of_each=3)
    assert len(set(strikes)) == 3 * len(FAULTS)
    outcomes = [injector.strike(*strike) for strike in strikes]
    assert [outcome for outcome in outcomes if outcome.wrong] == []
    # Far below on a machine of its own; the figure that is claimed is measured by `make soak`.
    assert max(outcome.seconds for outcome in outcomes) < 5


@traced
def test_nothing_is_acknowledged_before_its_journal_is_out_of_the_way(tmp_path, nursery):
    """A power cut cannot bring back the journal of a transaction that was acknowledged, and with it take it back: of the
    first the folder has forgotten it, of those that follow its head is empty on the disk."""
    calls = Injector(tmp_path, nursery).calls("again")
    said = [(call.name, call.file.removeprefix("project/.labeltrail").removeprefix("/trail.db")) for call in calls]
    stored = [number for number, call in enumerate(calls) if (call.name, call.file[-9:]) == ("fdatasync", "/trail.db")]
    assert [said[number + 1 : number + 3] for number in stored] == [
        [("unlink", "-journal"), ("fdatasync", "")],
        [("pwrite64", "-journal"), ("fdatasync", "-journal")],
    ]


@traced
@pytest.mark.parametrize("way", WAYS)
def test_a_power_cut_takes_back_nothing_that_was_acknowledged(tmp_path, nursery, way):
    """At some moments of recording a run, and at each acknowledgement: what was synced alone suffices, and so does more."""
    found = cut_power(Injector(tmp_path, nursery), tmp_path, way, seed=7, moments=16)
    assert len(found) >= 12
    assert [after.wrong for after in found if after.wrong] == []


@pytest.mark.parametrize("seed", [3, 4])
def test_writers_that_are_killed_lose_nothing_that_they_acknowledged(tmp_path, nursery, seed):
    """Two to eight at once: every acknowledged entry is there once and in its place, also in a copy taken in between."""
    crowd = Crowd(tmp_path, nursery, seed=seed)
    rounds = [crowd.round() for _ in range(2)]
    assert [round_.wrong for round_ in rounds] == [(), ()]
    assert sum(round_.kills for round_ in rounds) >= 4
    assert sum(round_.acknowledged for round_ in rounds) > 0


def test_a_pointer_that_cannot_be_written_is_told_and_the_log_is_found_again(tmp_path, monkeypatch):
    """A full disk right after the log began ends in one error of ours, and the next opening goes on with that log."""
    written = []

    def full(path, data):
        written.append(data.split()[-1].decode())
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr(pointer_room, "write_atomically", full)
    with pytest.raises(ConfigurationError, match="No space left") as told:
        Trail.open(SQLITE, root=tmp_path, project="tests", create=True)
    assert told.value.hint == "free some space"
    trail = Trail.open(SQLITE, root=tmp_path, project="tests", create=True)
    assert written == [trail.log] * 3
    assert trail.size() == 1


def test_a_memory_that_cannot_be_written_keeps_nobody_from_recording(trail, own_home):
    """The checkpoint is remembered after the fact: what was recorded is acknowledged all the same."""
    (own_home / "labeltrail" / "seen").rename(own_home / "labeltrail" / "kept")
    (own_home / "labeltrail" / "seen").write_text("a file, where there should be a folder")
    assert len(trail.append([finding(7)]).positions) == 1


def test_whoever_waits_for_another_that_opens_the_project_is_told_to_try_again(tmp_path):
    """A process that stands still while it opens a project does not hold up the others for ever."""
    Trail.open(SQLITE, root=tmp_path, project="tests", create=True).database.close()
    with FileLock(tmp_path / ".labeltrail" / "open.lock"), pytest.raises(Busy, match="is opening"):
        Trail.open(SQLITE, root=tmp_path, project="tests", create=True, wait_seconds=0.05)


@pytest.mark.parametrize("seed", [5])
def test_clients_of_a_server_that_are_killed_lose_nothing_that_they_acknowledged(
    tmp_path, nursery, postgres_server, seed
):
    """On PostgreSQL too: every acknowledged entry is there once and in its place."""
    outage = Outage(tmp_path, nursery, postgres_server, seed=seed)
    rounds = [outage.of_clients() for _ in range(2)]
    assert [round_.wrong for round_ in rounds] == [(), ()]
    assert sum(round_.acknowledged for round_ in rounds) > 0


def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path, nursery, own_postgres):
    """Started again, it holds every acknowledged entry; who states its facts again after a lost answer states them once."""
    outage = Outage(tmp_path, nursery, own_postgres, seed=6)
    rounds = [outage.of_the_server()]
    # A kill between two transactions of everybody leaves nobody without an answer.
    while sum(round_.busy > 0 for round_ in rounds) < 2 and len(rounds) < 10:
        rounds.append(outage.of_the_server())
    assert [round_.wrong for round_ in rounds if round_.wrong] == []
    assert sum(round_.busy > 0 for round_ in rounds) == 2


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("how", "wrong"),
    [
        ("DELETE FROM trail_subject_key", ["have lost a key"]),
        ("UPDATE trail_subject_key SET key = ?", ["is another one now"]),
    ],
)
def test_a_key_that_a_crowd_lost_would_be_noticed(tmp_path, nursery, request, store, how, wrong):
    """Writers commit to rows, too; a store that kept every entry and not every key of a row is not whole."""
    place = make_place(tmp_path / "place", SQLITE if store == "sqlite" else request.getfixturevalue("postgres_url"))
    writer = nursery.begin(place, seed=1, wait_seconds=30, bears=True)
    assert acknowledged(place)
    os.kill(writer, signal.SIGKILL)
    nursery.wait(writer)
    assert look_at(place).wrong == ()
    values = (bytes(32),) if "?" in how else ()
    assert Behind(place.url, place.root).change(how, values)
    assert [says for says in wrong if any(says in line for line in look_at(place).wrong)] == wrong


@pytest.fixture
def line(postgres_server):
    made = BreakingLine(postgres_server.folder, postgres_server.port)
    yield made
    made.close()


@pytest.mark.parametrize(("breaks", "new"), [("before", [1, 2, 3]), ("after", [3])])
def test_whoever_got_no_answer_to_a_commit_states_the_same_again(
    tmp_path, line, postgres_server, postgres_database, breaks, new
):
    """Whether it was recorded is not known then; stated again, each fact is there once, whichever it was."""
    url = postgres_server.url(postgres_database).replace(str(postgres_server.folder), str(line.folder))
    trail = Trail.open(url, root=tmp_path, project="tests", create=True)
    line.breaks = breaks
    with pytest.raises(StoreLost) as lost:
        trail.append([finding(1), finding(2)])
    assert lost.value.recorded == "unknown"
    appended = trail.append([finding(1), finding(2), finding(3)])
    assert set(appended.positions) == {finding(number).name for number in new}
    names = [entry.record.name for _, entry in trail.entries()][1:]
    assert names == [finding(number).name for number in (1, 2, 3)]
    assert list(LogCheck(trail).run()) == []
