"""A store that an earlier version made is opened by this one: the log as it is, its projection made anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_facts import finding

from governance.errors import ConfigurationError
from governance.lineage.stored import StoredGraph
from governance.proof.log import LogCheck
from governance.records import Finding, Result
from governance.store.database import APPLICATION_ID
from governance.store.trail import Trail

STORES = sorted((Path(__file__).parent / "stores").glob("*.sql"))
URL = "sqlite:///.labeltrail/trail.db"


def lay_down(path: Path, root: Path) -> str:
    """The store that a file of SQL describes, and its pointer; answers the log."""
    (root / ".labeltrail").mkdir()
    with closing(sqlite3.connect(root / ".labeltrail/trail.db")) as connection:
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID};" + path.read_text(encoding="utf-8"))
        (log,) = connection.execute("SELECT DISTINCT log FROM trail_entry").fetchone()
    (root / ".labeltrail/log").write_text(f"{log}\n")
    return log


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.stem)
def test_a_store_of_an_earlier_version_is_read_followed_and_written(path, tmp_path):
    """Every entry is there under its name, nothing is broken, lineage is followed, and what comes now is entered."""
    log = lay_down(path, tmp_path)
    trail = Trail.open(URL, root=tmp_path, project="old")
    assert (trail.log, trail.size()) == (log, 5)
    assert [one.name for one in trail.facts().of(Finding)] == [finding(1).name, finding(2).name]
    assert not [check for check in LogCheck(trail).run() if check.state == "broken"]
    (result,) = trail.facts().of(Result)
    below = {step.name for step in StoredGraph(trail).reach(result.recipe, "down").steps}
    assert below == {result.name, finding(1).name}
    trail.append([finding(3)])
    again = Trail.open(URL, root=tmp_path, project="old")
    assert again.size() == 6
    assert not [check for check in LogCheck(again).run() if check.state == "broken"]


def test_a_store_of_an_earlier_version_that_may_not_be_written_says_so(tmp_path, monkeypatch):
    """Its tables have to be made anew, which nobody does in passing where it is only read."""
    lay_down(STORES[0], tmp_path)
    monkeypatch.setattr("governance.store.database._on_connect", _refusing)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Trail.open(URL, root=tmp_path, project="old")


def _refusing(connection, _):
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def test_the_projection_of_an_earlier_version_on_a_server_is_made_anew_for_every_log(postgres_url, tmp_path):
    """Also for those of the other projects in the database, whoever opens it first."""
    one, other = (
        Trail.open(postgres_url, root=tmp_path / name, project=name, create=True) for name in ("one", "other")
    )
    one.append([finding(1)])
    other.append([finding(1), finding(2)])
    with one.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE node")
        connection.exec_driver_sql("ALTER TABLE edge ALTER COLUMN subject TYPE text")
    again = Trail.open(postgres_url, root=tmp_path / "one", project="one")
    for trail in (again, Trail(again.database, other.log)):
        assert [check for check in LogCheck(trail).run() if check.state == "broken"] == []
        assert len(StoredGraph(trail).reach(finding(1).name, "up").steps) == 1
