"""`diff LABELS LABELS` on a thousand generated pairs: every changed row has one cause, the one that was injected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from label_worlds import (
    INJECTIONS,
    causes_by_hand,
    changed_world,
    facts_of,
    pair_without_a_fit,
    project_of,
    recorded,
    without_a_fit,
    world_of,
)

from governance.erased import Erased
from governance.lineage.changes import CAUSES
from governance.project.label_diff import label_diff


def difference(one, two) -> set[str]:
    """Ids that only one of two label sets has, or that have another label, counted from the files alone."""
    labels = [dict(frame.select("example_id", "label").iter_rows()) for frame in (one, two)]
    return {example for example in {*labels[0], *labels[1]} if labels[0].get(example) != labels[1].get(example)}


def told(config, was, now) -> tuple[dict[str, str], list]:
    import polars as pl

    diff = label_diff(config, facts_of(was[1], now[1]), was[0], now[0], erased=Erased())
    rows = diff.rows
    assert rows["id"].n_unique() == len(rows), "a row has two causes"
    assert set(rows["cause"].to_list()) <= set(CAUSES)
    frames = [pl.read_parquet(config.root / f"artifacts/{name}/labels.parquet") for name in ("was", "now")]
    assert set(rows["id"].to_list()) == difference(*frames), "the causes are not the difference"
    return dict(rows.select("id", "cause").iter_rows()), diff.unknown


@pytest.mark.parametrize("part", range(4))
def test_each_changed_row_of_a_pair_has_the_cause_that_was_injected_into_it(part: int, tmp_path: Path):
    """500 pairs whose label model is not fitted again: what was injected into a row is the only thing that can move it."""
    found: dict[str, int] = {}
    for number in range(part * 125, part * 125 + 125):
        draw = np.random.default_rng([1, number])
        config = project_of(tmp_path / str(number))
        was, now, injected = pair_without_a_fit(draw, luck=number)
        one = was.fitted()
        two = without_a_fit(one, was, now, config.root / "model.json", draw)
        causes, unknown = told(config, recorded(config, "was", was, model=one), recorded(config, "now", now, model=two))
        assert causes == {example: injected[example] for example in causes}, number
        assert not unknown
        for cause in causes.values():
            found[cause] = found.get(cause, 0) + 1
    assert set(found) == {*CAUSES} - {"erased", "refit", "parameter", "unknown"}
    assert min(found.values()) > 50


@pytest.mark.parametrize("part", range(4))
def test_causes_of_pairs_that_are_fitted_again_are_those_of_a_walk_by_hand(part: int, tmp_path: Path):
    """500 pairs with any mixture of injections, beside one row and one step after another in plain Python."""
    found: dict[str, int] = {}
    for number in range(part * 125, part * 125 + 125):
        draw = np.random.default_rng([2, number])
        was = world_of(draw, luck=number, rows=int(draw.integers(30, 70)))
        kinds = {kind for kind in INJECTIONS if draw.random() < 0.4}
        if number % 3 == 0:
            kinds = {str(draw.choice(INJECTIONS))}
        now = changed_world(was, draw, kinds)
        config = project_of(tmp_path / str(number))
        one, two = was.fitted(), now.fitted()
        causes, unknown = told(config, recorded(config, "was", was, model=one), recorded(config, "now", now, model=two))
        assert causes == causes_by_hand(was, now, one, two), (number, kinds)
        assert not unknown
        possible = {
            "rows": {"new row", "removed row", "refit"},
            "text": {"changed text", "refit"},
            "parameter": {"parameter"},
            "fit rows": {"parameter"},
        }
        if len(kinds) == 1:
            (kind,) = kinds
            assert set(causes.values()) <= possible.get(kind, {kind, "refit"}), (number, kinds)
        for cause in causes.values():
            found[cause] = found.get(cause, 0) + 1
    assert set(found) == {*CAUSES} - {"erased", "unknown"}
