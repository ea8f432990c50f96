"""Makes the evidence that stands for a release: `python tests/proof/make_released.py VERSION`, once, when it is released.

It writes tests/proof/released/VERSION: a bundle, its checkpoint and an older one, the log's public key, the tiles, and
below bad/ bundles that are wrong, named after their fault. Every later release verifies all of it for ever: a folder that
is there is not made again, unless `--again` says that its version was not released yet.
"""

from __future__ import annotations

import base64
import os
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

from evidence import Evidence, make_evidence  # noqa: E402

from governance.digest import canonical, parse_canonical, sha256  # noqa: E402
from governance.proof.archive import read_archive, write_archive  # noqa: E402
from governance.store import keys, merkle  # noqa: E402
from governance.store.checkpoint import Checkpoint, parse_note  # noqa: E402

RELEASED = HERE / "released"
#: an example's key, known to everybody: only so can a fault be built in under a signature that holds
SEED = bytes(range(32))


def main(arguments: list[str]) -> int:
    """1. nothing that was released is made anew  2. the evidence  3. what is wrong, each fault by itself"""
    again, version = "--again" in arguments, next((word for word in arguments if word != "--again"), "")
    folder = RELEASED / version
    # 1.
    if not version or (folder.exists() and not again):
        sys.stderr.write(f"wanted: a version that has no folder in {RELEASED}, or --again for one not yet released\n")
        return 2
    shutil.rmtree(folder, ignore_errors=True)
    # 2.
    os.environ[keys.KEY_VARIABLE] = base64.b64encode(SEED).decode()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home
        (root := Path(home) / "log").mkdir()
        made = make_evidence(root)
        (root / "other").mkdir()
        other = make_evidence(root / "other")
    newest = max(made.checkpoints)
    files = {
        "evidence.zip": made.data,
        "checkpoint": made.checkpoints[newest].encode(),
        "older-checkpoint": made.checkpoints[sorted(made.checkpoints)[1]].encode(),
        "key": made.key.hex().encode() + b"\n",
        **{f"published/{path}": data for path, data in made.tiles.items()},
        # 3.
        **{f"bad/{name}": data for name, data in faults(made, other).items()},
    }
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return 0


def faults(made: Evidence, other: Evidence) -> dict[str, bytes]:
    """Files that are wrong in one thing alone, by the name of the fault; the signature holds wherever it can."""
    files = read_archive(made.data, where="evidence")
    entries = files["entries.jsonl"].splitlines()
    older = read_archive(made.data, where="evidence") | {"about.json": canonical({"format": "labeltrail-bundle/99"})}
    spaced = [*entries[:2], entries[2].replace(b'"at":', b'"at": ', 1), *entries[3:]]
    newer = parse_canonical(entries[2], where="entry") | {"v": 99}
    stranger = parse_note(files["checkpoint"].decode())
    return {
        "bundle_cut_short.zip": made.data[:-1],
        "bundle_cut_in_the_middle.zip": made.data[: len(made.data) // 2],
        "bundle_with_an_extra_file.zip": write_archive({**files, "notes.txt": b"all is well\n"}),
        "bundle_with_two_files_of_one_name.zip": raw_archive([*sorted(files.items()), ("index.html", b"<p>other</p>")]),
        "bundle_that_swells.zip": swelling(),
        "bundle_with_a_path_that_climbs.zip": raw_archive([("../about.json", b"{}"), *sorted(files.items())]),
        "bundle_with_an_entry_that_is_not_canonical.zip": write_archive(resigned(files, spaced)),
        "bundle_with_an_entry_of_an_unknown_version.zip": write_archive(
            resigned(files, [*entries[:2], canonical(newer), *entries[3:]])
        ),
        "bundle_of_an_unknown_version.zip": write_archive(resigned(older, relisted(older, entries))),
        "bundle_signed_with_a_wrong_key.zip": write_archive(
            {**files, "checkpoint": signed(stranger, bytes(reversed(SEED)))}
        ),
        "bundle_with_a_checkpoint_from_another_log.zip": write_archive(
            {**files, "checkpoint": read_archive(other.data, where="evidence")["checkpoint"]}
        ),
        "bundle_of_another_log.zip": other.data,
        "checkpoint_of_another_log": other.checkpoints[max(other.checkpoints)].encode(),
    }


def signed(note: Checkpoint, seed: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    plain = Checkpoint(note.origin, note.size, note.root)
    return plain.signed(Ed25519PrivateKey.from_private_bytes(seed)).to_note().encode()


def resigned(files: dict[str, bytes], entries: list[bytes]) -> dict[str, bytes]:
    """The files with other entries, under a root and a signature that hold."""
    note = parse_note(files["checkpoint"].decode())
    root = merkle.root(merkle.leaf_hash(entry) for entry in entries)
    fresh = Checkpoint(note.origin, len(entries), root)
    lines = b"".join(entry + b"\n" for entry in entries)
    return {**files, "entries.jsonl": lines, "checkpoint": signed(fresh, SEED)}


def relisted(files: dict[str, bytes], entries: list[bytes]) -> list[bytes]:
    """The entries, the newest of which lists these very files."""
    last = parse_canonical(entries[-1], where="entry")
    last["body"]["files"] = [
        {"path": path, "sha256": sha256(data), "bytes": len(data)}
        for path, data in sorted(files.items())
        if path not in ("checkpoint", "entries.jsonl")
    ]
    return [*entries[:-1], canonical(last)]


def raw_archive(files: list[tuple[str, bytes]]) -> bytes:
    """A stored archive of any paths in any order, each as often as it is given."""
    body, directory = bytearray(), bytearray()
    for path, content in files:
        name, size = path.encode(), len(content)
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(content), size, size, len(name), 0)
        directory += b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + content
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)


def swelling() -> bytes:
    """A few kilobytes that an unpacker would make ten megabytes of."""
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr("entries.jsonl", bytes(10_000_000))
        stream.seek(0)
        return stream.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
