"""Are the files still the bytes that runs recorded, in the project, in DVC's lock and in DVC's cache?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from governance.config import Config
from governance.digest import file_digest, file_md5
from governance.dvc.files import LockedStage, Stage, cached_file
from governance.erased import Erased
from governance.errors import GovernanceError
from governance.facts import Facts, read_facts
from governance.proof.check import Check
from governance.records import FileRef, Recipe, Result
from governance.runs.freshness import changes_since
from governance.runs.outside import is_outside
from governance.runs.runfile import RunFile, facts_path, read_run, run_path

_AGAIN = "`labeltrail repro` runs what is missing and records it"
_BRING = "`labeltrail sync --pull` brings what DVC's remote holds, `labeltrail repro` makes it here"
_TAKE_IN = "`labeltrail sync` takes the run in as it lies here"
_WHOSE = (
    "where somebody ran it elsewhere, `labeltrail sync` takes the run in as it lies here; where nobody did, take the "
    "recorded bytes back with `git checkout dvc.lock` and `dvc checkout --force`"
)
_OUTSIDE = "DVC does not keep it: run it under `labeltrail run`, or bring it in with `labeltrail ingest`, once more"
_RESTORE = (
    "take the recorded bytes back with `dvc checkout --force` (`git checkout dvc.lock` first where that was changed too), "
    "or make them again with `labeltrail repro --force STAGE`"
)

_RETURNED = (
    "`labeltrail subject erase` takes the person out of what lies here; if it was cut off, "
    "`labeltrail subject erase --resume` completes it"
)


@dataclass
class StageFiles:
    """One stage with what its run file, DVC's lock and the trail say of it."""

    config: Config
    stage: Stage
    locked: LockedStage | None
    recorded: Facts
    erased: Erased = field(default_factory=Erased)
    run: RunFile | None = None
    md5s: dict[str, str] | None = None
    counted: int = 0
    uncached: int = 0

    def check(self) -> Iterator[Check]:
        """1. the run file is whole and the trail knows its result  2. every output is what the result says
        3. DVC's lock says the same  4. DVC's cache holds the same  5. nothing was edited since"""
        # 1.
        yield from self._run_file()
        if self.run is None:
            # Without a run file that can be read, the files are held against what the trail recorded last.
            self.run = self._last_recorded()
        if self.run is None:
            for out in self.locked.outs if self.locked else ():
                yield from self._cached(f"{self.stage.name}: {out.path}", out.md5, None)
            return
        # 2.
        broken = False
        for check in self._outputs(self.run):
            broken = broken or check.state == "broken"
            yield check
        # 3. and 4.
        if not is_outside(self.stage.name):
            yield from self._lock(self.run)
        # 5.
        if self.locked and self.locked.command and self.locked.command != self.stage.command:
            says = f"its command was {self.locked.command!r}, is {self.stage.command!r}"
            yield Check("freshness", "stale", f"stage {self.stage.name}", says, "`labeltrail repro` runs it again")
        if not broken:
            for change in changes_since(self.run.recipe, self.config, erased=self.erased):
                yield Check(
                    "freshness", "stale", f"stage {self.stage.name}", change, "`labeltrail repro` runs it again"
                )

    @property
    def run_path(self) -> str:
        return run_path(self.config.artifacts, self.stage.name)

    def _results(self) -> list[Result]:
        return [result for result in self.recorded.of(Result) if result.stage == self.stage.name]

    def _last_recorded(self) -> RunFile | None:
        for result in reversed(self._results()):
            recipe = self.recorded.get(result.recipe)
            if isinstance(recipe, Recipe):
                return RunFile(recipe, result)
        return None

    def _run_file(self) -> Iterator[Check]:
        name = self.stage.name
        path = self.config.root / self.run_path
        if not path.is_file():
            if self.locked or self._results():
                hint = _OUTSIDE if is_outside(name) else _BRING
                yield Check("files", "missing", f"{name}: {self.run_path}", "the run file is not there", hint)
            else:
                yield Check("files", "missing", f"stage {name}", "it has never run here", _AGAIN)
            return
        try:
            run = read_run(path)
        except GovernanceError as error:
            yield Check("files", "broken", f"{name}: {self.run_path}", error.message, _RESTORE)
            return
        if run.result.stage != name or run.recipe.stage != name:
            says = f"it is the run file of stage {run.result.stage}"
            yield Check("files", "broken", f"{name}: {self.run_path}", says, _RESTORE)
            return
        self.run = run
        if run.result.name in self.recorded:
            if run.recipe.name not in self.recorded:
                says = "the trail knows its result and not its recipe"
                yield Check("files", "broken", f"{name}: {self.run_path}", says, _RESTORE)
            return
        others = [result for result in self._results() if result.recipe == run.recipe.name]
        if others:
            yield Check(
                "files",
                "broken",
                f"{name}: {self.run_path}",
                f"the trail recorded another result of this recipe, {others[-1].name}",
                _RESTORE,
            )
        else:
            says = "nobody recorded this run here (plain DVC, another machine, or an edited file)"
            yield Check(
                "files",
                "missing",
                f"{name}: {self.run_path}",
                f"unrecorded: {says}",
                _WHOSE if self._results() else _TAKE_IN,
            )

    def _outputs(self, run: RunFile) -> Iterator[Check]:
        self.md5s = {}
        for output in run.result.outputs:
            path = self.config.root / output.path
            culprit = f"{self.stage.name}: {output.path}"
            if path.is_dir():
                yield Check("files", "broken", culprit, "a folder stands where the recorded output was", _RESTORE)
                continue
            standing = self.erased.of(output.sha256)
            if not path.is_file():
                if standing and standing.sha256 is None:
                    yield Check("files", "erased", culprit, f"{standing.says}, and nothing stands in its place")
                else:
                    hint = _OUTSIDE if is_outside(self.stage.name) else _RESTORE
                    yield Check("files", "missing", culprit, "the recorded output is not there", hint)
                continue
            self.counted += 1
            actual = file_digest(path)
            self.md5s[output.path] = file_md5(path)
            if standing and actual == output.sha256:
                yield Check("files", "returned", culprit, f"it holds rows that were {standing.says}", _RETURNED)
            elif standing and actual == standing.sha256:
                yield Check("files", "erased", culprit, standing.told)
            elif actual != output.sha256:
                says = f"its SHA-256 is {actual[:16]}…, the run recorded {output.sha256[:16]}…"
                yield Check("files", "broken", culprit, says, _RESTORE)
        facts = facts_path(self.config.artifacts, self.stage.name)
        if (self.config.root / facts).is_file() and facts in self.md5s:
            yield from self._facts(run, facts)
        if self.run_path not in self.md5s and (self.config.root / self.run_path).is_file():
            self.md5s[self.run_path] = file_md5(self.config.root / self.run_path)

    def _facts(self, run: RunFile, path: str) -> Iterator[Check]:
        try:
            stated = [record.name for record in read_facts(self.config.root / path)]
        except GovernanceError as error:
            yield Check("files", "broken", f"{self.stage.name}: {path}", error.message, _RESTORE)
            return
        if tuple(stated) != run.result.generated:
            says = "its records are not those that the result lists"
            yield Check("files", "broken", f"{self.stage.name}: {path}", says, _RESTORE)
        elif run.result.name in self.recorded:
            for name in stated:
                if name not in self.recorded:
                    yield Check("files", "broken", name, "a recorded run states it and the trail does not hold it")

    def _lock(self, run: RunFile) -> Iterator[Check]:
        name = self.stage.name
        if self.locked is None:
            yield Check("dvc.lock", "unknown", f"stage {name}", "dvc.lock does not hold this stage", _AGAIN)
            return
        recorded: dict[str, FileRef] = {ref.path: ref for ref in run.result.outputs}
        locked = {out.path: out.md5 for out in self.locked.outs}
        for path in sorted({*recorded, self.run_path} - set(locked)):
            yield Check("dvc.lock", "broken", f"{name}: {path}", "the run made it and dvc.lock does not list it")
        for path, md5 in sorted(locked.items()):
            culprit = f"{name}: {path}"
            actual = (self.md5s or {}).get(path)
            if path not in recorded and path != self.run_path:
                yield Check("dvc.lock", "broken", culprit, "dvc.lock lists it and the run did not make it")
            elif actual is not None and md5 != actual and self._is_of_before(recorded.get(path)):
                says = "it names the content of before an erasure"
                yield Check(
                    "dvc.lock", "stale", culprit, says, "take the newer dvc.lock: `git checkout` the commit of it"
                )
            elif actual is not None and md5 != actual:
                yield Check("dvc.lock", "broken", culprit, f"dvc.lock says MD5 {md5}, the file has {actual}", _RESTORE)
            yield from self._cached(culprit, md5, recorded.get(path))
        for dep in self.locked.deps:
            yield from self._locked_input(run, dep.path, dep.md5)

    def _is_of_before(self, recorded: FileRef | None) -> bool:
        """Whether the file is what an erasure left of the recorded one, which is what a lock of before names."""
        place = self.config.root / recorded.path if recorded else None
        standing = self.erased.of(recorded.sha256) if recorded else None
        return bool(standing and place and place.is_file() and file_digest(place) == standing.sha256)

    def _cached(self, culprit: str, md5: str | None, recorded: FileRef | None) -> Iterator[Check]:
        cached = cached_file(self.config.root, md5) if md5 else None
        if cached is None or not cached.is_file():
            self.uncached += 1
            return
        self.counted += 1
        # SHA-256 where the run recorded one: MD5 alone can be collided on purpose.
        standing = self.erased.of(recorded.sha256) if recorded else None
        actual = file_digest(cached) if recorded else file_md5(cached)
        if standing and recorded and actual == recorded.sha256:
            yield Check("cache", "returned", culprit, f"DVC's cache holds rows that were {standing.says}", _RETURNED)
        elif actual != (standing.sha256 if standing else recorded.sha256 if recorded else md5):
            shown = cached.relative_to(self.config.root) if cached.is_relative_to(self.config.root) else cached
            says = f"DVC's cache holds other bytes than the run recorded ({shown})"
            hint = (
                f"remove {shown} and {culprit.partition(': ')[2]}, then `labeltrail sync --pull` or `labeltrail repro`"
            )
            yield Check("cache", "broken", culprit, says, hint)

    def _locked_input(self, run: RunFile, path: str, md5: str | None) -> Iterator[Check]:
        file = self.config.root / path
        if md5 is None or not file.is_file():
            return
        recorded = next((ref for ref in run.recipe.inputs if ref.path == path), None)
        recorded = recorded or next((ref for ref in run.recipe.code if ref.path == path), None)
        if recorded and self.erased.of(recorded.sha256):
            return  # what stands there is told where it was made
        if recorded and file_md5(file) != md5 and file_digest(file) == recorded.sha256:
            says = f"dvc.lock gives this input MD5 {md5}, the run read the file as it is now"
            yield Check("dvc.lock", "broken", f"{self.stage.name}: {path}", says)
