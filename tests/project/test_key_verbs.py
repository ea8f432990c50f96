"""`key show`, `key rotate`, `key revoke`: the log's key changes, and evidence from before goes on or says why not."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from small_facts import finding
from small_keys import begin, change, hold, private, public

from governance.errors import BrokenEvidence, Busy, ConfigurationError
from governance.project import Project
from governance.proof import published
from governance.proof.bundle import check_bundle, make_bundle
from governance.store import keys
from governance.store.checkpoint import parse_note
from governance.store.memory import recall

VERIFIER = Path(published.__file__).with_name("verify.py")


@pytest.fixture
def governed(tmp_path: Path, own_home: Path) -> Project:
    """A project of one log with a key, and nothing run in it yet."""
    keys.create_key()
    Project.init(tmp_path / "p", reference=False)
    (tmp_path / "p/dvc.yaml").write_text("stages: {make: {cmd: make, outs: [made]}}\n")
    found = Project.find(tmp_path / "p")
    found.trail.append([finding(1)])
    return found


def verified(governed: Project, since: Path | None = None):
    return governed.verify(since=since, log=True)


def auditor(file: Path, *more: str) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(VERIFIER), str(file), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def kept(governed: Project, name: str) -> Path:
    """A checkpoint that somebody outside keeps."""
    place = governed.config.root / name
    place.write_text(governed.checkpoint().data["note"])
    return place


def test_after_a_rotation_everybodys_trust_goes_on(governed):
    """The old key, a checkpoint from before and the tracked one: 0 for the store, for verify.py and for the library."""
    before, old = kept(governed, "before"), governed.key_show().data["public_key"]
    report = governed.key_rotate()
    assert (report.data["reason"], report.data["previous"]) == ("rotated", old)
    governed.trail.append([finding(2)])
    assert int(verified(governed).exit_code) == 0
    assert int(verified(governed, before).exit_code) == 0
    told = governed.bundle(governed.config.root / "e.zip")
    assert told.data["public_key"] == report.data["public_key"] != old
    file = governed.config.root / "e.zip"
    for key in (old, report.data["public_key"]):
        assert auditor(file, "--key", key)[0] == 0
        assert int(Project.verify_bundle(file, key=key).exit_code) == 0
    assert auditor(file, "--checkpoint", str(before))[0] == 0
    assert int(Project.verify_bundle(file, since=before).exit_code) == 0


@pytest.mark.parametrize("reason", ["lost", "compromised"])
def test_after_a_revocation_old_trust_ends_with_a_reason(governed, reason):
    """Exit 4 names the entry for the old key and for a checkpoint from before; the new key and a new checkpoint hold."""
    before, old = kept(governed, "before"), governed.key_show().data["public_key"]
    if reason == "lost":
        keys.key_path().unlink()
    report = governed.key_revoke(reason=reason)
    since, new = report.data["since"], report.data["public_key"]
    after = kept(governed, "after")
    governed.trail.append([finding(2)])
    assert int(verified(governed).exit_code) == 0
    assert [
        said for said in verified(governed).data["not_checked"] if f"before entry {since}" in said and reason in said
    ]
    answer = verified(governed, before)
    assert int(answer.exit_code) == 4
    assert [c["culprit"] for c in answer.data["checks"] if c["state"] == "unknown"] == [f"entry {since}"]
    assert int(verified(governed, after).exit_code) == 0
    file = governed.config.root / "e.zip"
    told = governed.bundle(file)
    assert [line for line in told.data["open"] if f"entry {since} revoked" in line]
    for trust in (["--key", old], ["--checkpoint", str(before)]):
        code, said = auditor(file, *trust)
        assert code == 4
        assert f"entry {since} revoked the key" in said
        assert f"({reason})" in said
    assert int(Project.verify_bundle(file, key=old).exit_code) == 4
    assert int(Project.verify_bundle(file, since=before).exit_code) == 4
    for trust in (["--key", new], ["--checkpoint", str(after)]):
        assert auditor(file, *trust)[0] == 0
    assert auditor(file, "--key", public(9))[0] == 3


def test_the_chain_of_keys_is_shown_with_why_and_what_is_at_hand(governed):
    """Each key, since which entry, for what reason, by whom, and whether its private half is here."""
    governed.key_rotate()
    governed.key_revoke(reason="compromised")
    keys.kept_path(governed.trail.start().public_key or "").unlink()
    told = governed.key_show().data
    assert [(key["since"], key["reason"], key["at_hand"]) for key in told["keys"]] == [
        (0, "began", False),
        (2, "rotated", True),
        (3, "compromised", True),
    ]
    assert told["public_key"] == told["keys"][-1]["public_key"]
    text = governed.key_show().to_markdown()
    assert all(key["public_key"] in text for key in told["keys"])


def test_without_the_private_half_a_key_hands_over_to_nobody(governed, tmp_path):
    """Exit 2 and the way on; the log is as long as before. The revocation that is told works."""
    size = governed.trail.size()
    keys.key_path().rename(tmp_path / "away")
    with pytest.raises(ConfigurationError, match="not at hand") as caught:
        governed.key_rotate()
    assert "`labeltrail key revoke --reason lost`" in (caught.value.hint or "")
    assert governed.trail.size() == size
    assert governed.key_revoke(reason="lost").data["since"] == size


def test_what_was_recorded_without_the_key_is_adopted_before_the_key_hands_over(governed, tmp_path):
    """A rotation signs nothing that its holder has not looked at; after adopting it works."""
    keys.key_path().rename(tmp_path / "away")
    governed.trail.append([finding(2)])
    (tmp_path / "away").rename(keys.key_path())
    with pytest.raises(ConfigurationError, match="without the log's key") as caught:
        governed.key_rotate()
    assert "`labeltrail adopt`" in (caught.value.hint or "")
    governed.adopt()
    governed.key_rotate()
    assert int(verified(governed).exit_code) == 0


def test_what_was_recorded_after_a_key_was_lost_stays_unknown_until_it_is_adopted(governed):
    """The revocation is signed; what nobody signed meanwhile waits for the new key's holder to look."""
    keys.key_path().unlink()
    governed.trail.append([finding(2)])
    governed.key_revoke(reason="lost")
    assert int(verified(governed).exit_code) == 4
    governed.adopt()
    assert int(verified(governed).exit_code) == 0


def test_a_log_without_a_key_is_given_one_and_has_none_to_revoke(tmp_path):
    """`rotate` names the first key; `revoke` says what to do."""
    Project.init(tmp_path / "p", reference=False, key=False)
    governed = Project.find(tmp_path / "p")
    with pytest.raises(ConfigurationError, match="names no key"):
        governed.key_revoke(reason="lost")
    assert "labeltrail key rotate" in governed.key_show().to_markdown()
    assert governed.key_rotate().data["reason"] == "first"
    governed.trail.append([finding(1)])
    governed.adopt()
    assert int(verified(governed).exit_code) == 0


def test_a_log_that_contradicts_itself_gets_no_new_key(governed):
    """The first thing that does not fit is named, and neither entry nor key file is made."""
    governed.trail.database.close()
    with closing(sqlite3.connect(governed.config.root / ".labeltrail/trail.db")) as connection, connection:
        connection.execute("UPDATE trail_checkpoint SET frontier = ? WHERE size = 1", ("ab" * 32,))
    before = keys.key_path().read_bytes()
    for verb in (governed.key_rotate, lambda: governed.key_revoke(reason="lost")):
        with pytest.raises(BrokenEvidence, match="checkpoint 1") as caught:
            verb()
        assert caught.value.hint == "the key was not changed"
    assert keys.key_path().read_bytes() == before
    assert governed.trail.size() == 2


def test_a_crash_between_the_new_key_and_its_entry_costs_nothing(governed, monkeypatch):
    """The old key goes on signing, and the next rotation uses the key that is there already."""
    with monkeypatch.context() as patch:
        patch.setattr("governance.store.trail.Trail.append", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            governed.key_rotate()
    made = keys.load_key()
    assert made is not None
    assert keys.public_hex(made) != governed.trail.keychain().newest.public_key
    assert governed.trail.append([finding(2)]).signed
    assert governed.key_rotate().data["public_key"] == keys.public_hex(made)
    assert int(verified(governed).exit_code) == 0


def test_of_two_that_change_the_key_one_is_told_that_the_other_was_first(governed, monkeypatch):
    """Between the look and the entry somebody else rotates: exit 5 with the entry, and one change in the log."""
    lock = keys.changing_keys
    other = Project.find(governed.config.root)

    def late(**settings):
        monkeypatch.setattr(keys, "changing_keys", lock)
        other.key_rotate()
        return lock(**settings)

    monkeypatch.setattr(keys, "changing_keys", late)
    with pytest.raises(Busy, match="entry 2"):
        governed.key_rotate()
    assert [link.reason for link in governed.trail.keychain().links] == ["began", "rotated"]
    assert governed.trail.append([finding(2)]).signed


def test_a_second_change_that_comes_as_the_first_is_entered_is_told_so_too(governed, monkeypatch):
    """Two homes share no lock: the store itself lets one of them through."""
    appended = governed.trail.append

    def late(records):
        appended([change(governed.trail.keychain(), 5, reason="lost")])
        return appended(records)

    monkeypatch.setattr(governed.trail, "append", late)
    with pytest.raises(Busy, match="somebody else changed the log's key"):
        governed.key_rotate()
    assert len(governed.trail.keychain().links) == 2


def test_many_rotations_at_once_lose_no_key_and_break_no_chain(governed):
    """Six processes rotate: each succeeds or says that another was first, and every key of the chain is at hand."""
    command = [sys.executable, "-m", "governance", "key", "rotate", "--json"]
    running = [
        subprocess.Popen(command, cwd=governed.config.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    ended = []
    for process in running:
        out, err = process.communicate(timeout=120)
        ended.append((process.returncode, out, err))
    assert {code for code, _, _ in ended} <= {0, 5}, ended
    done = sum(code == 0 for code, _, _ in ended)
    assert done >= 1
    told = governed.key_show().data["keys"]
    assert len(told) == done + 1
    assert all(key["at_hand"] for key in told)
    assert int(verified(governed).exit_code) == 0


def test_two_projects_of_one_person_share_the_new_key(governed, tmp_path):
    """The second project hands over to the key that the first one made; until then its own goes on signing it."""
    Project.init(tmp_path / "other", reference=False)
    other = Project.find(tmp_path / "other")
    old = other.trail.start().public_key
    new = governed.key_rotate().data["public_key"]
    assert other.trail.append([finding(1)]).signed
    assert other.trail.keychain().newest.public_key == old
    assert other.key_rotate().data["public_key"] == new
    assert {int(verified(found).exit_code) for found in (governed, other)} == {0}


def test_a_machine_without_a_home_hands_over_to_the_second_key_in_its_variable(tmp_path, monkeypatch):
    """No file is needed where the environment holds both keys."""
    both = [base64.b64encode(private(number).private_bytes_raw()).decode() for number in (1, 2)]
    monkeypatch.setenv(keys.KEY_VARIABLE, both[0])
    Project.init(tmp_path / "p", reference=False)
    governed = Project.find(tmp_path / "p")
    monkeypatch.setenv(keys.KEY_VARIABLE, ",".join(reversed(both)))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert governed.trail.append([finding(1)]).signed
    assert governed.key_rotate().data["public_key"] == public(2)
    assert int(verified(governed).exit_code) == 0


def test_a_compromised_key_is_followed_by_one_that_was_never_on_the_disk(governed):
    """A key that lay beside it may be in the same hands: a new one is made, unless the environment names one."""
    hold(7)
    keys.kept_path(public(7)).unlink()
    new = governed.key_revoke(reason="compromised").data["public_key"]
    assert new != public(7)
    assert keys.load_key(public(7)) is not None


def test_where_no_key_can_be_kept_the_key_is_not_changed(governed, monkeypatch):
    """A home that is a file: one error, exit 2, and the log is as before."""
    seed = keys.key_path().read_text().strip()
    monkeypatch.setenv(keys.KEY_VARIABLE, seed)
    place = governed.config.root / "file"
    place.write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
    size = governed.trail.size()
    with pytest.raises(ConfigurationError, match="no signing key can be made"):
        governed.key_rotate()
    assert governed.trail.size() == size


def test_what_was_seen_and_tracked_before_a_change_of_the_key_goes_on_to_be_compared(governed):
    """The remembered and the tracked checkpoint hold across rotation and revocation, and a log taken back is noticed."""
    tracked = governed.config.root / governed.checkpoint().data["file"]
    store = governed.config.root / ".labeltrail/trail.db"
    governed.trail.database.close()
    shutil.copy(store, governed.config.root / "older.db")
    governed.key_rotate()
    assert int(verified(governed).exit_code) == 0
    since = governed.key_revoke(reason="lost").data["since"]
    assert int(verified(governed).exit_code) == 0
    # Given by hand it is a question of trust, and it has no word for the key that took the place of the revoked one.
    (check,) = [c for c in verified(governed, tracked).data["checks"] if c["state"] != "fine"]
    assert (check["state"], check["culprit"]) == ("unknown", f"entry {since}")
    seen = recall(governed.trail.log)
    assert seen is not None
    assert seen == parse_note(governed.trail.checkpoints()[-1][1])
    governed.trail.database.close()
    shutil.copy(governed.config.root / "older.db", store)
    answer = Project.find(governed.config.root).verify(log=True)
    assert int(answer.exit_code) == 3
    assert any("ran backwards" in check["says"] for check in answer.data["checks"])


def test_a_stranger_with_the_store_cannot_pass_a_key_of_his_for_the_logs(tmp_path, monkeypatch):
    """He can append a revocation without any key: whoever trusts the old key is told, and does not read fine."""
    trail = begin(tmp_path, 1)
    trail.append([finding(1)])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
    hold(5)
    trail.append([change(trail.keychain(), 5, reason="compromised")])
    data, _ = make_bundle(trail, {})
    assert check_bundle(data, key=bytes.fromhex(public(1))).checks[0].state == "unknown"
    assert check_bundle(data, key=bytes.fromhex(public(5))).checks[0].state == "fine"


def test_a_key_that_somebody_else_named_is_unknown_to_whoever_saw_the_log_before(governed, monkeypatch):
    """A stranger who can write to the store revokes and goes on signing: not fine for the owner until he has asked."""
    place = keys.key_path().parent.parent
    monkeypatch.setenv("XDG_CONFIG_HOME", str(governed.config.root / "stranger"))
    hold(5)
    governed.trail.append([change(governed.trail.keychain(), 5, reason="lost"), finding(3)])
    assert int(verified(governed).exit_code) == 0
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
    answer = verified(governed)
    assert int(answer.exit_code) == 4
    (check,) = [c for c in answer.data["checks"] if c["state"] != "fine"]
    assert check["culprit"] == "entry 2"
    assert not governed.trail.append([finding(4)]).signed
    assert int(verified(governed).exit_code) == 4


def test_every_verb_that_tells_a_key_tells_the_one_in_force(governed):
    """`init`, `doctor`, `log`, `checkpoint`: after a rotation, the new key and since when."""
    new = governed.key_rotate().data["public_key"]
    root = governed.config.root
    assert Project.init(root).data["public_key"] == new
    assert "signed with your key" in Project.init(root).to_markdown()
    assert governed.log().data["public_key"] == new
    assert governed.checkpoint().data["public_key"] == new
    told = {s["what"]: s for s in Project.doctor(root).data["symptoms"]}["store"]
    assert (told["state"], f"{new[:16]}… since entry 2" in told["says"]) == ("fine", True)
    keys.key_path().unlink()
    told = {s["what"]: s for s in Project.doctor(root).data["symptoms"]}["store"]
    assert told["state"] == "note"
    assert "`labeltrail key revoke --reason lost`" in told["hint"]
    assert "not the one at hand" in Project.init(root, key=False).to_markdown()


def test_the_verbs_answer_on_the_command_line(governed):
    """Text, JSON and Markdown; a reason that is none is a usage error."""

    def labeltrail(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "governance", "key", *arguments]
        return subprocess.run(command, cwd=governed.config.root, capture_output=True, text=True, check=False)

    shown = json.loads(labeltrail("show", "--json").stdout)
    assert (shown["verb"], len(shown["keys"])) == ("key show", 1)
    rotated = labeltrail("rotate")
    assert rotated.returncode == 0
    assert "labeltrail checkpoint" in rotated.stdout
    assert labeltrail("revoke", "--reason", "tired").returncode == 2
    assert labeltrail("revoke", "--reason", "compromised", "--md").returncode == 0
    assert "compromised" in json.dumps(json.loads(labeltrail("show", "--json").stdout)["keys"])
