"""What is recorded of the data: composition, splits, duplicates, rows refused, findings?"""

from __future__ import annotations

from governance.claims.model import REPRO, Answer, Claim, Gap, Row, Table, claim, describe_data, gap, said
from governance.claims.thread import Thread
from governance.claims.words import counted, ended, figure, joined, number, share, upper, when
from governance.facts import Facts
from governance.records import Dataset, Finding


def composition(thread: Thread) -> Answer:
    """How many examples, in which domains, classes and columns."""
    dataset = thread.dataset
    if dataset is None:
        return gap("which examples there are")
    parts: list = [claim(_holds(dataset), dataset)]
    if thread.collected is not None and thread.collected is not dataset:
        parts.append(claim(_holds(thread.collected), thread.collected))
    for counts, what in ((dataset.domains, "domains"), (dataset.classes, "gold classes"), (dataset.splits, "splits")):
        if counts:
            parts.append(claim(f"Examples in {what}, {when(dataset.role)}: {counted(counts)}.", dataset))
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
    return Table(f"Examples, {when(dataset.role)}", ("Group", "Name", "Examples", "Share"), rows) if rows else None


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
    return said(claim(f"Splits, {when(dataset.role)}: {counted(dataset.splits)}.", dataset))


def balance(thread: Thread) -> Answer:
    """How the gold classes are balanced."""
    dataset = thread.dataset
    if dataset is None or not dataset.classes:
        return gap("how the gold classes are balanced")
    total = sum(dataset.classes.values())
    shown = joined(f"{name} {share(count, total)}" for name, count in dataset.classes.items())
    return said(claim(f"Gold classes, {when(dataset.role)}: {shown} of {number(total, 'example')}.", dataset))


def counts(thread: Thread, *about: str, besides: tuple[str, ...] = ()) -> Answer:
    """Plain facts that were counted, before and after screening, of those whose name holds one of the words `about`.

    Without words: all of them that hold none of `besides`.
    """
    names = dict.fromkeys(name for dataset in thread.datasets for name in dataset.counts)
    parts = []
    for name in names:
        if not (_holds_one(name, about) if about else not _holds_one(name, besides)):
            continue
        counted_in = [dataset for dataset in thread.datasets if name in dataset.counts]
        told = joined(f"{number(dataset.counts[name])} {when(dataset.role)}" for dataset in counted_in)
        parts.append(claim(f"{upper(name)}: {told}.", *counted_in))
    return said(*parts)


def duplicates(thread: Thread) -> Answer:
    """How many examples repeat others, and what was found about texts that stand on both sides of a split."""
    counted_ones = counts(thread, "duplicate")
    found = told(thread, thread.about("duplicate", "leak"), otherwise="whether test examples also appear in training")
    return (counted_ones if counted_ones.claims else gap("how many examples are duplicates of others")) + found


def _holds_one(name: str, words: tuple[str, ...]) -> bool:
    return any(word in name.lower() for word in words)


def _holds(dataset: Dataset) -> str:
    return f"Dataset “{dataset.title}” holds {number(dataset.rows, 'example')} {when(dataset.role)}."


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


def told(thread: Thread, findings: tuple[Finding, ...], *, otherwise: str) -> Answer:
    """What findings say, each with its outcome; one silence where there is none."""
    if not findings:
        return gap(otherwise)
    return said(*(found(thread, finding) for finding in findings))


def found(thread: Thread, finding: Finding) -> Claim:
    """A finding as a sentence with its limit; one about a dataset stands on that version too."""
    beside = ""
    if finding.measured is not None and finding.limit is not None:
        beside = f" Measured {figure(finding.measured, 4)} beside a limit of {figure(finding.limit, 4)}."
    subject = thread.facts.get(finding.subject)
    return claim(sentence(finding, thread.facts) + beside, finding, subject if isinstance(subject, Dataset) else None)


def sentence(finding: Finding, facts: Facts) -> str:
    """What a finding says, after its outcome and, where it is about a dataset, the version that it is about."""
    subject = facts.get(finding.subject)
    side = f", dataset {when(subject.role)}" if isinstance(subject, Dataset) else ""
    return f"{finding.check} ({finding.outcome}){side}: {ended(finding.says)}"


def outcomes(thread: Thread) -> Answer:
    """How the findings ended."""
    every = thread.findings
    if not every:
        return gap("findings about data, sources, votes and model")
    ends = {word: sum(finding.outcome == word for finding in every) for word in ("pass", "fail", "unknown")}
    shown = joined(f"{count} {word}" for word, count in ends.items())
    return said(claim(f"{number(len(every), 'finding')}: {shown}.", *every))


def open_findings(thread: Thread, *outcome: str) -> Answer:
    """The findings that did not pass, or those with one of the outcomes."""
    wanted = outcome or ("fail", "unknown")
    still = tuple(finding for finding in thread.findings if finding.outcome in wanted)
    if thread.findings and not still:
        text = f"None of {number(len(thread.findings), 'finding')} ended as {joined(wanted, 'or')}."
        return said(claim(text, *thread.findings))
    return told(thread, still, otherwise="findings about data, sources, votes and model")


def gold(thread: Thread) -> Answer:
    """Where the gold labels come from, and how noisy they are."""
    parts: list = []
    if thread.evaluation is not None:
        parts.append(claim(f"What counts as gold: {ended(thread.evaluation.gold)}", thread.evaluation))
    else:
        parts.append(Gap("what counts as gold", REPRO))
    noise = thread.about("rater", "rating", "gold")
    return said(*parts) + told(thread, noise, otherwise="how well the ratings behind the gold labels agree")


def _first(thread: Thread, field: str) -> Dataset | None:
    for dataset in (thread.dataset, thread.collected):
        if dataset is not None and getattr(dataset, field):
            return dataset
    return None
