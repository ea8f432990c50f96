"""What did it do to metrics and findings?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from governance.facts import Facts
from governance.records import Evaluation, Finding, Metric, Recipe, Result


@dataclass(frozen=True)
class MetricChange:
    """One figure before and after, with the 95 % interval that it had; `delta` is exact in decimal digits."""

    metric: str
    of: str
    slice: str
    was: str | None
    now: str | None
    low: str | None
    high: str | None

    @property
    def delta(self) -> str | None:
        if self.was is None or self.now is None:
            return None
        return str(Decimal(self.now) - Decimal(self.was))

    @property
    def inside(self) -> bool | None:
        """Whether the new figure lies in the old one's interval; None where that has no limits."""
        if self.now is None or self.low is None or self.high is None:
            return None
        return Decimal(self.low) <= Decimal(self.now) <= Decimal(self.high)


@dataclass(frozen=True)
class FindingChange:
    """One check of one subject and its outcomes; None where it was not made."""

    check: str
    subject: str
    was: str | None
    now: str | None
    says: str
    name: str


def metric_changes(was: Evaluation, now: Evaluation) -> list[MetricChange]:
    """Figures that differ, in the order of the newer evaluation; then those that it no longer has."""
    before, after = ({_key(m): m for m in evaluation.metrics} for evaluation in (was, now))
    changes = []
    for key in [*after, *(key for key in before if key not in after)]:
        one, two = before.get(key), after.get(key)
        values = one.value if one else None, two.value if two else None
        if values[0] != values[1]:
            low, high = (one.low, one.high) if one else (None, None)
            changes.append(MetricChange(*key, was=values[0], now=values[1], low=low, high=high))
    return changes


def same_metrics(was: Evaluation, now: Evaluation) -> int:
    """How many figures of the newer evaluation the older one has with the same value."""
    before = {_key(metric): metric.value for metric in was.metrics}
    return sum(_key(metric) in before and before[_key(metric)] == metric.value for metric in now.metrics)


def _key(metric: Metric) -> tuple[str, str, str]:
    return metric.metric, metric.of, metric.slice


def finding_changes(was: Iterable[Finding], now: Iterable[Finding], facts: Facts) -> list[FindingChange]:
    """Findings that are new, gone or have another outcome; one subject is known again by its kind and title."""
    before, after = _by_subject(was, facts), _by_subject(now, facts)
    changes = []
    for key in [*after, *(key for key in before if key not in after)]:
        one, two = before.get(key), after.get(key)
        if (one.outcome if one else None) == (two.outcome if two else None):
            continue
        shown = two or one
        if shown is not None:
            outcomes = one.outcome if one else None, two.outcome if two else None
            changes.append(FindingChange(key[0], key[1], *outcomes, says=shown.says, name=shown.name))
    return changes


def _by_subject(findings: Iterable[Finding], facts: Facts) -> Mapping[tuple[str, str, int], Finding]:
    found: dict[tuple[str, str, int], Finding] = {}
    places: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        subject = facts.get(finding.subject)
        named = f"{finding.subject.partition(':')[0]} “{subject.label if subject else ''}”"
        found[finding.check, named, places[finding.check, named]] = finding
        places[finding.check, named] += 1
    return found


def evaluations(result: Result, facts: Facts, *, current: frozenset[str] = frozenset()) -> dict[str, Evaluation]:
    """Evaluations by title that a result made, or that descend from its outputs; current ones go before later ones.

    One descends where every input that comes from a result on the way has that result's bytes.
    """
    own = _made(result, facts)
    if own:
        return own
    found: dict[str, tuple[bool, int, Evaluation]] = {}
    for place, reached in enumerate(_descendants(result, facts)):
        for title, evaluation in _made(reached, facts).items():
            rank = (reached.name in current, place, evaluation)
            if title not in found or rank[:2] >= found[title][:2]:
                found[title] = rank
    return {title: evaluation for title, (_, _, evaluation) in found.items()}


def _made(result: Result, facts: Facts) -> dict[str, Evaluation]:
    records = [facts.get(name) for name in result.generated if name.startswith("evaluation:")]
    return {record.title: record for record in records if isinstance(record, Evaluation)}


def _descendants(start: Result, facts: Facts) -> list[Result]:
    """Results reached over contents, in the order in which they were stated."""
    recipes = {recipe.name: recipe for recipe in facts.of(Recipe)}
    inputs = {
        r.name: {i.path: i.sha256 for i in recipes[r.recipe].inputs} for r in facts.of(Result) if r.recipe in recipes
    }
    results = [result for result in facts.of(Result) if result.name in inputs]
    #: for each reached result, the bytes that every path on the way to it has
    on_the_way = {start.name: {ref.path: ref.sha256 for ref in start.outputs}}
    waiting = [start.name]
    while waiting:
        fixed = on_the_way[waiting.pop()]
        for result in results:
            read = inputs[result.name]
            met = [path for path in read if path in fixed]
            if result.name in on_the_way or not met or any(read[path] != fixed[path] for path in met):
                continue
            on_the_way[result.name] = {**fixed, **{ref.path: ref.sha256 for ref in result.outputs}}
            waiting.append(result.name)
    return [result for result in results if result.name in on_the_way and result.name != start.name]
