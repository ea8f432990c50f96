"""Which revision is this, and what was changed in it?"""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Sequence
from pathlib import Path

from governance.digest import canonical, file_digest, sha256

#: what to do in a folder that is in no repository
GIT_INIT = "`git init` makes this folder a repository"


def run_git(root: Path, *arguments: str) -> str | None:
    """What git answers, or None where there is no git, no repository or no such thing."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def revision(root: Path) -> str | None:
    """The commit that is checked out."""
    answer = run_git(root, "rev-parse", "--verify", "HEAD")
    return answer.strip() if answer else None


#: besides what stages depend on, these decide what a run does
_DECIDING = ("dvc.yaml", "params.yaml", "labeltrail.toml")


def dirty_digest(root: Path, deciding: Sequence[str]) -> str | None:
    """The digest of what code, parameters and contracts have otherwise than the commit; None where nothing.

    `deciding` are the paths that stages depend on and none makes. A file among them that git does not know counts too.
    """
    paths = [f":(literal){path}" for path in (*_DECIDING, *deciding)]
    difference = run_git(root, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--binary", "--", *paths)
    unknown = (run_git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *paths) or "").split("\0")
    news = [
        [path, file_digest(root / path)]
        for path in sorted(unknown)
        if path and "__pycache__" not in path and (root / path).is_file()
    ]
    return sha256(canonical([difference, news])) if difference or news else None


def who(root: Path) -> str:
    """Who runs this, self-stated: git's user name, or the login."""
    name = run_git(root, "config", "user.name")
    if name and name.strip():
        return name.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
