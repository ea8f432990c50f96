"""A published log is whole, of the log that is trusted, and whoever changed anything is found out: by two verifiers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence import Evidence, make_evidence, standalone
from hypothesis import given
from hypothesis import strategies as st

from governance.digest import canonical, parse_canonical
from governance.errors import ConfigurationError
from governance.project import Project
from governance.proof import folder as folders
from governance.proof import published
from governance.proof.folder import Folder, check_folder
from governance.store import merkle, tiles
from governance.store.checkpoint import Checkpoint, parse_note

verify_py = standalone()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("home")))
        return make_evidence(tmp_path_factory.mktemp("log"))


@pytest.fixture
def narrow(monkeypatch):
    """Two to a tile instead of 256: a log of a few entries has tiles of several levels, full and partial."""
    for module in (tiles, folders, verify_py):
        monkeypatch.setattr(module, "WIDTH", 2)


def both(files: dict[str, bytes], *, anchor: str | None = None, key: bytes | None = None) -> set[int]:
    """The exit codes of `verify.py` and of the library: one number where they agree."""
    code, _ = verify_py.verify(files, anchor=anchor.encode() if anchor is not None else None, key=key)
    state = check_folder(files, anchor=anchor, key=key).checks[0].state
    return {code, {"broken": 3, "unknown": 4, "fine": 0}[state]}


def laid_out(entries: list[bytes], note: bytes) -> dict[str, bytes]:
    """The files of a log of these entries, whoever made it."""
    return {"checkpoint": note, **dict(tile.file(tile.width) for tile in tiles.tiles(entries))}


def entries_of(evidence: Evidence) -> list[bytes]:
    size = max(evidence.checkpoints)
    data = evidence.tiles[f"tile/entries/000.p/{size}"]
    return tiles.read_bundle(data, prefix=2, width=size)


def test_a_published_log_is_whole_for_whoever_trusts_its_key_or_any_checkpoint_of_it(evidence):
    """With the key, the newest or an older checkpoint: 0. With nothing to trust: 4, whole and of unknown origin."""
    assert sorted(evidence.tiles) == [
        "checkpoint",
        *("tile/0/000.p/3", "tile/0/000.p/6", "tile/entries/000.p/3", "tile/entries/000.p/6"),
    ]
    assert both(evidence.tiles, key=evidence.key) == {0}
    assert [both(evidence.tiles, anchor=note) for note in evidence.checkpoints.values()] == [{0}] * 4
    assert both(evidence.tiles) == {4}


def missed_flips(files: dict[str, bytes], *, only: Iterable[str] = (), **trust: object) -> tuple[int, list[object]]:
    """How many bits were flipped, one at a time, and those where the two verifiers did not both say 3.

    What is trusted takes turns from bit to bit. The same bytes are the same entry: neither verifier parses them twice.
    """
    missed, tried, anchors = [], 0, list(trust.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "read_entry", cache(folders.read_entry))
        patch.setattr(verify_py, "_entry", cache(verify_py._entry))
        for path in only or files:
            for position in range(len(files[path]) * 8):
                flipped = bytearray(files[path])
                flipped[position // 8] ^= 1 << position % 8
                if both({**files, path: bytes(flipped)}, **dict([anchors[tried % len(anchors)]])) != {3}:
                    missed.append((path, position))
                tried += 1
    return tried, missed


def test_every_single_bit_of_a_published_log_counts(evidence):
    """Checkpoint, tiles, bundles and the earlier states of both: each bit flipped, with the key or a checkpoint at hand.

    With the checkpoint of these very entries the signature beside them is not asked; so an older one is given.
    """
    older = evidence.checkpoints[5]
    tried, missed = missed_flips(evidence.tiles, anchor=older, key=evidence.key)
    assert tried == 8 * sum(len(data) for data in evidence.tiles.values()) > 20_000
    assert missed == []
    note = {"checkpoint": evidence.tiles["checkpoint"]}
    for trust in ({"key": evidence.key}, {"anchor": older}):
        assert missed_flips(evidence.tiles, only=note, **trust) == (8 * len(note["checkpoint"]), [])


def test_every_single_bit_of_tiles_on_several_levels_counts(evidence, narrow):
    """The same log with two to a tile: levels 0, 1 and 2, full tiles and partial ones, and an earlier state."""
    entries = entries_of(evidence)
    files = laid_out(entries, evidence.tiles["checkpoint"])
    files |= dict(tile.file(tile.width) for tile in tiles.tiles(entries[:3]))
    assert {"tile/0/002", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1", "tile/0/001.p/1"} <= set(files)
    assert both(files, key=evidence.key) == {0}
    tried, missed = missed_flips(files, key=evidence.key, anchor=evidence.checkpoints[5])
    assert tried == 8 * sum(len(data) for data in files.values()) > 15_000
    assert missed == []


@pytest.mark.parametrize("trusted", [5, 6])
def test_every_single_bit_of_a_trusted_checkpoint_counts(evidence, trusted):
    """A checkpoint that is one bit off is none of this log, and both verifiers say so; its signatures are not asked."""
    note = evidence.checkpoints[trusted].encode()
    for position in range(note.index(b"\n\n") * 8):
        flipped = bytearray(note)
        flipped[position // 8] ^= 1 << position % 8
        code, _ = verify_py.verify(evidence.tiles, anchor=bytes(flipped))
        state = check_folder(evidence.tiles, anchor=bytes(flipped).decode("utf-8", errors="replace")).checks[0].state
        assert (code, state) == (3, "broken"), position


def rewritten(evidence: Evidence, entries: list[bytes]) -> bytes:
    """A checkpoint made anew, without the key."""
    old = parse_note(evidence.tiles["checkpoint"].decode())
    root = merkle.root(merkle.leaf_hash(entry) for entry in entries)
    return Checkpoint(old.origin, len(entries), root).to_note().encode()


def back_dated(entry: bytes) -> bytes:
    value = parse_canonical(entry, where="test")
    value["at"] -= 86_400_000_000
    return canonical(value)


HISTORIES = {
    "swapped": lambda e: [e[0], e[2], e[1], *e[3:]],
    "dropped": lambda e: [*e[:2], *e[3:]],
    "duplicated": lambda e: [*e[:3], e[2], *e[3:]],
    "reversed": lambda e: [e[0], *reversed(e[1:])],
    "back-dated": lambda e: [*e[:2], back_dated(e[2]), *e[3:]],
    "cut short": lambda e: e[:-1],
    "emptied": lambda e: e[:1],
    "nothing": lambda e: [],
    "another one added": lambda e: [*e, e[-1]],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_that_was_changed_is_refused(evidence, name):
    """Entries swapped, dropped, duplicated, reordered, back-dated, cut off or added, all tiles computed anew.

    Under the old checkpoint, under one made anew, under one signed with a key of the forger's that the log then names.
    """
    entries = HISTORIES[name](entries_of(evidence))
    key = Ed25519PrivateKey.generate()
    named = list(entries)
    if named:
        start = parse_canonical(named[0], where="test")
        start["body"]["public_key"] = key.public_key().public_bytes_raw().hex()
        named[0] = canonical(start)
    plain = parse_note(rewritten(evidence, named).decode())
    forged = [
        laid_out(entries, evidence.tiles["checkpoint"]),
        laid_out(entries, rewritten(evidence, entries)),
        laid_out(named, plain.signed(key).to_note().encode()),
    ]
    for files in forged:
        assert both(files, key=evidence.key) == {3}
        for size, note in evidence.checkpoints.items():
            # A log that was cut off is what it was when that checkpoint was made, and is told to be no more.
            was = files is forged[1] and entries == entries_of(evidence)[:size]
            assert both(files, anchor=note) == ({0} if was else {3})


def test_a_log_taken_back_is_refused_by_whoever_has_seen_more_of_it(evidence):
    """An older state, rightly signed, is whole for the key alone: only a later checkpoint shows what was taken away."""
    files = laid_out(entries_of(evidence)[:5], evidence.checkpoints[5].encode())
    assert both(files, key=evidence.key) == {0}
    assert both(files, anchor=evidence.checkpoints[5]) == {0}
    assert both(files, anchor=evidence.checkpoints[6]) == {3}


def test_another_log_is_refused(evidence, tmp_path):
    """Neither its tiles nor its checkpoint pass for those of the log that is trusted, whole or mixed."""
    other = make_evidence(tmp_path)
    assert both(other.tiles, key=evidence.key) == {3}
    assert both(other.tiles, anchor=evidence.checkpoints[6]) == {3}
    assert both({**other.tiles, "checkpoint": evidence.tiles["checkpoint"]}, key=evidence.key) == {3}
    assert both({**evidence.tiles, "checkpoint": other.tiles["checkpoint"]}, key=other.key) == {3}
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert both(evidence.tiles, key=stranger) == {3}


@pytest.mark.parametrize("size", [0, 1, 5, 7, 255, 256, 2**40])
def test_a_checkpoint_of_another_size_is_refused(evidence, size):
    """The size is bound by what lies there and by the signature."""
    note = evidence.tiles["checkpoint"].replace(b"\n6\n", f"\n{size}\n".encode())
    assert both({**evidence.tiles, "checkpoint": note}, key=evidence.key) == {3}


FOLDERS = {
    "a tile missing": lambda f: f.pop("tile/0/000.p/6"),
    "a bundle missing": lambda f: f.pop("tile/entries/000.p/6"),
    "the checkpoint missing": lambda f: f.pop("checkpoint"),
    "nothing": lambda f: f.clear(),
    "a tile cut short": lambda f: f.__setitem__("tile/0/000.p/6", f["tile/0/000.p/6"][:-32]),
    "a tile too long": lambda f: f.__setitem__("tile/0/000.p/6", f["tile/0/000.p/6"] + bytes(32)),
    "a bundle cut short": lambda f: f.__setitem__("tile/entries/000.p/6", f["tile/entries/000.p/6"][:-1]),
    "a bundle too long": lambda f: f.__setitem__("tile/entries/000.p/6", f["tile/entries/000.p/6"] + b"\0\0"),
    "an earlier state of another width": lambda f: f.__setitem__("tile/0/000.p/2", f["tile/0/000.p/3"]),
    "an earlier state that never was": lambda f: f.__setitem__("tile/0/000.p/2", f["tile/0/000.p/6"][32:96]),
    "a later state": lambda f: f.__setitem__("tile/0/000.p/7", f["tile/0/000.p/6"] + bytes(32)),
    "a full tile too early": lambda f: f.__setitem__("tile/0/000", f["tile/0/000.p/6"]),
    "a tile beyond": lambda f: f.__setitem__("tile/0/001.p/1", bytes(32)),
    "a level too high": lambda f: f.__setitem__("tile/1/000.p/1", bytes(32)),
    "an empty tile": lambda f: f.__setitem__("tile/1/000.p/0", b""),
    "a foreign file": lambda f: f.__setitem__("index.html", b"all is well"),
    "a file of a killed writer": lambda f: f.__setitem__("tile/0/.000.1.partial", b""),
    "another spelling": lambda f: f.__setitem__("tile/0/x000/000.p/6", f["tile/0/000.p/6"]),
    "tiles in the place of entries": lambda f: f.__setitem__("tile/entries/000.p/6", f["tile/0/000.p/6"]),
    "four bytes of length without need": lambda f: f.__setitem__(
        "tile/large/000.p/6",
        b"".join(
            len(e).to_bytes(4, "big") + e for e in tiles.read_bundle(f["tile/entries/000.p/6"], prefix=2, width=6)
        ),
    ),
    "two entries as one": lambda f: f.__setitem__(
        "tile/entries/000.p/6",
        f["tile/entries/000.p/6"].replace(b"}\x01", b"}\n\x01", 1),
    ),
    "the checkpoint with a zero": lambda f: f.__setitem__("checkpoint", f["checkpoint"].replace(b"\n6\n", b"\n06\n")),
    "the checkpoint unsigned": lambda f: f.__setitem__("checkpoint", f["checkpoint"].split(b"\n\n")[0] + b"\n\n"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_was_changed_is_refused(evidence, name):
    """Nothing is missing, and nothing is there that is not a tile of these entries or was one when they were fewer."""
    files = dict(evidence.tiles)
    FOLDERS[name](files)
    assert files != evidence.tiles
    assert both(files, key=evidence.key) == {3}
    assert both(files, anchor=evidence.checkpoints[5]) == {3}


def test_an_entry_that_is_not_canonical_is_refused_under_any_checkpoint(evidence):
    """Also where all tiles are of these very bytes and a trusted checkpoint is over them."""
    entries = entries_of(evidence)
    odd = [*entries[:5], entries[5].replace(b'"at":', b'"at": ')]
    files = laid_out(odd, rewritten(evidence, odd))
    assert both(files, anchor=rewritten(evidence, odd).decode()) == {3}


@given(st.integers(1, 40), st.sampled_from([2, 4, 16]), st.data())
def test_both_verifiers_judge_any_folder_alike(tmp_path_factory, size, width, data):
    """Of any size, with tiles of earlier sizes beside it, whole or with a file changed, left out, moved or added."""
    start = canonical({"at": 1, "body": {"log": "f" * 32, "project": "p", "public_key": None}, "kind": "log", "v": 1})
    body = canonical({"at": 1, "body": {}, "kind": "unknown", "v": 1})
    entries = [start, *[start.replace(b'"at":1', b'"at":%d' % (i + 2)) for i in range(size - 1)]]
    assert body != start
    note = Checkpoint("f" * 32, size, merkle.root(merkle.leaf_hash(entry) for entry in entries)).to_note()
    with pytest.MonkeyPatch.context() as patch:
        for module in (tiles, folders, verify_py):
            patch.setattr(module, "WIDTH", width)
        files = laid_out(entries, note.encode())
        for earlier in data.draw(st.lists(st.integers(1, size), max_size=2)):
            files |= laid_out(entries[:earlier], note.encode())
        assert both(files, anchor=note) == {0}
        assert both(files) == {4}
        path, other = (data.draw(st.sampled_from(sorted(files))) for _ in range(2))
        how = data.draw(st.sampled_from(["flip", "drop", "move", "longer"]))
        changed = dict(files)
        if how == "flip":
            position = data.draw(st.integers(0, len(files[path]) * 8 - 1))
            flipped = bytearray(files[path])
            flipped[position // 8] ^= 1 << position % 8
            changed[path] = bytes(flipped)
        elif how == "drop":
            del changed[path]
        elif how == "move":
            changed[other] = changed[path]
        else:
            changed[path] += b"\0"
        answers = both(changed, anchor=note)
        assert len(answers) == 1
        # An earlier state may be missing; everything else counts.
        needed = set(laid_out(entries, note.encode()))
        assert answers == ({0} if changed == files or (how == "drop" and path not in needed) else {3})


def lay(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_what_lies_on_the_disk_is_walked_strictly(evidence, tmp_path):
    """Links to files and folders, pipes and names that are no text are no part of it, even where they would fit."""
    outside = lay(tmp_path / "outside", evidence.tiles)

    def link(folder: Path) -> None:
        (folder / "tile/0/000.p/6").unlink()
        (folder / "tile/0/000.p/6").symlink_to(outside / "tile/0/000.p/6")

    def linked_folder(folder: Path) -> None:
        (folder / "tile").rename(tmp_path / "moved")
        (folder / "tile").symlink_to(tmp_path / "moved")

    hostile = {
        "link": link,
        "linked folder": linked_folder,
        "dangling link": lambda folder: (folder / "tile/0/001").symlink_to("nowhere"),
        "pipe": lambda folder: os.mkfifo(folder / "tile/0/001"),
        "no text": lambda folder: (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b""),
        "a folder for a tile": lambda folder: (
            (folder / "tile/0/000.p/4/x").mkdir(parents=True) or (folder / "tile/0/000.p/4/x/y").write_bytes(b"")
        ),
    }
    for name, change in hostile.items():
        folder = lay(tmp_path / name, evidence.tiles)
        assert verify_py.verify(verify_py.read_folder(folder), key=evidence.key)[0] == 0
        change(folder)
        code, told = verify_py.verify(verify_py.read_folder(folder), key=evidence.key)
        assert code == 3, name
        "\n".join(told).encode()
        assert int(Project.verify_bundle(folder, key=evidence.key.hex()).exit_code) == 3, name


def test_a_folder_is_verified_by_either_command(evidence, tmp_path):
    """`python -I -S verify.py FOLDER` and `labeltrail verify FOLDER` answer the same, with every anchor of trust."""
    folder = lay(tmp_path / "published", evidence.tiles)
    note = tmp_path / "note"
    note.write_text(evidence.checkpoints[5])
    (tmp_path / "verify.py").write_bytes(published.verifier())

    def alone(*more: str) -> int:
        command = [sys.executable, "-I", "-S", "verify.py", "published", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    def library(**trust: object) -> int:
        return int(Project.verify_bundle(folder, **trust).exit_code)

    assert alone("--checkpoint", "note") == library(since=note) == 0
    assert alone("--key", evidence.key.hex()) == library(key=evidence.key.hex()) == 0
    assert alone() == library() == 4
    (folder / "tile/0/000.p/6").unlink()
    assert alone("--checkpoint", "note") == library(since=note) == 3
    note.write_text("nonsense")
    assert alone("--checkpoint", "note") == library(since=note) == 3
    (folder / "tile/0/000.p/6").write_bytes(evidence.tiles["tile/0/000.p/6"])
    assert alone("--checkpoint", "note") == library(since=note) == 3
    assert "the checkpoint that was given" in Project.verify_bundle(folder, since=note).to_markdown()


def test_a_verdict_is_told_on_a_screen_that_lacks_its_letters(evidence, tmp_path, monkeypatch):
    """What a screen cannot show (Windows, an older locale) is a question mark there, and the exit code is the verdict's."""
    place = lay(tmp_path / "published", evidence.tiles)
    (place / "\u65e5\u672c").write_bytes(b"")
    screen = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", screen)
    assert verify_py.main([str(place), "--key", evidence.key.hex()]) == 3
    screen.seek(0)
    assert screen.read().strip() == "BROKEN: '??' is no part of a published log"


def test_a_folder_that_cannot_be_read_is_no_verdict(evidence, tmp_path, monkeypatch):
    """A file that the system does not let us read is exit 2 and not a broken log."""
    folder = lay(tmp_path / "published", evidence.tiles)
    whole = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name == "6":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        check_folder(Folder(folder), key=evidence.key)
    assert verify_py.main([str(folder), "--key", evidence.key.hex()]) == 2
