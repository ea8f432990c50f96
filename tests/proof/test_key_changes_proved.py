"""Who is believed after a log's key was changed: two verifiers, one answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pytest
from evidence import standalone
from hypothesis import given, settings
from hypothesis import strategies as st
from small_facts import finding
from small_keys import change, private, public

from governance.digest import canonical, sha256
from governance.proof.archive import write_archive
from governance.proof.bundle import check_bundle
from governance.records import Bundle, KeyChange, LogStart, Record, key_statement
from governance.store import merkle
from governance.store.checkpoint import Checkpoint, Signature, is_signed, key_id, parse_note
from governance.store.entry import Entry
from governance.store.keychain import Keychain

verify_py = standalone()
LOG = "ab" * 16


@dataclass(frozen=True)
class Made:
    """A bundle made by hand, so that it may be wrong in any way; `keys` are the numbers of its keys in their order."""

    data: bytes
    lines: tuple[bytes, ...]
    keys: tuple[int | None, ...]
    changed_at: tuple[int, ...]

    def note(self, size: int, *signers: int) -> str:
        return note(self.lines[:size], *signers)


def note(lines: tuple[bytes, ...], *signers: int) -> str:
    checkpoint = Checkpoint(LOG, len(lines), merkle.root(merkle.leaf_hash(line) for line in lines))
    for number in signers:
        checkpoint = checkpoint.signed(private(number))
    return checkpoint.to_note()


def packed(records: list[Record], *, signers: tuple[int, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """The canonical archive of a log of these records, and its lines."""
    about = canonical({"format": "labeltrail-bundle/1"})
    ref = {"path": "about.json", "sha256": sha256(about), "bytes": len(about)}
    lines = tuple(Entry(1, record).to_bytes() for record in [*records, Bundle.make(files=[ref])])
    files = {"about.json": about, "entries.jsonl": b"".join(line + b"\n" for line in lines)}
    return write_archive({**files, "checkpoint": note(lines, *signers).encode()}), lines


@cache
def made(reasons: tuple[str, ...], *, keyless: bool = False, signer: int | None = None) -> Made:
    """A log whose key was changed for these reasons, each change between two others; key 1 began it, then 2, 3 ..."""
    start = LogStart.make(log=LOG, project="keys", public_key=None if keyless else public(1))
    records: list[Record] = [start, finding(0)]
    chain, numbers, places = Keychain.begun(start), [None if keyless else 1], []
    for number, reason in enumerate(reasons, 2):
        record = change(chain, number, reason=reason, old=number - 1)  # type: ignore[arg-type]
        places.append(len(records))
        chain = chain.changed(len(records), record)
        records += [record, finding(number)]
        numbers.append(number)
    newest = numbers[-1] if signer is None else signer
    data, lines = packed(records, signers=(newest,) if newest else ())
    return Made(data, lines, tuple(numbers), tuple(places))


def both(data: bytes, *, anchor: str | None = None, key: int | None = None) -> int:
    """The exit code on which `verify.py` and the library agree."""
    trusted = bytes.fromhex(public(key)) if key is not None else None
    code, said = verify_py.verify(data, anchor=anchor.encode() if anchor is not None else None, key=trusted)
    check = check_bundle(data, anchor=anchor, key=trusted).checks[0]
    assert code == {"broken": 3, "unknown": 4, "fine": 0}[check.state], (said, check.says)
    return code


changes = st.lists(st.sampled_from(["rotated", "rotated", "lost", "compromised"]), max_size=4).map(tuple)


def reaches(reasons: tuple[str, ...]) -> bool:
    return all(reason == "rotated" for reason in reasons)


@settings(max_examples=25)
@given(changes, st.data())
def test_an_older_key_or_checkpoint_vouches_as_far_as_rotations_reach(reasons, data):
    """0 where every change since was handed over, 4 where one was a revocation, whatever else the log holds."""
    log = made(reasons)
    place = data.draw(st.integers(0, len(reasons)))
    expected = 0 if reaches(reasons[place:]) else 4
    assert both(log.data, key=log.keys[place]) == expected
    size = data.draw(st.integers(1, len(log.lines)))
    since = [reason for reason, at in zip(reasons, log.changed_at, strict=True) if at >= size]
    expected = 0 if reaches(tuple(since)) or size == len(log.lines) else 4
    assert both(log.data, anchor=log.note(size)) == expected
    assert both(log.data) == 4
    assert both(log.data, key=len(reasons) + 2) == 3


@settings(max_examples=25)
@given(changes, st.integers(1, 6))
def test_only_the_key_in_force_signs(reasons, signer):
    """A newest checkpoint signed by any other key, also an earlier one of the log's, is refused whatever is trusted."""
    log = made(reasons, signer=signer)
    if signer == log.keys[-1]:
        return
    assert {both(log.data, key=key) for key in log.keys if key} == {3}
    assert both(log.data, anchor=log.note(1)) == 3
    assert both(log.data, anchor=log.note(len(log.lines))) == 0  # the very checkpoint: nobody's signature is asked


@settings(max_examples=25)
@given(changes)
def test_a_log_that_was_given_its_first_key_later_is_not_vouched_for_from_before(reasons):
    """The first key vouches for what follows; a checkpoint from before it cannot vouch for the key."""
    log = made(("first", *reasons), keyless=True)
    assert both(log.data, key=2) == (0 if reaches(reasons) else 4)
    assert both(log.data, anchor=log.note(2)) == 4
    assert both(log.data, anchor=log.note(3)) == (0 if reaches(reasons) else 4)


def test_a_revocation_is_told_by_entry_and_reason():
    """Whoever trusts a revoked key is told so, and what to do."""
    log = made(("rotated", "compromised"))
    for trust in ({"key": bytes.fromhex(public(1))}, {"anchor": log.note(2)}):
        anchor = trust.get("anchor")
        given_ = {**trust, "anchor": anchor.encode()} if isinstance(anchor, str) else trust
        _, said = verify_py.verify(log.data, **given_)
        check = check_bundle(log.data, **trust).checks[0]
        for sentence in (said[0], f"{check.says}: {check.hint}"):
            assert "entry 4 revoked the key" in sentence
            assert "(compromised)" in sentence
            assert "by another way" in sentence


def forged(reasons: tuple[str, ...], at: int, **fields: object) -> bytes:
    """The bundle with other fields in its change number `at`, under a checkpoint that the newest key signs over them."""
    log = made(reasons)
    place = log.changed_at[at]
    body = {**verify_py.read_json(log.lines[place], "test"), "at": 1}
    body["body"] = {**body["body"], **fields}
    lines = (*log.lines[:place], canonical(body), *log.lines[place + 1 :])
    about = canonical({"format": "labeltrail-bundle/1"})
    newest = log.keys[-1]
    assert newest
    files = {"about.json": about, "entries.jsonl": b"".join(line + b"\n" for line in lines)}
    return write_archive({**files, "checkpoint": note(lines, newest).encode()})


def signed_anew(*, old: int, new: int, **fields: object) -> dict[str, object]:
    said = {"log": LOG, "number": 1, "previous": public(1), "public_key": public(2), "reason": "rotated", **fields}
    statement = key_statement(**said)  # type: ignore[arg-type]
    return {
        **fields,
        "signature_previous": private(old).sign(statement).hex(),
        "signature_new": private(new).sign(statement).hex(),
    }


TAMPERINGS = {
    "signature_of_the_old_key_zeroed": {"signature_previous": "0" * 128},
    "signature_of_the_old_key_left_out": {"signature_previous": None},
    "signature_of_the_new_key_zeroed": {"signature_new": "0" * 128},
    "signature_of_another_form": {"signature_new": "0" * 127},
    "signature_in_capitals": {"signature_new": "AB" * 64},
    "handed_over_by_a_stranger": signed_anew(old=5, new=2),
    "a_new_key_that_nobody_holds": signed_anew(old=1, new=5),
    "of_another_log": signed_anew(old=1, new=2, log="cd" * 16),
    "another_number": signed_anew(old=1, new=2, number=2),
    "a_number_that_is_true": {"number": True},
    "a_number_that_is_text": {"number": "1"},
    "another_key_before": signed_anew(old=5, new=2, previous=public(5)),
    "no_key_before": signed_anew(old=1, new=2, previous=None),
    "rotated_to_itself": signed_anew(old=1, new=1, public_key=public(1)),
    "a_key_of_another_form": {"public_key": "xyz"},
    "a_key_that_is_no_text": {"public_key": 5},
    "lost_and_yet_signed_by_the_old_key": signed_anew(old=1, new=2, reason="lost"),
    "first_where_there_was_one": signed_anew(old=1, new=2, reason="first"),
    "an_unknown_reason": {"reason": "forgotten"},
    "a_reason_that_is_a_list": {"reason": ["rotated"]},
    "a_who_that_is_no_text": {"who": 7},
    "a_field_too_many": {"more": 1},
}


@pytest.mark.parametrize("name", TAMPERINGS)
@pytest.mark.parametrize("reasons", [("rotated",), ("rotated", "rotated"), ("rotated", "lost")], ids=len)
def test_a_tampered_change_of_the_key_is_broken_for_everybody(name, reasons):
    """Whoever holds the newest key and changed an older entry has a log that contradicts itself, whatever is trusted."""
    data = forged(reasons, 0, **TAMPERINGS[name])
    log = made(reasons)
    assert both(data) == 3
    assert {both(data, key=key) for key in log.keys} == {3}
    assert both(data, anchor=log.note(1)) == 3


def test_a_change_of_the_key_in_a_version_to_come_is_refused():
    """What the verifier cannot know it does not pass over."""
    log = made(("rotated",))
    place = log.changed_at[0]
    line = log.lines[place].replace(b'"kind":"key","v":1}', b'"kind":"key","v":2}')
    assert line != log.lines[place]
    lines = (*log.lines[:place], line, *log.lines[place + 1 :])
    files = {
        "about.json": canonical({"format": "labeltrail-bundle/1"}),
        "entries.jsonl": b"".join(line + b"\n" for line in lines),
    }
    assert both(write_archive({**files, "checkpoint": note(lines, 2).encode()}), key=2) == 3


def test_changes_of_the_key_are_not_dropped_swapped_or_entered_twice():
    """Each says which number it is and what key it follows on, so that no order but its own holds."""
    start = LogStart.make(log=LOG, project="keys", public_key=public(1))
    one = change(Keychain.begun(start), 2, old=1)
    two = change(Keychain.of(start, [(1, one)]), 3, old=2)
    for records in ([two], [two, one], [one, one], [one, two, two], [one, two, one]):
        data, _ = packed([start, *records], signers=(3,))
        assert {both(data, key=key) for key in (1, 2, 3)} == {3}
    whole, _ = packed([start, one, two], signers=(3,))
    assert {both(whole, key=key) for key in (1, 2, 3)} == {0}


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["whole", *TAMPERINGS]), min_size=1, max_size=3), st.data())
def test_the_verifiers_agree_on_whatever_a_chain_of_changes_holds(names, data):
    """Whole and tampered changes in one log, signed by anybody, judged with any key or checkpoint: one exit code."""
    start = LogStart.make(log=LOG, project="keys", public_key=public(1))
    chain, bodies = Keychain.begun(start), []
    for number, name in enumerate(names, 2):
        record = change(chain, number, old=number - 1)
        chain = chain.changed(number, record)
        bodies.append({**record.body(), **({} if name == "whole" else TAMPERINGS[name])})
    head = [Entry(1, start).to_bytes(), *(canonical({"at": 1, "body": b, "kind": "key", "v": 1}) for b in bodies)]
    about = canonical({"format": "labeltrail-bundle/1"})
    ref = {"path": "about.json", "sha256": sha256(about), "bytes": len(about)}
    lines = (*head, Entry(1, Bundle.make(files=[ref])).to_bytes())
    signer = data.draw(st.integers(1, 4))
    files = {"about.json": about, "entries.jsonl": b"".join(line + b"\n" for line in lines)}
    archive = write_archive({**files, "checkpoint": note(lines, signer).encode()})
    key, size = data.draw(st.integers(1, 5)), data.draw(st.integers(1, len(lines)))
    codes = both(archive, key=key), both(archive, anchor=note(lines[:size])), both(archive)
    if set(names) != {"whole"}:
        assert set(codes) == {3}


def test_every_bit_of_a_bundle_across_a_rotation_and_a_revocation_counts():
    """Each bit of a log with three keys flipped, one at a time, with its key at hand: none is missed."""
    log = made(("rotated", "compromised"))
    key, missed = bytes.fromhex(public(3)), []
    for position in range(0, len(log.data) * 8):
        flipped = bytearray(log.data)
        flipped[position // 8] ^= 1 << position % 8
        broken = check_bundle(bytes(flipped), key=key).is_broken
        if not broken or verify_py.verify(bytes(flipped), key=key)[0] != 3:
            missed.append(position)
    assert missed == []


PRIME, EIGHTH = verify_py.P, 2707385501144840649318225287225658788936804267575313519463743609750303021540
WEAK = [0, 1, PRIME - 1, EIGHTH, PRIME - EIGHTH, PRIME, PRIME + 1, PRIME + 18]


@pytest.mark.parametrize("y", WEAK)
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_under_which_anybody_can_sign_is_believed_by_nobody(y, sign):
    """Points of small order, keys in another than their one form: a signature that needs no secret is refused by both."""
    key = (y | sign << 255).to_bytes(32, "little")
    signature = verify_py._encode(verify_py._multiply(5, verify_py.BASE)) + (5).to_bytes(32, "little")
    assert not any(is_signed(key, bytes([n]), signature) for n in range(40))
    assert not any(verify_py.is_signed(key, bytes([n]), signature) for n in range(40))
    start = LogStart.make(log=LOG, project="keys", public_key=key.hex())
    about = canonical({"format": "labeltrail-bundle/1"})
    ref = {"path": "about.json", "sha256": sha256(about), "bytes": len(about)}
    lines = tuple(Entry(1, record).to_bytes() for record in (start, Bundle.make(files=[ref])))
    plain = parse_note(note(lines))
    forged_ = Checkpoint(LOG, plain.size, plain.root, (Signature(LOG, key_id(LOG, key), signature),))
    files = {"about.json": about, "entries.jsonl": b"".join(line + b"\n" for line in lines)}
    data = write_archive({**files, "checkpoint": forged_.to_note().encode()})
    assert check_bundle(data, key=key).is_broken
    assert verify_py.verify(data, key=key)[0] == 3


def test_a_change_of_the_key_reads_the_same_in_both_verifiers():
    """The chain that `verify.py` reads is that of the library: entry, key, reason."""
    log = made(("rotated", "lost", "rotated"))
    entries = [verify_py.read_json(line, "test") for line in log.lines]
    told = verify_py.key_chain(entries[0]["body"], [(at, entries[at]) for at in log.changed_at])
    start = LogStart.make(log=LOG, project="keys", public_key=public(1))
    changes_ = [(at, KeyChange.make(**entries[at]["body"])) for at in log.changed_at]
    links = Keychain.of(start, changes_).links
    assert told == [(link.since, link.key, link.reason) for link in links]
    assert all(one.since < other.since for one, other in pairwise(links))
