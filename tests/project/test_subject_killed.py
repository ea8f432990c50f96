"""Whoever erases a person may be killed at any write: doing it again finishes, and nothing of her remains."""

from __future__ import annotations

import pytest
from crashing.erasing import Eraser, sample_of
from crashing.injected import can_trace
from crashing.nursery import Nursery, Place

traced = pytest.mark.skipif(
    not can_trace(), reason="without strace, or the right to trace, no system call can be struck here"
)


@traced
def test_an_erasure_may_be_killed_at_any_write(people_once, tmp_path):
    """A sample of its write calls, one in the store and a rename among them; `make soak` strikes at every one."""
    with Nursery() as nursery:
        eraser = Eraser(tmp_path, nursery, made=Place(people_once.parent))
        calls = eraser.calls()
        assert {call.name for call in calls} >= {"pwrite64", "fdatasync", "unlink", "openat", "rename", "mkdir"}
        struck = sample_of(calls, seed=4, size=6)
        assert len({call.name for call in struck}) >= 4
        outcomes = [eraser.kill_at(call) for call in struck]
    assert [outcome for outcome in outcomes if outcome.wrong] == []
