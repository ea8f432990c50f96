"""SQLite's rollback journal: kept empty by whoever goes on recording, and nowhere afterwards. Never another journal."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from small_facts import finding
from sqlalchemy import create_engine

from governance.errors import Busy, InvalidRecord
from governance.proof.log import LogCheck
from governance.store import trail as trail_room
from governance.store.tables import SubjectKeyRow
from governance.store.trail import Trail

URL = "sqlite:///.labeltrail/trail.db"
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # a server has a journal of its own


def journal(root: Path) -> Path:
    return root / ".labeltrail" / "trail.db-journal"


def beside(root: Path) -> set[str]:
    return {path.name for path in (root / ".labeltrail").iterdir()}


def test_a_journal_is_kept_by_whoever_goes_on_and_gone_when_the_store_is_closed(trail, tmp_path):
    """In between it begins with zeros, by which SQLite sees that no transaction is open (sqlite.org/fileformat2.html)."""
    assert journal(tmp_path).read_bytes()[:28] == bytes(28)
    trail.database.close()
    assert beside(tmp_path) == {"trail.db", "log", "open.lock"}


def test_whoever_records_once_and_closes_nothing_leaves_no_journal(trail, tmp_path):
    """Neither does a process that records many times and ends: the folder holds the store alone."""
    trail.database.close()
    Trail.open(URL, root=tmp_path, project="tests").append([finding(5)])
    assert not journal(tmp_path).exists()
    said = (
        "import sys; from pathlib import Path; from small_facts import finding; from governance.store.trail import Trail\n"
        "trail = Trail.open(sys.argv[1], root=Path(sys.argv[2]), project='tests')\n"
        "for number in range(10, 13): trail.append([finding(number)])\n"
        "assert Path(sys.argv[2], '.labeltrail/trail.db-journal').exists()\n"
    )
    tests = str(Path(__file__).parent.parent)
    subprocess.run([sys.executable, "-c", said, URL, str(tmp_path)], check=True, cwd=tests)
    assert not journal(tmp_path).exists()
    assert Trail.open(URL, root=tmp_path, project="tests").size() == 9


def test_a_copy_of_the_store_alone_is_whole_while_its_recorder_goes_on(trail, tmp_path):
    """Between two transactions there is nothing in the journal that the store needs."""
    for number in range(5, 8):
        trail.append([finding(number)])
        root = tmp_path / str(number)
        (root / ".labeltrail").mkdir(parents=True)
        for name in ("trail.db", "log"):
            shutil.copy(tmp_path / ".labeltrail" / name, root / ".labeltrail" / name)
        copy = Trail.open(URL, root=root, project="tests")
        assert copy.size() == number + 1
        assert [check for check in LogCheck(copy).run() if check.state == "broken"] == []


def test_what_is_forgotten_is_in_no_file_of_the_store(trail, tmp_path):
    """A key that lay in a journal which is kept goes with the transaction that destroys it, whoever records afterwards."""
    keys, key = SubjectKeyRow.__table__, b"a key of somebody, 32 bytes long"

    def written() -> list[str]:
        return [path.name for path in (tmp_path / ".labeltrail").iterdir() if key in path.read_bytes()]

    row = {"log": trail.log, "pseudonym": b"somebody", "key": key}
    trail.append([finding(5)], also=lambda connection, _: connection.execute(keys.insert(), row))
    row = {"log": trail.log, "pseudonym": b"somebody else", "key": bytes(32)}
    other = Trail.open(URL, root=tmp_path, project="tests")
    other.append([finding(6)])
    other.append([finding(7)], also=lambda connection, _: connection.execute(keys.insert(), row))
    assert sorted(written()) == ["trail.db", "trail.db-journal"]
    gone = keys.delete().where(keys.c.pseudonym == b"somebody")
    trail.append([finding(8)], also=lambda connection, _: connection.execute(gone), forgets=True)
    assert not journal(tmp_path).exists()
    assert written() == []
    other.append([finding(9)])
    trail.append([finding(10)])
    assert written() == []


def test_a_process_that_was_forked_leaves_the_journal_to_its_parent(trail, tmp_path):
    """It may end while its parent is in the middle of a transaction."""
    if not (child := os.fork()):
        trail.database.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journal(tmp_path).exists()
    trail.append([finding(5)])
    assert trail.size() == 6
    trail.database.close()
    assert not journal(tmp_path).exists()


def test_a_process_that_was_forked_records_beside_its_parent(trail, tmp_path):
    """Each by a connection of its own, and each goes on from what the other entered."""
    if not (child := os.fork()):
        trail.append([finding(5)])
        trail.append([finding(6)])
        trail.database.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert trail.append([finding(7), finding(5)]).positions == {finding(7).name: 7}
    assert [check for check in LogCheck(trail).run() if check.state == "broken"] == []


def test_a_store_that_is_opened_again_while_a_thread_writes_to_it_stays_locked(trail, tmp_path):
    """Closing the file anywhere in the process would take the writer's locks off it, and two would write."""
    inside, go = threading.Event(), threading.Event()

    def waits(*_):
        inside.set()
        assert go.wait(30)

    writer = threading.Thread(target=trail.append, args=([finding(5)],), kwargs={"also": waits})
    writer.start()
    assert inside.wait(30)
    again = Trail.open(URL, root=tmp_path, project="tests", wait_seconds=0.05)
    script = (
        "import sys; from pathlib import Path\n"
        "from governance.errors import Busy\nfrom governance.store.trail import Trail\n"
        "trail = Trail.open(sys.argv[1], root=Path(sys.argv[2]), project='tests', wait_seconds=0.05)\n"
        "try:\n    trail.database.writing().__enter__()\nexcept Busy:\n    print('busy')"
    )
    asked = [sys.executable, "-c", script, URL, str(tmp_path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    go.set()
    writer.join()
    assert (done.stdout, done.stderr) == ("busy\n", "")
    assert again.append([finding(6), finding(5)]).positions == {finding(6).name: 6}


def test_what_is_to_happen_with_a_record_that_is_entered_already_is_refused(trail):
    """Nobody may take for done what was skipped."""
    with pytest.raises(InvalidRecord, match="entered already"):
        trail.append([finding(1)], also=lambda *_: None)


def test_a_store_that_somebody_put_into_write_ahead_logging_is_taken_out_of_it(trail, tmp_path):
    """Once nobody else is in it any more; until then whoever opens it is told to try again."""
    trail.database.close()
    path = tmp_path / ".labeltrail" / "trail.db"
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        other.execute("SELECT count(*) FROM trail_entry").fetchone()
        with pytest.raises(Busy, match="locked"):
            Trail.open(URL, root=tmp_path, project="tests", wait_seconds=0.05)
    again = Trail.open(URL, root=tmp_path, project="tests")
    again.append([finding(5)])
    # Bytes 18 and 19 of the header: 1 for a rollback journal, 2 for write-ahead logging (sqlite.org/fileformat2.html).
    assert path.read_bytes()[18:20] == b"\x01\x01"


def test_write_ahead_logging_would_lose_what_was_acknowledged(trail, tmp_path):
    """The reason for which it is not used: once a process has read a store as a file, others no longer see its locks.

    POSIX takes all locks of a process off a file when it closes the file anywhere (sqlite.org/howtocorrupt.html, 2.2). A
    rollback journal is locked while something is written, a write-ahead log as long as it is open.
    """
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as one:
        one.execute("PRAGMA journal_mode = WAL")
        one.execute("PRAGMA synchronous = FULL")
        one.execute("CREATE TABLE entries (number)")
        path.read_bytes()
        asked = "sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM entries').fetchone()"
        count = f"import sqlite3, sys; print(*{asked})"

        def seen_by_another() -> str:
            return subprocess.run(
                [sys.executable, "-c", count, str(path)], check=True, capture_output=True, text=True
            ).stdout.strip()

        assert seen_by_another() == "0"
        one.execute("INSERT INTO entries VALUES (1)")
        assert seen_by_another() == "0"


def test_the_last_number_of_a_log_is_found_without_reading_the_others(trail):
    """Every transaction of a process that has not signed the head itself asks for it, in a log of any length."""
    asked = trail_room._LAST_NUMBER.compile(dialect=create_engine("sqlite://").dialect)
    with trail.database.reading() as connection:
        values = tuple(trail.log if name == "log" else asked.params[name] for name in asked.positiontup)
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)]
    assert plan == ["SEARCH node USING PRIMARY KEY (log=?)"]
