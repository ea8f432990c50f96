"""The page for the auditor who has no LabelTrail tells the truth of this commit."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from governance.proof import published

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/auditing.md"


def test_the_digest_that_is_published_is_that_of_the_verifier():
    """In the page and beside the file, in the form that `sha256sum --check` reads."""
    told = f"{hashlib.sha256(published.verifier()).hexdigest()}  verify.py\n"
    way_out = "verify.py was changed: `python -m governance.proof.published` writes its digest where it is told"
    assert re.findall(r"[0-9a-f]{64}  verify\.py\n", PAGE.read_text()) == [told], way_out
    assert (Path(published.__file__).parent / "verify.py.sha256").read_text() == told, way_out
