"""A challenge of a whole project: the auditor's seed, the key in force, and what an outsider is answered."""

from __future__ import annotations

import errno
import os

import pytest

from governance.errors import ConfigurationError
from governance.project import Project
from governance.project import bundle as bundling
from governance.proof.published import verifier


@pytest.fixture
def challenged(reference):
    """A folder with the rows that a seed draws from a project's labels, and a checkpoint from before the seed was known."""
    kept = Project.find(reference).checkpoint().data["note"]
    (reference.parent / "kept").write_text(kept)
    told = Project.find(reference).challenge(reference.parent / "rows.zip", seed="a lottery", rows=3)
    return reference.parent, told


def asked(folder, **trust):
    return int(Project.verify_bundle(folder / "rows.zip", **trust).exit_code)


def test_whoever_kept_a_checkpoint_from_before_the_seed_is_answered(challenged):
    """The kept checkpoint covers the commitments, git carries one like it, and the rows are those of this very seed."""
    folder, told = challenged
    assert int(told.exit_code) == 0
    assert asked(folder, since=folder / "kept", seed="a lottery") == 0
    assert asked(folder, key=told.data["public_key"], seed="a lottery") == 0
    assert asked(folder, seed="a lottery") == 4
    assert asked(folder, since=folder / "kept", seed="another") == 3
    drawn = Project.verify_bundle(folder / "rows.zip", since=folder / "kept").data["drawn"]
    assert drawn == f"seed 'a lottery' drew 3 of the {told.data['of']} rows of {told.data['tables']['labels']}"


def test_a_challenge_tells_the_key_in_force(reference):
    """Not the one that the log began with: that one may have been revoked since."""
    before = Project.find(reference).trail.start().public_key
    key = Project.find(reference).key_revoke(reason="compromised").data["public_key"]
    told = Project.find(reference).challenge(reference.parent / "rows.zip", seed="s", rows=1)
    assert told.data["public_key"] == key != before
    assert asked(reference.parent, key=key) == 0
    assert asked(reference.parent, key=before) == 4


def test_a_checkpoint_that_is_none_is_judged_as_the_published_verifier_judges_it(challenged):
    """What is trusted is read as it stands there, to the byte; a file that is not there is another matter."""
    folder, _ = challenged
    whole = (folder / "kept").read_bytes()
    for wrong in (whole.replace(b"\n", b"\r\n"), whole[:-1], b"", b"\xff" + whole):
        (folder / "wrong").write_bytes(wrong)
        assert asked(folder, since=folder / "wrong") == 3
    with pytest.raises(ConfigurationError, match="no-such"):
        asked(folder, since=folder / "no-such")


def test_a_place_that_cannot_be_written_is_one_error_as_for_a_bundle(reference, monkeypatch):
    """Where that is seen beforehand, nothing is entered; on a disk that fails later, the error says what the log notes."""
    governed, target = Project.find(reference), reference.parent / "rows.zip"
    size = governed.trail.size()
    with monkeypatch.context() as patch:
        patch.setattr(bundling.os, "access", lambda path, mode: False)
        with pytest.raises(ConfigurationError, match="cannot be written"):
            governed.challenge(target, seed="s", rows=1)
    assert governed.trail.size() == size

    def refusing(path, data, **more):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(bundling, "write_atomically", refusing)
        with pytest.raises(ConfigurationError, match="Read-only") as told:
            governed.challenge(target, seed="s", rows=1)
    assert "challenge again" in (told.value.hint or "")
    assert int(governed.challenge(target, seed="s", rows=1).exit_code) == 0


def test_a_checkpoint_and_a_key_are_not_asked_together(project):
    """As for verify.py: whoever gives both would take the silence about one of them for its word."""
    key = Project.find(project).bundle(project.parent / "rows.zip").data["public_key"]
    (project.parent / "nonsense").write_text("no checkpoint")
    assert asked(project.parent, key=key) == 0
    with pytest.raises(ConfigurationError, match="one of them would not be asked"):
        asked(project.parent, key=key, since=project.parent / "nonsense")


def test_a_seed_is_for_challenges(project):
    """Of a bundle nothing was drawn: whoever takes one for a challenge is told."""
    Project.find(project).bundle(project.parent / "rows.zip", verifier=project.parent / "verify.py")
    assert (project.parent / "verify.py").read_bytes() == verifier()
    assert asked(project.parent) == 4
    assert asked(project.parent, seed="a lottery") == 3
