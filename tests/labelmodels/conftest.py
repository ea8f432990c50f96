from __future__ import annotations

import pytest
from labelmodel_votes import simulated, table_of

from governance.votes.table import VoteTable


@pytest.fixture
def table() -> VoteTable:
    return table_of(simulated()[0])
