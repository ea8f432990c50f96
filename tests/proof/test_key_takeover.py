"""Whoever can write to the store can name a key of their own; nobody takes their word for it."""

from __future__ import annotations

from small_facts import finding
from small_keys import begin, change, hold

from governance.proof.log import LogCheck
from governance.store.checkpoint import parse_note
from governance.store.keys import kept_path, key_path
from governance.store.memory import memory_path


def states(trail, **anchors):
    newest = {where: parse_note(note) for where, note in anchors.items()}
    return [(check.state, check.culprit) for check in LogCheck(trail, anchors=newest).run()]


def taken_over(root, *, reason="lost"):
    """A log whose key a stranger declared lost, seen by somebody who has neither key nor memory of it."""
    trail = begin(root, 1)
    trail.append([finding(1)])
    earlier = trail.checkpoints()[-1][1]
    hold(2)
    trail.append([change(trail.keychain(), 2, reason=reason)])
    memory_path(trail.log).unlink()
    return trail, earlier


def forget_keys():
    for path in (key_path(), *kept_path("0" * 64).parent.glob("*.key")):
        path.unlink(missing_ok=True)


def test_a_revocation_that_nobody_here_speaks_for_is_unknown(tmp_path):
    """The chain is valid and signed, by a key that anybody may have made."""
    trail, earlier = taken_over(tmp_path)
    forget_keys()
    assert states(trail) == [("unknown", "entry 2")]
    assert states(trail, kept=earlier) == [("unknown", "entry 2")]


def test_appending_without_looking_speaks_for_no_strangers_key(tmp_path):
    """Whoever records here renews what this machine remembers, and has not looked at the key for that."""
    trail, _ = taken_over(tmp_path)
    forget_keys()
    trail.append([finding(2)])
    assert ("unknown", "entry 2") in states(trail)


def test_whoever_holds_the_new_key_speaks_for_it(tmp_path):
    """Where its private half is at hand, the change was made here."""
    trail, _ = taken_over(tmp_path)
    assert states(trail) == []


def test_a_checkpoint_over_the_change_speaks_for_it(tmp_path):
    """Somebody kept it outside of the store: git, or whoever gave it with --since."""
    trail, _ = taken_over(tmp_path)
    forget_keys()
    assert states(trail, kept=trail.checkpoints()[-1][1]) == []


def test_a_key_that_hands_over_needs_nobody_else(tmp_path):
    """A rotation is the word of the key before."""
    trail = begin(tmp_path, 1)
    hold(1, 2)
    trail.append([change(trail.keychain(), 2, old=1)])
    memory_path(trail.log).unlink()
    forget_keys()
    assert states(trail) == []
