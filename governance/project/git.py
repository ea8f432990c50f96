"""Which revision is this, and what was changed in it?"""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from governance.digest import sha256


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


def dirty_digest(root: Path) -> str | None:
    """The digest of what differs from the commit, or None for a clean tree; DVC's lock file alone makes no tree dirty."""
    difference = run_git(root, "diff", "HEAD", "--no-color", "--no-ext-diff", "--", ".", ":(exclude)dvc.lock")
    return sha256(difference.encode()) if difference else None


def who(root: Path) -> str:
    """Who runs this, self-stated: git's user name, or the login."""
    name = run_git(root, "config", "user.name")
    if name and name.strip():
        return name.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
