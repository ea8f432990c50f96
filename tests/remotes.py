"""Projects that travel: pushed to a DVC remote, cloned by somebody else."""

from __future__ import annotations

from pathlib import Path

from small_project import dvc, git

from governance.dvc.files import read_lock


def pushed(project: Path, url: str, *options: str) -> Path:
    """The project with a DVC remote that holds everything, all of it committed."""
    dvc(project, "remote", "add", "-q", "-d", "shared", url)
    for option in options:
        dvc(project, "remote", "modify", "-q", "shared", *option.split("=", 1))
    git(project, "commit", "-q", "-a", "-m", "a remote")
    dvc(project, "push", "-q")
    return project


def cloned(project: Path, target: Path) -> Path:
    """What a colleague has after `git clone`: code, and no data."""
    git(project, "clone", "-q", str(project), str(target))
    assert not (target / "artifacts").exists()
    return target


def md5_of(project: Path, path: str) -> str:
    """Under which MD5 DVC's lock knows an output."""
    md5 = next(out.md5 for stage in read_lock(project).values() for out in stage.outs if out.path == path)
    assert md5 is not None
    return md5


def other_bytes(data: bytes) -> bytes:
    """The same bytes but for one bit in their middle."""
    flipped = bytearray(data)
    flipped[len(flipped) // 2] ^= 1
    return bytes(flipped)
