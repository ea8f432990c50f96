"""Where does the answer of a repro go besides the screen, and what stood in the project before it?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from governance.config import CONFIG_NAME, STATE_FOLDER, Config
from governance.digest import write_atomically
from governance.dvc.files import read_stages
from governance.erased import Erased
from governance.errors import ConfigurationError, GovernanceError
from governance.facts import Facts, read_facts
from governance.project.chosen import run_of
from governance.project.compared import Comparer
from governance.project.found import Finder
from governance.project.git import run_git
from governance.project.report import Report
from governance.project.status import current_facts, current_runs
from governance.records import Record, Repro
from governance.runs.runfile import RunFile, facts_path, read_run, run_path

if TYPE_CHECKING:
    from governance.store.trail import Trail

#: besides what stages read and make, these are no place for a summary
_TAKEN = ("dvc.yaml", "dvc.lock", "params.yaml", CONFIG_NAME, STATE_FOLDER, ".dvc", ".git")
#: what an earlier summary and an earlier count of tests begin with
_OURS = (
    b"## LabelTrail: repro of ",
    b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"labeltrail repro\"",
)
_CHOOSE = "name a file of its own, such as reports/labeltrail.md"


@dataclass(frozen=True)
class Witnessed:
    """What a summary tells of: the answer, the runs before and after by stage, and everything known."""

    config: Config
    report: Report
    before: dict[str, RunFile]
    after: dict[str, RunFile]
    facts: Facts
    #: the facts of the runs that stood before, and of those that stand now
    stood: Facts
    stands: Facts
    comparer: Comparer


@dataclass
class Witness:
    """Writes a Markdown summary and JUnit XML of a repro, each of them whole or not at all.

    Both places are written before anything runs, with what holds if nothing follows, so that neither an earlier summary
    nor none at all is taken for the answer of a repro that was killed. Raises ConfigurationError.
    """

    config: Config
    summary: Path | None = None
    junit: Path | None = None
    _before: dict[str, RunFile] = field(default_factory=dict)
    _records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        for option, place in self._places():
            self._check(option, place)
        if self.summary and self.junit and self.summary.resolve() == self.junit.resolve():
            raise ConfigurationError("--summary and --junit name one file", hint="give each a file of its own")
        try:
            stages = read_stages(self.config.root).values()
        except GovernanceError as error:
            # Nobody knows now what stages read and make: a file that is no summary yet may be some stage's.
            foreign = [place for _, place in self._places() if place.exists() and not _is_ours(place)]
            self._write_unfinished(_says(error), spared=foreign)
            raise
        for option, place in self._places():
            self._free(option, place, [path for stage in stages for path in (*stage.deps, *stage.outs)])
        self._write_unfinished("it did not finish: it still runs, or was ended from outside")

    def _places(self) -> list[tuple[str, Path]]:
        places = (("--summary", self.summary), ("--junit", self.junit))
        return [(option, place) for option, place in places if place is not None]

    def look(self) -> None:
        """Reads the runs that lie in the project, under the lock and before anything runs."""
        for stage in read_stages(self.config.root):
            # A run file that nobody can read is no run; the repro itself says so.
            with contextlib.suppress(GovernanceError):
                run = read_run(self.config.root / run_path(self.config.artifacts, stage))
                self._before[stage] = run
                self._records += read_facts(self.config.root / facts_path(self.config.artifacts, stage))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """An error that ends the repro is what both files tell."""
        try:
            yield
        except GovernanceError as error:
            self._write_unfinished(_says(error))
            raise

    def tell(self, report: Report, known: Facts, *, earlier: Facts, erased: Erased) -> None:
        """Writes both files, also where a stage failed; `earlier` is what the trail held before this repro."""
        from governance.project.junit import junit
        from governance.project.summary import summary

        after = {run.result.stage: run for run in current_runs(self.config, known)}
        self._remember(known)
        runs = [record for run in self._before.values() for record in (run.recipe, run.result)]
        # The runs before may have come with the data and never have been in this trail.
        facts = Facts([*self._records, *runs]) | known
        with Finder(self.config, erased=erased) as finder:
            current = frozenset(run.result.name for run in after.values())
            witnessed = Witnessed(
                config=self.config,
                report=report,
                before=self._before,
                after=after,
                facts=facts,
                # What this very repro found of a recipe that had run before is no finding of the run before.
                stood=current_facts(Facts([*self._records, *runs]) | earlier, list(self._before.values())),
                stands=current_facts(known, list(after.values())),
                comparer=Comparer(self.config, facts, finder, current=current),
            )
            if self.summary is not None:
                write_atomically(self.summary.resolve(), summary(witnessed).encode())
            if self.junit is not None:
                write_atomically(self.junit.resolve(), junit(witnessed))

    def _remember(self, known: Facts) -> None:
        """Where no run file lay, the run before is the one that the repro before this one named."""
        repros = known.of(Repro)
        for stage, name in (repros[-2].results if len(repros) > 1 else {}).items():
            with contextlib.suppress(GovernanceError):
                self._before.setdefault(stage, run_of(name, known))

    def _check(self, option: str, place: Path) -> None:
        found = place.resolve()
        if found.exists() and not found.is_file():
            raise ConfigurationError(f"{option} {place} is no file", hint=_CHOOSE)
        self._free(option, place, _TAKEN)
        # Git is asked from the file's own folder, which may lie in another repository than the project.
        listed = found.is_file() and run_git(found.parent, "ls-files", "-z", "--", f":(literal){found.name}")
        if listed and not _is_ours(found):
            raise ConfigurationError(f"{option} {place} would overwrite a file that git keeps", hint=_CHOOSE)

    def _free(self, option: str, place: Path, taken: Iterable[str]) -> None:
        root = self.config.root.resolve()
        for path in taken:
            if place.resolve().is_relative_to((root / path).resolve()):
                raise ConfigurationError(
                    f"{option} {place} would overwrite or join {path} of the project", hint=_CHOOSE
                )

    def _write_unfinished(self, says: str, *, spared: Sequence[Path] = ()) -> None:
        from governance.project.junit import unfinished_junit
        from governance.project.summary import unfinished_summary

        name = self.config.name
        for option, place, data in (
            ("--summary", self.summary, unfinished_summary(name, says).encode()),
            ("--junit", self.junit, unfinished_junit(name, says)),
        ):
            if place is None or place in spared:
                continue
            try:
                write_atomically(place.resolve(), data)
            except OSError as error:
                hint = "check owner and rights of its folder, or name another file"
                raise ConfigurationError(f"{option} {place} cannot be written: {error.strerror}", hint=hint) from None


def before_the_last_repro(trail: Trail, *, new: int) -> Facts:
    """What a trail held before its last repro, which entered `new` entries and itself as the last of them."""
    entries = list(trail.entries())
    last = max((seq for seq, entry in entries if isinstance(entry.record, Repro)), default=-1)
    return Facts(entry.record for seq, entry in entries if seq <= last - new)


def _says(error: GovernanceError) -> str:
    return f"exit code {int(error.exit_code)}: {error.message}" + (f" ({error.hint})" if error.hint else "")


def _is_ours(place: Path) -> bool:
    """Whether an earlier summary or count of tests lies here, which may be replaced."""
    try:
        with place.open("rb") as file:
            return file.read(200).startswith(_OURS)
    except OSError:
        return False
