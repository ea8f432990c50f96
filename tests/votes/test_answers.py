"""Votes in long form lose nothing: not who was asked, not how often, not what was said."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import InvalidRecord
from governance.records import LongVotes, Votes, read_record
from governance.votes.analysis import Analysis, analyse, analyse_answers, vote_counts, votes_record
from governance.votes.answers import Answers, answers_of
from governance.votes.patterns import distinct, distinct_answers
from governance.votes.table import VoteTable, check_examples, read_votes, write_votes

CLASSES = ("negative", "positive", "mixed")


def name_of(word: str) -> str:
    return "source:" + hashlib.sha256(word.encode()).hexdigest()


def answers(rows, *, examples=3, sources=2, classes=CLASSES, ids=None) -> Answers:
    """Answers from (example, source, repeat, vote)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    columns = tuple(f"s{number}" for number in range(sources))
    ids = ids or [f"d/{number}" for number in range(examples)]
    return Answers(ids, columns, tuple(map(name_of, columns)), classes, *table.T)


def rows_of(one: Answers) -> list[tuple[int, ...]]:
    return list(zip(*(part.tolist() for part in (one.example, one.source, one.repeat, one.vote)), strict=True))


@st.composite
def some_answers(draw, *, repeats=3, most=4):
    examples, sources = draw(st.integers(1, 6)), draw(st.integers(1, most))
    keys = st.tuples(st.integers(0, examples - 1), st.integers(0, sources - 1), st.integers(0, repeats - 1))
    asked = draw(st.lists(keys, unique=True, max_size=25))
    votes = draw(st.lists(st.integers(-3, 2), min_size=len(asked), max_size=len(asked)))
    return answers([(*key, vote) for key, vote in zip(asked, votes, strict=True)], examples=examples, sources=sources)


@settings(max_examples=60, deadline=None)
@given(some_answers())
def test_answers_come_back_as_they_were_written(tmp_path_factory, one):
    """Written in whichever form, every answer, every id and who was not asked survive the way to disk and back."""
    path = tmp_path_factory.mktemp("votes") / "votes.parquet"
    write_votes(one, path)
    again = read_votes(path)
    assert isinstance(again, VoteTable) == one.is_wide
    if isinstance(again, VoteTable):
        assert again.matrix.tolist() == one.wide().matrix.tolist()
    else:
        assert rows_of(again) == rows_of(one)
    assert again.ids.to_list() == one.ids.to_list()
    assert (again.columns, again.sources, again.classes) == (one.columns, one.sources, one.classes)


@settings(max_examples=60, deadline=None)
@given(some_answers(repeats=1))
def test_both_forms_are_counted_alike(one):
    """Where every source answered once, the long form counts what the wide one counts; who was not asked is not skipped."""
    wide = one.wide()
    expected, counted = analyse(distinct(wide.matrix), n_classes=3), analyse_answers(one)
    asked = np.bincount(one.source, minlength=len(one.columns))
    for field in Analysis.__dataclass_fields__:
        want = getattr(expected, field) - (len(one) - asked if field == "skipped" else 0)
        assert np.array_equal(getattr(counted, field), want), field


@settings(max_examples=60, deadline=None)
@given(some_answers())
def test_two_examples_have_one_pattern_where_their_answers_are_the_same(one):
    """Patterns of the long form are those that comparing every example with every other gives."""
    said = [frozenset(row[1:] for row in rows_of(one) if row[0] == number) for number in range(len(one))]
    found = distinct_answers(one)
    assert len(found) == len(set(said))
    assert int(found.counts.sum()) == len(one)
    for a in range(len(one)):
        for b in range(len(one)):
            assert (found.inverse[a] == found.inverse[b]) == (said[a] == said[b])


def test_a_source_that_answers_twice_makes_the_long_form(tmp_path):
    """A second answer has no place in a wide table, nor has a refusal beside a question that was never asked."""
    assert answers([(0, 0, 0, 1), (1, 0, 0, 0)]).is_wide
    assert not answers([(0, 0, 0, 1), (0, 0, 1, 0)]).is_wide
    assert not answers([(0, 0, 0, -3)]).is_wide
    assert answers([(0, 0, 0, -3)], examples=1, sources=1).is_wide


def test_more_than_256_sources_make_the_long_form(tmp_path):
    """256 sources are columns, 257 are rows."""
    for sources, kind in ((256, VoteTable), (257, Answers)):
        one = answers([(0, number, 0, 1) for number in range(sources)], examples=1, sources=sources)
        write_votes(one, tmp_path / "votes.parquet")
        assert isinstance(read_votes(tmp_path / "votes.parquet"), kind)


def test_a_wide_table_of_repeats_is_made_only_on_request():
    """Which of two answers counts is for the caller to say."""
    one = answers([(0, 0, 0, 1), (0, 0, 1, 2)], examples=1, sources=1)
    with pytest.raises(InvalidRecord, match="had answered before"):
        one.wide()
    assert one.wide(repeats="first").matrix.tolist() == [[1]]
    assert one.wide(repeats="last").matrix.tolist() == [[2]]


def test_answers_are_taken_and_aligned_with_their_ids():
    """Answers move with their examples."""
    one = answers([(0, 0, 0, 1), (2, 1, 0, 2), (2, 1, 1, 0)])
    moved = one.aligned_to(["d/2", "d/0", "d/1"])
    assert rows_of(moved) == [(0, 1, 0, 2), (0, 1, 1, 0), (1, 0, 0, 1)]
    with pytest.raises(InvalidRecord, match="1 unknown"):
        check_examples(one, ["d/0", "d/1", "other"])


def test_the_answers_of_a_wide_table_are_its_cells():
    """A wide table taken apart and put together again is itself."""
    one = answers([(0, 0, 0, 1), (1, 1, 0, -1)]).wide()
    assert answers_of(one).wide().matrix.tolist() == one.matrix.tolist()


FAULTS = {
    "answer_stands_twice": ([(0, 0, 0, 1), (1, 0, 0, 1), (0, 0, 0, 2)], r"answers\[2\]: .*under a repeat of its own"),
    "example_unknown": ([(0, 0, 0, 1), (3, 0, 0, 1)], r"answers\[1\]\.example: given 3"),
    "source_unknown": ([(0, 2, 0, 1)], r"answers\[0\]\.source: given 2"),
    "repeat_negative": ([(0, 0, -1, 1)], r"answers\[0\]\.repeat: given -1"),
    "class_out_of_range": ([(0, 0, 0, 3)], r"answers\[0\]\.vote: given 3, wanted a class index from 0 to 2"),
    "vote_below_skipped": ([(0, 0, 0, -4)], r"answers\[0\]\.vote: given -4"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_at_fault_cannot_be_made(fault):
    """The first answer at fault is named by its number."""
    rows, says = FAULTS[fault]
    with pytest.raises(InvalidRecord, match=says):
        answers(rows)


def test_ids_at_fault_are_named_by_their_row_and_never_by_their_text():
    """An id may tell whose example it is."""
    for ids in (["secret", "secret"], ["secret", ""], ["secret", None]):
        with pytest.raises(InvalidRecord) as caught:
            answers([], examples=2, ids=ids)
        assert "secret" not in caught.value.message


def test_arrays_of_floats_or_of_another_length_are_refused():
    """A vote is a whole number, and every answer has one."""
    parts = {"example": [0, 1], "source": [0, 0], "repeat": [0, 0], "vote": [1, 1]}
    for field, bad in (("vote", [0.5, 1.0]), ("vote", [1]), ("source", [[0], [0]])):
        with pytest.raises(InvalidRecord, match=f"answers.{field}"):
            Answers(["a", "b"], ("s",), (name_of("s"),), CLASSES, **{**parts, field: bad})


def long_frame(**columns) -> pl.DataFrame:
    good = {
        "example_id": ["a", "a", "b"],
        "source": ["s0", "s0", None],
        "repeat": pl.Series([0, 1, None], dtype=pl.Int32),
        "vote": pl.Series([1, 0, None], dtype=pl.Int8),
    }
    return pl.DataFrame({**good, **columns})


BAD_FILES = {
    "source_unknown": (long_frame(source=["s0", "other", None]), r"votes\[1\]\.source: given 'other'"),
    "vote_missing": (long_frame(vote=pl.Series([1, None, None], dtype=pl.Int8)), r"votes\[1\]\.vote"),
    "vote_without_source": (long_frame(vote=pl.Series([1, 0, 1], dtype=pl.Int8)), r"votes\[2\]\.vote"),
    "repeat_twice": (long_frame(repeat=pl.Series([0, 0, None], dtype=pl.Int32)), "under a repeat of its own"),
    "votes_as_floats": (long_frame(vote=[1.0, 0.0, None]), r"columns\.vote: given 'Float64'"),
    "unasked_and_answered": (long_frame(example_id=["b", "a", "b"]), r"votes\[2\]\.source: given None"),
    "id_missing": (long_frame(example_id=["a", None, "b"]), r"example_id\[1\]"),
    "column_too_many": (long_frame(other=[1, 2, 3]), "wanted the columns example_id, source, repeat, vote"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_long_table_at_fault_is_refused(fault, tmp_path):
    """Row and column of the fault are named."""
    frame, says = BAD_FILES[fault]
    one = answers([(0, 0, 0, 1), (0, 0, 1, 1)], sources=1)
    write_votes(one, tmp_path / "votes.parquet")
    metadata = {k: v for k, v in pl.read_parquet_metadata(tmp_path / "votes.parquet").items() if k == "labeltrail"}
    frame.write_parquet(tmp_path / "votes.parquet", metadata=metadata)
    with pytest.raises(InvalidRecord, match=says):
        read_votes(tmp_path / "votes.parquet")


def record(one) -> Votes:
    digest = "a" * 64
    fields = {"title": "votes", "dataset": f"dataset:{digest}", "sha256": digest, "content": digest}
    return votes_record(one, **fields, revoted=0, revoted_differently=0)


def test_the_long_form_is_a_second_version_of_its_record_and_the_first_stays():
    """What is wide is a record of v1 as before; v2 counts answers beside examples, and both are votes."""
    wide, long = record(answers([(0, 0, 0, 1)]).wide()), record(answers([(0, 0, 0, 1), (0, 0, 1, 1), (1, 1, 0, 0)]))
    assert (type(wide), wide.v) == (Votes, 1)
    assert isinstance(long, LongVotes)
    assert (long.v, long.rows, long.answers, long.repeated, long.unasked) == (2, 3, 3, 1, 1)
    assert [long.voted_by(source) for source in long.sources] == [1, 1]
    for one in (wide, long):
        again = read_record({"kind": one.kind, "v": one.v, "body": one.body()}, where="here")
        assert again == one
        assert again.name == one.name


def test_a_narrow_list_of_answers_has_the_record_of_its_wide_table():
    """The same votes have one record, whichever way they came."""
    one = answers([(0, 0, 0, 1), (1, 1, 0, 0)])
    assert record(one).name == record(one.wide()).name
    assert vote_counts(one.wide())["rows"] == 3
