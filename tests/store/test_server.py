"""The store on a PostgreSQL server: what only a server can do, and what only a server can do wrong."""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from behind import Behind
from small_facts import finding

from governance.errors import Busy, ConfigurationError, GovernanceError, MissingEvidence, StoreLost
from governance.project import Project
from governance.proof.log import LogCheck
from governance.store import merkle
from governance.store.checkpoint import parse_note
from governance.store.commitments import SubjectKeys
from governance.store.forgetting import destroy_keys
from governance.store.pointer import Pointer
from governance.store.server import lock_number
from governance.store.tables import METADATA, RecordRow
from governance.store.trail import Trail

PASSWORD = "correct horse battery"


def opened(url: str, root: Path, *, project: str = "tests", **more) -> Trail:
    root.mkdir(exist_ok=True)
    return Trail.open(url, root=root, project=project, create=True, **more)


def over_tcp(server, database: str, *, user: str, password: str) -> str:
    return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{server.port}/{database}"


@pytest.fixture
def role(postgres_server, postgres_database):
    """The name of a role with a password that may make tables in the test's database."""
    name = f"role_{postgres_database}"
    postgres_server.execute(f"DROP ROLE IF EXISTS {name}")
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    postgres_server.execute(f"GRANT ALL ON SCHEMA public TO {name}", database=postgres_database)
    yield name
    postgres_server.execute(f"DROP OWNED BY {name} CASCADE", database=postgres_database)
    postgres_server.execute(f"DROP ROLE {name}")


def test_a_reader_sees_one_state_and_cannot_write(postgres_url, tmp_path):
    """What another writer commits meanwhile is not seen before the reading is over, and nothing can be written in it."""
    trail = opened(postgres_url, tmp_path)
    with trail.database.reading() as connection:
        before = trail.raw_entries(connection=connection)
        opened(postgres_url, tmp_path).append([finding(1)])
        assert trail.raw_entries(connection=connection) == before
    assert len(trail.raw_entries()) == len(before) + 1
    with pytest.raises(ConfigurationError, match="only be read"), trail.database.reading() as connection:
        connection.exec_driver_sql("DELETE FROM trail_entry")
    assert len(trail.raw_entries()) == len(before) + 1


def test_each_log_has_a_writer_of_its_own(postgres_url, tmp_path):
    """While one project writes, another records in the same database; a second writer of the same log is told."""
    one, other = opened(postgres_url, tmp_path / "a", project="a"), opened(postgres_url, tmp_path / "b", project="b")
    again = Trail.open(postgres_url, root=tmp_path / "a", project="a", wait_seconds=0.05)
    with one.database.writing():
        other.append([finding(1)])
        with pytest.raises(Busy, match="locked") as caught:
            again.append([finding(1)])
    assert int(caught.value.exit_code) == 5
    assert again.append([finding(1)]).positions == {finding(1).name: 1}


def test_the_lock_of_a_log_is_the_head_of_its_digest():
    """Another program, or another release, finds the same number: the first 64 bits of SHA-256, signed."""
    assert lock_number("") == int.from_bytes(bytes.fromhex("e3b0c44298fc1c14"), "big", signed=True)


UNREACHABLE = {
    "no_such_host": "postgresql+psycopg://u:{password}@no-such-host.invalid:5432/db",
    "nobody_there": "postgresql+psycopg://u:{password}@127.0.0.1:{closed}/db",
    "no_such_role": "postgresql+psycopg://nobody_known:{password}@127.0.0.1:{port}/postgres",
    "wrong_password": "postgresql+psycopg://{role}:not-{password}@127.0.0.1:{port}/{database}",
    "wrong_password_in_the_query": "postgresql+psycopg://{role}@127.0.0.1:{port}/{database}?password=not-{password}",
    "no_such_database": "postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/no_such_database",
    "no_such_option": "postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/{database}?bogus=1",
    "two_at_signs": "postgresql+psycopg://{role}:x@{password}@127.0.0.1:{port}/{database}",
}


@pytest.mark.parametrize("fault", sorted(UNREACHABLE))
def test_a_server_that_cannot_be_reached_is_named_and_the_password_is_not(
    fault, postgres_server, postgres_database, role, tmp_path
):
    """Exit 2 with host, port and database; the password is in no text, attribute or representation."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        password = PASSWORD.replace(" ", "%20")
        url = UNREACHABLE[fault].format(
            password=password,
            role=role,
            port=postgres_server.port,
            database=postgres_database,
            closed=closed.getsockname()[1],
        )
        with pytest.raises(ConfigurationError) as caught:
            opened(url, tmp_path)
    error = caught.value
    assert int(error.exit_code) == 2
    told = f"{error!r} {error} {error.hint} {error.facts()} {error.__cause__}"
    assert "correct" not in told
    assert error.hint
    if fault != "two_at_signs":
        host, port, database = re.search(r"@([^:/]*):(\d+)/([^?]*)", url).groups()
        assert f"at {host}, port {port}, database {database}" in told


def test_a_password_is_shown_by_nothing_that_holds_the_store(postgres_server, postgres_database, role, tmp_path):
    """Wherever the URL carries it, it opens the store and is in no text that the store makes of itself."""
    in_front = over_tcp(postgres_server, postgres_database, user=role, password=PASSWORD.replace(" ", "%20"))
    behind = in_front.replace(":" + PASSWORD.replace(" ", "%20"), "") + "?password=" + PASSWORD.replace(" ", "+")
    for url in (in_front, behind):
        trail = opened(url, tmp_path)
        engine = trail.database.engine
        told = (
            f"{trail.database.shown} {trail.database!r} {vars(trail.database)} {engine!r} {engine.url!r} {engine.url}"
        )
        assert "correct" not in told


def test_a_password_may_come_from_the_environment(postgres_server, postgres_database, role, tmp_path, monkeypatch):
    """labeltrail.toml names the server, and PGPASSWORD opens it."""
    url = f"postgresql+psycopg://{role}@127.0.0.1:{postgres_server.port}/{postgres_database}"
    with pytest.raises(ConfigurationError, match="password"):
        opened(url, tmp_path)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert opened(url, tmp_path).size() == 1


def test_texts_are_ordered_by_their_bytes_whatever_the_servers_locale(postgres_url, postgres_server, tmp_path):
    """Every text column of every table of ours has the collation C."""
    opened(postgres_url, tmp_path)
    query = (
        "SELECT c.relname, a.attname, l.collname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_collation l ON l.oid = a.attcollation WHERE c.relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = Behind(postgres_url, tmp_path).ask(query)
    assert {table for table, _, _ in found} == set(METADATA.tables)
    assert {collation for _, _, collation in found} == {"C"}


def test_the_driver_is_asked_for_where_it_is_not_installed(tmp_path, monkeypatch):
    """Without psycopg the error says how to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="driver") as caught:
        opened("postgresql+psycopg://u@127.0.0.1/db", tmp_path)
    assert "labeltrail[postgres]" in str(caught.value.hint)


def test_a_server_that_ends_in_mid_transaction_leaves_nothing_and_says_so(own_postgres, tmp_path):
    """Before the commit is asked for it is known that nothing was recorded; the next writer goes on from there."""
    trail = opened(own_postgres.url("postgres"), tmp_path)
    with pytest.raises(StoreLost, match="nothing was recorded") as caught, trail.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM record")
        own_postgres.kill()
        connection.exec_driver_sql("DELETE FROM edge")
    assert (caught.value.recorded, int(caught.value.exit_code)) == ("no", 4)
    with pytest.raises(GovernanceError, match="cannot be reached"):
        trail.append([finding(1)])
    own_postgres.start()
    assert len(trail.positions()) == 1
    assert trail.append([finding(1)]).positions == {finding(1).name: 1}


def test_a_server_that_ends_while_it_commits_leaves_it_unknown(own_postgres, tmp_path):
    """A lost answer to the commit is told as unknown, and recording the same again is harmless."""
    trail = opened(own_postgres.url("postgres"), tmp_path)
    with pytest.raises(StoreLost, match="not known") as caught, trail.database.writing():
        own_postgres.kill()
    assert caught.value.recorded == "unknown"
    assert "not entered twice" in str(caught.value.hint)
    own_postgres.start()
    assert trail.append([finding(1)]).positions == {finding(1).name: 1}
    assert trail.append([finding(1)]).positions == {}


def test_other_peoples_tables_stand_beside_ours_untouched(postgres_url, tmp_path):
    """A database that serves something else too gets our tables, and what was there is as it was."""
    behind = Behind(postgres_url, tmp_path)
    behind.change("CREATE TABLE songs (title text)")
    behind.change("INSERT INTO songs VALUES ('la mer')")
    trail = opened(postgres_url, tmp_path)
    trail.append([finding(1)])
    trail.rebuild()
    assert behind.ask("SELECT * FROM songs") == [("la mer",)]


@pytest.mark.parametrize("name", sorted(METADATA.tables))
@pytest.mark.parametrize("made", ["CREATE TABLE {} (x integer)", "CREATE VIEW {} AS SELECT 1 AS log"])
def test_a_table_of_one_of_our_names_that_is_not_ours_is_refused(postgres_url, tmp_path, name, made):
    """Neither its rows nor its columns are touched, and nothing is made beside it."""
    behind = Behind(postgres_url, tmp_path)
    behind.change(made.format(f'"{name}"'))
    with pytest.raises(ConfigurationError, match=rf"not ours \({name}\)") as caught:
        opened(postgres_url, tmp_path)
    assert "search_path" in str(caught.value.hint)
    tables = behind.ask("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'")
    assert tables == [(name,)]


def test_a_schema_of_its_own_keeps_a_store_apart(postgres_url, tmp_path):
    """As the hint says: with another search_path the store stands beside a table of one of its names."""
    behind = Behind(postgres_url, tmp_path)
    behind.change("CREATE TABLE record (x integer)")
    behind.change("CREATE SCHEMA trail")
    opened(postgres_url + "&options=-csearch_path%3Dtrail", tmp_path).append([finding(1)])
    assert behind.ask("SELECT count(*) FROM trail.record") == [(2,)]
    assert behind.ask("SELECT count(*) FROM public.record") == [(0,)]


def test_every_project_of_a_database_has_a_log_of_its_own(postgres_url, tmp_path):
    """What one project records, rebuilds or reads is its own."""
    one, other = opened(postgres_url, tmp_path / "a", project="a"), opened(postgres_url, tmp_path / "b", project="b")
    assert one.log != other.log
    one.append([finding(1)])
    other.append([finding(1), finding(2)])
    other.rebuild()
    again = opened(postgres_url, tmp_path / "a", project="a")
    assert (again.log, again.size(), len(again.projected(RecordRow))) == (one.log, 2, 2)
    assert (other.size(), len(other.projected(RecordRow))) == (3, 3)


def test_a_lost_pointer_is_not_guessed_and_the_way_back_is_told(postgres_url, tmp_path):
    """Reading names the logs there are; beginning another of the same name has to be asked for."""
    log = opened(postgres_url, tmp_path / "a", project="a").log
    opened(postgres_url, tmp_path / "b", project="b")
    pointer = tmp_path / "a" / ".labeltrail" / "log"
    pointer.unlink()
    with pytest.raises(MissingEvidence, match="no log of this project") as caught:
        Trail.open(postgres_url, root=tmp_path / "a", project="a")
    assert f"{log} (a)" in str(caught.value.hint)
    with pytest.raises(ConfigurationError, match=rf"{log} \(a\)") as refused:
        opened(postgres_url, tmp_path / "a", project="a")
    assert str(pointer) in str(refused.value.hint)
    pointer.write_text(log + "\n")
    assert opened(postgres_url, tmp_path / "a", project="a").log == log
    pointer.write_text("new\n")
    begun = opened(postgres_url, tmp_path / "a", project="a").log
    assert begun != log
    assert pointer.read_text() == begun + "\n"


def test_whoever_is_killed_while_a_log_begins_goes_on_with_it(postgres_url, tmp_path, monkeypatch):
    """Neither before nor after the first entry is a second log begun."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for stop in ("append", "name"):
        root = tmp_path / stop
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Trail if stop == "append" else Pointer, stop, killed)
            opened(postgres_url, root, project=stop)
        begun = (root / ".labeltrail" / "log").read_text().split()[1]
        assert opened(postgres_url, root, project=stop).log == begun
        assert (root / ".labeltrail" / "log").read_text() == begun + "\n"
    assert Behind(postgres_url, tmp_path).ask("SELECT count(DISTINCT log) FROM trail_entry") == [(2,)]


def test_a_role_or_database_that_would_answer_too_early_is_overruled(postgres_url, postgres_server, tmp_path):
    """With synchronous_commit off by default, a writer's own transaction is still on disk before it is acknowledged."""
    database = postgres_url.split("@/")[1].split("?")[0]
    postgres_server.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    try:
        trail = opened(postgres_url, tmp_path)
        with trail.database.writing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    finally:
        postgres_server.execute(f"ALTER DATABASE {database} RESET synchronous_commit")


def test_a_process_that_is_forked_from_one_with_an_open_store_records_too(postgres_url, tmp_path):
    """No connection is shared: parent and child both go on, and every entry is there."""
    trail = opened(postgres_url, tmp_path)
    trail.append([finding(0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
        children = [
            multiprocessing.get_context("fork").Process(target=trail.append, args=([finding(n)],)) for n in (1, 2)
        ]
        for child in children:
            child.start()
    trail.append([finding(3)])
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert len(trail.entries()) == 5


CROWD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from small_facts import finding
from governance.store.trail import Trail
url, root, start, stop = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
trail = Trail.open(url, root=root, project=root.name, create=True, wait_seconds=60)
for number in range(start, stop):
    (seq,) = trail.append([finding(number)]).positions.values()
    print(number, seq, flush=True)
"""


def test_eight_writers_at_once_lose_nothing_and_take_no_position_twice(postgres_url, tmp_path):
    """Five begin one log together, three write logs of their own: each acknowledged entry is where it was said to be."""
    roots = [tmp_path / name for name in ("shared",) * 5 + ("a", "b", "c")]
    for root in roots:
        root.mkdir(exist_ok=True)
    tests, each = str(Path(__file__).parent.parent), 12
    with contextlib.ExitStack() as stack:
        crowd = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", CROWD, tests, postgres_url, str(root), str(k * each), str((k + 1) * each)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for k, root in enumerate(roots)
        ]
        told = [process.communicate(timeout=120)[0] for process in crowd]
        assert [process.returncode for process in crowd] == [0] * 8
    for root in set(roots):
        trail = Trail.open(postgres_url, root=root, project=root.name)
        entries = dict(trail.entries())
        words = [told[k].split() for k, of in enumerate(roots) if of == root]
        said = [pair for part in words for pair in zip(part[::2], part[1::2], strict=True)]
        assert sorted(int(seq) for _, seq in said) == list(range(1, len(entries)))
        assert all(entries[int(seq)].record == finding(int(number)) for number, seq in said)
        leaves = [leaf for _, _, leaf in trail.raw_entries()]
        notes = [parse_note(note) for _, note, _ in trail.checkpoints()]
        assert [note.size for note in notes] == list(range(1, len(entries) + 1))
        assert all(note.root == merkle.root(leaves[: note.size]) for note in notes)


def statements(kind: str) -> list[str]:
    """The statements of docs/stores.md."""
    page = (Path(__file__).parents[2] / "docs" / "stores.md").read_text()
    (block,) = re.findall(rf"^```sql {kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [statement for statement in block.split(";\n") if statement.strip()]


@pytest.fixture
def as_documented(postgres_server):
    """URLs of the owner and the writer of a database that was set up as docs/stores.md says."""
    for statement in statements("setup"):
        postgres_server.execute(statement)
    url = postgres_server.url("labeltrail")
    yield {role: url.replace("postgres@", f"{role}@") for role in ("trail_owner", "trail_writer")}
    postgres_server.execute("DROP DATABASE labeltrail WITH (FORCE)")
    postgres_server.execute("DROP ROLE trail_owner, trail_writer")


def test_a_role_that_can_only_read_and_append_is_enough(as_documented, postgres_server, tmp_path):
    """With the documented GRANTs a writer records, keeps keys and reads; it changes, deletes and rebuilds nothing."""

    def granted(kind: str) -> None:
        for statement in statements(kind):
            postgres_server.execute(statement, database="labeltrail")

    opened(as_documented["trail_owner"], tmp_path)
    with pytest.raises(ConfigurationError, match="does not let this role") as caught:
        opened(as_documented["trail_writer"], tmp_path)
    assert "GRANT" in str(caught.value.hint)
    granted("grants")
    trail = opened(as_documented["trail_writer"], tmp_path)
    assert trail.append([finding(1)]).positions == {finding(1).name: 1}
    key = SubjectKeys(trail).of(["x"], make=True)
    assert not [check for check in LogCheck(trail).run() if check.state == "broken"]
    for forbidden in ("DELETE FROM {}", "UPDATE {} SET log = ''", "TRUNCATE {}", "DROP TABLE {}"):
        for table in ("trail_entry", "trail_checkpoint", "trail_subject_key", "record"):
            with (
                pytest.raises(ConfigurationError, match="does not let this role"),
                trail.database.writing() as connection,
            ):
                connection.exec_driver_sql(forbidden.format(table))
    with pytest.raises(ConfigurationError, match="does not let this role"):
        trail.rebuild()
    granted("rebuild")
    trail.rebuild()
    assert len(trail.projected(RecordRow)) == 2
    granted("erase")
    found = Behind(as_documented["trail_owner"], tmp_path).ask("SELECT pseudonym FROM trail_subject_key")
    with trail.database.writing() as connection:
        destroy_keys(trail, connection, [row[0] for row in found], whose=found[0][0], entry=1)
    assert SubjectKeys(trail).of(["y"], make=True) != key
    with pytest.raises(ConfigurationError, match="does not let this role"), trail.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM trail_entry")


def test_doctor_names_the_server_and_what_it_does_not_sync(own_postgres, tmp_path):
    """Its version is told; what is not synced, and a password in labeltrail.toml, are findings."""
    url = own_postgres.url("postgres").replace("postgres@", "postgres:secret%20word@")
    (tmp_path / "labeltrail.toml").write_text(f'[project]\nname = "tests"\nstore = "{url}"\n')
    opened(url, tmp_path)

    def told() -> dict[str, tuple[str, str]]:
        report = Project.doctor(tmp_path)
        assert "secret" not in report.to_markdown() + str(report.to_json())
        return {s["what"]: (s["state"], s["says"]) for s in report.data["symptoms"]}

    seen = told()
    assert seen["server"][0] == "fine"
    assert re.match(r"PostgreSQL \d+\.\d+", seen["server"][1])
    assert seen["password"][0] == "wrong"
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        own_postgres.execute(f"ALTER SYSTEM SET {setting} = off")
        own_postgres.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while own_postgres.execute(f"SHOW {setting}") != [("off",)] and time.monotonic() < deadline:
            time.sleep(0.02)
    assert told()["server"][0] == "wrong"
    assert "with fsync, full_page_writes, synchronous_commit off" in told()["server"][1]
    own_postgres.execute("ALTER SYSTEM SET fsync = on")
