"""What was measured against gold, with intervals, beside majority vote and the supervised reference?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal as Exact

from governance.claims.model import REPRO, Answer, Gap, Row, Table, claim, gap, said
from governance.claims.thread import Thread
from governance.claims.words import agree, difference, figure, joined, measured, metric_name, number, predictor
from governance.records import Bin, Evaluation, Metric

PREDICTORS = ("model", "label_model", "majority", "supervised")
_UNMEASURED = gap("figures of the model against gold, with intervals")


@dataclass(frozen=True)
class Slice:
    """A part of the test examples: its name as recorded, what it is cut by, and its value."""

    name: str
    cut: str
    value: str

    @property
    def told(self) -> str:
        return f"{self.cut} {self.value}" if self.cut not in ("", "domain") else self.value


def slices(thread: Thread) -> tuple[Slice, ...]:
    """Every slice of the evaluation, in the order of the record."""
    if thread.evaluation is None:
        return ()
    return tuple(_slice(thread, name) for name in dict.fromkeys(metric.slice for metric in thread.evaluation.metrics))


def by_domain(thread: Thread) -> tuple[list[Slice], list[Slice]]:
    """The slices of domains trained on, and those of domains that the model never saw."""
    trained, other = thread.domains
    cut = [item for item in slices(thread) if item.cut == "domain"]
    return [item for item in cut if item.value in trained], [item for item in cut if item.value in other]


def main_slice(thread: Thread) -> Slice | None:
    """The slice that headlines: the domain trained on, else the widest."""
    inside, _ = by_domain(thread)
    every = inside or list(slices(thread))
    if not every or thread.evaluation is None:
        return None
    sizes: dict[str, int] = {}
    for metric in thread.evaluation.metrics:
        sizes[metric.slice] = max(sizes.get(metric.slice, 0), metric.examples)
    return max(every, key=lambda item: (sizes[item.name], item.name))


def headline(thread: Thread) -> Answer:
    """Accuracy of the model on its own domain, beside label model, majority vote and supervised reference."""
    evaluation, where = thread.evaluation, main_slice(thread)
    if evaluation is None or where is None:
        return _UNMEASURED
    own = evaluation.metric("accuracy", of="model", slice=where.name)
    if own is None or own.value is None:
        return gap(f"accuracy of the model on {where.told}")
    text = (
        f"Accuracy of the model on {where.told} is {measured(own)} over {number(own.examples, 'example')}"
        f"{beside(evaluation, 'accuracy', where.name)}; 95 % intervals in brackets."
    )
    return said(claim(text, evaluation))


def beside(evaluation: Evaluation, metric: str, slice_name: str) -> str:
    """`, beside 0.958 of the label model and 0.939 of majority vote`; empty where nothing is recorded."""
    told = []
    own = evaluation.metric(metric, of=PREDICTORS[0], slice=slice_name)
    for of in PREDICTORS[1:]:
        other = evaluation.metric(metric, of=of, slice=slice_name)
        if other is not None and other.value is not None:
            told.append(f"{measured(other)} of {predictor(of)}{_fewer(other, own)}")
    return f", beside {joined(told)}" if told else ""


def _fewer(other: Metric, own: Metric | None) -> str:
    """How many examples another figure stands on, where that is not as many: labels exist where a source votes."""
    if own is None or other.examples == own.examples:
        return ""
    return f" over {number(other.examples, 'example')}"


def table(thread: Thread, *, cuts: tuple[str, ...] = (), caption: str = "Figures against gold") -> Table | None:
    """Every metric on every slice, one column a predictor; `cuts` limits it to slices cut by these."""
    evaluation = thread.evaluation
    if evaluation is None:
        return None
    rows: list[Row] = []
    wanted = [item for item in slices(thread) if not cuts or item.cut in cuts]
    columns = [of for of in PREDICTORS if any(metric.of == of for metric in evaluation.metrics)]
    for item in wanted:
        here = [metric for metric in evaluation.metrics if metric.slice == item.name]
        for name in dict.fromkeys(metric.metric for metric in here):
            found = {metric.of: metric for metric in here if metric.metric == name}
            if not any(of in found for of in columns):
                continue
            size = max(metric.examples for metric in found.values())
            told = (_cell(found.get(of), size) for of in columns)
            cells = (item.told, metric_name(name), number(size), *told)
            rows.append(Row(cells, (evaluation.name,)))
    if not rows:
        return None
    return Table(caption, ("Slice", "Metric", "Examples", *(predictor(of) for of in columns)), tuple(rows))


def _cell(metric: Metric | None, size: int) -> str:
    """A figure in a table, with its examples where they are fewer; a dash where nobody wanted to measure it."""
    if metric is None:
        return "–"
    return measured(metric) + (f" over {number(metric.examples)}" if metric.examples != size else "")


def intervals(thread: Thread) -> Answer:
    """How many figures there are and how many have an interval; those without a value by name."""
    evaluation = thread.evaluation
    if evaluation is None:
        return _UNMEASURED
    known = [metric for metric in evaluation.metrics if metric.value is not None]
    bounded = [metric for metric in known if metric.low is not None and metric.high is not None]
    names = joined(metric_name(name) for name in sorted({metric.metric for metric in evaluation.metrics}))
    places = number(len(slices(thread)), "slice")
    text = (
        f"{number(len(known), 'figure')} on {places} ({names}) {agree(len(known), 'is', 'are')} recorded, "
        f"{len(bounded)} with a 95 % interval."
    )
    return said(claim(text, evaluation)) + unmeasured(thread)


def unmeasured(thread: Thread) -> Answer:
    """The figures that could not be measured."""
    evaluation = thread.evaluation
    if evaluation is None:
        return Answer()
    without = [metric for metric in evaluation.metrics if metric.value is None]
    if not without:
        return Answer()
    places = joined(sorted({_slice(thread, metric.slice).told for metric in without}))
    text = f"Not measured, and therefore unknown: {number(len(without), 'figure')}, on {places}."
    return said(claim(text, evaluation))


def fall(thread: Thread) -> Answer:
    """How far accuracy falls on domains that the model never saw, beside the others."""
    evaluation = thread.evaluation
    inside, outside = by_domain(thread)
    if evaluation is None or not inside or not outside:
        return gap("how far accuracy falls on domains that the model never saw")
    home = evaluation.metric("accuracy", of="model", slice=inside[0].name)
    parts = []
    for item in outside:
        away = evaluation.metric("accuracy", of="model", slice=item.name)
        if away is None or away.value is None or home is None or home.value is None:
            continue
        text = (
            f"On {item.value}, which the model never saw, its accuracy is {measured(away)} "
            f"({difference(away.value, home.value)} against {inside[0].value}){beside(evaluation, 'accuracy', item.name)}."
        )
        parts.append(claim(text, evaluation))
    return said(*parts) if parts else gap("accuracy of the model on domains that it never saw")


def weakest(thread: Thread, count: int = 3, *, of: str = "model") -> Answer:
    """The slices on which accuracy is lowest."""
    evaluation = thread.evaluation
    if evaluation is None:
        return gap("on which slices the model is weakest")
    found = _accuracies(evaluation, of)
    if not found:
        return gap(f"accuracy of {predictor(of)} on slices")
    lowest = sorted(found, key=lambda item: (Exact(item.value or "0"), item.slice))[:count]
    told = joined(
        f"{_slice(thread, item.slice).told} {measured(item)} over {number(item.examples, 'example')}" for item in lowest
    )
    return said(claim(f"Weakest slices of {predictor(of)} by accuracy: {told}.", evaluation))


def disparity(thread: Thread) -> Answer:
    """How far apart the slices of one cut are, for the model."""
    evaluation = thread.evaluation
    if evaluation is None:
        return gap("accuracy on slices")
    parts: list = []
    groups: dict[str, list[Metric]] = {}
    for metric in _accuracies(evaluation, "model"):
        groups.setdefault(_slice(thread, metric.slice).cut, []).append(metric)
    for cut, found in groups.items():
        if len(found) < 2 or not cut:
            continue
        ordered = sorted(found, key=lambda item: (Exact(item.value or "0"), item.slice))
        low, high = ordered[0], ordered[-1]
        apart = difference(high.value or "0", low.value or "0")
        text = (
            f"Cut by “{cut}”, accuracy of the model runs from {measured(low)} on {_slice(thread, low.slice).value} to "
            f"{measured(high)} on {_slice(thread, high.slice).value}, {apart.lstrip('+')} apart."
        )
        parts.append(claim(text, evaluation))
    if not parts:
        parts.append(Gap("accuracy on at least two slices of one cut", REPRO))
    return said(*parts)


def calibration(thread: Thread) -> Answer:
    """How far confidence and accuracy are apart."""
    evaluation, where = thread.evaluation, main_slice(thread)
    if evaluation is None or where is None:
        return gap("calibration of the model")
    own = evaluation.metric("ece", of="model", slice=where.name)
    if own is None or own.value is None:
        return gap(f"calibration error of the model on {where.told}")
    others = beside(evaluation, "ece", where.name)
    text = f"Calibration error (ECE) of the model on {where.told} is {measured(own)}{others}."
    parts = [claim(text, evaluation)]
    elsewhere = [
        (item, metric)
        for item in by_domain(thread)[1]
        if (metric := evaluation.metric("ece", of="model", slice=item.name)) is not None and metric.value is not None
    ]
    if elsewhere:
        told = joined(f"{item.value} {measured(metric)}" for item, metric in elsewhere)
        parts.append(claim(f"On domains that the model never saw its calibration error is: {told}.", evaluation))
    return said(*parts)


def bins(thread: Thread) -> Table | None:
    """The reliability diagram of the model, as rows."""
    evaluation = thread.evaluation
    if evaluation is None or not evaluation.bins:
        return None
    where = main_slice(thread)
    own = [item for item in evaluation.bins if item.of == "model" and where is not None and item.slice == where.name]
    rows = tuple(_bin_row(thread, item, evaluation) for item in own)
    columns = ("Slice", "Confidence between", "Examples", "Mean confidence", "Accuracy")
    return Table("Reliability of the model's confidence", columns, rows) if rows else None


def versus_majority(thread: Thread) -> Answer:
    """Whether the label model beats plain majority vote."""
    evaluation, where = thread.evaluation, main_slice(thread)
    if evaluation is None or where is None:
        return gap("whether the label model beats majority vote")
    ours = evaluation.metric("accuracy", of="label_model", slice=where.name)
    plain = evaluation.metric("accuracy", of="majority", slice=where.name)
    if ours is None or plain is None or ours.value is None or plain.value is None:
        return gap(f"accuracy of label model and majority vote on {where.told}")
    text = (
        f"Accuracy of the label model on {where.told} is {measured(ours)} over {number(ours.examples, 'example')}, "
        f"that of majority vote {measured(plain)} over {number(plain.examples, 'example')}, "
        f"a difference of {difference(ours.value, plain.value)}."
    )
    return said(claim(text, evaluation))


def _accuracies(evaluation: Evaluation, of: str) -> list[Metric]:
    return [
        item for item in evaluation.metrics if item.metric == "accuracy" and item.of == of and item.value is not None
    ]


def _slice(thread: Thread, name: str) -> Slice:
    cut, separator, value = re.sub(r"[=:]", "\x00", name, count=1).partition("\x00")
    if separator:
        return Slice(name, cut.strip(), value.strip())
    trained, other = thread.domains
    known = {*trained, *other, *(thread.dataset.domains if thread.dataset else ())}
    return Slice(name, "domain" if name in known else "", name)


def _bin_row(thread: Thread, item: Bin, evaluation: Evaluation) -> Row:
    cells = (
        _slice(thread, item.slice).told,
        f"{figure(item.low, 2)} and {figure(item.high, 2)}",
        number(item.examples),
        figure(item.confidence),
        figure(item.accuracy),
    )
    return Row(cells, (evaluation.name,))
