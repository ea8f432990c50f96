"""What is said of the votes of a script as a whole."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from governance.watching.findings import state_likeness

VOTES = "votes:" + "0" * 64


def test_a_class_that_a_label_model_knows_and_nobody_votes_for_is_a_finding():
    """A cardinality that is larger than what the sources say is told, as a source that never votes is."""
    found = []
    matrix = np.array([[0, 1, -1], [1, 1, -1], [0, 0, -1]], dtype=np.int8)
    table = SimpleNamespace(matrix=matrix, columns=("a", "b", "c"), classes=("0", "1", "2"))
    state_likeness(SimpleNamespace(state=found.append), table, subject=VOTES)
    told = {finding.check: (finding.outcome, finding.says) for finding in found}
    assert told["silence"] == ("fail", "c never votes.")
    assert told["named_classes"][0] == "fail"
    assert told["named_classes"][1].startswith("No source ever votes for 2:")
