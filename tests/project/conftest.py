"""What the tests of verbs share: a project with people in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from behind import move
from people_project import make_people_project
from small_project import copy_of, once


@pytest.fixture(scope="session")
def people_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with people in it; for reading only."""
    return once(tmp_path_factory, "people", make_people_project)


@pytest.fixture
def people(
    request: pytest.FixtureRequest,
    people_once: Path,
    store_kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy of it, to change."""
    copy_of(people_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    copy = copy_of(people_once, tmp_path / "project")
    if store_kind == "postgresql":
        move(copy, request.getfixturevalue("postgres_url"))
    return copy
