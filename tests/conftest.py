"""What every test may use: a home of its own, a key in it, a trail."""

from __future__ import annotations

from pathlib import Path

import pytest
from behind import move
from hypothesis import HealthCheck, settings
from small_facts import finding
from small_project import copy_of, make_project, once

from governance.store import keys
from governance.store.trail import Trail

pytest_plugins = ["postgres_server", "reference_project", "s3_server"]

# Machines differ in speed and a promise does not depend on it; the same examples are drawn on every machine.
settings.register_profile(
    "labeltrail", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("labeltrail")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or touches the signing key of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.delenv(keys.KEY_VARIABLE, raising=False)
    return home


@pytest.fixture
def sqlite_url() -> str:
    return "sqlite:///.labeltrail/trail.db"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """Where `trail` is kept; a room whose tests hold for both stores answers with each of them."""
    return sqlite_url


@pytest.fixture
def trail(tmp_path: Path, own_home: Path, store_url: str) -> Trail:
    """A signed log with five entries in three transactions."""
    keys.create_key()
    made = Trail.open(store_url, root=tmp_path, project="tests", create=True)
    made.append([finding(1), finding(2)], at=1_700_000_000_000_000)
    made.append([finding(3), finding(4)], at=1_700_000_001_000_000)
    return made


@pytest.fixture(scope="session")
def small_project_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that has run once; for reading only."""
    return once(tmp_path_factory, "small", make_project)


@pytest.fixture
def store_kind() -> str:
    """Where `project` is kept; `both_stores` marks a test for which it is kept in either place."""
    return "sqlite"


@pytest.fixture
def project(
    request: pytest.FixtureRequest,
    small_project_once: Path,
    store_kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy of the small project, to break, with a copy of the home that holds the key that signed it."""
    copy_of(small_project_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    copy = copy_of(small_project_once, tmp_path / "project")
    if store_kind == "postgresql":
        move(copy, request.getfixturevalue("postgres_url"))
    return copy
