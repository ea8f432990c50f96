"""Which source version is a function that somebody never described?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from governance.fingerprint import Behaviour
from governance.records import Source
from governance.sources.description import read_description

#: what SPDX writes where nobody said anything
UNSAID = "NOASSERTION"


def captured_source(name: str, behaviour: Behaviour, *, summary: str, described_in: Path) -> Source:
    """The source version that behaviour and NAME.yaml make together, or behaviour alone where there is none.

    `name` is what the project's votes call it. Raises InvalidRecord for a description that cannot be read.
    """
    described = described_in / f"{name}.yaml"
    facts: dict[str, Any] = {
        "source_kind": "heuristic",
        "summary": summary,
        "owner": "",
        "origin": "captured from a script",
        "licence_declared": UNSAID,
        "licence_found": UNSAID,
        "licence_note": "nobody described this source",
        "collection": "",
        "personal_data": False,
        "personal_data_note": "nobody described this source",
    }
    version = behaviour.digest[:12]
    if name.isidentifier() and described.is_file():
        told = read_description(described)
        facts, version = told.facts, told.version or version
    return Source.make(
        title=name,
        version=version,
        fingerprint=behaviour.digest,
        opaque=behaviour.opaque,
        packages=[{"distribution": package, "version": number} for package, number in behaviour.packages],
        **facts,
    )
