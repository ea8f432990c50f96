"""Facts to tell, the templates of this repository, and strings that nobody should trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents.told_facts import complete, datasets, learned, source

from governance import audit, documents
from governance.claims import Document
from governance.facts import Facts
from governance.records import Record

HOSTILE = (
    "# heading\n- item\n\n| a | b |\n|---|---|\n<script>alert(1)</script><img src=x onerror=alert(2)> "
    "[click](javascript:alert(3)) ![i](http://evil.example/x.png) `code` **bold** --- \n---\nlicense: mit\n---\n "
    "\u202egnirts\u2066 \u200bzero\x07bell {{ 7*7 }} {% raw %} &amp; $x$ ~~no~~ <https://evil.example> "
    "[`model:000000000000`] not recorded — `labeltrail repro`"
)

#: keys of a record are ASCII
ASCII = HOSTILE.encode("ascii", "ignore").decode()

BUILDERS: dict[str, Callable[[Facts], Document]] = {
    "dataset_card": documents.dataset_card,
    "model_card": documents.model_card,
    "audit_report": lambda facts: audit.report(facts, as_of="2026-11-22"),
}


@pytest.fixture(scope="session")
def templates() -> Path:
    return Path(__file__).parents[2] / "cards"


@pytest.fixture(scope="session")
def facts() -> Facts:
    return complete(cards=True)


@pytest.fixture(params=sorted(BUILDERS))
def build(request: pytest.FixtureRequest) -> Callable[[Facts], Document]:
    """Each of the three documents."""
    return BUILDERS[request.param]


@pytest.fixture(scope="session")
def hostile() -> Facts:
    """Facts whose every free text tries to be markup."""
    collected, screened = datasets(
        HOSTILE, origin=HOSTILE, licence=HOSTILE, terms=HOSTILE, collection=HOSTILE, personal_data=HOSTILE,
        counts={ASCII: 3}, domains={ASCII: 900}, splits={ASCII: 9},
        columns=[{"name": HOSTILE, "dtype": HOSTILE}], language=HOSTILE,
    )  # fmt: skip
    sources = [
        source(
            HOSTILE, version=HOSTILE, owner=HOSTILE, summary=HOSTILE, licence_declared=HOSTILE, licence_note=HOSTILE,
            terms=HOSTILE, intended_use=HOSTILE, opaque=[HOSTILE], contamination=[{"domain": HOSTILE, "reason": HOSTILE}],
            packages=[{"distribution": HOSTILE, "version": "1"}], expiry="",
        )
    ]  # fmt: skip
    made: list[Record] = [collected, screened, *sources]
    learned(made, sources, screened, HOSTILE)
    return Facts(made)
