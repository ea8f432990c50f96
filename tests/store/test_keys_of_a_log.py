"""A log's key is changed by entries: handed over, revoked, or given to a log that had none."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_facts import finding
from small_keys import begin, change, hold, private, public

from governance.digest import canonical
from governance.errors import BrokenEvidence, ConfigurationError
from governance.records import KeyChange, LogStart, key_statement
from governance.store import keys
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.keychain import Keychain, Link, make_change

LOG = "ab" * 16
START = LogStart.make(log=LOG, project="keys", public_key=public(1))
BEGUN = Keychain.begun(START)
ROTATED = change(BEGUN, 2, old=1)


def newest(trail) -> Checkpoint:
    return parse_note(trail.checkpoints()[-1][1])


def test_a_statement_says_what_it_is_for_and_binds_log_number_and_both_keys():
    """A signature for one change is worth nothing for another, nor for anything else that the key signs."""
    said = {"log": LOG, "number": 1, "previous": public(1), "public_key": public(2), "reason": "rotated"}
    assert ROTATED.statement() == b"labeltrail-key/1\n" + canonical(said) == key_statement(**said)


reasons = st.lists(st.sampled_from(["rotated", "lost", "compromised"]), max_size=6)


@given(reasons, st.booleans(), st.integers(1, 12))
def test_the_key_in_force_is_the_newest_that_the_entries_below_a_size_name(reasons, keyless, size):
    """Whatever the changes were: a checkpoint over n entries is a matter for the last key that these n entries name."""
    start = LogStart.make(log=LOG, project="keys", public_key=None if keyless else public(1))
    said = ["first", *reasons[1:]] if keyless and reasons else reasons
    chain = Keychain.begun(start)
    for number, reason in enumerate(said, 2):
        # Every other entry changes the key.
        chain = chain.changed(2 * number - 3, change(chain, number, reason=reason, old=number - 1))
    in_force = [link.public_key for link in chain.links if link.since < size]
    assert chain.at(size).public_key == in_force[-1]
    assert chain.newest.public_key == (public(len(said) + 1) if said or not keyless else None)
    for place, link in enumerate(chain.links):
        breaks = [reason for reason in said[place:] if reason != "rotated"]
        ended = chain.end_of_trust(link)
        assert (ended.reason if ended else None) == (breaks[0] if breaks else None)


def resigned(fields: dict, *, old: int = 1, new: int = 2) -> dict:
    """The fields with the signatures that these keys would give them."""
    said = {name: fields[name] for name in ("log", "number", "previous", "public_key", "reason")}
    statement = key_statement(**said)
    return {
        **fields,
        "signature_previous": private(old).sign(statement).hex(),
        "signature_new": private(new).sign(statement).hex(),
    }


def altered(**fields) -> dict:
    return {**ROTATED.body(), **fields}


FAULTS = {
    "signature_of_the_old_key_changed": altered(signature_previous="0" * 128),
    "signature_of_the_new_key_changed": altered(signature_new="0" * 128),
    "signatures_swapped": altered(signature_previous=ROTATED.signature_new, signature_new=ROTATED.signature_previous),
    "rotated_without_the_old_key": altered(signature_previous=None),
    "rotated_by_a_stranger": resigned(altered(), old=3),
    "a_key_that_nobody_holds": resigned(altered(), new=3),
    "of_another_log": resigned(altered(log="cd" * 16)),
    "replayed_from_another_log": change(Keychain("cd" * 16, BEGUN.links), 2, old=1).body(),
    "number_too_high": resigned(altered(number=2)),
    "another_previous_key": resigned(altered(previous=public(3)), old=3),
    "no_previous_key": resigned(altered(previous=None)),
    "first_where_there_was_one": change(Keychain(LOG, (Link(0, None),)), 2, reason="first").body(),
    "rotated_to_itself": resigned(altered(public_key=public(1)), new=1),
    "reason_changed_to_lost": altered(reason="lost", signature_previous=None),
    "reason_changed_and_signed_for": resigned(altered(reason="compromised")),
    "no_point_of_the_curve": altered(public_key="ff" * 32),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_change_that_is_not_valid_is_refused_and_its_entry_named(name):
    """Each tampering alone, with every signature that its author could make."""
    with pytest.raises(BrokenEvidence, match="entry 7"):
        BEGUN.changed(7, KeyChange.make(**FAULTS[name]))
    assert BEGUN.changed(7, ROTATED).newest.since == 7


def test_no_key_comes_back():
    """A key that was handed over or revoked is never in force again, or trust in it would mean two things."""
    chain = BEGUN.changed(1, ROTATED)
    chain = chain.changed(2, change(chain, 3, reason="compromised"))
    for number in (1, 2, 3):
        with pytest.raises(BrokenEvidence, match="never had"):
            chain.changed(3, change(chain, number, old=3))


def test_every_bit_of_a_change_counts():
    """A change with one bit flipped in any of its fields is no longer one."""
    for name in ("previous", "public_key", "signature_previous", "signature_new"):
        whole = bytes.fromhex(ROTATED.body()[name])
        for position in range(len(whole) * 8):
            flipped = bytearray(whole)
            flipped[position // 8] ^= 1 << position % 8
            with pytest.raises(BrokenEvidence):
                BEGUN.changed(1, KeyChange.make(**altered(**{name: flipped.hex()})))


def test_after_a_rotation_the_new_key_signs_and_both_sign_the_rotation(tmp_path):
    """The checkpoint over the change can be checked by whoever holds either key; all later ones by the new key alone."""
    trail = begin(tmp_path, 1)
    trail.append([finding(1)])
    before = newest(trail)
    hold(1, 2)
    trail.append([change(trail.keychain(), 2, old=1)])
    both = newest(trail)
    trail.append([finding(2)])
    after = newest(trail)
    signed = [[c.signed_by(bytes.fromhex(public(n))) for n in (1, 2)] for c in (before, both, after)]
    assert signed == [[True, False], [True, True], [False, True]]
    assert [link.since for link in trail.keychain().links] == [0, 2]


def test_the_keys_of_a_log_are_read_back_from_its_store(trail):
    """Rotated and revoked, in whatever database: the chain, and who signs next."""
    old = keys.load_key()
    assert old is not None
    hold(2)
    trail.append([make_change(trail.keychain(), private(2), old=old, reason="rotated", who="A. Ode")])
    with pytest.raises(BrokenEvidence, match="entry 6"):
        trail.append([make_change(trail.keychain(), private(3), old=old, reason="rotated", who="A. Ode")])
    hold(3)
    trail.append([change(trail.keychain(), 3, reason="compromised"), finding(9)])
    assert [link.since for link in trail.keychain().links] == [0, 5, 6]
    assert trail.append([finding(10)]).checkpoint.signed_by(bytes.fromhex(public(3)))
    assert trail.size() == 9


@pytest.mark.parametrize("reason", ["lost", "compromised"])
def test_a_revoked_key_signs_nothing_more(tmp_path, reason):
    """Not even the checkpoint over its revocation, though it is at hand."""
    trail = begin(tmp_path, 1)
    hold(1, 2)
    trail.append([change(trail.keychain(), 2, reason=reason)])
    assert newest(trail).signed_by(bytes.fromhex(public(2)))
    assert not newest(trail).signed_by(bytes.fromhex(public(1)))


def test_without_the_new_key_nothing_is_signed_after_a_rotation(tmp_path):
    """A machine that has the old key alone records, and signs nothing: the old key is in force no longer."""
    trail = begin(tmp_path, 1)
    hold(1, 2)
    trail.append([change(trail.keychain(), 2, old=1)])
    keys.kept_path(public(2)).unlink()
    keys.key_path().unlink()
    assert not trail.append([finding(1)]).signed


def test_a_log_that_began_without_a_key_is_given_one(tmp_path):
    """Its first key signs from the entry that names it on."""
    trail = begin(tmp_path, None)
    hold(2)
    assert not trail.append([finding(1)]).signed
    assert trail.append([change(trail.keychain(), 2, reason="first")]).signed
    assert trail.append([finding(2)]).signed
    assert trail.start().public_key is None
    assert trail.keychain().newest == Link(2, public(2), "first", "A. Ode")


def test_a_rotation_does_not_sign_in_passing_what_was_recorded_without_the_key(tmp_path):
    """The old key hands over, and puts its name to no head that it has not signed."""
    trail = begin(tmp_path, 1)
    keys.key_path().rename(tmp_path / "away")
    keys.kept_path(public(1)).unlink()
    trail.append([finding(1)])
    hold(1, 2)
    trail.append([change(trail.keychain(), 2, old=1)])
    assert not newest(trail).signed_by(bytes.fromhex(public(1)))


@pytest.mark.parametrize("name", ["rotated_by_a_stranger", "of_another_log", "number_too_high", "rotated_to_itself"])
def test_a_change_that_is_not_valid_is_never_entered(tmp_path, name):
    """The store refuses it, and the log is as long as before."""
    trail = begin(tmp_path, 1)
    fields = FAULTS[name] if name == "of_another_log" else {**FAULTS[name], "log": trail.log}
    with pytest.raises(BrokenEvidence, match="entry 1"):
        trail.append([KeyChange.make(**fields)])
    assert trail.size() == 1


def test_a_key_is_found_in_the_environment_in_the_key_file_and_among_the_superseded(monkeypatch):
    """By its public half, wherever it lies; by default the newest."""
    hold(1, 2)
    given = ", ".join(base64.b64encode(private(n).private_bytes_raw()).decode() for n in (3, 4))
    assert [keys.load_key(public(n)) is not None for n in (1, 2, 3)] == [True, True, False]
    monkeypatch.setenv(keys.KEY_VARIABLE, given)
    for number in (1, 2, 3, 4):
        found = keys.load_key(public(number))
        assert found is not None
        assert keys.public_hex(found) == public(number)
    assert keys.load_key(public(5)) is None
    first = keys.load_key()
    assert first is not None
    assert keys.public_hex(first) == public(3)


def test_making_a_new_key_keeps_the_one_whose_place_it_takes():
    """Other logs may still be signed by it; both are for their owner's eyes alone."""
    hold(1)
    keys.kept_path(public(1)).unlink()
    with keys.changing_keys():
        made, says = keys.next_key(used={public(1)}, fresh=False)
    assert str(keys.key_path()) in says
    assert keys.load_key(public(1)) is not None
    newest = keys.load_key()
    assert newest is not None
    assert keys.public_hex(newest) == keys.public_hex(made) != public(1)
    assert {path.stat().st_mode & 0o777 for path in (keys.key_path(), keys.kept_path(public(1)))} == {0o600}
    # A key that this log never had is there already, as after a crash or a change in another project: it is used.
    again, says = keys.next_key(used={public(1)}, fresh=False)
    assert keys.public_hex(again) == keys.public_hex(made)
    assert "made" not in says
    other, _ = keys.next_key(used={public(1)}, fresh=True)
    assert keys.public_hex(other) != keys.public_hex(made)


def test_a_superseded_key_that_others_can_read_is_not_used():
    """As for the newest key."""
    hold(1, 2)
    keys.kept_path(public(1)).chmod(0o640)
    with pytest.raises(ConfigurationError, match="read by others"):
        keys.load_key(public(1))
