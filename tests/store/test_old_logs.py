"""A released kind and version of a record is read for ever: each file holds the entries of one release."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.records import record_kinds
from governance.store.entry import read_entry

LOGS = sorted((Path(__file__).parent / "logs").glob("*.txt"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_entry_of_an_old_release_is_read_under_its_old_name(path):
    """Bytes, kind, version and name are what they were."""
    lines = path.read_bytes().split(b"\n")[:-1]
    assert lines
    for line in lines:
        name, _, data = line.partition(b" ")
        entry = read_entry(data, where=path.name)
        assert entry.record.name == name.decode()
        assert entry.to_bytes() == data


def test_the_newest_log_holds_one_entry_of_every_kind():
    """A kind that is added is added to the newest file too."""
    kinds = {line.partition(b":")[0].decode() for line in LOGS[-1].read_bytes().split(b"\n")[:-1]}
    assert kinds == set(record_kinds())
