"""Which label set is asked about, and what did it come from? Every file is held against its record before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from governance.erased import Erased
from governance.errors import BrokenEvidence, MissingEvidence
from governance.facts import Facts
from governance.labelmodels import load
from governance.labelmodels._base import FittedLabelModel
from governance.labelmodels.recorded import RecordedModel, recorded_model
from governance.lineage.rows import Held, R, Rows
from governance.parquet import require_columns
from governance.records import Dataset, LabelModel, Labels, Recipe, Record, Votes
from governance.votes.alignment import need_alignment
from governance.votes.table import ABSTAIN, ID_COLUMN, VoteTable, check_ids, read_votes

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


@dataclass(frozen=True, eq=False)
class LabelSet:
    """A label set with its votes, label model and examples, all in the order of the votes.

    `labelled` is the table of labels, which may leave out rows without a label; `examples` that of the dataset. Where rows
    were erased since, `erased` counts those that the votes lost, and what was learned from them is in the label model all
    the same.
    """

    facts: Facts
    labels: Labels
    votes: Votes
    fitted: LabelModel
    dataset: Dataset
    recipe: Recipe | None
    table: VoteTable
    model: FittedLabelModel | RecordedModel
    labelled: pl.DataFrame
    examples: pl.DataFrame
    erased: int

    @property
    def classes(self) -> tuple[str, ...]:
        return self.table.classes

    @cached_property
    def label(self) -> np.ndarray:
        """The recorded label of each row, int8; ABSTAIN where there is none, or no row."""
        require_columns(self.labelled, ["label"], where=self.labels.label)
        return self.labelled["label"].fill_null(ABSTAIN).to_numpy()

    @cached_property
    def proba(self) -> np.ndarray:
        """The recorded P(class), float64, rows x classes; NaN where there is no row. Raises InvalidRecord without them."""
        require_columns(self.labelled, self.shares, where=self.labels.label)
        return self.labelled.select(self.shares).to_numpy()

    @property
    def shares(self) -> list[str]:
        """The columns that hold P(class), in the order of the classes."""
        return [f"p_{name}" for name in self.classes]

    @property
    def has_proba(self) -> bool:
        return set(self.shares) <= set(self.labelled.columns)

    @cached_property
    def matrix(self) -> np.ndarray:
        """The votes in the label model's order of columns, int8, rows x sources."""
        return self.table.matrix[:, [self.table.columns.index(column) for column in self.model.columns_]]

    def parameter(self, name: str) -> Any:
        """What the stage that made the labels was told, or None."""
        told: Mapping[str, str] = self.recipe.parameters if self.recipe else {}
        return json.loads(told[name]) if name in told else None


def read_label_set(rows: Rows, *, erased: Erased) -> LabelSet:
    """The newest label set among the facts of `rows`. Raises MissingEvidence, BrokenEvidence, InvalidRecord."""
    held = rows.held(Labels)
    labels = held.record
    votes = _held(rows, Votes, labels.votes)
    fitted, dataset = _held(rows, LabelModel, labels.label_model), _held(rows, Dataset, labels.dataset)
    need_alignment(votes.record)
    table = read_votes(votes.path).wide()
    found = LabelSet(
        facts=rows.facts,
        labels=labels,
        votes=votes.record,
        fitted=fitted.record,
        dataset=dataset.record,
        recipe=_recipe(rows.facts, held),
        table=table,
        model=recorded_model(fitted.path) or load(fitted.path),
        labelled=beside(table, rows, held)[0],
        examples=_whole(table, rows, dataset),
        erased=_lost(votes, erased),
    )
    if isinstance(found.model, RecordedModel):
        return replace(found, model=found.model.that_gave(found.label, found.matrix))
    return found


def _held(rows: Rows, kind: type[R], name: str) -> Held[R]:
    record = rows.facts.get(name)
    if record is None:
        raise MissingEvidence(
            f"{name}, which the labels come from, is not among the current runs", hint="`labeltrail status` says why"
        )
    return rows.held(kind, name=name)


def _recipe(facts: Facts, held: Held[Record]) -> Recipe | None:
    found = facts.get(held.result.recipe)
    return found if isinstance(found, Recipe) else None


def _lost(votes: Held[Votes], erased: Erased) -> int:
    standing = erased.of(votes.record.sha256)
    return standing.rows if standing else 0


def _whole(table: VoteTable, rows: Rows, held: Held[Record]) -> pl.DataFrame:
    """As `beside`. Raises BrokenEvidence where a row is missing."""
    joined, missing = beside(table, rows, held)
    if missing:
        raise BrokenEvidence(
            held.record.label,
            expected="a row for every example that was voted on",
            actual=f"none for {missing} of {len(table)}",
            hint="`labeltrail verify` names everything that does not fit",
        )
    return joined


def beside(table: VoteTable, rows: Rows, held: Held[Record]) -> tuple[pl.DataFrame, int]:
    """The rows of another table in the order of the votes, nulls where it has none, and how many it has not.

    Raises InvalidRecord where it holds an id twice: nothing says which of the rows is meant.
    """
    import polars as pl

    frame = rows.frame(held)
    named = frame[rows.id_column].alias(ID_COLUMN)
    if len(frame) or named.dtype != pl.String:
        check_ids(named, where=held.record.label)
    ids = pl.DataFrame({rows.id_column: table.ids})
    joined = ids.join(
        frame.with_columns(pl.lit(value=True).alias("")), on=rows.id_column, how="left", maintain_order="left"
    )
    return joined.drop(""), int(joined[""].null_count())
