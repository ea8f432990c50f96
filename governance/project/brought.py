"""How does a recorded content come into a scratch folder: from git, the project, DVC's cache or DVC's remote?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from governance.config import Config
from governance.digest import file_digest, file_md5, path_digest
from governance.dvc.files import cached_file
from governance.dvc.remote import fetch
from governance.errors import GovernanceError
from governance.project.found import Finder
from governance.project.scratch import UnableError
from governance.records import FileRef


@dataclass(frozen=True)
class Contents:
    """Where inputs and recorded outputs of one run come from: git, the project, DVC's cache, DVC's remote."""

    config: Config
    finder: Finder
    revision: str
    say: Callable[[str], None]

    def bring(self, scratch: Path, ref: FileRef) -> None:
        """Puts one recorded input into the scratch folder, by its digest. Raises UnableError."""
        target = scratch / ref.path
        if target.exists() and path_digest(target) == ref.sha256:
            return
        found, fault = self.file(ref)
        if found is None:
            named = f"input {ref.path} with SHA-256 {ref.sha256[:16]}…"
            raise UnableError(f"{named} is neither here nor in DVC's cache, and not to be fetched: {fault}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(found, target)
        # Somebody may run the pipeline meanwhile, and replace what was just found.
        if not target.is_file() or file_digest(target) != ref.sha256:
            raise UnableError(f"input {ref.path} was replaced while it was copied: run it again")

    def file(self, ref: FileRef) -> tuple[Path | None, str]:
        """A file with the recorded bytes, or None and why not."""
        found = self.finder.file(ref, revisions=[self.revision])
        if found is not None:
            return found, ""
        fault = "no dvc.lock of any commit names it"
        # One after the other, the likeliest first: other versions of a large file are not worth their way.
        for md5 in self.finder.md5s(ref.path):
            here = cached_file(self.config.root, md5)
            if here.is_file() and file_md5(here) == md5:
                continue  # another version
            # An entry with other bytes may be the only copy of what somebody wrote through a link: it stays.
            beside = self.finder.scratch() / "fetched" if here.is_file() else None
            bad = f"DVC's cache holds other bytes under MD5 {md5}, and " if beside else ""
            self.say(f"fetches {ref.path}" + (f": DVC's cache holds other bytes under MD5 {md5}" if beside else ""))
            try:
                wrong = fetch(self.config.root, [md5], cache=beside)
            except GovernanceError as error:
                return None, bad + error.message + (f" ({error.hint})" if error.hint else "")
            if wrong:
                fault = f"{bad}DVC's remote holds other bytes under MD5 {md5}"
                continue
            fault = f"{bad}DVC's remote does not hold it"
            place = cached_file(self.config.root, md5, cache=beside)
            if place.is_file() and file_digest(place) == ref.sha256:
                return place, ""
        return None, fault
