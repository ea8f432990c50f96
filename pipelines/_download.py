"""How does a pinned source distribution get here, unchanged, and only once?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from governance.digest import file_digest, sync_folder
from governance.errors import BrokenEvidence, ConfigurationError

_GOT = re.compile(r"Got\s+([0-9a-f]{64})")


def fetch(distribution: str, version: str, *, sha256: str, keep: Path) -> Path:
    """The source distribution, checked against `sha256`; a checked copy in `keep` spares the network.

    Raises ConfigurationError where pip cannot fetch it, BrokenEvidence where what came is something else.
    """
    kept = keep / f"{distribution}-{version}.tar.gz"
    if kept.is_file() and file_digest(kept) == sha256:
        return kept
    with tempfile.TemporaryDirectory() as folder:
        found = _download(distribution, version, sha256=sha256, into=Path(folder))
        actual = file_digest(found)
        if actual != sha256:
            raise _another(distribution, version, expected=sha256, actual=actual)
        keep.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(f".{kept.name}.{os.getpid()}.partial")
        try:
            shutil.copyfile(found, partial)
            os.replace(partial, kept)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(keep)
    return kept


def _download(distribution: str, version: str, *, sha256: str, into: Path) -> Path:
    # The hash stands in a requirements file, because pip runs a distribution's own code to read its metadata: what is
    # not the pinned file must not get that far.
    wanted = into / "requirements.txt"
    wanted.write_text(f"{distribution}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command += ["--no-binary", ":all:", "--retries", "2", "--dest", str(into), "--requirement", str(wanted)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        got = _GOT.search(ended.stderr + ended.stdout)
        if got:
            raise _another(distribution, version, expected=sha256, actual=got.group(1))
        raise ConfigurationError(
            f"pip could not fetch the source distribution {distribution}=={version}: {_reason(ended.stderr)}",
            hint="connect to the network or name a reachable index in PIP_INDEX_URL, and run it again; "
            "once fetched, the file is kept and no network is needed",
        )
    files = [path for path in into.iterdir() if path != wanted]
    if len(files) != 1 or not files[0].name.endswith(".tar.gz"):
        names = ", ".join(sorted(path.name for path in files)) or "nothing"
        raise ConfigurationError(f"pip was asked for {distribution}-{version}.tar.gz and brought {names}")
    return files[0]


def _reason(said: str) -> str:
    """The line in which pip says why."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    for line in errors:
        if "No matching distribution" not in line:
            return line
    return (errors or lines or ["it said nothing"])[-1]


def _another(distribution: str, version: str, *, expected: str, actual: str) -> BrokenEvidence:
    return BrokenEvidence(
        f"sha256 of {distribution}-{version}.tar.gz",
        expected=expected,
        actual=actual,
        hint="the index serves another file than this project was made with; compare with PyPI before you go on",
    )
