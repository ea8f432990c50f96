"""An adoption is a word of whoever holds the log's key: it counts where that key signed it, and for what came before it."""

from __future__ import annotations

import pytest
from small_facts import finding
from small_keys import begin, hold, public

from governance.proof.log import LogCheck
from governance.records import Adoption
from governance.store.keys import kept_path, key_path


def states(trail):
    return [(check.state, check.culprit) for check in LogCheck(trail).run()]


def forget():
    for path in (key_path(), kept_path(public(1))):
        path.unlink()


def adopting(trail, *, last):
    return Adoption.make(first=2, last=last, root="0" * 64, who="A. Ode")


@pytest.fixture
def intruded(tmp_path):
    """A log with one entry of its key's holder and one of somebody who had the store and no key."""
    trail = begin(tmp_path, 1)
    forget()
    trail.append([finding(1)])
    return trail


@pytest.mark.parametrize("last", [2, 3, 2**53 - 1])
def test_an_adoption_that_nobody_signed_adopts_nothing(intruded, last):
    """Neither what was recorded without the key, nor itself, nor what comes after it."""
    assert states(intruded) == [("unknown", "checkpoint 2")]
    intruded.append([adopting(intruded, last=last)])
    intruded.append([finding(2)])
    check = LogCheck(intruded)
    assert [found.culprit for found in check.run()] == ["checkpoint 2"]
    assert check.unadopted == [2, 3, 4]


def test_a_signed_adoption_counts_for_what_came_before_it_alone(intruded):
    """Whatever size it names: what is recorded without the key later waits again."""
    hold(1)
    intruded.append([adopting(intruded, last=2**53 - 1)])
    assert states(intruded) == []
    forget()
    intruded.append([finding(2)])
    assert states(intruded) == [("unknown", "checkpoint 4")]
