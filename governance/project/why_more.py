"""What else does one ask about a label: how firm is it, who says nearly the same, and how often is such a label right?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.digest import decimal
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.explain import Explanation
from governance.labelmodels.neighbours import PatternIndex
from governance.project.counterfactual.gold import Calibration, find_gold
from governance.project.counterfactual.label_set import LabelSet
from governance.project.counterfactual.slices import Slice, slices
from governance.project.report import Table, counted, table

SILENCE = {-1: "abstained", -2: "error", -3: "skipped"}
#: so many neighbours are told
MOST = 8


class Beside:
    """What stands beside the labels of a label set, laid out once: patterns, and where there is gold its bins."""

    def __init__(
        self, labels: LabelSet, model: FittedLabelModel, *, id_column: str, text_column: str, subject_column: str
    ) -> None:
        self.labels = labels
        self.index = PatternIndex(model, labels.matrix)
        self.gold = find_gold(labels)
        self.calibration = None
        if self.gold is not None and labels.has_proba:
            self.calibration = Calibration(self.gold, labels.label, labels.proba)
        cuts = slices(labels, id_column=id_column, text_column=text_column, subject_column=subject_column)
        first = cuts[0][0].partition("=")[0] if cuts else ""
        self.parts: list[Slice] = [cut for cut in cuts if cut[0].partition("=")[0] == first]

    def of(self, number: int, told: Explanation, titles: Mapping[str, str]) -> dict[str, Any]:
        """1. the smallest flip  2. rows with the same votes, and with one other vote  3. gold in the same bin"""
        row = self.labels.matrix[number]
        # 1.
        flip = None
        if told.flip is not None:
            flip = {"without": [titles[column] for column in told.flip.columns], "label": told.flip.label_name}
        # 2.
        near = self.index.of(row)
        neighbours = [
            {
                "title": titles[one.column],
                "said": self._said(one.vote),
                "rows": one.rows,
                "label": self._name(one.label),
                "probability": decimal(one.probability) if one.label >= 0 else None,
            }
            for one in near[:MOST]
        ]
        pattern = {
            "rows": self.index.rows_like(number),
            "neighbours": neighbours,
            "more": {"patterns": len(near) - len(neighbours), "rows": sum(one.rows for one in near[MOST:])},
        }
        return {"tied": told.tied, "flip": flip, "pattern": pattern, "calibration": self._calibration(number, told)}

    def _calibration(self, number: int, told: Explanation) -> dict[str, Any] | None:
        if self.calibration is None or self.gold is None or told.probability is None:
            return None
        bins = [self.calibration.of(told.probability)]
        for name, rows in self.parts:
            if rows[number]:
                bins.append(self.calibration.of(told.probability, where=name, rows=rows))
        return {"gold": self.gold.says, "voted": self.gold.voted, "bins": bins}

    def _said(self, vote: int) -> str:
        return self.labels.classes[vote] if vote >= 0 else SILENCE[vote]

    def _name(self, label: int) -> str | None:
        return self.labels.classes[label] if label >= 0 else None


def beside_blocks(data: Mapping[str, Any]) -> Iterator[str | Table]:
    """The same for people; what has no gold is told as unknown."""
    if data["label"] is None:
        return
    if data["tied"]:
        yield f"{data['label']} and {data['runner_up']} are equal: the class that is named first is the label"
    flip = data["flip"]
    then = f"would be {flip['label']}" if flip["label"] else "would have no label"
    yield f"without {_listed(flip['without'])} it {then}; no fewer votes change it"
    pattern = data["pattern"]
    yield f"{counted(pattern['rows'], 'row')} voted on exactly so"
    if pattern["neighbours"]:
        rows = [
            (
                one["title"],
                one["said"],
                f"{one['rows']:,}",
                one["label"] or "none",
                percent(one["probability"]) if one["probability"] else "",
            )
            for one in pattern["neighbours"]
        ]
        more = pattern["more"]["patterns"]
        title = "rows that differ in one vote" + (f" ({more:,} more such patterns)" if more else "")
        yield table(("source", "says there", "rows", "label", "probability"), rows, title=title)
    yield from _calibrated(data["calibration"], recorded=data["probability"] is not None)


def _calibrated(told: Mapping[str, Any] | None, *, recorded: bool) -> Iterator[str]:
    if told is None:
        lacks = "there is no gold" if recorded else "the label set holds no probabilities"
        yield f"how often labels of this probability are right is unknown: {lacks}"
        return
    for one in told["bins"]:
        said = f"of {one['examples']:,} labels with a probability of {percent(one['low'])} to {percent(one['high'])}"
        right = f"{one['right']:,} are right ({percent(one['share'])})" if one["examples"] else "none has gold"
        voted = f", and {told['voted']} voted itself" if told["voted"] else ""
        yield f"{said} ({one['where']}) {right}; gold is {_the(told['gold'])}{voted}"


def _the(gold: str) -> str:
    """A column and what somebody says have their article already; an evaluation names gold without one."""
    return gold if gold.startswith(("the ", "what ")) else f"the {gold}"


def _listed(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def percent(share: str) -> str:
    """A probability as people read it; what is not certain is never printed as 100 %."""
    value = float(share)
    return "over 99.9 %" if 0.9995 <= value < 1 else f"{100 * value:.1f} %"
