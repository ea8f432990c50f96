"""The store on a PostgreSQL server: what only a server can do, and what only a server can do wrong."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from behind import Behind
from small_facts import finding

from governance.errors import Busy, ConfigurationError, GovernanceError, StoreLost
from governance.store.server import lock_number
from governance.store.tables import METADATA
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
    import sys

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
