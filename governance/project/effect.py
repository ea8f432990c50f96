"""What did a difference between two runs do to their outputs, labels, metrics and findings?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from governance.errors import GovernanceError
from governance.parquet import read_table
from governance.project.compared import Comparer, file_told
from governance.records import FileRef, Finding, Labels, Model, Predictions, Record, Source, Votes
from governance.runs import effects
from governance.runs.compare import Difference, compare_files
from governance.runs.differences import FileChange
from governance.runs.rows import compare_labels
from governance.runs.runfile import RunFile


class Effect:
    """Holds what two runs made side by side; what could not be told gathers in the comparer's contents."""

    def __init__(self, comparer: Comparer) -> None:
        self.comparer = comparer

    def outputs(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Every output: its outcome, where it differs first, and its rows and labels where it has any."""
        found = []
        before = {ref.path: ref for ref in was.result.outputs}
        after = {ref.path: ref for ref in now.result.outputs}
        for path in sorted({*before, *after}):
            change = FileChange(path, before.get(path), after.get(path))
            told = file_told(change)
            told.pop("how")
            if change.was is None or change.now is None:
                found.append(told | {"outcome": change.how})
            elif change.was.sha256 == change.now.sha256:
                found.append(told | {"outcome": "identical"})
            else:
                found.append(told | self._output(change.was, change.now, was, now))
        return found

    def _output(self, one: FileRef, two: FileRef, was: RunFile, now: RunFile) -> dict[str, Any]:
        told, places = self.comparer.contents.files(one, two, results=(was.result.name, now.result.name))
        if places is None:
            return {"outcome": "unknown", **told}
        suffix = PurePosixPath(two.path).suffix
        difference = compare_files(*places, suffix=suffix, id_column=self.comparer.config.id_column)
        if "erased" in told and difference.outcome == "identical":
            difference = Difference("different", "what is left of both is the same")
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
                id_column=self.comparer.config.id_column,
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
            votes = self.comparer.known.get(record.votes)
            return ("label", votes.classes) if isinstance(votes, Votes) else None
        if isinstance(record, Predictions):
            model = self.comparer.known.get(record.model)
            return ("prediction", model.classes) if isinstance(model, Model) else None
        return None

    def metrics(self, was: RunFile, now: RunFile) -> dict[str, Any]:
        """Figures that differ between the evaluations that the runs made or that descend from them."""
        before, after = (
            effects.evaluations(run.result, self.comparer.known, current=self.comparer.current) for run in (was, now)
        )
        told: dict[str, Any] = {"evaluations": [], "changes": [], "same": 0}
        for which, one, other in (("earlier", before, after), ("later", after, before)):
            if other and not one:
                says = f"no recorded evaluation descends from the {which} run"
                self.comparer.contents.not_known(
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
                *(finding for finding in self.comparer.known.of(Finding) if finding.subject == run.recipe.name),
            ]
            for run in (was, now)
        )
        return [asdict(change) for change in effects.finding_changes(one, two, self.comparer.known)]

    def sources(self, was: RunFile, now: RunFile) -> list[dict[str, Any]]:
        """Sources by title that are new, gone or have another version, each with the names of both records."""
        one, two = ({r.title: r.name for r in self._stated(run) if isinstance(r, Source)} for run in (was, now))
        return [
            {"title": title, "was": one.get(title), "now": two.get(title)}
            for title in sorted({*one, *two})
            if one.get(title) != two.get(title)
        ]

    def _stated(self, run: RunFile) -> list[Record]:
        return [record for record in map(self.comparer.known.get, run.result.generated) if record is not None]
