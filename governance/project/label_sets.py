"""Which two label sets does a person mean: by kind, title, name, file, run or commit, or as the one before?"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from governance.config import Config
from governance.digest import file_digest
from governance.erased import Erased
from governance.errors import AmbiguousName, GovernanceError, InvalidRecord, MissingEvidence, UnknownName
from governance.facts import Facts, short
from governance.project.chosen import committed_run, is_commit, run_history
from governance.project.status import current_facts, current_runs
from governance.records import Labels, Result

#: `labels~2` is the label set before the one before that of the current runs
_BACK = re.compile(r"(?P<of>.+)~(?P<steps>[0-9]{0,4})")
AGAIN = (
    "change a source, a row or a parameter and `labeltrail repro`: then `labeltrail diff labels` says why labels moved"
)


@dataclass(frozen=True)
class LabelSet:
    """A recorded label set, and the result that made it last."""

    record: Labels
    result: Result


class LabelSets:
    """Every label set of a trail, by what people call it."""

    def __init__(self, config: Config, known: Facts, *, erased: Erased) -> None:
        self.config, self.known, self.erased = config, known, erased
        self._made = {name: result for result in known.of(Result) for name in result.generated}
        self._all = {record.name: record for record in known.of(Labels)}

    def chosen(self, given: tuple[str, ...]) -> tuple[LabelSet, LabelSet] | None:
        """The two that are meant, the earlier one first; None where no argument names a label set.

        One alone is held against the one before it. Beside a label set, a run or a commit stands for the label set that it
        made. Raises UnknownName, AmbiguousName, InvalidRecord, MissingEvidence.
        """
        if not 1 <= len(given) <= 2 or not self._all:
            return None
        found = [None if self._is_a_run(one) else self._named(one) for one in given]
        anchor = next((one for one in found if one is not None), None)
        if anchor is None:
            return None
        if len(given) == 1:
            return self._before(anchor, 1), anchor
        one, two = (one or self._of_a_run(name, anchor) for one, name in zip(found, given, strict=True))
        return one, two

    def names(self) -> list[str]:
        """What people may write, for suggestions."""
        if not self._all:
            return []
        titles = dict.fromkeys(record.title for record in self._all.values())
        return ["labels", "labels~1", *titles, *(short(name) for name in self._all)]

    def _is_a_run(self, given: str) -> bool:
        """A stage is a stage, also where it is called `labels`."""
        return any(result.stage == given for result in self.known.of(Result))

    def _named(self, given: str) -> LabelSet | None:
        """A label set by anything that names one; None for what is none. Raises what `chosen` raises."""
        match = _BACK.fullmatch(given)
        if match and given not in self._titles():
            base = None if self._is_a_run(match["of"]) else self._named(match["of"])
            return base and self._before(base, int(match["steps"] or "1"))
        if given == Labels.kind:
            return self._current(given, list(self._now().values()))
        if given in self._titles():
            current = [record for record in self._now().values() if record.title == given]
            return self._current(given, current or [r for r in self._all.values() if r.title == given][-1:])
        if (kind := given.partition(":")[0]) and given.startswith(f"{Labels.kind}:"):
            return self._set(self._shortened(given, kind))
        if len(given) >= 4 and len(found := self._starting(f"{Labels.kind}:{given}")) == 1:
            return self._set(found[0])
        return self._in_file(given)

    def _titles(self) -> set[str]:
        return {record.title for record in self._all.values()}

    def _now(self) -> dict[str, Labels]:
        """Label sets of the current runs; of none, where there is no pipeline of today."""
        with contextlib.suppress(GovernanceError):
            now = current_facts(self.known, current_runs(self.config, self.known))
            return {record.name: record for record in now.of(Labels)}
        return {}

    def _current(self, given: str, records: list[Labels]) -> LabelSet:
        if not records:
            raise MissingEvidence(
                "no label set is among the current runs",
                hint=f"name a recorded one: {', '.join(short(name) for name in list(self._all)[-4:])}",
            )
        if len(records) > 1:
            raise AmbiguousName(given, [f"{record.title} ({short(record.name)})" for record in records])
        return self._set(records[0].name)

    def _starting(self, prefix: str) -> list[str]:
        return [name for name in self._all if name.startswith(prefix)]

    def _shortened(self, given: str, kind: str) -> str:
        found = self._starting(given) if len(given) - len(kind) > 4 else []
        if not found:
            hint = "a label set of another log is told in its own project; `labeltrail sync` takes in what lies here"
            raise UnknownName("label set", given, self.names(), hint=hint)
        if len(found) > 1:
            raise AmbiguousName(given, found)
        return found[0]

    def _in_file(self, given: str) -> LabelSet | None:
        """The label set with the bytes of a table; None where there is no such file."""
        if Path(given).suffix != ".parquet":
            return None
        places = [place for place in (Path(given), self.config.root / given) if place.is_file()]
        if not places:
            return None
        digest = file_digest(places[0])
        for name, record in reversed(self._all.items()):
            if record.sha256 == digest or self.erased.stands_for(record.sha256, digest):
                return self._set(name)
        raise MissingEvidence(
            f"{given}: no recorded label set has the bytes of this file",
            hint="it was made or changed outside of a recorded run, or belongs to another log; "
            f"recorded are {', '.join(short(name) for name in list(self._all)[-4:])}",
        )

    def _set(self, name: str) -> LabelSet:
        result = self._made.get(name)
        if result is None:
            raise MissingEvidence(
                f"{short(name)}: no recorded result made it", hint="`labeltrail sync` takes in what lies here"
            )
        return LabelSet(self._all[name], result)

    def _before(self, one: LabelSet, steps: int) -> LabelSet:
        """The label set that stood `steps` before; what a run made again without a change is no step."""
        names = self._history(one)
        last = max((place for place, name in enumerate(names) if name == one.record.name), default=0)
        if steps > last:
            raise MissingEvidence(
                f"the trail knows {'no label set' if not last else f'only {last}'} before {short(one.record.name)} "
                f"of stage {one.result.stage}",
                hint=AGAIN if not last else f"`labels~{last}` is the first one",
            )
        return self._set(names[last - steps])

    def _history(self, one: LabelSet) -> list[str]:
        names: list[str] = []
        for result in run_history(one.result.stage, self.known):
            record = self.known.get(result)
            made = [self._all[name] for name in getattr(record, "generated", ()) if name in self._all]
            named = [labels for labels in made if labels.title == one.record.title] or made[:1]
            if named and (not names or names[-1] != named[0].name):
                names.append(named[0].name)
        return names

    def _of_a_run(self, given: str, beside: LabelSet) -> LabelSet:
        """The label set that a stage's newest run, a result or a commit's run made, of the title of the one beside it."""
        result: Result | None = None
        if self._is_a_run(given):
            now = {run.result.stage: run.result for run in current_runs(self.config, self.known)}
            history = run_history(given, self.known)
            result = now.get(given) or self._result(history[-1])
        elif given.startswith("result:"):
            result = self._result(self.known.resolve(given).name)
        elif is_commit(given, self.config):
            result = committed_run(given, beside.result.stage, self.config, self.known).result
        if result is None:
            hint = "`labeltrail log --all` lists every record"
            raise UnknownName("label set, result, stage or commit", given, self.names(), hint=hint)
        made = [self._all[name] for name in result.generated if name in self._all]
        named = [labels for labels in made if labels.title == beside.record.title] or made
        if not named:
            raise InvalidRecord("LABELS", given, f"a label set; stage {result.stage} makes none")
        return self._set(named[0].name)

    def _result(self, name: str) -> Result | None:
        record = self.known.get(name)
        return record if isinstance(record, Result) else None


def need_one_meaning(one: LabelSet, two: LabelSet, *, classes: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """Raises InvalidRecord unless both sets choose among the same classes, in whatever order."""
    if sorted(classes[0]) != sorted(classes[1]):
        raise InvalidRecord(
            "classes",
            f"{list(classes[0])} of {short(one.record.name)}, {list(classes[1])} of {short(two.record.name)}",
            "two label sets of the same classes",
            hint="labels of other classes are answers to another question; `labeltrail diff STAGE` compares the runs",
        )
