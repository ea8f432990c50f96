"""Every seeded fault can still be put in: a fault whose place was rewritten would be asked about by nobody."""

from __future__ import annotations

import pytest
from seeded_faults import FAULTS, ROOT, Fault, with_fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "_"))
def test_a_fault_fits_its_file_exactly_once(fault: Fault):
    """And the tests that are to notice it are there."""
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    assert with_fault(fault, text) != text
    assert (ROOT / fault.tests).is_file()
