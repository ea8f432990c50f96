"""What would the labels, and what was learned from them, be without some sources?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.config import Config
from governance.digest import decimal
from governance.errors import ExitCode, GovernanceError, InvalidRecord
from governance.facts import Facts
from governance.labelmodels._base import evidence_of
from governance.labelmodels.counterfactual import without_sources
from governance.lineage.rows import Rows
from governance.project.counterfactual.changed import changes
from governance.project.counterfactual.gold import Gold, find_gold
from governance.project.counterfactual.label_set import LabelSet, read_label_set
from governance.project.counterfactual.pictured import whatif_picture
from governance.project.counterfactual.refit import Fitted, Unable, fitted_as, labels_again
from governance.project.counterfactual.retrain import retrained
from governance.project.counterfactual.slices import Slice, slices
from governance.project.counterfactual.told import whatif_blocks
from governance.project.counterfactual.voters import Voter, find_voter, voters
from governance.project.picture import Pictured, need_svg, pictured
from governance.project.report import Report
from governance.store.forgetting import erasures
from governance.store.trail import Trail
from governance.votes.table import ABSTAIN

if TYPE_CHECKING:
    import numpy as np

#: labels (int8 (rows)) and P(class) (rows x classes)
Labelled = tuple["np.ndarray", "np.ndarray"]


def whatif(
    without: Sequence[str],
    *,
    config: Config,
    trail: Trail,
    facts: Facts,
    known: Facts,
    retrain: bool = False,
    picture_to: Path | None = None,
) -> Pictured:
    """`labeltrail whatif`: exit 4 where a part of the answer is unknown.

    Raises MissingEvidence, BrokenEvidence, UnknownName, AmbiguousName, InvalidRecord, ConfigurationError.
    """
    need_svg(picture_to)
    loaded = Loaded.read(config=config, trail=trail, facts=facts)
    chosen = loaded.chosen(without, known=known)
    data = loaded.whatif(chosen, retrain=retrain)
    unknown = any("unknown" in (data[part] or {}) for part in ("frozen", "refitted", "retrained"))
    told = Report("whatif", data, tuple(whatif_blocks(data)), ExitCode.UNKNOWN if unknown else ExitCode.FINE)
    return pictured(told, whatif_picture(data), place=picture_to)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A label set with everything that counterfactuals are told by, read once for many of them."""

    config: Config
    rows: Rows
    labels: LabelSet
    gold: Gold | None
    cuts: list[Slice]
    voters: list[Voter]

    @classmethod
    def read(cls, *, config: Config, trail: Trail, facts: Facts) -> Loaded:
        """The newest label set of the current runs. Raises MissingEvidence, BrokenEvidence, InvalidRecord."""
        erased = erasures(trail)
        rows = Rows(config.root, facts, id_column=config.id_column, erased=erased)
        labels = read_label_set(rows, erased=erased)
        columns = {
            "id_column": config.id_column,
            "text_column": config.text_column,
            "subject_column": config.subject_column,
        }
        return cls(config, rows, labels, find_gold(labels), slices(labels, **columns), voters(labels))

    def chosen(self, without: Sequence[str], *, known: Facts) -> list[Voter]:
        """The voters that are left out, each once. Raises what `find_voter` raises, InvalidRecord for all of them."""
        if not without:
            raise InvalidRecord("without", [], "the name of a source")
        found = dict.fromkeys(find_voter(self.voters, one, facts=known, each="--without") for one in without)
        if len(found) == len(self.voters):
            wanted = f"at least one of the {len(self.voters)} sources left to vote"
            raise InvalidRecord("without", [voter.title for voter in found], wanted)
        return list(found)

    def whatif(self, chosen: Sequence[Voter], *, retrain: bool = False) -> dict[str, Any]:
        """The whole answer as data."""
        labels = self.labels
        unable = labels_again(labels)
        fitted = unable or fitted_as(labels)
        refitted = self.refitted(fitted, chosen) if isinstance(fitted, Fitted) else fitted
        told: dict[str, Any] | None = None
        if retrain:
            told = refitted.to_json() if isinstance(refitted, Unable) else retrained(self, refitted[1])
        return {
            "without": [voter.to_json() for voter in chosen],
            "labels": labels.labels.name,
            "labelmodel": labels.fitted.name,
            "vote_set": labels.votes.name,
            "dataset": labels.dataset.name,
            "rows": len(labels.table),
            "covered": int((labels.label >= 0).sum()),
            "erased": labels.erased,
            "gold": self.gold.to_json() if self.gold else None,
            "frozen": unable.to_json() if unable else self.changes((labels.label, labels.proba), self.frozen(chosen)),
            "refitted": refitted.to_json() if isinstance(refitted, Unable) else refitted[0],
            "retrained": told,
        }

    def frozen(self, chosen: Sequence[Voter]) -> Labelled:
        """The labels with these voters silent and every table as it is."""
        matrix = evidence_of(self.labels.matrix).copy()
        places = [self.labels.model.columns_.index(voter.column) for voter in chosen]
        matrix[:, places] = ABSTAIN
        return self.labels.model.predict(matrix), self.labels.model.predict_proba(matrix)

    def refitted(self, fitted: Fitted, chosen: Sequence[Voter]) -> tuple[dict[str, Any], Labelled] | Unable:
        """What changes where the label model is fitted again without these voters, and the labels that it then gives."""
        labels, left = self.labels, [voter.column for voter in chosen]
        learned_from = labels.table.take(fitted.rows.nonzero()[0])
        try:
            model = without_sources(fitted.model, learned_from, left)
        except GovernanceError as error:
            return Unable(error.message, error.hint or "leave out fewer sources: what votes on nothing teaches nothing")
        kept = [j for j, column in enumerate(labels.table.columns) if column not in left]
        order = [labels.table.columns.index(column) for column in model.columns_]
        assert sorted(order) == kept  # noqa: S101 - what is left over is what was fitted
        matrix = labels.table.matrix[:, order]
        now = (model.predict(matrix), model.predict_proba(matrix))
        was = (labels.label, labels.proba)
        if fitted.model is not labels.model:
            all_votes = labels.table.matrix[:, [labels.table.columns.index(c) for c in fitted.model.columns_]]
            was = (fitted.model.predict(all_votes), fitted.model.predict_proba(all_votes))
        return {
            "learned_from": {"rows": int(fitted.rows.sum()), "says": fitted.says},
            "balance": [decimal(share) for share in model.balance_],
            "balance_before": [decimal(share) for share in fitted.model.balance_],
            "iterations": getattr(model, "iterations_", None),
            "converged": getattr(model, "converged_", None),
            **self.changes(was, now),
        }, now

    def changes(self, was: Labelled, now: Labelled) -> dict[str, Any]:
        """As `changes` tells them, of this label set."""
        labels = self.labels
        return changes(was, now, ids=labels.table.ids, classes=labels.classes, cuts=self.cuts, gold=self.gold)
