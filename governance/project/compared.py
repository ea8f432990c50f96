"""What do two runs of one stage have otherwise, and in which stage did it begin?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from governance.config import Config
from governance.digest import sha256
from governance.facts import Facts
from governance.project.contents import Contents
from governance.project.found import Finder
from governance.project.lost import Lost, lost_says
from governance.records import Environment, Execution, FileRef, Recipe, Result
from governance.runs import differences
from governance.runs.differences import Change, FileChange, file_changes
from governance.runs.runfile import RunFile, run_path

#: how many distributions one sentence names
_NAMED = 4


class Comparer:
    """Compares runs over one set of facts; everything it answers is plain data, and its `contents` hold the unknown."""

    def __init__(self, config: Config, known: Facts, finder: Finder, *, current: frozenset[str] = frozenset()) -> None:
        self.config, self.known, self.current = config, known, current
        self.executions = {execution.result: execution for execution in known.of(Execution)}
        self.contents = Contents(config, finder, known.of(Execution))
        self._order = {result.name: place for place, result in enumerate(known.of(Result))}
        self.lost = Lost(known, finder.erased)
        self._makers: dict[tuple[str, str], list[RunFile]] = {}
        for result in known.of(Result):
            recipe = known.get(result.recipe)
            if isinstance(recipe, Recipe):
                run = RunFile(recipe, result)
                own = run_path(config.artifacts, result.stage), sha256(run.to_bytes())
                for key in [own, *((ref.path, ref.sha256) for ref in result.outputs)]:
                    self._makers.setdefault(key, []).append(run)
        self._own: dict[tuple[str, str], dict[str, Any]] = {}

    def maker(self, ref: FileRef | None, reader: RunFile) -> RunFile | None:
        """The run that made an input: of several with these bytes, the last one stated before its reader.

        Of what an erasure left of a content, the run that made it whole.
        """
        made = self._makers.get((ref.path, ref.sha256), []) if ref else []
        if ref and not made:
            origins = self.lost.erased.origins(ref.sha256)
            made = [run for whole in origins for run in self._makers.get((ref.path, whole), [])]
        before = [run for run in made if self._order[run.result.name] < self._order.get(reader.result.name, 0)]
        return before[-1] if before else made[0] if made else None

    def own(self, was: RunFile, now: RunFile) -> dict[str, Any]:
        """What the recipes themselves have otherwise: `parameters`, `code` by function, `environment`."""
        key = was.result.name, now.result.name
        if key not in self._own:
            self._own[key] = {
                "parameters": [asdict(c) for c in differences.parameter_changes(was.recipe, now.recipe)],
                "code": [
                    self.contents.module(change, was=key[0], now=key[1])
                    for change in file_changes(was.recipe.code, now.recipe.code)
                ],
                "environment": [asdict(c) for c in differences.interpreter_changes(was.recipe, now.recipe)],
            }
        return self._own[key]

    def own_says(self, was: RunFile, now: RunFile) -> list[str]:
        """The same in clauses, the inputs that no stage made, and what an erasure took out that came in here."""
        own = self.own(was, now)
        told = [Change(**change).says for change in own["parameters"]]
        told += [f"code {module_says(module)}" for module in own["code"]]
        environment = [Change(**change).says for change in own["environment"]]
        more = len(environment) - _NAMED
        told += environment[:_NAMED] + ([f"{more} more distributions changed"] if more > 0 else [])
        lost = self.lost.inputs(was, now)
        for change in file_changes(was.recipe.inputs, now.recipe.inputs):
            makers = self.maker(change.was, was), self.maker(change.now, now)
            if change.path in lost and _is_same(*makers):
                told += lost_says({change.path: lost[change.path]}, what="input")
                if self._is_what_was_left(change):
                    continue
            if makers == (None, None):
                told += self._source_says(change, own["code"], results=(was.result.name, now.result.name))
        if not lost:
            told += lost_says(self.lost.outputs(was, now), what="output")
        if was.recipe.name == now.recipe.name and was.result.name != now.result.name:
            told.append("the same recipe gave another result: something outside it decides the outputs")
        return told

    def _is_what_was_left(self, change: FileChange) -> bool:
        standing = self.lost.erased.of(change.was.sha256) if change.was else None
        return standing is not None and change.now is not None and standing.sha256 == change.now.sha256

    def _source_says(self, change: FileChange, code: list[dict[str, Any]], *, results: tuple[str, str]) -> list[str]:
        """An input that no stage made, in a clause; nothing where the code that was told above is all that changed."""
        if change.was is None or change.now is None:
            return [f"input {change.path} {change.how}"]
        # A clause needs names alone; a source may be larger than the memory.
        files = self.contents.folder(change.was, change.now, results=results)
        if files is None:
            return [f"input {change.path} changed"]
        told = {module["path"] for module in code}
        named = [
            f"{name} {how}"
            for how in ("added", "removed", "changed")
            for name in files[how]
            if f"{change.path}/{name}" not in told
        ]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        return [f"input {change.path}: {', '.join(named[:_NAMED])}{more}"] if named else []

    def inputs(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Each input that differs by SHA-256, with the runs that made it and what is otherwise inside."""
        found = []
        for change in file_changes(was.recipe.inputs, now.recipe.inputs):
            makers = self.maker(change.was, was), self.maker(change.now, now)
            told = {**file_told(change), "made_by": {"was": _name(makers[0]), "now": _name(makers[1])}}
            if change.was and change.now:
                told |= self.contents.files(change.was, change.now, results=(was.result.name, now.result.name))[0]
            found.append(told)
        return found

    def began(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """The stages, first ones first, whose own recipe changed on the way up over changed inputs."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        self._follow(was, now, found, set())
        return [stage for stage in found.values() if stage["says"]]

    def _follow(
        self,
        was: RunFile,
        now: RunFile,
        found: dict[tuple[str, str], dict[str, Any]],
        seen: set[tuple[str, str]],
    ) -> None:
        """Enters what made the inputs before the stage itself, each pair of runs once."""
        key = was.result.name, now.result.name
        seen.add(key)
        told: dict[str, Any] = {
            "stage": now.result.stage,
            "was": key[0],
            "now": key[1],
            "says": self.own_says(was, now),
        }
        for change in file_changes(was.recipe.inputs, now.recipe.inputs):
            one, two = self.maker(change.was, was), self.maker(change.now, now)
            if one and two and (one.result.name, two.result.name) not in seen:
                self._follow(one, two, found, seen)
            elif bool(one) != bool(two):
                told["says"].append(f"input {change.path} {change.how}")
        found[key] = told

    def surroundings(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """What the last execution of each run had otherwise: machine, revision, library, everything installed."""
        one, two = self.executions.get(was.result.name), self.executions.get(now.result.name)
        if one is None or two is None:
            which = " and ".join(word for word, e in (("earlier", one), ("later", two)) if e is None)
            says = (
                f"no execution of the {which} run is in this trail, so its machine and what was installed are not told"
            )
            self.contents.not_known("surroundings", says, "executions stay with the trail that recorded them")
            return []
        changes = differences.execution_changes(one, two)
        records = [self.known.get(execution.environment) for execution in (one, two)]
        if isinstance(records[0], Environment) and isinstance(records[1], Environment):
            changes += differences.environment_changes(records[0], records[1])
        return [asdict(change) for change in changes]


def _is_same(was: RunFile | None, now: RunFile | None) -> bool:
    """Whether one run made both versions of a file, or none did: only an erasure can then have parted them."""
    return (was.result.name if was else None) == (now.result.name if now else None)


def module_says(module: dict[str, Any]) -> str:
    """One clause on a module, such as `pipelines/words.py: NEGATIVE changed`."""
    pieces = module["pieces"]
    if pieces is None:
        return f"{module['path']} changed, functions unknown"
    if not pieces:
        return f"{module['path']} {module['how']}"
    named = [f"{piece['name'] or piece['kind']} {piece['how']}" for piece in pieces]
    more = f" and {len(named) - 6} more" if len(named) > 6 else ""
    return f"{module['path']}: {', '.join(named[:6])}{more}"


def file_told(change: FileChange) -> dict[str, Any]:
    """A changed file as data: its path, how it changed, and both digests."""
    digests = {"was": change.was.sha256 if change.was else None, "now": change.now.sha256 if change.now else None}
    return {"path": change.path, "how": change.how, "sha256": digests}


def _name(run: RunFile | None) -> str | None:
    return run.result.name if run else None
