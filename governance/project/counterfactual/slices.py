"""Into which parts are rows cut, so that a change can be seen where it happens?

As the reference project's evaluation cuts them: by the columns of the examples that hold a few words (domain, split), by
the length of the text, by how many sources vote. Limits are those that a stage of the run was told, where one was.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from governance.records import Recipe

if TYPE_CHECKING:
    import numpy as np

    from governance.project.counterfactual.label_set import LabelSet

#: a column with more values than that is no partition that anybody reads
_MOST_VALUES = 24
_LENGTHS, _VOTING = (60, 100), 4

Slice = tuple[str, "np.ndarray"]


def slices(labels: LabelSet, *, id_column: str, text_column: str, subject_column: str = "") -> list[Slice]:
    """(name, bool (rows)) of every part that holds a row; a row is in one part of each sort."""
    found = [*_columns(labels, {id_column, text_column, subject_column})]
    if text_column in labels.examples.columns:
        found += _lengths(labels, text_column)
    found += _voting(labels)
    return [(name, rows) for name, rows in found if rows.any()]


def _columns(labels: LabelSet, private: set[str]) -> Iterator[Slice]:
    """Neither ids, nor texts, nor persons are parts."""
    import polars as pl

    for column in labels.examples.columns:
        values = labels.examples[column]
        if column in private or values.dtype not in (pl.String, pl.Categorical, pl.Boolean) or values.null_count():
            continue
        known = values.unique().sort().to_list()
        if 2 <= len(known) <= min(_MOST_VALUES, max(2, len(labels.table) // 2)):
            yield from ((f"{column}={value}", (values == value).to_numpy()) for value in known)


def _lengths(labels: LabelSet, column: str) -> Iterator[Slice]:
    sizes = labels.examples[column].cast(str).fill_null("").str.len_chars().to_numpy()
    limits = _told(labels, "length_limits")
    limits = limits if isinstance(limits, list) and all(type(one) is int for one in limits) else list(_LENGTHS)
    for low, high in itertools.pairwise([0, *limits]):
        yield f"text length={low + 1} to {high} characters", (sizes > low) & (sizes <= high)
    longest = limits[-1] if limits else 0
    yield f"text length=over {longest} characters", sizes > longest


def _voting(labels: LabelSet) -> Iterator[Slice]:
    counts, most = labels.table.voting, _told(labels, "most_voting")
    most = most if type(most) is int and most > 0 else _VOTING
    yield "voting sources=none", counts == 0
    for number in range(1, most):
        yield f"voting sources={number}", counts == number
    yield f"voting sources={most} and more", counts >= most


def _told(labels: LabelSet, parameter: str) -> Any:
    for recipe in labels.facts.of(Recipe):
        if parameter in recipe.parameters:
            return json.loads(recipe.parameters[parameter])
    return None
