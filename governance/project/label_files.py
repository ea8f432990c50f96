"""What is left here of a recorded label set: labels, votes, rows and label model, each file held against its record?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from governance.config import Config
from governance.errors import GovernanceError, MissingEvidence
from governance.facts import Facts, short
from governance.labelmodels.asking import SavedModel, read_saved
from governance.lineage.label_rows import located
from governance.parquet import read_table
from governance.project.contents import FETCH
from governance.project.found import Finder
from governance.project.label_sets import LabelSet
from governance.records import Dataset, LabelModel, Recipe, Record, Result, Votes
from governance.runs.outside import is_outside
from governance.votes.table import VoteTable, read_votes

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

R = TypeVar("R", bound=Record)
_CAPTURED = (
    "a captured run writes over the one before it: `git add --force artifacts` and a commit keep it, and so does "
    "`labeltrail run --name`"
)


@dataclass
class Unknowns:
    """What could not be told, each as what, says and hint; the same thing once."""

    told: list[dict[str, str]] = field(default_factory=list)

    def note(self, what: str, says: str, hint: str = FETCH) -> None:
        found = {"what": what, "says": says, "hint": hint}
        if found not in self.told:
            self.told.append(found)


def renumbered(own: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """int8: at each vote or label among the classes `own`, silence at negative places included, the same among `wanted`."""
    import numpy as np

    return np.array([*(wanted.index(name) for name in own), -3, -2, -1], dtype=np.int8)


class LabelFiles:
    """One label set with everything that it came from, read when it is asked for; what is not here is noted once."""

    def __init__(
        self, one: LabelSet, *, which: str, config: Config, known: Facts, finder: Finder, unknowns: Unknowns
    ) -> None:
        self.one, self.which, self.config, self.known = one, which, config, known
        self.finder, self.unknowns = finder, unknowns
        self._made: dict[str, Result] = {name: result for result in known.of(Result) for name in result.generated}
        self.votes_record = self._record(Votes, one.record.votes)
        self.model_record = self._record(LabelModel, one.record.label_model)
        self.dataset_record = self._record(Dataset, one.record.dataset)

    def _record(self, kind: type[R], name: str) -> R:
        record = self.known.get(name)
        if not isinstance(record, kind):
            says = f"{short(self.one.record.name)} came from {short(name)}, which is not in the trail"
            raise MissingEvidence(says, hint="`labeltrail sync` takes in what lies in the project")
        return record

    @cached_property
    def labels(self) -> pl.DataFrame:
        """The table of labels. Raises MissingEvidence: without it there is nothing to tell."""
        place = self._file(self.one.record)
        if place is None:
            says = f"{self.which} labels ({short(self.one.record.name)}) are neither here nor in DVC's cache"
            raise MissingEvidence(says, hint=_CAPTURED if is_outside(self.one.result.stage) else FETCH)
        return read_table(place, columns=[self.config.id_column, "label"])

    @cached_property
    def votes(self) -> VoteTable | None:
        return self._votes(self.votes_record)

    @cached_property
    def vote_places(self) -> np.ndarray | None:
        """The row of votes of each row of labels, int64, or -1; None where there are no votes."""
        return located(self.votes.ids, self.labels[self.config.id_column]) if self.votes is not None else None

    @cached_property
    def row_places(self) -> np.ndarray | None:
        """The row of the dataset version of each row of labels, int64, or -1; None where it is not here."""
        id_column = self.config.id_column
        return located(self.rows[id_column], self.labels[id_column]) if self.rows is not None else None

    @cached_property
    def fitted_on(self) -> VoteTable | None:
        """The votes that the label model learned from, which may be others than those that it labels."""
        if self.model_record.votes == self.votes_record.name:
            return self.votes
        return self._votes(self._record(Votes, self.model_record.votes))

    @cached_property
    def fitted_rows(self) -> pl.DataFrame | None:
        """The rows of the votes that the label model learned from."""
        votes = self._record(Votes, self.model_record.votes)
        return self.rows if votes.dataset == self.dataset_record.name else self._rows(votes.dataset)

    @cached_property
    def rows(self) -> pl.DataFrame | None:
        """The dataset version, by id."""
        return self._rows(self.dataset_record.name)

    @cached_property
    def model(self) -> SavedModel | None:
        place = self._noted(self.model_record)
        if place is None:
            return None
        try:
            return read_saved(place)
        except GovernanceError as error:
            self.unknowns.note(self._what(self.model_record), error.message, "the version that wrote it reads it")
            return None

    @cached_property
    def recipe(self) -> Recipe | None:
        """How the label model came about."""
        result = self._made.get(self.model_record.name)
        recipe = self.known.get(result.recipe) if result else None
        return recipe if isinstance(recipe, Recipe) else None

    def _votes(self, record: Votes) -> VoteTable | None:
        place = self._noted(record)
        if place is None:
            return None
        try:
            return read_votes(place, id_column=self.config.id_column).wide()
        except GovernanceError as error:
            self.unknowns.note(self._what(record), error.message, error.hint or "they cannot be compared row by row")
            return None

    def _rows(self, name: str) -> pl.DataFrame | None:
        record = self._record(Dataset, name)
        place = self._noted(record)
        if place is None:
            return None
        try:
            rows = read_table(place, columns=[self.config.id_column])
            return rows.with_columns(rows[self.config.id_column].cast(str))
        except GovernanceError as error:
            self.unknowns.note(self._what(record), error.message, "they cannot be compared row by row")
            return None

    def _noted(self, record: Record) -> Path | None:
        place = self._file(record)
        if place is None:
            self.unknowns.note(self._what(record), "its file is neither here nor in DVC's cache")
        return place

    def _what(self, record: Record) -> str:
        return f"{self.which} {record.kind} {short(record.name)}"

    def _file(self, record: Record) -> Path | None:
        digest, result = getattr(record, "sha256", ""), self._made.get(record.name)
        for ref in result.outputs if result else ():
            if ref.sha256 == digest:
                return self.finder.file(ref)
        return None
