"""What does git say: which revision is this, what does a commit hold, who works here?"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

#: what git sets for the hooks it runs: it would make git answer for another folder than the one that is asked about
_OF_A_HOOK = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)
_PATIENCE_SECONDS = 60.0


def ask_git(
    root: Path,
    *arguments: str,
    index: Path | None = None,
    given: bytes | None = None,
    patience: float | None = _PATIENCE_SECONDS,
) -> tuple[int, bytes, str]:
    """Git's exit status, what it answers and what it complains of; 127 where it cannot be started or takes too long.

    No hook runs, and no index is refreshed that can be left alone. `index` is used instead of the repository's own.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    # Half of an index that is split would be written into the repository.
    whole = () if index is None else ("-c", "core.splitIndex=false")
    command = ["git", "-c", f"core.hooksPath={os.devnull}", *whole, *arguments]
    try:
        # Nobody answers what git might ask.
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, timeout=patience, check=False, input=given or b""
        )
    except OSError as error:
        return 127, b"", f"git cannot be started: {error.strerror}"
    except subprocess.TimeoutExpired:
        return 127, b"", f"git gave no answer in {patience:g} s"
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


#: what to do in a folder that is in no repository
GIT_INIT = "`git init` makes this folder a repository"


def run_git(root: Path, *arguments: str, index: Path | None = None) -> str | None:
    """What git answers, or None where there is no git, no repository or no such thing."""
    status, answer, _ = ask_git(root, *arguments, index=index)
    return answer.decode(errors="replace") if status == 0 else None


def changed_since(root: Path, revision: str, paths: Sequence[str]) -> list[str] | None:
    """The paths, from the repository's top, that differ from a commit; None where git could not tell."""
    quiet = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    with contextlib.ExitStack() as stack:
        index = _copied_index(root, stack)
        answer = run_git(root, "diff", revision, "--name-only", "-z", *quiet, "--", *paths, index=index)
    return None if answer is None else [path for path in answer.split("\0") if path]


def _copied_index(root: Path, stack: contextlib.ExitStack) -> Path | None:
    """A copy of the repository's index: `git diff` writes the times of touched files into it, whatever locks it is to take.

    None where there is none or no copy can be made: an answer matters more than those times.
    """
    status, own, _ = ask_git(root, "rev-parse", "--git-path", "index")
    if status:
        return None
    try:
        index = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labeltrail-"))) / "index"
        # With the time of the index git tells which files may have been edited since without a trace.
        return Path(shutil.copy2(root / os.fsdecode(own.removesuffix(b"\n")), index))
    except OSError:
        return None


def blob(root: Path, revision: str, path: str) -> bytes | None:
    """A file as a commit holds it and a checkout would lay it down, or None where the commit does not hold it."""
    # `./` makes git read the path from this folder, which may lie below the repository's root.
    status, content, _ = ask_git(root, "cat-file", "--filters", f"{revision}:./{path}")
    if status:
        # A filter that is not installed here may stand in the way of what is there.
        status, content, _ = ask_git(root, "cat-file", "blob", f"{revision}:./{path}")
    return content if status == 0 else None


def revision(root: Path) -> str | None:
    """The commit that is checked out."""
    answer = run_git(root, "rev-parse", "--verify", "HEAD")
    return answer.strip() if answer else None


def who(root: Path) -> str:
    """Who runs this, self-stated: git's user name, or the login."""
    name = run_git(root, "config", "user.name")
    if name and name.strip():
        return name.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
