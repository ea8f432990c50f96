"""What is recorded of the data: composition, splits, duplicates, rows refused, findings?"""

from __future__ import annotations

from governance.claims.model import REPRO, Answer, Gap, Row, Table, claim, describe_data, gap, said
from governance.claims.thread import Thread
from governance.claims.words import counted, ended, figure, joined, number, share
from governance.records import Dataset, Finding


def composition(thread: Thread) -> Answer:
    """How many examples, in which domains, classes and columns."""
    dataset = thread.dataset
    if dataset is None:
        return gap("which examples there are")
    parts: list = [claim(f"Dataset “{dataset.title}” holds {number(dataset.rows, 'example')}.", dataset)]
    for counts, what in ((dataset.domains, "domains"), (dataset.classes, "gold classes"), (dataset.splits, "splits")):
        if counts:
            parts.append(claim(f"Examples in {what}: {counted(counts)}.", dataset))
        else:
            parts.append(Gap(f"examples in each of the {what}", REPRO))
    if dataset.columns:
        told = joined(f"{column.name} ({column.dtype})" for column in dataset.columns)
        parts.append(claim(f"Columns: {told}.", dataset))
    return said(*parts)


def table(thread: Thread) -> Table | None:
    """Examples in each split, domain and class."""
    dataset = thread.dataset
    if dataset is None:
        return None
    groups = (("split", dataset.splits), ("domain", dataset.domains), ("class", dataset.classes))
    rows = tuple(
        Row((what, name, number(count), share(count, dataset.rows)), (dataset.name,))
        for what, counts in groups
        for name, count in counts.items()
    )
    return Table("Examples", ("Group", "Name", "Examples", "Share"), rows) if rows else None


def origin(thread: Thread) -> Answer:
    """Where the examples come from and how they were collected."""
    dataset = thread.collected or thread.dataset
    if dataset is None:
        return gap("where the examples come from")
    parts: list = []
    for text, what in ((dataset.origin, "Origin"), (dataset.collection, "Collection")):
        named = f"{what} of dataset “{dataset.title}”"
        field, silent = what.lower(), f"{what.lower()} of dataset “{dataset.title}”"
        parts.append(claim(f"{named}: {ended(text)}", dataset) if text else describe_data(silent, field))
    return said(*parts)


def licence(thread: Thread) -> Answer:
    """Which licence the data have."""
    dataset = _first(thread, "licence")
    if dataset is None:
        silent = (
            describe_data("licence of the data", "licence") if thread.datasets else Gap("licence of the data", REPRO)
        )
        return said(silent)
    return said(claim(f"Licence of dataset “{dataset.title}”: {ended(dataset.licence)}", dataset))


def splits(thread: Thread) -> Answer:
    """How the examples are split."""
    dataset = thread.dataset
    if dataset is None or not dataset.splits:
        return gap("how the examples are split")
    return said(claim(f"Splits: {counted(dataset.splits)}.", dataset))


def balance(thread: Thread) -> Answer:
    """How the gold classes are balanced."""
    dataset = thread.dataset
    if dataset is None or not dataset.classes:
        return gap("how the gold classes are balanced")
    total = sum(dataset.classes.values())
    told = joined(f"{name} {share(count, total)}" for name, count in dataset.classes.items())
    return said(claim(f"Gold classes: {told} of {number(total, 'example')}.", dataset))


def counts(thread: Thread) -> Answer:
    """The plain facts that were counted: duplicates, entities and the like."""
    parts = [
        claim(f"{name[:1].upper()}{name[1:]} in dataset “{dataset.title}” ({dataset.role}): {number(count)}.", dataset)
        for dataset in thread.datasets
        for name, count in dataset.counts.items()
    ]
    return said(*parts) if parts else gap("how many examples are duplicates of others")


def refused(thread: Thread, *, listed: bool = False) -> Answer:
    """How many rows the contract refused, and what it asked; `listed` names every check."""
    parts: list = []
    collected, dataset = thread.collected, thread.dataset
    if collected is not None and dataset is not None and collected is not dataset:
        out = collected.rows - dataset.rows
        kept = f"{number(dataset.rows)} of {number(collected.rows, 'row')}"
        text = f"Screening kept {kept}; {number(out)} went to quarantine."
        parts.append(claim(text, collected, dataset))
    else:
        parts.append(Gap("how many rows were refused and kept apart", REPRO))
    for contract in thread.contracts:
        asked = number(len(contract.checks), "check")
        named = f": {joined(contract.checks)}" if listed else ""
        text = f"Contract “{contract.title}” asks {asked} of every row{named}."
        parts.append(claim(text, contract))
    if not thread.contracts:
        parts.append(Gap("which contract the rows were held against", REPRO))
    return said(*parts)


def told(findings: tuple[Finding, ...], *, otherwise: str) -> Answer:
    """What findings say, each with its outcome; one silence where there is none."""
    if not findings:
        return gap(otherwise)
    return said(*(claim(sentence(finding), finding) for finding in findings))


def sentence(finding: Finding) -> str:
    """A finding as a sentence that begins with its outcome."""
    beside = ""
    if finding.measured is not None and finding.limit is not None:
        beside = f" Measured {figure(finding.measured, 4)} beside a limit of {figure(finding.limit, 4)}."
    return f"{finding.check} ({finding.outcome}): {ended(finding.says)}{beside}"


def outcomes(thread: Thread) -> Answer:
    """How the findings ended."""
    found = thread.findings
    if not found:
        return gap("findings about data, sources, votes and model")
    ends = {word: sum(finding.outcome == word for finding in found) for word in ("pass", "fail", "unknown")}
    told = joined(f"{count} {word}" for word, count in ends.items())
    return said(claim(f"{number(len(found), 'finding')}: {told}.", *found))


def open_findings(thread: Thread, *outcome: str) -> Answer:
    """The findings that did not pass, or those with one of the outcomes."""
    wanted = outcome or ("fail", "unknown")
    found = tuple(finding for finding in thread.findings if finding.outcome in wanted)
    if thread.findings and not found:
        text = f"None of {number(len(thread.findings), 'finding')} ended as {joined(wanted, 'or')}."
        return said(claim(text, *thread.findings))
    return told(found, otherwise="findings about data, sources, votes and model")


def gold(thread: Thread) -> Answer:
    """Where the gold labels come from, and how noisy they are."""
    parts: list = []
    if thread.evaluation is not None:
        parts.append(claim(f"What counts as gold: {ended(thread.evaluation.gold)}", thread.evaluation))
    else:
        parts.append(Gap("what counts as gold", REPRO))
    noise = thread.about("rater", "rating", "gold")
    return said(*parts) + told(noise, otherwise="how well the ratings behind the gold labels agree")


def _first(thread: Thread, field: str) -> Dataset | None:
    for dataset in (thread.dataset, thread.collected):
        if dataset is not None and getattr(dataset, field):
            return dataset
    return None
