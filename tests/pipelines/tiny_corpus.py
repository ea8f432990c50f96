"""A tiny source distribution of the layout that `collect` reads, for tests without a network."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import yaml

NAME, VERSION = "tinycorpus", "1.0"
BEGINS = {
    "tweets": "tweets",
    "amazon": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "nyt": "nytEditorialSnippets",
}
#: number, stated mean, text, ratings
ROWS: dict[str, list[tuple[str, str, str, str]]] = {
    "tweets": [
        ("1", "2.5", "so good &amp; warm :)", "[2, 3]"),
        ("2", "-1.5", "awful day", "[-4, -3]"),
        ("3", "0", "it is a day", "[0, 0]"),
        ("4", "3.5", "so  good &amp; warm :)", "[3, 4]"),
        ("5", "1", "nice café", "[1, 1]"),
    ],
    "amazon": [("1_1", "-2", "broken phone", "[-2, -2]"), ("1_2", "2", "a fine phone", "[2, 2]")],
    "movies": [("1", "1.5", "a moving film", "[1, 2]"), ("2", "-1", "dull", "[-1, -1, -1]")],
    "nyt": [("1_1", "0.5", "A wise reform.", "[0, 1]"), ("1_2", "-0.5", "A cruel law.", "[0, -1]")],
}

BACKEND = f"""
def prepare_metadata_for_build_wheel(folder, settings=None):
    import os
    info = "{NAME}-{VERSION}.dist-info"
    os.makedirs(os.path.join(folder, info))
    with open(os.path.join(folder, info, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n")
    return info


def build_wheel(*arguments, **settings):
    raise SystemExit("nobody builds this")
"""


def files(rows: dict[str, list[tuple[str, str, str, str]]] | None = None) -> dict[str, bytes]:
    """The eight files as the corpus has them: CRLF, no line end at the end, a BOM in one ratings file."""
    found = {}
    for domain, texts in (rows or ROWS).items():
        truth = "\r\n".join(f"{number}\t{mean}\t{text}" for number, mean, text, _ in texts)
        ratings = "\r\n".join(f"{number}\t{mean}\t0.5\t{single}" for number, mean, _, single in texts)
        found[f"{BEGINS[domain]}_GroundTruth.txt"] = truth.encode()
        found[f"{BEGINS[domain]}_anonDataRatings.txt"] = (
            b"\xef\xbb\xbf" if domain == "amazon" else b""
        ) + ratings.encode()
    return found


def packed(members: dict[str, bytes]) -> bytes:
    """A .tar.gz that is the same whenever it is made."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def sdist(inner: dict[str, bytes] | None = None) -> bytes:
    """The source distribution; pip reads its metadata through a backend of its own, without a network."""
    corpus = packed({f"hutto_ICWSM_2014/{name}": data for name, data in (inner or files()).items()})
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    top = f"{NAME}-{VERSION}"
    return packed(
        {
            f"{top}/PKG-INFO": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n".encode(),
            f"{top}/pyproject.toml": pyproject.encode(),
            f"{top}/backend.py": BACKEND.encode(),
            f"{top}/additional_resources/hutto_ICWSM_2014.tar.gz": corpus,
        }
    )


def params(digest: str, **collect: object) -> dict[str, object]:
    """What params.yaml holds for the first three stages."""
    return {
        "seed": 7,
        "threads": 1,
        "collect": {
            "distribution": NAME,
            "version": VERSION,
            "sha256": digest,
            "split_key": "a key",
            "shares": {"train": 0.5, "valid": 0.2, "test": 0.3},
            "min_class_share": 0.1,
            "max_duplicate_share": 0.05,
            **collect,
        },
        "screen": {"max_rejected_share": 0.01, "min_class_share": 0.1},
        "vote": {"revoted": 5, "max_error_share": 0.0, "time_limit": 30},
    }


def project(root: Path, *, data: bytes | None = None, kept: bool = True, **collect: object) -> Path:
    """A project folder whose downloads hold the tiny source distribution (where `kept`)."""
    data = sdist() if data is None else data
    (root / "labeltrail.toml").write_text('[project]\nname = "tiny"\n')
    given = params(hashlib.sha256(data).hexdigest(), **collect)
    (root / "params.yaml").write_text(yaml.safe_dump(given))
    if kept:
        downloads = root / ".labeltrail" / "downloads"
        downloads.mkdir(parents=True)
        (downloads / f"{NAME}-{VERSION}.tar.gz").write_bytes(data)
    return root
