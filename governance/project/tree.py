"""Which commit did a run start from, and what did the code that ran have otherwise than it?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from governance.digest import canonical, path_digest, sha256
from governance.errors import GovernanceError
from governance.project import git

if TYPE_CHECKING:
    from governance.records import FileRef

#: besides what stages depend on, these decide what a run does
_DECIDING = ("dvc.yaml", "params.yaml", "labeltrail.toml")
#: stands where git could not tell: a tree that nobody could look at is not a clean one
UNTOLD = sha256(b"git could not tell what was changed")


@dataclass(frozen=True)
class WorkingTree:
    """What lay in the folder before anything ran."""

    #: the commit that was checked out; None where there is none
    revision: str | None
    #: what differed from it, by path and SHA-256 (None: it was gone); None where git could not tell
    changed: dict[str, str | None] | None
    who: str


def look_at(root: Path, depended_on: Iterable[str]) -> WorkingTree:
    """The tree as it is now; `depended_on` are the paths that stages depend on and none makes."""
    revision = git.revision(root)
    changed = changes(root, revision, sorted({*_DECIDING, *depended_on})) if revision else {}
    return WorkingTree(revision, changed, git.who(root))


def dirty_digest(root: Path, tree: WorkingTree, ran: Iterable[FileRef]) -> str | None:
    """The digest of what code, parameters and contracts had otherwise than the commit; None where nothing had.

    `ran` are the modules that stages imported since: one that dvc.yaml does not list decides a run all the same, and one
    that was edited before its stage began ran as it was then. `UNTOLD` where git could not tell.
    """
    if tree.revision is None:
        return None
    refs = {ref.path: ref for ref in ran}
    since = changes(root, tree.revision, sorted(refs)) if refs else {}
    if tree.changed is None or since is None:
        return UNTOLD
    otherwise = dict(tree.changed)
    for path, ref in refs.items():
        if path not in {**tree.changed, **since} and _digest(root / path) == ref.sha256:
            continue
        content = git.blob(root, tree.revision, path)
        if content is not None and sha256(content) == ref.sha256:
            otherwise.pop(path, None)
        else:
            otherwise[path] = ref.sha256
    return sha256(canonical(sorted(otherwise.items()))) if otherwise else None


def changes(root: Path, revision: str, paths: Sequence[str]) -> dict[str, str | None] | None:
    """What of these paths differs from a commit or is in none, with its SHA-256; None where git could not tell.

    Paths outside the repository are nobody's changes: git refuses to answer where one of them is asked about.
    """
    root = root.resolve()
    above = git.run_git(root, "rev-parse", "--show-toplevel")
    if above is None:
        return None
    top = above.removesuffix("\n")
    asked = [f":(literal){path}" for path in paths if Path(os.path.normpath(root / path)).is_relative_to(top)]
    if not asked:
        return {}
    differ = git.changed_since(root, revision, asked)
    others = git.run_git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *asked)
    if differ is None or others is None:
        return None
    # The first are told from the top of the repository, the second from this folder.
    named = [os.path.relpath(f"{top}/{path}", root) for path in differ]
    named += [path for path in others.split("\0") if path and "__pycache__" not in path.split("/")]
    return {path: _digest(root / path) for path in named}


def _digest(path: Path) -> str | None:
    try:
        return path_digest(path)
    except (OSError, GovernanceError):
        return None
