"""Commitments to rows: salted, kept by subject, blind to nothing."""

from __future__ import annotations

import polars as pl
import pytest
from behind import Behind
from hypothesis import given
from hypothesis import strategies as st

from governance.digest import canonical
from governance.errors import InvalidRecord, MissingEvidence
from governance.parquet import write_table
from governance.store import merkle
from governance.store.commitments import RowTable, SubjectKeys, canonical_row, canonical_rows, commit_rows
from governance.store.tables import METADATA, SubjectKeyRow
from governance.store.trail import Trail

OF = "labels:" + "5" * 64
FRAME = pl.DataFrame({"example_id": ["a", "b", "c"], "label": [0, 1, 1], "p": [0.5, 0.25, 1.0], "who": ["x", "y", "x"]})


@pytest.fixture
def table(tmp_path):
    write_table(FRAME, tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def commit(trail, path, **changes):
    return commit_rows(trail, path, **{"of": OF, "id_column": "example_id", **changes})


def test_the_same_rows_in_the_same_store_give_the_same_commitment(trail, table):
    """Verification can compute it again, also without the right to make keys."""
    first = commit(trail, table)
    assert commit(trail, table, make_keys=False) == first
    assert first.commitment.rows == 3
    assert first.ids == ["a", "b", "c"]
    assert merkle.root(first.leaves).hex() == first.commitment.root


def test_another_store_and_another_record_give_other_commitments(trail, table, tmp_path_factory):
    """A root tells nothing to whoever does not hold the salts."""
    other = Trail.open("sqlite:///t.db", root=tmp_path_factory.mktemp("other"), project="tests", create=True)
    roots = {commit(trail, table).commitment.root, commit(other, table).commitment.root}
    roots.add(commit(trail, table, of="labels:" + "6" * 64).commitment.root)
    assert len(roots) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.with_columns(label=pl.Series([0, 1, 0])),
        lambda f: f.with_columns(p=pl.Series([0.5, 0.25, 0.9999999999999999])),
        lambda f: f[[1, 0, 2]],
        lambda f: f.head(2),
        lambda f: f.rename({"label": "labels"}),
    ],
    ids=["one_cell", "last_digit", "order", "a_row_less", "a_columns_name"],
)
def test_any_change_of_a_row_changes_the_root(trail, table, change):
    """One cell, one digit, one row, one name: the committed root no longer fits."""
    before = commit(trail, table).commitment.root
    write_table(change(FRAME), table)
    assert commit(trail, table).commitment.root != before


def test_equal_rows_have_unequal_leaves(trail, tmp_path):
    """Nobody can tell from the leaves that two rows say the same."""
    write_table(pl.DataFrame({"example_id": ["a", "a"], "label": [1, 1]}), tmp_path / "twice.parquet")
    leaves = commit(trail, tmp_path / "twice.parquet").leaves
    assert leaves[0] != leaves[1]


def test_a_destroyed_key_takes_one_subject_and_nobody_else(trail, table, store_url, tmp_path):
    """Without x's key the rows of x cannot be shown any more; the key of y is what it was."""
    commit(trail, table, subject_column="who")
    keys = SubjectKeys(trail)
    kept = keys.of(["y"], make=False)
    behind = Behind(store_url, tmp_path)
    ((secret,),) = behind.ask("SELECT secret FROM trail_secret")
    gone = SubjectKeys.pseudonym(secret, "x")
    assert behind.change("DELETE FROM trail_subject_key WHERE pseudonym = ?", (gone,)) == 1
    assert keys.of(["y"], make=False) == kept
    with pytest.raises(MissingEvidence, match="1 of 2 subjects"):
        commit(trail, table, subject_column="who", make_keys=False)


@pytest.mark.parametrize(
    "store_url", ["sqlite"], indirect=True
)  # a server keeps it for a while, as the documentation says
def test_a_key_that_was_destroyed_is_not_left_in_the_file(trail, table, tmp_path):
    """The bytes of a deleted key are overwritten, so that no copy of the file brings them back."""
    key = SubjectKeys(trail).of(["x", "y"], make=True)["x"]
    path = tmp_path / ".labeltrail" / "trail.db"
    assert key in path.read_bytes()
    with trail.database.writing() as connection:
        rows = SubjectKeyRow.__table__
        assert connection.execute(rows.delete().where(rows.c.key == key)).rowcount == 1
    trail.database.close()
    assert key not in path.read_bytes()


def test_subjects_stand_in_the_store_under_pseudonyms_only(trail, table, store_url, tmp_path):
    """Neither ids nor subjects nor texts are found in any cell of the store."""
    frame = pl.DataFrame({"example_id": ["example-with-a-name"], "text": ["a sentence of somebody's"]})
    write_table(frame, table)
    trail.append([commit(trail, table).commitment])
    behind = Behind(store_url, tmp_path)
    cells = [cell for name in METADATA.tables for row in behind.ask(f'SELECT * FROM "{name}"') for cell in row]  # noqa: S608
    data = b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)
    assert trail.log.encode() in data
    assert b"example-with-a-name" not in data
    assert b"a sentence of" not in data
    if not behind.server:
        data = (tmp_path / ".labeltrail" / "trail.db").read_bytes()
        assert b"example-with-a-name" not in data
        assert b"a sentence of" not in data


def test_a_row_without_an_id_is_refused(trail, tmp_path):
    """Every row is somebody's."""
    for ids in ([None, "a"], ["", "a"]):
        write_table(pl.DataFrame({"example_id": ids}), tmp_path / "bad.parquet")
        with pytest.raises(InvalidRecord, match="example_id"):
            commit(trail, tmp_path / "bad.parquet")
    write_table(pl.DataFrame({"id": ["a"]}), tmp_path / "bad.parquet")
    with pytest.raises(InvalidRecord, match="example_id"):
        commit(trail, tmp_path / "bad.parquet")


def test_rows_are_canonical_whatever_their_types():
    """Numbers, lists, nulls and texts have one form."""
    frame = pl.DataFrame({"f": [0.1], "l": [[1.5, 2.0]], "n": [None], "t": ["é"], "b": [True]})
    assert list(canonical_rows(frame)) == ['{"b":true,"f":"0.1","l":["1.5","2.0"],"n":null,"t":"é"}'.encode()]


columns = {
    "t": st.none() | st.text(max_size=6),
    "i": st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "b": st.none() | st.booleans(),
    "l": st.none() | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3),
}
types = {"t": pl.String, "i": pl.Int64, "f": pl.Float64, "b": pl.Boolean, "l": pl.List(pl.Float64)}


@given(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=6))
def test_rows_written_column_by_column_are_the_canonical_form_of_each_row(rows):
    """The fast way and the one writer of canonical JSON say the same of every row."""
    frame = pl.DataFrame(rows, schema=types)
    expected = [{k: repr(v) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    expected = [row | {"l": row["l"] and [repr(v) for v in row["l"]]} for row in expected]
    assert list(canonical_rows(frame)) == [canonical(row) for row in expected]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 2**53, -(2**53)])
def test_a_number_that_other_readers_would_read_otherwise_is_refused(bad):
    """Not a number, infinite, or with more digits than a double holds."""
    with pytest.raises(InvalidRecord, match=r"finite|integer"):
        list(canonical_rows(pl.DataFrame({"x": [bad]})))


def test_an_opened_row_is_its_leaf_and_all_leaves_are_the_committed_ones(trail, table):
    """Whoever gets row and salt can compute the leaf, and nobody else's."""
    committed = commit(trail, table, subject_column="who")
    rows = RowTable(trail, table, of=OF, id_column="example_id", subject_column="who")
    assert list(rows.leaves(make_keys=False)) == committed.leaves
    for number in range(3):
        opened = rows.opened(number)
        assert merkle.leaf_hash(opened.salt + opened.row) == committed.leaves[number] == rows.leaf(number)
    assert len({rows.opened(number).salt for number in range(3)}) == 3


CELLS = {
    "text": st.text(max_size=6) | st.none(),
    "flag": st.booleans() | st.none(),
    "small": st.integers(-128, 127) | st.none(),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    "words": st.lists(st.text(max_size=3) | st.floats(0, 1), max_size=1),
}


@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4))
def test_one_row_is_written_as_all_rows_are(rows):
    """The shorter way for one row gives the bytes that the commitment covers."""
    kinds = {"text": pl.String, "flag": pl.Boolean, "small": pl.Int8, "number": pl.Float64, "words": pl.List(pl.String)}
    rows = [{**row, "words": [str(word) for word in row["words"]]} for row in rows]
    frame = pl.DataFrame(rows, schema=kinds)
    assert [canonical_row(frame, place) for place in range(len(frame))] == list(canonical_rows(frame))


def test_keys_at_hand_open_the_same_rows_and_nobody_else_has_one(trail, table):
    """Leaves are the same with keys that were fetched at once; a subject without a key stays without one."""
    committed = commit(trail, table)
    rows = RowTable(trail, table, of=OF, id_column="example_id")
    keys = SubjectKeys(trail).at_hand(["a", "b", "c", "nobody"])
    assert set(keys) == {"a", "b", "c"}
    rows.have_at_hand(keys)
    assert [rows.leaf(place) for place in range(3)] == committed.leaves
