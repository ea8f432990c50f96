"""What do two recorded versions of one file have otherwise, as far as both can still be found?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from governance.config import Config
from governance.digest import sha256
from governance.errors import GovernanceError
from governance.parquet import read_table
from governance.project.found import Finder
from governance.records import Execution, FileRef
from governance.runs.compare import compare_files
from governance.runs.differences import FileChange
from governance.runs.functions import compare_modules
from governance.runs.keys import SUFFIXES, compare_keys
from governance.runs.rows import RowChanges, compare_rows

#: how many keys and files an answer names; the counts beside them are of all
NAMED = 50
FETCH = "`dvc fetch --all-commits` and `git fetch` bring what was pushed (`dvc push --all-commits`, `git push`)"
_EMPTY = sha256(b"")


class Contents:
    """Finds and compares; what could not be told gathers in `unknown`, each as what, says and hint."""

    def __init__(self, config: Config, finder: Finder, executions: list[Execution]) -> None:
        self.config = config
        self.finder = finder
        self.unknown: list[dict[str, str]] = []
        self._revisions: dict[str, list[str]] = {}
        for execution in reversed(executions):
            if execution.revision:
                self._revisions.setdefault(execution.result, []).append(execution.revision)

    def not_known(self, what: str, says: str, hint: str = FETCH) -> None:
        """Notes a part of the answer that is unknown, once."""
        told = {"what": what, "says": says, "hint": hint}
        if told not in self.unknown:
            self.unknown.append(told)

    def module(self, change: FileChange, *, was: str, now: str) -> dict[str, Any]:
        """A module by function; `was` and `now` are the names of the results whose code it is."""
        told: dict[str, Any] = {"path": change.path, "how": change.how, "pieces": []}
        if change.was is None or change.now is None:
            return told
        texts = [
            self.finder.text(ref, revisions=self._revisions.get(result, []))
            for ref, result in ((change.was, was), (change.now, now))
        ]
        if texts[0] is None or texts[1] is None:
            which = " and ".join(word for word, text in zip(("earlier", "later"), texts, strict=True) if text is None)
            says = f"the {which} text of {change.path} is in no commit and not in the working tree"
            self.not_known(
                f"functions of {change.path}", says, "commit code before it runs; `git fetch` brings branches"
            )
            return told | {"pieces": None}
        pieces = compare_modules(texts[0], texts[1])
        if pieces is None:
            says = f"{change.path} is not Python that this interpreter reads"
            self.not_known(f"functions of {change.path}", says, "read it with the interpreter that ran it")
            return told | {"pieces": None}
        how = change.how if pieces else "formatting only"
        return told | {"how": how, "pieces": [asdict(piece) for piece in pieces]}

    def files(
        self, was: FileRef, now: FileRef, *, results: tuple[str, str]
    ) -> tuple[dict[str, Any], list[Path] | None]:
        """How a file or folder changed: `rows`, `keys`, `files` or a sentence; and both files, where they are here."""
        revisions = [self._revisions.get(result, []) for result in results]
        if _is_folder(was) or _is_folder(now):
            return self._folder(was, now, revisions), None
        found = [self.finder.file(ref, revisions=r) for ref, r in zip((was, now), revisions, strict=True)]
        if found[0] is None or found[1] is None:
            which = " and ".join(word for word, place in zip(("earlier", "later"), found, strict=True) if place is None)
            self.not_known(was.path, f"the {which} content is neither here, nor in DVC's cache, nor in a commit")
            return {"says": "not known: its content is not here"}, None
        one, two = found[0], found[1]
        standings = (self.finder.erased.of(ref.sha256) for ref in (was, now))
        lost = {which: s.told for which, s in zip(("earlier", "later"), standings, strict=True) if s}
        try:
            told = self._compared(one, two, suffix=PurePosixPath(now.path).suffix)
            return told | ({"erased": lost} if lost else {}), [one, two]
        except GovernanceError as error:
            self.not_known(was.path, error.message, "it cannot be compared row by row or key by key")
            return {"says": f"not known: {error.message}"}, [one, two]

    def folder(self, was: FileRef, now: FileRef, *, results: tuple[str, str]) -> dict[str, Any] | None:
        """The names of a folder's files that were added, removed or changed; None for a file, which is not opened."""
        if not (_is_folder(was) or _is_folder(now)):
            return None
        revisions = [self._revisions.get(result, []) for result in results]
        return self._folder(was, now, revisions).get("files")

    def _compared(self, one: Path, two: Path, *, suffix: str) -> dict[str, Any]:
        if suffix == ".parquet":
            frames = read_table(one), read_table(two)
            return {"rows": _rows(compare_rows(*frames, id_column=self.config.id_column))}
        if suffix in SUFFIXES:
            keys = compare_keys(one, two, suffix=suffix)
            counts = {how: len(named) for how, named in asdict(keys).items()}
            return {"keys": {"counts": counts, **{how: list(n[:NAMED]) for how, n in asdict(keys).items()}}}
        return {"says": compare_files(one, two, suffix=suffix).says}

    def _folder(self, was: FileRef, now: FileRef, revisions: list[list[str]]) -> dict[str, Any]:
        one, two = (self.finder.folder(ref, revisions=r) for ref, r in zip((was, now), revisions, strict=True))
        if one is None or two is None:
            which = "earlier" if one is None else "later"
            self.not_known(was.path, f"the {which} content of this folder is neither here nor in a commit")
            return {"says": "not known: its content is not here"}
        changed = sorted(name for name in {*one} & {*two} if one[name] != two[name])
        sorts = {"added": sorted({*two} - {*one}), "removed": sorted({*one} - {*two}), "changed": changed}
        counts = {how: len(names) for how, names in sorts.items()}
        return {"files": {"counts": counts, **{how: names[:NAMED] for how, names in sorts.items()}}}


def _is_folder(ref: FileRef) -> bool:
    # A folder is recorded by the digest of its files and without a size.
    return ref.bytes == 0 and ref.sha256 != _EMPTY


def _rows(changes: RowChanges) -> dict[str, Any]:
    told = asdict(changes)
    firsts = {how: list(told.pop(f"first_{how}")) for how in ("added", "removed", "changed")}
    return told | {"types": {column: list(pair) for column, pair in changes.types.items()}, "first": firsts}
