"""Why does the later label model differ from the earlier one: was it fitted anew, or with other parameters?

Where both may be the reason, a model between them is fitted: the former parameters on the later votes. It is believed only
where the later model comes out again from its own parameters and votes, score for score, so that it is known which rows a
model learns from and that the code at hand is the code that fitted it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.errors import GovernanceError
from governance.labelmodels.refitting import learned_from, refitted
from governance.lineage.changes import PARAMETER, REFIT, UNKNOWN, Ask, Step, Switch
from governance.project.label_files import LabelFiles, renumbered
from governance.records import Recipe
from governance.runs.differences import Change, value_changes
from governance.votes.table import VoteTable

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_NOT_APART = "the label model has other parameters and was fitted anew, and which of both moved the label is not known"


@dataclass(frozen=True)
class Chosen:
    """Which rows a label model learns from: all, or those whose `column` holds a value of a list in params.yaml."""

    parameter: str = ""
    column: str = ""


def switches(was: LabelFiles, now: LabelFiles, *, ask: Ask | None, because: Sequence[str]) -> list[Switch]:
    """The steps from the earlier label model to the later one; none where both are one.

    `ask` is the later model on its own columns, `because` what moved a fit, for people. What cannot be told apart is one
    unknown step.
    """
    if was.model_record.sha256 == now.model_record.sha256:
        return []
    own, recipes = _own_changes(was, now), _recipe_changes(was.recipe, now.recipe)
    # Why a fit moved is one answer for all rows, and is told once.
    anew = "" if because else "the same votes and parameters gave another model: code or environment"
    # What a captured model was told stands in its file, whole.
    suspects = own + (recipes if _ours(now) else [])
    if not suspects:
        return [Switch(Step(REFIT, anew), ask)]
    if not because and not _other_code(was.recipe, now.recipe):
        return [Switch(Step(PARAMETER, _told(own or recipes)), ask)]
    between, chosen, says = _between(was, now)
    if between is None:
        return [Switch(Step(UNKNOWN, f"{_NOT_APART}: {says}"), ask)]
    of_rows = [change for change in recipes if change.name.rpartition(".")[2] in {rule.parameter for rule in chosen}]
    columns = now.model.columns if now.model else ()
    order = [columns.index(column) for column in between.columns_]
    classes = now.votes_record.classes
    there, back = renumbered(classes, between.classes_), renumbered(between.classes_, classes)

    def asked(votes: np.ndarray) -> np.ndarray:
        return back[between.predict(there[votes[:, order]])]

    return [Switch(Step(REFIT, anew), asked), Switch(Step(PARAMETER, _told(own + of_rows)), ask)]


def _other_code(was: Recipe | None, now: Recipe | None) -> bool:
    """Whether the models were fitted by other code, or in another environment, as far as recipes tell."""
    if was is None or now is None:
        return True
    return any(getattr(was, field) != getattr(now, field) for field in ("code", "distributions", "python"))


def _ours(side: LabelFiles) -> bool:
    return side.model is None or side.model.ours is not None


def _own_changes(was: LabelFiles, now: LabelFiles) -> list[Change]:
    """Parameters by name, as the models' files tell them, or their records where a file is gone."""
    sides = []
    for side in (was, now):
        record, model = side.model_record, side.model
        parameters = model.parameters if model and was.model and now.model else record.parameters
        sides.append({"method": record.method, **parameters})
    return value_changes("parameter", *sides)


def _recipe_changes(was: Recipe | None, now: Recipe | None) -> list[Change]:
    if was is None or now is None:
        return []
    sides = [{f"{recipe.stage}.{name}": text for name, text in recipe.parameters.items()} for recipe in (was, now)]
    return value_changes("parameter", *sides)


def _told(changes: Sequence[Change]) -> str:
    return "; ".join(f"{change.name} {change.was or 'none'} → {change.now or 'none'}" for change in changes)


def _between(was: LabelFiles, now: LabelFiles) -> tuple[Any, list[Chosen], str]:
    """(the model with the former parameters on the later votes, how rows were chosen, why there is none)."""
    one, two = (side.model.ours if side.model else None for side in (was, now))
    table, rows = now.fitted_on, now.fitted_rows
    if one is None or two is None or table is None or was.recipe is None or now.recipe is None:
        return None, [], "a label model or its votes are not here, or were captured"
    later = _rule(two, table, rows, now.recipe, id_column=now.config.id_column)
    if later is None:
        return None, [], "the later model does not come out again from its own parameters and votes"
    former = later if _lists(was.recipe) == _lists(now.recipe) else None
    if former is None and (before := was.fitted_on) is not None:
        former = _rule(one, before, was.fitted_rows, was.recipe, id_column=was.config.id_column)
    if former is None:
        return None, [], "which rows the earlier model learned from is not known"
    chosen = _chosen(former, table, rows, was.recipe, id_column=now.config.id_column)
    if chosen is None:
        return None, [], f"the later rows have no column {former.column}"
    try:
        # Parameters such as a given balance stand in the order of the model's own classes.
        votes = renumbered(chosen.classes, one.classes_)[chosen.matrix]
        table = VoteTable(chosen.ids, chosen.columns, chosen.sources, one.classes_, votes)
        return refitted(one, table), [former, later], ""
    except GovernanceError as error:
        return None, [], error.message


def _rule(model: Any, table: VoteTable, rows: pl.DataFrame | None, recipe: Recipe, *, id_column: str) -> Chosen | None:
    """How the rows of a fit were chosen, proved by the model that comes out of it again."""
    for rule in _rules(rows, recipe, id_column=id_column):
        chosen = _chosen(rule, table, rows, recipe, id_column=id_column)
        if chosen is not None and learned_from(model, chosen):
            return rule
    return None


def _rules(rows: pl.DataFrame | None, recipe: Recipe, *, id_column: str) -> Iterator[Chosen]:
    import polars as pl

    yield Chosen()
    for name, values in _lists(recipe).items():
        if rows is None or not values:
            continue
        for column in rows.columns:
            if (
                rows[column].dtype == pl.String
                and column != id_column
                and all((rows[column] == v).any() for v in values)
            ):
                yield Chosen(name, column)


def _lists(recipe: Recipe) -> dict[str, list[str]]:
    """The parameters that are lists of texts."""
    parsed = {name: json.loads(text) for name, text in recipe.parameters.items()}
    return {
        name: value
        for name, value in parsed.items()
        if isinstance(value, list) and all(isinstance(item, str) for item in value)
    }


def _chosen(
    rule: Chosen, table: VoteTable, rows: pl.DataFrame | None, recipe: Recipe, *, id_column: str
) -> VoteTable | None:
    """The votes on the rows that a rule chooses with a recipe's values; None where they cannot be told."""
    import polars as pl

    if not rule.parameter:
        return table
    if rows is None or rule.column not in rows.columns:
        return None
    wanted = rows.filter(pl.col(rule.column).is_in(_lists(recipe).get(rule.parameter, [])))[id_column]
    return table.take(table.ids.is_in(wanted.implode()).arg_true().to_numpy())
