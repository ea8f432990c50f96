"""What would a manager read first? Ten lines, each with its evidence."""

from __future__ import annotations

from collections.abc import Callable

from governance.audit.assess import Assessment
from governance.claims import (
    SORTS,
    Answer,
    Block,
    Claim,
    Gap,
    Tally,
    Thread,
    claim,
    data,
    figures,
    gap,
    said,
    sources,
)
from governance.claims.states import STATES
from governance.claims.words import joined, measured, named, number
from governance.controls import Framework

Line = Callable[[Thread], Answer]


def summary(thread: Thread, framework: Framework, judged: list[Assessment]) -> list[Block]:
    """Ten lines: what was looked at, states, performance, falls, sources, terms, contamination, checks, persons, to do."""
    told: list[Block] = [
        *_one(_looked_at(thread)),
        states("", number(len(judged), framework.unit, framework.units), judged),
    ]
    for line in (_performance, _falls, _weak, _terms, _contamination, _checks, _persons):
        told += _one(line(thread))
    return [*told, _to_do(told, judged)]


def states(group: str, label: str, judged: list[Assessment]) -> Tally:
    """How many controls are in which state, in the order of the states; empty states are left out."""
    found = [item.state for item in judged]
    return Tally(group, label, tuple((state, found.count(state)) for state in STATES if state in found))


def _one(answer: Answer) -> list[Claim | Gap]:
    """One line: the first claim, or where there is none the first silence."""
    return [*answer.claims, *answer.gaps][:1]


def _looked_at(thread: Thread) -> Answer:
    model, dataset = thread.model, thread.dataset
    if model is None or dataset is None:
        return gap("a trained model with its dataset")
    text = (
        f"Looked at: {named('model', model.title)}, trained on labels that "
        f"{number(len(thread.sources), 'source version')} made for dataset “{dataset.title}” "
        f"({number(dataset.rows, 'example')})."
    )
    return said(claim(text, model, thread.labels, thread.votes, dataset))


def _performance(thread: Thread) -> Answer:
    return figures.headline(thread)


def _falls(thread: Thread) -> Answer:
    evaluation = thread.evaluation
    inside, outside = figures.by_domain(thread)
    if evaluation is None or not inside or not outside:
        return figures.fall(thread)
    found = [(item, evaluation.metric("accuracy", of="model", slice=item.name)) for item in outside]
    known = [(item, metric) for item, metric in found if metric is not None and metric.value is not None]
    if not known:
        return figures.fall(thread)
    told = joined(f"{item.value} {measured(metric)}" for item, metric in known)
    return said(
        claim(f"Outside of {inside[0].value}, where it was trained, the model is right on: {told}.", evaluation)
    )


def _weak(thread: Thread) -> Answer:
    return figures.weakest(thread)


def _terms(thread: Thread) -> Answer:
    clashing = sources.conflicts(thread)
    if not thread.sources:
        return sources.licences(thread)
    if not clashing:
        return said(claim("Declared and found licence differ for no source.", *thread.sources))
    told = joined(f"{item.title} (declared {item.licence_declared}, found {item.licence_found})" for item in clashing)
    return said(claim(f"Licence conflicts in {number(len(clashing), 'source')}: {told}.", *clashing))


def _contamination(thread: Thread) -> Answer:
    tainted = [source for source in thread.sources if source.contamination]
    if not tainted:
        return sources.contamination(thread)
    told = joined(f"{source.title} on {joined(seen.domain for seen in source.contamination)}" for source in tainted)
    return said(claim(f"Not independent evidence, because the source had seen the texts: {told}.", *tainted))


def _checks(thread: Thread) -> Answer:
    return data.outcomes(thread)


def _persons(thread: Thread) -> Answer:
    return sources.persons(thread)


def _to_do(told: list[Block], judged: list[Assessment]) -> Tally:
    """How much is not recorded, here and below, and who could end it."""
    silent = [block for block in told if isinstance(block, Gap)] + [gap for item in judged for gap in item.answer.gaps]
    sorts = [silence.sort for silence in dict.fromkeys(silent)]
    counts = tuple((sort, sorts.count(sort)) for sort in SORTS if sort in sorts)
    return Tally("", f"{number(len(sorts), 'thing')} not recorded, each with its way out", counts, "gaps")
