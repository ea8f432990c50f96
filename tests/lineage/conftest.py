"""In this room everything that is asked of a trail is asked of both stores."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, sqlite_url: str) -> str:
    """A store that is not made yet, once of either kind."""
    return sqlite_url if request.param == "sqlite" else request.getfixturevalue("postgres_url")
