"""What do the sources say: how much, how often against each other, how well, and at which price?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from governance.checks.metrics import wilson
from governance.config import Config
from governance.digest import decimal
from governance.documents.source_picture import Bar, Panel, picture
from governance.erased import Erased
from governance.errors import MissingEvidence
from governance.facts import Facts, short
from governance.lineage.rows import Rows
from governance.project.picture import Pictured, need_svg, pictured
from governance.project.report import Report, Table, counted, table
from governance.records import Evaluation, LabelModel, Labels, Source, Votes
from governance.votes import copies
from governance.votes.analysis import Analysis
from governance.votes.streaming import analysed

_NO_VOTES = "`labeltrail repro` makes and records them"
#: with more sources, a table of all pairs is for programs and for the picture
_MOST_IN_A_TABLE = 24


def source_report(config: Config, facts: Facts, *, erased: Erased, picture_to: Path | None = None) -> Pictured:
    """`labeltrail source report`: 1. the vote sets of the current runs, each file held against its record  2. counted
    3. with what records hold of each source  4. drawn.

    Raises MissingEvidence (no votes, or their file is not here), BrokenEvidence (the file was changed), ConfigurationError
    and InvalidRecord (the picture cannot be written there).
    """
    need_svg(picture_to)
    # 1.
    stated = facts.of(Votes)
    if not stated:
        raise MissingEvidence("no votes are recorded for the current runs", hint=_NO_VOTES)
    rows = Rows(config.root, facts, id_column=config.id_column, erased=erased)
    sets: list[dict[str, Any]] = []
    panels: list[Panel] = []
    for votes in stated:
        held = rows.held(Votes, title=votes.title, sha256=votes.sha256, dataset=votes.dataset)
        # 2.
        found = analysed(held.path)
        # 3.
        columns, met = copies.meetings_in(held.path)
        suspected = copies.suspects(met, columns)
        told = vote_set(
            votes, found.analysis, columns=found.columns, sources=found.sources, facts=facts, suspected=suspected
        )
        sets.append(told)
        panels.append(_panel(told))
    # 4.
    blocks = tuple(block for told in sets for block in _blocks(told))
    return pictured(Report("source report", {"votes": sets}, blocks), picture(panels), place=picture_to)


def vote_set(
    votes: Votes,
    analysis: Analysis,
    *,
    columns: tuple[str, ...],
    sources: tuple[str, ...],
    facts: Facts,
    suspected: tuple[copies.Suspect, ...] = (),
) -> dict[str, Any]:
    """Everything that is known of the sources of one vote set, from its counts and from records.

    Counts are integers and shares are decimals made of them, so any order of the rows gives the same answer.
    """
    records = [facts.get(name) for name in sources]
    titles = [record.label if record else column for record, column in zip(records, columns, strict=True)]
    learned = {
        part.source: (part.accuracy, fitted.name)
        for fitted in facts.of(LabelModel)
        if fitted.votes == votes.name
        for part in fitted.learned
    }
    types = {part.column: part.error_types for part in votes.sources}
    golden = [j for j, record in enumerate(records) if isinstance(record, Source) and record.source_kind == "gold"]
    named = analysis.votes.sum(axis=0)
    told: list[dict[str, Any]] = []
    for j, (column, name, record) in enumerate(zip(columns, sources, records, strict=True)):
        seen = {known.domain for known in record.contamination} if isinstance(record, Source) else set()
        accuracy, fitted = learned.get(name, (None, None))
        told.append(
            {
                "name": name,
                "title": titles[j],
                "column": column,
                "version": record.version if isinstance(record, Source) else "",
                **_counted(analysis, j, votes.classes),
                "error_types": types.get(column, {}),
                "learned_accuracy": accuracy,
                "learned_by": fitted,
                "spot_checks": [
                    *spot_checks(column, votes, facts, seen=seen),
                    *(_beside_gold(analysis, j, g, titles[g]) for g in golden if g != j),
                ],
                "cost": cost_of(name, facts),
            }
        )
    return {
        "name": votes.name,
        "title": votes.title,
        "rows": analysis.rows,
        "classes": list(votes.classes),
        "covered": analysis.covered,
        "overlaps": analysis.overlaps,
        "conflicts": analysis.conflicts,
        "unnamed_classes": [label for label, count in zip(votes.classes, named, strict=True) if not count],
        "sources": told,
        "both": analysis.both.tolist(),
        "agreed": analysis.agreed.tolist(),
        "agreement": [
            [_share(int(analysis.agreed[i, j]), int(analysis.both[i, j])) for j in range(len(columns))]
            for i in range(len(columns))
        ],
        **_suspected(suspected, columns),
    }


def _counted(analysis: Analysis, source: int, classes: Sequence[str]) -> dict[str, Any]:
    """What one source said and how often it meets and contradicts others, in rows and shares of them."""
    votes, skipped = analysis.votes[source], int(analysis.skipped[source])
    return {
        "votes": {label: int(count) for label, count in zip(classes, votes, strict=True)},
        "coverage": _share(int(votes.sum()), analysis.rows),
        "overlaps": int(analysis.source_overlaps[source]),
        "overlap": _share(int(analysis.source_overlaps[source]), analysis.rows),
        "conflicts": int(analysis.source_conflicts[source]),
        "conflict": _share(int(analysis.source_conflicts[source]), analysis.rows),
        "polarity": [label for label, count in zip(classes, votes, strict=True) if count],
        "abstained": int(analysis.abstained[source]),
        "errors": int(analysis.errors[source]),
        "error_rate": _share(int(analysis.errors[source]), analysis.rows - skipped),
        "skipped": skipped,
    }


def _suspected(suspected: Sequence[copies.Suspect], columns: Sequence[str]) -> dict[str, Any]:
    """Pairs that may be copies, by which sign, and the groups that they make up."""
    return {
        "suspected_copies": [
            {
                "columns": list(pair.columns),
                "sign": pair.sign,
                "shared": decimal(pair.shared),
                "agreement": decimal(pair.agreement),
                "explained": None if pair.expected is None else decimal(pair.expected),
            }
            for pair in suspected
        ],
        "suspected_groups": [list(group) for group in copies.groups([pair.columns for pair in suspected], columns)],
    }


def spot_checks(column: str, votes: Votes, facts: Facts, *, seen: Iterable[str] = ()) -> list[dict[str, Any]]:
    """How often a source is right where evaluations of these votes hold gold: slice by slice, with a Wilson interval.

    On a slice that the source has seen before, its accuracy is no independent evidence.
    """
    # Where there are no labels, a spot check compares the votes themselves.
    from_these = {labels.name for labels in facts.of(Labels) if labels.votes == votes.name} | {votes.name}
    return [
        {
            "on": metric.slice,
            "gold": evaluation.gold,
            "accuracy": metric.value,
            "low": metric.low,
            "high": metric.high,
            "examples": metric.examples,
            "independent": metric.slice not in set(seen),
            "evidence": evaluation.name,
        }
        for evaluation in facts.of(Evaluation)
        if from_these & set(evaluation.compared)
        for metric in evaluation.metrics
        if (metric.metric, metric.of) == ("accuracy", f"source {column}") and metric.value is not None
    ]


def _beside_gold(analysis: Analysis, j: int, gold: int, title: str) -> dict[str, Any]:
    """The same beside a source that is gold itself."""
    right, examples = int(analysis.agreed[j, gold]), int(analysis.both[j, gold])
    low, high = wilson(right, examples) if examples else (None, None)
    return {
        "on": f"rows of {title}",
        "gold": title,
        "accuracy": _share(right, examples),
        "low": decimal(low) if low is not None else None,
        "high": decimal(high) if high is not None else None,
        "examples": examples,
        "independent": True,
        "evidence": None,
    }


def cost_of(source: str, records: Iterable[Any]) -> dict[str, Any] | None:
    """What records say that the answers of a source cost, in millionths of a currency unit; None where none says so.

    Several records in one currency add up; a cost for each decisive label stands beside it.
    """
    spent: dict[str, list[int]] = {}
    for record in records:
        micros = getattr(record, "cost_micros", None)
        if getattr(record, "source", None) == source and micros is not None:
            total = spent.setdefault(getattr(record, "currency", ""), [0, 0])
            total[0] += micros
            total[1] += getattr(record, "decisive", 0)
    if not spent:
        return None
    return {
        currency: {"micros": micros, "decisive": decisive, "micros_a_decisive_label": _share(micros, decisive)}
        for currency, (micros, decisive) in sorted(spent.items())
    }


def _share(part: int, whole: int) -> str | None:
    """A share as a decimal; of nothing there is none."""
    return decimal(part / whole) if whole else None


def _panel(told: Mapping[str, Any]) -> Panel:
    place = {one["column"]: j for j, one in enumerate(told["sources"])}
    bars = [
        Bar(
            title=one["title"],
            coverage=float(one["coverage"] or 0),
            overlaps=float(one["overlap"] or 0),
            conflicts=float(one["conflict"] or 0),
            errors=one["errors"] / told["rows"] if told["rows"] else 0.0,
        )
        for one in told["sources"]
    ]
    alike = frozenset((place[pair["columns"][0]], place[pair["columns"][1]]) for pair in told["suspected_copies"])
    return Panel(told["title"], _summary(told), bars, told["both"], told["agreed"], alike)


def _summary(told: Mapping[str, Any]) -> str:
    shares = ((told[what], told["rows"]) for what in ("covered", "overlaps", "conflicts"))
    covered, overlaps, conflicts = (_percent(_share(*both)) for both in shares)
    return (
        f"{counted(told['rows'], 'row')}, {counted(len(told['sources']), 'source')}: {covered} of the rows have a vote, "
        f"{overlaps} at least two, {conflicts} votes that contradict each other"
    )


def _blocks(told: Mapping[str, Any]) -> Iterable[str | Table]:
    yield f"{told['title']} ({short(told['name'])}): {_summary(told)}"
    yield _said(told)
    if told["unnamed_classes"]:
        yield f"no source ever votes for {', '.join(told['unnamed_classes'])}"
    if any(one["spot_checks"] for one in told["sources"]):
        yield _checked(told)
    else:
        yield "no gold to hold the sources against: no evaluation of these votes is recorded"
    if len(told["sources"]) > 1:
        yield from _agreeing(told)


def _said(told: Mapping[str, Any]) -> Table:
    priced = any(one["cost"] for one in told["sources"])
    columns = ("source", "covers", "overlaps", "conflicts", "votes for", "errors", "skipped", "learned accuracy")
    rows = [
        (
            one["title"],
            *(_percent(one[what]) for what in ("coverage", "overlap", "conflict")),
            ", ".join(one["polarity"]) or "nothing",
            _errors(one),
            f"{one['skipped']:,}",
            _percent(one["learned_accuracy"]),
            *((_cost(one["cost"]),) if priced else ()),
        )
        for one in told["sources"]
    ]
    return table((*columns, "cost") if priced else columns, rows)


def _errors(one: Mapping[str, Any]) -> str:
    if not one["errors"]:
        return "none"
    types = ", ".join(f"{name} {count:,}" for name, count in sorted(one["error_types"].items()))
    return f"{_percent(one['error_rate'])}: {types or counted(one['errors'], 'error')}"


def _cost(cost: Mapping[str, Any] | None) -> str:
    """In units of the currency; for one decisive label where there is one."""
    parts = []
    for currency, spent in (cost or {}).items():
        each = spent["micros_a_decisive_label"]
        more = f", {float(each) / 1e6:.6f} a decisive label" if each is not None else ""
        parts.append(f"{spent['micros'] / 1e6:.6f} {currency}{more}")
    return "; ".join(parts)


def _checked(told: Mapping[str, Any]) -> Table:
    places = list(dict.fromkeys(check["on"] for one in told["sources"] for check in one["spot_checks"]))
    rows = []
    for one in told["sources"]:
        by_place = {check["on"]: check for check in one["spot_checks"]}
        rows.append((one["title"], *(_check(by_place.get(place)) for place in places)))
    title = "right where gold exists: share, 95 % interval, number of votes; * had seen these examples before"
    return table(("source", *places), rows, title=title)


def _check(check: Mapping[str, Any] | None) -> str:
    if check is None or check["accuracy"] is None:
        return ""
    bounds = f" ({_percent(check['low'])} to {_percent(check['high'])}, {check['examples']:,})"
    return f"{_percent(check['accuracy'])}{bounds}{'' if check['independent'] else ' *'}"


def _agreeing(told: Mapping[str, Any]) -> Iterable[str | Table]:
    sources = told["sources"]
    if len(sources) <= _MOST_IN_A_TABLE:
        rows = [
            (
                f"{i + 1} {one['title']}",
                *("·" if i == j else _percent(told["agreement"][i][j], 0) or "–" for j in range(len(sources))),
            )
            for i, one in enumerate(sources)
        ]
        numbers = (str(j + 1) for j in range(len(sources)))
        title = "agree, of the rows on which both vote; – never meet"
        yield table(("source", *numbers), rows, title=title)
    else:
        yield f"how often {len(sources)} sources agree with each other is in --json and in --picture"
    titles = {one["column"]: one["title"] for one in sources}
    for pair in told["suspected_copies"]:
        one, other = (titles[column] for column in pair["columns"])
        beyond = f", where one truth explains {_percent(pair['explained'])}" if pair["explained"] else ""
        yield (
            f"to review: {one} and {other} share {_percent(pair['shared'])} of their rows and agree on "
            f"{_percent(pair['agreement'])} of these{beyond}; nothing is dropped, honest relatives look like copies too"
        )
    for group in told["suspected_groups"]:
        if len(group) > 2:
            yield f"these hang together: {', '.join(titles[column] for column in group)}"
    if not told["suspected_copies"]:
        yield "no two sources vote nearly the same"


def _percent(share: str | None, digits: int = 1) -> str:
    return "" if share is None else f"{100 * float(share):.{digits}f} %"
