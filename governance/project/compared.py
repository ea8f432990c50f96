"""What do two runs of one stage have otherwise, what did that do, and in which stage did it begin?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from governance.config import Config
from governance.digest import sha256
from governance.errors import GovernanceError
from governance.facts import Facts
from governance.parquet import read_table
from governance.project.contents import Contents
from governance.project.found import Finder
from governance.records import (
    Environment,
    Execution,
    FileRef,
    Finding,
    Labels,
    Model,
    Predictions,
    Recipe,
    Record,
    Result,
    Votes,
)
from governance.runs import differences, effects
from governance.runs.compare import compare_files
from governance.runs.differences import Change, FileChange, file_changes
from governance.runs.rows import compare_labels
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
        """The run that made an input: of several with these bytes, the last one stated before its reader."""
        made = self._makers.get((ref.path, ref.sha256), []) if ref else []
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
        """The same in clauses, and the inputs that no stage made."""
        own = self.own(was, now)
        told = [Change(**change).says for change in own["parameters"]]
        told += [f"code {module_says(module)}" for module in own["code"]]
        environment = [Change(**change).says for change in own["environment"]]
        more = len(environment) - _NAMED
        told += environment[:_NAMED] + ([f"{more} more distributions changed"] if more > 0 else [])
        for change in file_changes(was.recipe.inputs, now.recipe.inputs):
            if self.maker(change.was, was) is None and self.maker(change.now, now) is None:
                told += self._source_says(change, own["code"], results=(was.result.name, now.result.name))
        if was.recipe.name == now.recipe.name and was.result.name != now.result.name:
            told.append("the same recipe gave another result: something outside it decides the outputs")
        return told

    def _source_says(self, change: FileChange, code: list[dict[str, Any]], *, results: tuple[str, str]) -> list[str]:
        """An input that no stage made, in a clause; nothing where the code that was told above is all that changed."""
        if change.was is None or change.now is None:
            return [f"input {change.path} {change.how}"]
        files = self.contents.files(change.was, change.now, results=results)[0].get("files")
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
            told = {**_file(change), "made_by": {"was": _name(makers[0]), "now": _name(makers[1])}}
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

    def outputs(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Every output: its outcome, where it differs first, and its rows and labels where it has any."""
        found = []
        before = {ref.path: ref for ref in was.result.outputs}
        after = {ref.path: ref for ref in now.result.outputs}
        for path in sorted({*before, *after}):
            change = FileChange(path, before.get(path), after.get(path))
            told = _file(change)
            told.pop("how")
            if change.was is None or change.now is None:
                found.append(told | {"outcome": change.how})
            elif change.was.sha256 == change.now.sha256:
                found.append(told | {"outcome": "identical"})
            else:
                found.append(told | self._output(change.was, change.now, was, now))
        return found

    def _output(self, one: FileRef, two: FileRef, was: RunFile, now: RunFile) -> dict[str, Any]:
        told, places = self.contents.files(one, two, results=(was.result.name, now.result.name))
        if places is None:
            return {"outcome": "unknown", **told}
        suffix = PurePosixPath(two.path).suffix
        difference = compare_files(*places, suffix=suffix)
        told = {"outcome": difference.outcome, "first": difference.says, **told}
        if "rows" in told:
            flips = self._labels(one, two, was, now, places)
            if flips:
                told["labels"] = flips
        return told

    def _labels(
        self, one: FileRef, two: FileRef, was: RunFile, now: RunFile, places: list[Any]
    ) -> dict[str, Any] | None:
        sides = []
        for run, ref in ((was, one), (now, two)):
            record = next((r for r in self._stated(run) if getattr(r, "sha256", "") == ref.sha256), None)
            sides.append(self._label_column(record))
        if sides[0] is None or sides[1] is None or sides[0][0] != sides[1][0]:
            return None
        frames = [read_table(place) for place in places]
        if any(sides[0][0] not in frame.columns for frame in frames):
            return None
        try:
            flips = compare_labels(
                *frames,
                id_column=self.config.id_column,
                label_column=sides[0][0],
                classes_was=sides[0][1],
                classes_now=sides[1][1],
            )
        except GovernanceError:
            return None  # without ids the rows were already told as unknown
        told = asdict(flips)
        return told | {"pairs": [{"was": a, "now": b, "examples": n} for (a, b), n in flips.pairs.items()]}

    def _label_column(self, record: Record | None) -> tuple[str, tuple[str, ...]] | None:
        """Where a label set or a prediction batch holds its class, and the classes in the order of their indices."""
        if isinstance(record, Labels):
            votes = self.known.get(record.votes)
            return ("label", votes.classes) if isinstance(votes, Votes) else None
        if isinstance(record, Predictions):
            model = self.known.get(record.model)
            return ("prediction", model.classes) if isinstance(model, Model) else None
        return None

    def metrics(self, was: RunFile, now: RunFile) -> dict[str, Any]:
        """Figures that differ between the evaluations that the runs made or that descend from them."""
        before, after = (effects.evaluations(run.result, self.known, current=self.current) for run in (was, now))
        told: dict[str, Any] = {"evaluations": [], "changes": [], "same": 0}
        for which, one, other in (("earlier", before, after), ("later", after, before)):
            if other and not one:
                says = f"no recorded evaluation descends from the {which} run"
                self.contents.not_known(
                    "metrics", says, "`labeltrail repro` brings the project's evaluation up to date"
                )
        pairs = [(before[title], after[title]) for title in after if title in before]
        if not pairs and len(before) == len(after) == 1:
            pairs = [(*before.values(), *after.values())]
        for one, two in pairs:
            changes = effects.metric_changes(one, two)
            told["evaluations"].append({"title": two.title, "was": one.name, "now": two.name})
            told["same"] += effects.same_metrics(one, two)
            told["changes"] += [asdict(c) | {"delta": c.delta, "inside_interval": c.inside} for c in changes]
        return told

    def findings(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Findings that are new, gone or have another outcome."""
        one, two = (
            [
                *(record for record in self._stated(run) if isinstance(record, Finding)),
                *(finding for finding in self.known.of(Finding) if finding.subject == run.recipe.name),
            ]
            for run in (was, now)
        )
        return [asdict(change) for change in effects.finding_changes(one, two, self.known)]

    def _stated(self, run: RunFile) -> list[Record]:
        return [record for record in map(self.known.get, run.result.generated) if record is not None]


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


def _file(change: FileChange) -> dict[str, Any]:
    digests = {"was": change.was.sha256 if change.was else None, "now": change.now.sha256 if change.now else None}
    return {"path": change.path, "how": change.how, "sha256": digests}


def _name(run: RunFile | None) -> str | None:
    return run.result.name if run else None
