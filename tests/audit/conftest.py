"""Facts of a whole project, for questions about them."""

from __future__ import annotations

import pytest
from documents.told_facts import complete

from governance.facts import Facts


@pytest.fixture(scope="session")
def facts() -> Facts:
    """Everything that the stages before the audit state."""
    return complete(cards=True)
