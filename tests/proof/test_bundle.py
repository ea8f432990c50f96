"""A bundle is whole, of the log that is trusted, and whoever changed anything in it is found out: by two verifiers."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence import Evidence, make_evidence, standalone
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from small_facts import finding

from governance.digest import canonical, parse_canonical
from governance.errors import InvalidRecord
from governance.proof import published
from governance.proof.archive import read_archive, write_archive
from governance.proof.bundle import check_bundle, make_bundle
from governance.store import keys, merkle
from governance.store.checkpoint import Checkpoint, parse_note
from governance.store.shown import Shape, show
from governance.store.trail import Trail

verify_py = standalone()


@pytest.fixture
def evidence(tmp_path: Path, own_home: Path) -> Evidence:
    return make_evidence(tmp_path)


def both(data: bytes, *, anchor: str | None = None, key: bytes | None = None) -> set[int]:
    """The exit codes of `verify.py` and of the library: one number where they agree."""
    code, _ = verify_py.verify(data, anchor=anchor.encode() if anchor is not None else None, key=key)
    state = check_bundle(data, anchor=anchor, key=key).checks[0].state
    return {code, {"broken": 3, "unknown": 4, "fine": 0}[state]}


def test_a_bundle_is_whole_for_whoever_trusts_its_key_or_any_checkpoint_of_its_log(evidence):
    """With the key, the newest or an older checkpoint: 0. With nothing to trust: 4, whole and of unknown origin."""
    assert len(evidence.data) <= 8192
    assert both(evidence.data, key=evidence.key) == {0}
    assert [both(evidence.data, anchor=note) for note in evidence.checkpoints.values()] == [{0}] * 4
    assert both(evidence.data) == {4}


def test_every_single_bit_of_a_bundle_counts(evidence):
    """Each bit flipped, one at a time, with the key and with the checkpoint at hand: all are found, none is missed."""
    newest = evidence.checkpoints[max(evidence.checkpoints)]
    missed, tried = [], 0
    for position in range(len(evidence.data) * 8):
        flipped = bytearray(evidence.data)
        flipped[position // 8] ^= 1 << position % 8
        tried += 1
        if both(bytes(flipped), key=evidence.key) | both(bytes(flipped), anchor=newest) != {3}:
            missed.append(position)
    assert tried == 8 * len(evidence.data) > 30_000
    assert missed == []


def test_every_single_bit_of_a_trusted_checkpoint_counts(evidence):
    """A checkpoint that is one bit off is no checkpoint of this log; only what is not signed with it may differ."""
    newest = evidence.checkpoints[max(evidence.checkpoints)].encode()
    signed = newest.index(b"\n\n")
    for position in range(signed * 8):
        flipped = bytearray(newest)
        flipped[position // 8] ^= 1 << position % 8
        code, _ = verify_py.verify(evidence.data, anchor=bytes(flipped))
        assert code == 3, position
        text = bytes(flipped).decode("utf-8", errors="replace")
        assert check_bundle(evidence.data, anchor=text).is_broken, position


def forged(evidence: Evidence, change) -> bytes:
    """A bundle whose files somebody changed, in an archive of the right form."""
    files = read_archive(evidence.data, where="test")
    change(files)
    return write_archive(files)


def lines(files: dict[str, bytes]) -> list[bytes]:
    return files["entries.jsonl"].splitlines()


def put(files: dict[str, bytes], entries: list[bytes]) -> None:
    files["entries.jsonl"] = b"".join(line + b"\n" for line in entries)


def rewritten(files: dict[str, bytes], entries: list[bytes]) -> None:
    """Other entries under a checkpoint made anew, without the key."""
    put(files, entries)
    old = parse_note(files["checkpoint"].decode())
    root = merkle.root(merkle.leaf_hash(line) for line in entries)
    files["checkpoint"] = Checkpoint(old.origin, len(entries), root).to_note().encode()


def resigned(files: dict[str, bytes], entries: list[bytes]) -> None:
    """Other entries under a checkpoint made anew, signed with a key of the forger's, which the log then names."""
    key = Ed25519PrivateKey.generate()
    start = parse_canonical(entries[0], where="test")
    start["body"]["public_key"] = key.public_key().public_bytes_raw().hex()
    entries = [canonical(start), *entries[1:]]
    put(files, entries)
    old = parse_note(files["checkpoint"].decode())
    root = merkle.root(merkle.leaf_hash(line) for line in entries)
    files["checkpoint"] = Checkpoint(old.origin, len(entries), root).signed(key).to_note().encode()


def back_dated(line: bytes) -> bytes:
    entry = parse_canonical(line, where="test")
    entry["at"] -= 86_400_000_000
    return canonical(entry)


SWAPS = {
    "swapped": lambda e: [e[0], e[2], e[1], *e[3:]],
    "dropped": lambda e: [*e[:2], *e[3:]],
    "duplicated": lambda e: [*e[:3], e[2], *e[3:]],
    "reversed": lambda e: [e[0], *reversed(e[1:-1]), e[-1]],
    "back-dated": lambda e: [*e[:2], back_dated(e[2]), *e[3:]],
    "cut short": lambda e: e[:-1],
    "emptied": lambda e: e[:1],
}


@pytest.mark.parametrize("how", [put, rewritten, resigned], ids=["as it is", "new checkpoint", "new key"])
@pytest.mark.parametrize("name", SWAPS)
def test_a_history_that_was_changed_is_refused(evidence, name, how):
    """Entries swapped, dropped, duplicated, reordered, back-dated or cut off, whatever checkpoint is put over them."""
    data = forged(evidence, lambda files: how(files, SWAPS[name](lines(files))))
    assert both(data, key=evidence.key) == {3}
    for note in evidence.checkpoints.values():
        # The start of the log alone is in every history; what comes after has to be signed with the key it names.
        assert both(data, anchor=note) == {3}


def drop(path):
    return lambda files: files.pop(path)


def change(path, data):
    return lambda files: files.__setitem__(path, data)


EDITS = {
    "a document replaced": change("documents/model_card.md", b"# A better card\n"),
    "a document removed": drop("documents/model_card.md"),
    "a document added": change("documents/other.md", b"# Other\n"),
    "a file added": change("notes.txt", b"all is well"),
    "the start page replaced": change("index.html", b"<!DOCTYPE html>all is well"),
    "the format changed": change("about.json", b'{"format":"labeltrail-bundle/2"}'),
    "the format missing": drop("about.json"),
    "no entries": drop("entries.jsonl"),
    "no checkpoint": drop("checkpoint"),
    "entries that are no JSON": change("entries.jsonl", b"{\n"),
    "half a line": lambda files: change("entries.jsonl", files["entries.jsonl"][:-1])(files),
    "an entry not canonical": lambda files: change(
        "entries.jsonl", files["entries.jsonl"].replace(b'"at":', b'"at": ')
    )(files),
    "the signature taken off": lambda files: change("checkpoint", files["checkpoint"].split(b"\n\n")[0] + b"\n\n")(
        files
    ),
    "a size written with a zero": lambda files: change("checkpoint", files["checkpoint"].replace(b"\n6\n", b"\n06\n"))(
        files
    ),
    "a list that no bundle has": change("places.json", b"[]"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_was_changed_is_refused(evidence, name):
    """Each file of a bundle is bound by the entry that lists it, which the checkpoint covers."""
    if name == "the signature taken off":
        assert both(forged(evidence, EDITS[name]), key=evidence.key) == {3}
        assert both(forged(evidence, EDITS[name]), anchor=evidence.checkpoints[5]) == {3}
        return
    assert both(forged(evidence, EDITS[name]), key=evidence.key) == {3}


LISTS = {
    "a file twice": lambda files: [files[0], *files],
    "out of order": lambda files: files[::-1],
    "with the checkpoint": lambda files: [
        *files[:1],
        {"path": "checkpoint", "sha256": "0" * 64, "bytes": 1},
        *files[1:],
    ],
    "none": lambda files: [],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_files_that_is_no_such_list_is_refused_by_both(evidence, name):
    """Also where the owner enters and signs it: each file once, in order, and no other."""

    def signed(files):
        entries = lines(files)
        last = parse_canonical(entries[-1], where="test")
        last["body"]["files"] = LISTS[name](last["body"]["files"])
        rewritten(files, [*entries[:-1], canonical(last)])
        owner = keys.load_key()
        assert owner is not None
        files["checkpoint"] = parse_note(files["checkpoint"].decode()).signed(owner).to_note().encode()

    assert both(forged(evidence, signed), key=evidence.key) == {3}


def test_a_signature_line_without_a_name_is_refused_by_both(evidence):
    """C2SP names every signature; one that does not would pass unseen by one of two verifiers."""
    line = "\u2014  " + evidence.checkpoints[6].splitlines()[4].split(" ")[2] + "\n"
    data = forged(evidence, lambda files: files.update(checkpoint=files["checkpoint"] + line.encode()))
    assert both(data, key=evidence.key) == {3}
    assert both(evidence.data, anchor=evidence.checkpoints[6] + line) == {3}


def test_another_log_is_refused(evidence, tmp_path):
    """A whole bundle of another log is not the one whose key or checkpoint is trusted; nor is an older bundle."""
    (tmp_path / "other").mkdir()
    other = make_evidence(tmp_path / "other")
    assert both(other.data, anchor=evidence.checkpoints[6]) == {3}
    assert both(evidence.data, key=Ed25519PrivateKey.generate().public_key().public_bytes_raw()) == {3}
    later = parse_note(evidence.checkpoints[6])
    grown = Checkpoint(later.origin, later.size + 1, later.root).to_note()
    assert both(evidence.data, anchor=grown) == {3}


def test_a_bundle_that_was_rolled_back_is_refused_by_whoever_holds_a_newer_checkpoint(tmp_path, own_home):
    """Such a bundle is whole and rightly signed; only a checkpoint of the log as it went on tells what is held back."""
    older = make_evidence(tmp_path)
    trail = Trail.open("sqlite:///.labeltrail/trail.db", root=tmp_path, project="small")
    trail.append([finding(4)], at=1_700_000_002_000_000)
    newer, _ = make_bundle(trail, {"index.html": b"<!DOCTYPE html>"})
    notes = {size: note for size, note, _ in trail.checkpoints() if size > max(older.checkpoints)}
    assert len(notes) == 2
    assert both(older.data, key=older.key) == {0}
    for size, note in notes.items():
        assert both(newer, anchor=note) == {0}
        assert both(older.data, anchor=note) == {3}
        _, (says, *_) = verify_py.verify(older.data, anchor=note.encode())
        assert f"the log was longer: the checkpoint that was given is over {size} entries" in says


def zipped(files: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def test_an_archive_of_another_form_is_refused(evidence):
    """Compressed, cut short, longer, with a comment, with a file twice, with a path that climbs: none is canonical."""
    files = read_archive(evidence.data, where="test")
    twice = evidence.data[: len(evidence.data) // 2] + evidence.data
    hostile = {
        "compressed": zipped(files, zipfile.ZIP_DEFLATED),
        "another writer": zipped(files, zipfile.ZIP_STORED),
        "a bomb": zipped({"about.json": b"0" * 10_000_000}, zipfile.ZIP_DEFLATED),
        "a path that climbs": zipped({"../about.json": b"{}"}, zipfile.ZIP_STORED),
        "cut short": evidence.data[:-1],
        "cut in a file": evidence.data[:200],
        "longer": evidence.data + b"\0",
        "before it": b"\0" + evidence.data,
        "twice": twice,
        "nothing": b"",
        "no archive": b"PK\x03\x04",
    }
    assert {name for name, data in hostile.items() if both(data, key=evidence.key) != {3}} == set()
    for path in ("../x", "/x", "a//b", "a/../b", "A", "a b", "a/", "", "a\\b", "a/b/c/d/e/f", "\u00e4"):
        with pytest.raises(InvalidRecord, match="path"):
            write_archive({path: b""})


def test_an_archive_of_more_files_than_the_form_counts_is_refused_at_once(evidence):
    """65,536 empty files, whose number the archive's end cannot say: a verdict, soon, and no crash."""
    names = [b"%05x" % number for number in range(2**16)]
    many = b"".join(b"PK\x03\x04" + bytes(22) + len(name).to_bytes(2, "little") + bytes(2) + name for name in names)
    began = time.perf_counter()
    assert both(many + b"PK\x05\x06" + bytes(18), key=evidence.key) == {3}
    assert time.perf_counter() - began < 10


def test_every_unpacker_opens_a_bundle(evidence):
    """It is an ordinary archive: another implementation lists and tests it."""
    with zipfile.ZipFile(io.BytesIO(evidence.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(read_archive(evidence.data, where="test"))


def test_the_verifier_needs_nothing_but_the_standard_library(evidence, tmp_path):
    """`python -I -S verify.py` runs where no package can be imported; it has at most 600 lines."""
    path = Path(published.__file__).parent / "verify.py"
    text = path.read_text()
    assert len(text.splitlines()) <= 600
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imported for alias in node.names} | {
        getattr(node, "module", None) for node in imported
    }
    assert names - {None} <= sys.stdlib_module_names
    assert not re.search(r"__import__|importlib|exec\(|eval\(|subprocess|socket|urllib", text)
    for name, data in (
        ("e.zip", evidence.data),
        ("note", evidence.checkpoints[6].encode()),
        ("verify.py", path.read_bytes()),
    ):
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-I", "-S", "verify.py", "e.zip"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("--checkpoint", "note").returncode == 0
    assert run("--key", evidence.key.hex()).returncode == 0
    unknown = run()
    assert unknown.returncode == 4
    assert "internally consistent, origin unknown" in unknown.stdout
    assert run("--checkpoint", "missing").returncode == 2
    assert run("--key", "abc").returncode == 2
    (tmp_path / "e.zip").write_bytes(evidence.data[:-1])
    broken = run("--checkpoint", "note")
    assert broken.returncode == 3
    assert "BROKEN" in broken.stdout


# RFC 8032 section 7.1, tests 1 to 3
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_rfc_are_accepted_and_no_others(public, message, signature):
    """The published vectors hold; with any bit of key, message or signature changed they do not."""
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify_py.is_signed(key, text, signed)
    assert not verify_py.is_signed(key, text + b"!", signed)
    for position in range(0, 512, 7):
        changed = bytearray(signed)
        changed[position // 8] ^= 1 << position % 8
        assert not verify_py.is_signed(key, text, bytes(changed))
    # The order of the group added to S gives the same equation; RFC 8032 section 5.1.7 wants it refused.
    s = int.from_bytes(signed[32:], "little") + verify_py.ORDER
    assert not verify_py.is_signed(key, text, signed[:32] + s.to_bytes(32, "little"))
    assert not verify_py.is_signed(key, text, signed[:63])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 767))
def test_signatures_are_judged_as_the_well_known_library_judges_them(seed, message, position):
    """Made by `cryptography`: accepted; with one bit of key or signature changed: refused by both."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    whole = bytearray(public + key.sign(message))
    assert verify_py.is_signed(bytes(whole[:32]), message, bytes(whole[32:]))
    whole[position // 8] ^= 1 << position % 8
    assert not verify_py.is_signed(bytes(whole[:32]), message, bytes(whole[32:]))


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=40))
def test_the_trees_of_verifier_library_and_another_implementation_are_one(entries):
    """All three compute one root over the same entries."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    shown = {number: verify_py.leaf_hash(entry) for number, entry in enumerate(entries)}
    root = verify_py.fold(shown, b"", len(entries))[0, len(entries)]
    assert root == merkle.root(leaves) == tree.get_root()


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=60), st.data())
def test_what_the_verifier_walks_is_what_another_implementation_proves(entries, data):
    """From one entry and the nodes of pymerkle's path it comes to pymerkle's root, and to that of any size it is cut at."""
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    size, index = len(entries), data.draw(st.integers(0, len(entries) - 1))
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    nodes = show(leaves, Shape(size, [index]))
    leaf = verify_py.leaf_hash(entries[index])
    path = tree.prove_inclusion(index + 1, size).serialize()["path"]
    assert sorted(path) == sorted(node.hex() for node in [leaf, *nodes])
    assert verify_py.fold({index: leaf}, b"".join(nodes), size)[0, size] == tree.get_root()
    cuts = sorted(data.draw(st.sets(st.integers(1, size), max_size=3)) - {size})
    cut_nodes = b"".join(show(leaves, Shape(size, [index], cuts)))
    log = verify_py.Log.__new__(verify_py.Log)
    log.met = verify_py.fold({index: leaf}, cut_nodes, size, cuts)
    assert [log.root_at(cut) for cut in [*cuts, size]] == [tree.get_root(cut) for cut in [*cuts, size]]
    other = verify_py.fold({index: verify_py.leaf_hash(entries[index] + b"!")}, cut_nodes, size, cuts)
    assert other[0, size] != tree.get_root()
    with pytest.raises(verify_py.Broken, match="nodes"):
        verify_py.fold({index: leaf}, cut_nodes + leaf, size, cuts)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.integers(0, 400), st.integers(0, 7))
def test_what_is_canonical_json_is_one_question_with_one_answer(value, position, bit):
    """The verifier accepts what the library writes, and of changed bytes exactly what the library accepts."""
    data = bytearray(canonical(value))
    assert verify_py.read_json(bytes(data), "test") == value
    data[position % len(data)] ^= 1 << bit
    changed = bytes(data)
    try:
        expected = parse_canonical(changed, where="test")
    except InvalidRecord:
        with pytest.raises(verify_py.Broken):
            verify_py.read_json(changed, "test")
    else:
        assert verify_py.read_json(changed, "test") == expected
