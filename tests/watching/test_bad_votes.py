"""What functions and frames of a script can get wrong is told under capture: none of it is a silent abstention."""

from __future__ import annotations

import polars as pl
import pytest
from watching.scripts import ODD, WRONG_LENGTH, captured, facts, plain, project_with

from governance.records import Finding, Votes
from governance.watching.points import take_points


def test_answers_that_are_no_votes_are_told_with_their_number(tmp_path):
    """A float, which snorkel cuts off, is told; a class below abstention, which it takes for one, is an error here."""
    folder = project_with(tmp_path, odd=ODD)
    done = captured(folder, "odd.py")
    assert done.returncode == 0, done.stderr
    texts = pl.read_parquet(folder / "artifacts/captured/odd/data.parquet")["text"]
    count = int(texts.str.starts_with("good").sum())
    told = [f.says for f in facts(folder).of(Finding) if f.check == "vote_types"]
    assert told == [
        f"float_vote answered float {count:,} times; snorkel cut that to a whole number, which is what is recorded."
    ]
    parts = {part.column: part for part in facts(folder).one(Votes).sources}
    assert parts["class_below_abstain"].error_types == {"answered a class out of range": count}
    assert (parts["class_below_abstain"].errors, parts["class_below_abstain"].abstained) == (count, 0)
    assert facts(folder).one(Votes).classes == tuple("01234567")


def test_an_array_in_place_of_a_vote_ends_the_script_as_it_would_have_alone(tmp_path):
    """The same error and exit code as without us, and nothing half-recorded."""
    folder = project_with(tmp_path, wrong_length=WRONG_LENGTH)
    done, alone = captured(folder, "wrong_length.py"), plain(folder, "wrong_length.py")
    assert (done.returncode, alone.returncode) == (1, 1)
    assert alone.stderr.strip().splitlines()[-1] in done.stderr
    assert not (folder / "artifacts").exists()


BAD_IDS = {
    "id_twice": ["a", "b", "a"],
    "id_nan": [1.0, float("nan"), 2.0],
    "id_none": ["a", None, "b"],
    "id_empty": ["a", "", "b"],
    "id_column_missing": None,
}


@pytest.mark.parametrize("fault", BAD_IDS)
def test_rows_without_usable_ids_are_called_by_their_place(fault):
    """No row takes the name of another, and none one that names nobody; the column is not kept as if it named rows."""
    import pandas as pd

    ids = BAD_IDS[fault]
    frame = pd.DataFrame({"text": ["x", "y", "z"]}, index=[7, 7, 9])
    if ids is not None:
        frame["example_id"] = ids
    points = take_points(frame, id_column="example_id")
    assert points is not None
    assert (points.ids, points.named_by) == (["0", "1", "2"], "position")
    assert list(points.columns) == ["text"]


@pytest.mark.parametrize("fault", BAD_IDS)
def test_an_index_that_names_each_row_once_stands_in_for_ids_at_fault(fault):
    """And it is said whose names these are."""
    import pandas as pd

    frame = pd.DataFrame({"text": ["x", "y", "z"]}, index=[7, 8, 9])
    if BAD_IDS[fault] is not None:
        frame["example_id"] = BAD_IDS[fault]
    points = take_points(frame, id_column="example_id")
    assert points is not None
    assert (points.ids, points.named_by) == (["7", "8", "9"], "the frame's index")
