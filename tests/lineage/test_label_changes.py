"""The walk from a former label to a new one: pairing of columns, order of steps, and what is not claimed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.lineage import changes
from governance.lineage.changes import Side, Step, Switch, pair, trace
from governance.lineage.label_rows import compare_label_sets


def count(votes: np.ndarray) -> np.ndarray:
    """A label model that counts: class 1 where more sources say it, class 0 in a tie, none where nobody speaks."""
    label = ((votes == 1).sum(axis=1) > (votes == 0).sum(axis=1)).astype(np.int8)
    return np.where((votes < 0).all(axis=1), -1, label).astype(np.int8)


def ones(votes: np.ndarray) -> np.ndarray:
    return np.ones(len(votes), dtype=np.int8)


def side(columns: dict[str, str], votes: list[list[int]], *, ask=count, labels=None) -> Side:
    matrix = np.array(votes, dtype=np.int8)
    told = ask(matrix) if labels is None else np.array(labels, dtype=np.int8)
    return Side(tuple(columns), tuple(columns.values()), matrix, told, ask)


def causes(was: Side, now: Side, *, text=None, switches=()) -> list[str]:
    text = np.zeros(len(was.votes), dtype=np.int8) if text is None else np.array(text, dtype=np.int8)
    found = trace(was, now, text=text, switches=switches)
    return [found.steps[step].cause for step in found.step]


def test_columns_are_one_source_by_version_then_by_name():
    """A version that was renamed is kept; a name whose version changed is replaced; the rest came or went."""
    paired = pair([("a", "v1"), ("b", "v2"), ("c", "v3")], [("c", "v9"), ("z", "v1"), ("n", "v7")])
    assert paired == changes.Pairing(kept=((0, 1),), replaced=((2, 0),), removed=(1,), added=(2,))
    swapped = pair([("a", "v1"), ("b", "v2")], [("a", "v2"), ("b", "v1")])
    assert (swapped.kept, swapped.replaced, swapped.removed, swapped.added) == (((0, 1), (1, 0)), (), (), ())


def test_each_step_is_told_by_its_own_row():
    """Five rows, five causes: a text, a source less, a new version, a source more, and nothing that is recorded."""
    was = side(
        {"kept": "k", "gone": "g", "new": "n1"},
        [[0, -1, -1], [-1, 1, 0], [-1, -1, 0], [0, -1, -1], [0, -1, -1]],
    )
    now = side(
        {"kept": "k", "new": "n2", "come": "c"},
        [[1, -1, -1], [-1, 0, -1], [-1, 1, -1], [0, -1, 1], [1, -1, -1]],
        labels=[1, 0, 1, 1, 1],
    )
    now = Side(now.columns, now.sources, now.votes, now.labels, lambda votes: np.where((votes == 1).any(axis=1), 1, 0))
    was = Side(
        was.columns,
        was.sources,
        was.votes,
        np.array([0, 1, 0, 0, 0], dtype=np.int8),
        lambda v: (v == 1).any(axis=1).astype(np.int8),
    )
    assert causes(was, now, text=[1, 0, 0, 0, 0]) == [
        "changed text",
        "source removed",
        "new source version",
        "source added",
        "unknown",
    ]


def test_a_label_that_goes_back_and_forth_has_the_step_that_settled_it():
    """It turns with the version, turns back with the source that went, and turns for good with the one that came."""
    was = side({"a": "a1", "b": "b1"}, [[0, 0]])
    now = side({"a": "a2", "c": "c1"}, [[1, 1]])
    found = trace(was, now, text=np.zeros(1, dtype=np.int8), switches=())
    assert [found.steps[step].cause for step in found.step] == ["new source version"]
    was, now = side({"a": "a1", "x": "x1"}, [[0, -1]]), side({"a": "a2", "x": "x1", "c": "c1"}, [[1, -1, 1]])
    back = Switch(Step("refit"), lambda votes: np.zeros(len(votes), dtype=np.int8))
    again = Switch(Step("parameter"), count)
    found = trace(was, now, text=np.zeros(1, dtype=np.int8), switches=[back, again])
    assert [found.steps[step].cause for step in found.step] == ["parameter"]
    assert found.moves.tolist() == [3]


def test_what_contradicts_itself_or_the_record_is_unknown():
    """The same version and text with another vote, a text that is not here, and a label that no model gives."""
    was, now = side({"a": "a1"}, [[0]]), side({"a": "a1"}, [[1]])
    assert causes(was, now) == causes(was, now, text=[-1]) == ["unknown"]
    assert causes(was, now, text=[1]) == ["changed text"]
    newer = side({"a": "a2"}, [[1]])
    assert causes(was, newer, text=[-1]) == ["unknown"]
    assert causes(was, newer, text=[0]) == ["new source version"]
    assert causes(was, newer, text=[1]) == ["changed text"]
    assert causes(was, side({"a": "a1"}, [[0]], labels=[1])) == ["unknown"]


def test_a_new_text_stands_for_new_versions_too_and_says_so():
    """What the former version would say of a new text nobody knows."""
    was, now = side({"a": "a1", "b": "b1"}, [[0, 0], [0, 0]]), side({"a": "a2", "b": "b1"}, [[1, 1], [0, 1]])
    now = Side(now.columns, now.sources, now.votes, np.array([1, 1], dtype=np.int8), ones)
    found = trace(was, now, text=np.ones(2, dtype=np.int8), switches=[Switch(Step("refit"), ones)])
    assert [(found.steps[s].cause, found.steps[s].what) for s in found.step] == [
        ("changed text", "new versions voted on it too: a"),
        ("refit", ""),
    ]


def test_without_a_model_to_ask_one_thing_that_changed_is_the_cause_and_several_are_unknown():
    """A captured model that does not come apart still has rows on which only one thing happened."""
    was = side({"a": "a1", "b": "b1"}, [[0, -1], [0, 0], [0, 0]], labels=[0, 0, 0])
    now = side({"a": "a2", "b": "b1"}, [[1, -1], [1, 0], [0, 0]], labels=[1, 1, 1])
    was, now = (Side(s.columns, s.sources, s.votes, s.labels, None) for s in (was, now))
    assert causes(was, now) == ["new source version", "new source version", "unknown"]
    refit = Switch(Step("refit"), None)
    assert causes(was, now, switches=[refit]) == ["unknown", "unknown", "refit"]


def test_errors_and_skipped_rows_are_silence():
    """A source that fails where it abstained before has changed nothing."""
    was, now = side({"a": "a1", "b": "b1"}, [[-1, 0]]), side({"a": "a2", "b": "b1"}, [[-2, 0]], labels=[1])
    assert causes(was, now) == ["unknown"]


def test_no_rows_have_no_causes():
    """Two label sets without a changed row are walked without asking anybody."""
    nothing = np.empty((0, 1), dtype=np.int8)
    none = Side(("a",), ("a1",), nothing, np.empty(0, dtype=np.int8), count)
    assert len(trace(none, none, text=np.empty(0, dtype=np.int8), switches=()).step) == 0


@given(st.data())
def test_every_row_has_exactly_one_step_whatever_the_votes(data):
    """Any votes, versions, texts and labels; causes are of the vocabulary, and an order of rows changes none."""
    rows, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 4))
    votes = st.lists(st.lists(st.integers(-3, 1), min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    versions = st.lists(st.integers(0, 3), min_size=columns, max_size=columns)
    sides = []
    for which in range(2):
        names = {f"s{j}" if v < 3 else f"only{which}{j}": f"v{j}{v % 2}" for j, v in enumerate(data.draw(versions))}
        sides.append(side(names, data.draw(votes)))
    text = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=rows, max_size=rows)), dtype=np.int8)
    switches = [Switch(Step("refit"), ones), Switch(Step("parameter"), sides[1].ask)]
    keep = sides[0].labels != sides[1].labels
    one, two = (Side(s.columns, s.sources, s.votes[keep], s.labels[keep], s.ask) for s in sides)
    found = trace(one, two, text=text[keep], switches=switches)
    told = [found.steps[step] for step in found.step]
    assert {step.cause for step in told} <= set(changes.CAUSES)
    assert (found.moves >= 1).all()
    turned = [Side(s.columns, s.sources, s.votes[::-1], s.labels[::-1], s.ask) for s in (one, two)]
    again = trace(*turned, text=text[keep][::-1], switches=switches)
    assert [again.steps[step] for step in again.step[::-1]] == told


def frame(labels: dict[str, int], **columns) -> pl.DataFrame:
    return pl.DataFrame(
        {"example_id": list(labels), "label": list(labels.values()), **columns}, schema_overrides={"label": pl.Int8}
    )


def test_rows_are_matched_by_id_in_any_order():
    """New, removed and changed rows, and probabilities that moved under a label that stayed."""
    was = frame({"a": 0, "b": 1, "c": 1, "d": -1}, p_no=[0.9, 0.3, 0.2, 0.5], p_yes=[0.1, 0.7, 0.8, 0.5])
    now = frame({"e": 0, "c": 0, "b": 1, "a": 0}, p_no=[1.0, 0.9, 0.1, 0.85], p_yes=[0.0, 0.1, 0.9, 0.15])
    found = compare_label_sets(was, now, id_column="example_id", classes=("no", "yes"))
    assert (found.new.tolist(), found.removed.tolist()) == ([0], [3])
    assert (found.changed_was.tolist(), found.changed_now.tolist()) == ([2], [1])
    assert (found.both, found.moved) == (3, 1)
    assert (
        compare_label_sets(was.select("example_id", "label"), now, id_column="example_id", classes=("no", "yes")).moved
        is None
    )
    nothing = was.head(0)
    assert compare_label_sets(nothing, nothing, id_column="example_id", classes=("no", "yes")).both == 0


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pl.DataFrame({"example_id": ["secret", "secret"], "label": [0, 1]}), "example_id[1]"),
        (pl.DataFrame({"id": ["a"], "label": [0]}), "a column 'example_id'"),
        (pl.DataFrame({"example_id": ["a"], "prediction": [0]}), "a column 'label'"),
        (pl.DataFrame({"example_id": ["a", "b"], "label": [0, 7]}), "label[1]"),
        (pl.DataFrame({"example_id": ["a"], "label": [None]}, schema_overrides={"label": pl.Int8}), "label[0]"),
        (pl.DataFrame({"example_id": ["a"], "label": [0.5]}), "a class index or -1"),
        (pl.DataFrame({"example_id": [1], "label": [0]}), "ids as text"),
        (pl.DataFrame({"example_id": ["a", None], "label": [0, 0]}), "not empty"),
    ],
    ids=[
        "id_twice",
        "other_id_column",
        "no_labels",
        "class_beyond",
        "label_null",
        "label_float",
        "id_number",
        "id_null",
    ],
)
def test_a_table_that_is_no_label_set_is_refused_by_row_and_never_by_id(table, says):
    """Whichever side it is."""
    good = pl.DataFrame({"example_id": ["a"], "label": [0]})
    for pair_ in ((table, good), (good, table)):
        with pytest.raises(InvalidRecord) as caught:
            compare_label_sets(*pair_, id_column="example_id", classes=("no", "yes"))
        assert says in caught.value.message
        assert "secret" not in caught.value.message
