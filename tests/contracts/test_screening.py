"""Is no row lost, and is every bad row told why?"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from governance.contracts import ExamplesContract, LabelsContract, VotesContract, contract_record, screen
from governance.errors import ExitCode, InvalidRecord
from schemas.examples import Examples
from schemas.labels import Labels
from schemas.votes import Votes


class Sized(ExamplesContract):
    """Examples with a size from 1 to 9 and a half of it."""

    size: pl.Int8 = pa.Field(ge=1, le=9)
    half: float

    @pa.dataframe_check
    def half_is_half(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        return data.lazyframe.select(pl.col("half") * 2 == pl.col("size"))


def sized(rows: list[tuple]) -> pl.DataFrame:
    schema = {"example_id": pl.String, "text": pl.String, "size": pl.Int8, "half": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


GOOD = ("a", "one", 2, 1.0)


def test_good_rows_pass_in_their_order():
    """Rows that keep the contract come back as they were, and nothing is in quarantine."""
    frame = sized([("b", "two", 4, 2.0), GOOD])
    found = screen(frame, Sized)
    assert found.good.equals(frame)
    assert found.quarantined.columns == [*frame.columns, "reason"]
    assert (found.quarantined.height, found.failures) == (0, {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, "x", 2, 1.0), "example_id: not_nullable"),
        (("", "x", 2, 1.0), "example_id: str_length(1, None)"),
        (("b", None, 2, 1.0), "text: not_nullable"),
        (("b", "x", 0, 0.0), "size: greater_than_or_equal_to(1)"),
        (("b", "x", 10, 5.0), "size: less_than_or_equal_to(9)"),
        (("b", "x", 2, 3.0), "half_is_half"),
        (("b", "x", 2, float("nan")), "half: not_nullable; half_is_half"),
        (("b", "x", 10, 3.0), "half_is_half; size: less_than_or_equal_to(9)"),
    ],
)
def test_a_bad_row_goes_to_quarantine_with_its_reasons(row, reason):
    """One bad row is turned away, all its reasons beside it, and its neighbour stays."""
    found = screen(sized([GOOD, row]), Sized)
    assert found.good.rows() == [GOOD]
    assert found.quarantined["reason"].to_list() == [reason]
    assert sum(found.failures.values()) == len(reason.split("; "))


def test_an_id_that_stands_twice_turns_both_rows_away():
    """Nobody can tell which of the two is meant."""
    found = screen(sized([GOOD, ("b", "x", 2, 1.0), GOOD]), Sized)
    assert found.good["example_id"].to_list() == ["b"]
    assert found.failures == {"example_id: field_uniqueness": 2}


def test_a_lazy_frame_does_not_pass_unseen():
    """pandera looks only at the types of a LazyFrame; here its rows are judged as well."""
    assert screen(sized([("b", "x", 2, 3.0)]).lazy(), Sized).good.is_empty()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (lambda frame: frame.drop("text"), "columns"),
        (lambda frame: frame.rename({"text": "texts"}), "columns"),
        (lambda frame: frame.with_columns(more=1), "columns"),
        (lambda frame: frame.with_columns(pl.col("size").cast(pl.Int64)), "columns.size"),
        (lambda frame: frame.with_columns(pl.col("half").cast(pl.String)), "columns.half"),
        (lambda frame: frame.clear(), "rows"),
        (lambda frame: frame.with_columns(reason=pl.lit("x")), "columns"),
    ],
    ids=["missing", "renamed", "unknown", "integer_too_wide", "text_for_number", "empty", "reason_taken"],
)
def test_a_table_of_another_shape_is_refused_whole(fault, field):
    """What is wrong with the table and not with a row is one error of this library, which names the column."""
    with pytest.raises(InvalidRecord) as caught:
        screen(fault(sized([GOOD])), Sized, where="t.parquet")
    assert caught.value.field == field
    assert caught.value.where == "t.parquet"
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_check_that_crashes_is_an_error_of_this_library():
    """A custom check that raises turns no row away by accident."""

    class Crashing(ExamplesContract):
        @pa.check("text")
        def crashes(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
            raise RuntimeError("boom")

    with pytest.raises(InvalidRecord, match="crashes"):
        screen(pl.DataFrame({"example_id": ["a"], "text": ["x"]}), Crashing)


anything = st.tuples(
    st.none() | st.text("ab", max_size=2),
    st.none() | st.text("xy", max_size=2),
    st.none() | st.integers(-2, 12),
    st.none() | st.floats(-2, 6) | st.sampled_from([0.5, 1.0, 1.5, 2.0]),
)
kept = st.tuples(st.text("cdefgh", min_size=1, max_size=3), st.just("x"), st.integers(1, 9)).map(
    lambda row: (*row, row[2] / 2)
)
rows = kept | anything


@given(st.lists(rows, min_size=1, max_size=12))
def test_nothing_is_lost(given_rows):
    """Good and quarantined rows together are the rows that were given, each in order; every bad row has a reason."""
    frame = sized(given_rows).with_row_index("n").select("example_id", "text", "size", "half", "n")

    class Numbered(Sized):
        n: pl.UInt32

    found = screen(frame, Numbered)
    together = pl.concat([found.good, found.quarantined.drop("reason")]).sort("n")
    assert together.equals(frame, null_equal=True)
    assert found.good["n"].is_sorted()
    assert found.quarantined["n"].is_sorted()
    assert all(found.quarantined["reason"])
    event(f"{min(found.good.height, 2)} or more good, {min(found.quarantined.height, 2)} or more bad")
    if found.good.height:
        assert screen(found.good, Numbered).quarantined.is_empty()


def test_probabilities_must_be_a_distribution():
    """Labels whose probabilities do not sum to 1, leave 0 to 1 or are NaN are turned away."""
    frame = pl.DataFrame(
        {
            "example_id": ["a", "b", "c", "d"],
            "p_no": [0.25, 0.2, float("nan"), -0.5],
            "p_yes": [0.75, 0.9, 1.0, 1.5],
        }
    )
    assert screen(frame, LabelsContract).good["example_id"].to_list() == ["a"]


def test_votes_must_be_votes():
    """Votes below SKIPPED and missing votes are turned away; a column that is not int8 is refused whole."""
    frame = pl.DataFrame({"example_id": ["a", "b", "c"], "s": pl.Series([1, -4, None], dtype=pl.Int8)})
    assert screen(frame, VotesContract).good["example_id"].to_list() == ["a"]
    with pytest.raises(InvalidRecord, match="votes_are_int8"):
        screen(frame.with_columns(pl.col("s").cast(pl.Float64)), VotesContract)
    with pytest.raises(InvalidRecord, match="votes_are_int8"):
        screen(frame.select("example_id"), VotesContract)


def test_a_contract_has_one_digest():
    """The same contract is the same fact, in words that name every column and check."""
    record = contract_record(Sized)
    assert record == contract_record(Sized)
    assert "half_is_half" in record.checks
    assert "size: greater_than_or_equal_to (min_value 1)" in record.checks
    assert "example_id: String, never missing, each value once" in record.checks


def contract_with(
    *, most: int = 9, factor: int = 2, nullable: bool = False, name: str = "check"
) -> type[ExamplesContract]:
    class Made(ExamplesContract):
        size: pl.Int8 = pa.Field(le=most, nullable=nullable)

        @pa.check("size", name=name)
        def custom(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
            return data.lazyframe.select(pl.col(data.key) * factor > 0)

    return Made


@pytest.mark.parametrize("change", [{"most": 8}, {"factor": 3}, {"nullable": True}, {"name": "other"}], ids=str)
def test_any_change_of_a_contract_changes_its_digest(change):
    """Limits, what a custom check does and whether values may be missing all count."""
    assert contract_record(contract_with()).digest == contract_record(contract_with()).digest
    assert contract_record(contract_with(**change)).digest != contract_record(contract_with()).digest


def example(**change: object) -> pl.DataFrame:
    row = {
        "example_id": "tweets/1",
        "domain": "tweets",
        "text": "so good",
        "rating": 1.5,
        "gold": 1,
        "split": "train",
        "duplicate_of": None,
    }
    types = {"gold": pl.Int8, "duplicate_of": pl.String}
    return pl.DataFrame([{**row, **change}], schema_overrides=types)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"example_id": "tweets-1"}, "str_matches"),
        ({"example_id": "nyt/1_1"}, "domain_matches_id"),
        ({"domain": "novels"}, "isin"),
        ({"text": "ok"}, "str_length"),
        ({"text": "x" * 1001}, "str_length"),
        ({"text": "..."}, "text_has_a_word_or_face"),
        ({"rating": 0.0, "gold": 0}, "rating_is_not_zero"),
        ({"rating": 4.5}, "less_than_or_equal_to"),
        ({"rating": -1.0}, "gold_matches_rating"),
        ({"gold": 2, "rating": -1.0}, "isin"),
        ({"split": "training"}, "isin"),
        ({"duplicate_of": "tweets/1"}, "duplicate_is_another"),
    ],
)
def test_the_reference_contract_turns_away(change, reason):
    """Each promise of the reference project's own contract is kept by a check."""
    assert screen(example(), Examples).quarantined.is_empty()
    found = screen(example(**change), Examples)
    assert found.good.is_empty()
    assert reason in found.quarantined["reason"][0]


def test_a_face_is_a_text():
    """A tweet may be nothing but a face."""
    assert screen(example(text=":-)"), Examples).quarantined.is_empty()


def labelled(**change: object) -> pl.DataFrame:
    row = {
        "example_id": "tweets/1",
        "covered": True,
        "majority": -1,
        "label": 1,
        "p_negative": 0.25,
        "p_positive": 0.75,
        "log_odds": 1.0,
    }
    return pl.DataFrame(
        [{**row, **change}], schema_overrides={"majority": pl.Int8, "label": pl.Int8, "log_odds": pl.Float64}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"label": -1},
        {"label": 2},
        {"log_odds": None},
        {"covered": False},
        {"p_negative": 0.3},
        {"p_negative": 1.25, "p_positive": -0.25},
        {"example_id": "novels/1"},
    ],
    ids=str,
)
def test_the_reference_contract_of_labels_turns_away(change):
    """A label stands exactly where somebody voted, and its probabilities are a distribution."""
    assert screen(labelled(), Labels).quarantined.is_empty()
    assert screen(labelled(covered=False, label=-1, log_odds=None), Labels).quarantined.is_empty()
    assert screen(labelled(**change), Labels).good.is_empty()


def test_the_reference_contract_of_votes_knows_two_classes():
    """A vote for a third class is turned away."""
    frame = pl.DataFrame({"example_id": ["tweets/1", "tweets/2"], "s": pl.Series([1, 2], dtype=pl.Int8)})
    assert screen(frame, Votes).good["example_id"].to_list() == ["tweets/1"]
