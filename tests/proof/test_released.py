"""Evidence of every release verifies for ever, and what is wrong is found wrong, by both verifiers.

When a version is released, `python tests/proof/make_released.py VERSION` adds its folder; none is ever taken away.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import standalone

from governance import __version__
from governance.proof.bundle import check_bundle
from governance.proof.folder import Folder, check_folder

verify_py = standalone()
HERE = Path(__file__).parent
RELEASED = sorted(path for path in (HERE / "released").iterdir() if path.is_dir())
BAD = [path for folder in RELEASED for path in sorted((folder / "bad").glob("*.zip"))]
STATES = {"broken": 3, "unknown": 4, "fine": 0}


def codes(evidence: Path, *, anchor: str | None = None, key: bytes | None = None) -> set[int]:
    """What both verifiers answer of a bundle or of a folder of tiles."""
    if evidence.is_dir():
        data, check = verify_py.read_folder(evidence), check_folder(Folder(evidence), anchor=anchor, key=key)
    else:
        data = evidence.read_bytes()
        check = check_bundle(data, anchor=anchor, key=key)
    code, _ = verify_py.verify(data, anchor=anchor.encode() if anchor else None, key=key)
    return {code, STATES[check.checks[0].state]}


def key_of(folder: Path) -> bytes:
    return bytes.fromhex((folder / "key").read_text())


def test_the_version_of_today_has_its_evidence():
    """Whoever raises the version makes the evidence of that release."""
    assert __version__.partition("+")[0] in {folder.name for folder in RELEASED}


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.name)
@pytest.mark.parametrize("what", ["evidence.zip", "published"])
def test_evidence_of_a_release_is_whole_for_ever(folder, what):
    """With its key, its checkpoint and an older one: 0; without any: 4."""
    assert (folder / "evidence.zip").stat().st_size <= 8192
    assert codes(folder / what, key=key_of(folder)) == {0}
    for note in ("checkpoint", "older-checkpoint"):
        assert codes(folder / what, anchor=(folder / note).read_text()) == {0}
    assert codes(folder / what) == {4}


def wanted(path: Path) -> str:
    """What the verifier has to say, so that each file is refused for its own fault."""
    return {
        "bundle_cut_short": "canonical form",
        "bundle_cut_in_the_middle": "cut short",
        "bundle_with_an_extra_file": "not in its list",
        "bundle_with_two_files_of_one_name": "twice",
        "bundle_that_swells": "canonical form",
        "bundle_with_a_path_that_climbs": "not allowed",
        "bundle_with_an_entry_that_is_not_canonical": "not canonical",
        "bundle_of_an_unknown_version": "kind or version",
        "bundle_signed_with_a_wrong_key": "not signed by",
        "bundle_with_a_checkpoint_from_another_log": "the checkpoint",
        "bundle_of_another_log": "of another log",
        "bundle_with_an_entry_of_an_unknown_version": "of a version that I do not know, 99",
    }[path.stem]


@pytest.mark.parametrize("path", BAD, ids=lambda path: f"{path.parent.parent.name} {path.stem}")
def test_each_bad_bundle_is_refused_for_its_own_fault(path):
    """Both verifiers end with 3, with the key at hand and with an older checkpoint."""
    folder = path.parent.parent
    key, anchor = key_of(folder), (folder / "older-checkpoint").read_text()
    if path.stem == "bundle_of_another_log":
        # Signed with the same key: only a checkpoint of the log that is meant tells the two apart.
        assert codes(path, key=key) == {0}
    else:
        assert codes(path, key=key) == {3}
    assert codes(path, anchor=anchor) == {3}
    told = [verify_py.verify(path.read_bytes(), **trust)[1][0] for trust in ({"key": key}, {"anchor": anchor.encode()})]
    assert wanted(path) in "\n".join(told)


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.name)
def test_a_checkpoint_of_another_log_vouches_for_nothing(folder):
    """Bundle and tiles end with 3 under it."""
    anchor = (folder / "bad/checkpoint_of_another_log").read_text()
    assert codes(folder / "evidence.zip", anchor=anchor) == codes(folder / "published", anchor=anchor) == {3}


def test_what_was_released_is_not_made_again(tmp_path):
    """The command refuses a version that has its folder, and writes a new one whole."""
    command = [sys.executable, str(HERE / "make_released.py")]
    for words in ([], [RELEASED[0].name]):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, "--again" in done.stderr) == (2, True)
    made = HERE / "make_released.py"
    copy = tmp_path / "tests" / "proof"
    copy.mkdir(parents=True)
    for name in ("make_released.py", "evidence.py"):
        (copy / name).write_bytes((made.parent / name).read_bytes())
    (tmp_path / "tests/small_facts.py").write_bytes((HERE.parent / "small_facts.py").read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    subprocess.run(
        [sys.executable, str(copy / "make_released.py"), "9.9.9"], env=environment, check=True, capture_output=True
    )
    fresh = copy / "released" / "9.9.9"
    assert codes(fresh / "evidence.zip", key=key_of(fresh)) == codes(fresh / "published", key=key_of(fresh)) == {0}
    assert {path.name for path in (fresh / "bad").iterdir()} == {p.name for p in (RELEASED[-1] / "bad").iterdir()}
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    example = Ed25519PrivateKey.from_private_bytes(base64.b64decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    assert key_of(fresh) == example.public_key().public_bytes_raw()
