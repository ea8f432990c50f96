"""Rows added, removed, changed; labels that moved from class to class."""

from __future__ import annotations

import time
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.runs.rows import NO_LABEL, compare_labels, compare_rows

CELLS = {
    "example_id": st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", "e"])),
    "text": st.one_of(st.none(), st.sampled_from(["", "x", "y"])),
    "number": st.one_of(st.none(), st.integers(-2, 2)),
    "share": st.one_of(st.none(), st.sampled_from([0.0, -0.0, 0.25, 1.0, float("inf"), float("nan")])),
}
TYPES = {"example_id": pl.String, "text": pl.String, "number": pl.Int8, "share": pl.Float64}
ROWS = st.lists(st.tuples(*CELLS.values()), max_size=9)


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TYPES, orient="row")


def by_place(rows: list[tuple[object, ...]]) -> dict[tuple[object, int], tuple[object, ...]]:
    """Every row under its id and its place among the rows of that id."""
    seen: Counter[object] = Counter()
    placed = {}
    for row in rows:
        placed[row[0], seen[row[0]]] = row
        seen[row[0]] += 1
    return placed


def same(one: object, two: object) -> bool:
    return one == two or (one != one and two != two)


@given(ROWS, ROWS)
def test_a_comparison_of_tables_equals_a_recount_by_hand(before, after):
    """Added, removed, changed, by column and in all, with ids that repeat or are missing, nulls and NaN."""
    found = compare_rows(frame(before), frame(after), id_column="example_id")
    one, two = by_place(before), by_place(after)
    both = [key for key in two if key in one]
    columns = Counter(
        name for key in both for name, a, b in zip(CELLS, one[key], two[key], strict=True) if not same(a, b)
    )
    assert (found.was, found.now) == (len(before), len(after))
    assert (found.added, found.removed) == (len({*two} - {*one}), len({*one} - {*two}))
    assert found.changed == sum(any(not same(a, b) for a, b in zip(one[k], two[k], strict=True)) for k in both)
    assert found.columns == columns
    assert found.last_digits == 0


@given(ROWS)
def test_a_table_beside_itself_has_no_change(rows):
    """Whatever stands in it."""
    found = compare_rows(frame(rows), frame(rows), id_column="example_id")
    assert (found.added, found.removed, found.changed, found.last_digits, found.moved) == (0, 0, 0, 0, False)


LABELS = st.lists(st.tuples(st.integers(0, 7), st.sampled_from([-1, 0, 1])), max_size=12)


@given(LABELS, LABELS)
def test_flipped_labels_equal_a_recount_by_class(before, after):
    """From class to class by name, also where the two runs order their classes otherwise."""
    before, after = dict(before), dict(after)

    def labels(rows: dict[int, int]) -> pl.DataFrame:
        ids = [f"e/{number}" for number in rows]
        return pl.DataFrame(
            {"example_id": ids, "label": list(rows.values())}, schema={"example_id": pl.String, "label": pl.Int8}
        )

    found = compare_labels(
        labels(before),
        labels(after),
        id_column="example_id",
        label_column="label",
        classes_was=("bad", "good"),
        classes_now=("good", "bad"),
    )
    was, now = {-1: NO_LABEL, 0: "bad", 1: "good"}, {-1: NO_LABEL, 0: "good", 1: "bad"}
    pairs = Counter((was[before[key]], now[after[key]]) for key in before if key in after)
    pairs = {pair: count for pair, count in pairs.items() if pair[0] != pair[1]}
    assert found.pairs == pairs
    assert found.flipped == sum(count for pair, count in pairs.items() if NO_LABEL not in pair)
    assert found.gained == sum(count for pair, count in pairs.items() if pair[0] == NO_LABEL)
    assert found.lost == sum(count for pair, count in pairs.items() if pair[1] == NO_LABEL)
    assert found.both == len({*before} & {*after})


FRAME = pl.DataFrame({"example_id": ["a", "b", "c"], "p": [0.25, 0.5, 1.0], "n": [1, 2, 3]})


def test_numbers_that_differ_in_their_last_digits_are_counted_apart():
    """What another order of sums does is no change of a row."""
    now = FRAME.with_columns(p=pl.col("p") + pl.Series([1e-12, 0.0, 0.5]))
    found = compare_rows(FRAME, now, id_column="example_id")
    assert (found.changed, found.last_digits, found.columns) == (1, 1, {"p": 1})
    assert found.first_changed == ("c",)


def test_columns_types_and_order_are_named():
    """A column that came, went or has another type; rows in another order are not changed rows."""
    now = FRAME.reverse().with_columns(n=pl.col("n").cast(pl.Int8), q=pl.lit(1)).drop("p")
    found = compare_rows(FRAME, now, id_column="example_id")
    assert (found.columns_added, found.columns_removed) == (("q",), ("p",))
    assert found.types == {"n": ("Int64", "Int8")}
    assert (found.changed, found.moved) == (0, True)


def test_nested_cells_are_compared_by_value():
    """Lists and structs are cells like any others."""
    was = pl.DataFrame({"example_id": ["a", "b", "c"], "l": [[1], [2, 3], None], "s": [{"x": 1}, {"x": 2}, None]})
    now = pl.DataFrame({"example_id": ["a", "b", "c"], "l": [[1], [2, 4], [1]], "s": [{"x": 1}, {"x": 3}, None]})
    assert compare_rows(was, now, id_column="example_id").columns == {"l": 2, "s": 1}


def test_ids_of_numbers_are_ids():
    """Whoever numbers rows gets an answer too."""
    was, now = pl.DataFrame({"example_id": [1, 2]}), pl.DataFrame({"example_id": [2, 3]})
    found = compare_rows(was, now, id_column="example_id")
    assert (found.first_added, found.first_removed) == (("3",), ("1",))


def test_a_table_without_the_id_column_is_refused_by_name():
    """Rows that nothing names cannot be matched."""
    with pytest.raises(InvalidRecord, match="example_id"):
        compare_rows(FRAME, FRAME.drop("example_id"), id_column="example_id")


@pytest.mark.parametrize(
    "ids",
    [pl.Series([b"a", b"\xff"]), pl.Series([["a"], ["b"]]), pl.Series([{"a": 1}, {"a": 2}])],
    ids=["bytes", "lists", "structs"],
)
def test_ids_that_cannot_be_told_are_refused_by_name(ids):
    """The column and its type are named; no error of the table library comes through."""
    table = pl.DataFrame({"example_id": ids, "label": [0, 1]})
    with pytest.raises(InvalidRecord, match="example_id"):
        compare_rows(table, table, id_column="example_id")
    with pytest.raises(InvalidRecord, match="example_id"):
        compare_labels(
            table, table, id_column="example_id", label_column="label", classes_was=("a",), classes_now=("a",)
        )


def test_a_million_rows_are_compared_in_seconds():
    """Joined, never looped over."""
    rows = 1_000_000
    was = pl.DataFrame(
        {"example_id": pl.int_range(rows, eager=True).cast(pl.String), "p": pl.int_range(rows, eager=True) / 7}
    )
    now = was.with_columns(p=pl.when(pl.int_range(pl.len()) % 1000 == 0).then(2.5).otherwise("p")).slice(10)
    started = time.process_time()
    found = compare_rows(was, now, id_column="example_id")
    assert (found.removed, found.changed) == (10, 999)
    assert time.process_time() - started < 30
