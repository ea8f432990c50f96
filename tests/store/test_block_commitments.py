"""Commitments to blocks of rows: nobody's data, cheap, and blind to nothing but the way it is written down."""

from __future__ import annotations

import math
import struct

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from behind import Behind
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from governance.digest import keyed
from governance.errors import InvalidRecord, MissingEvidence
from governance.parquet import write_table
from governance.records import Commitment
from governance.store import merkle
from governance.store.blocks import canonical_blocks, commit_blocks, wrong_block
from governance.store.trail import Trail

OF = "votes:" + "5" * 64
STATEMENT = "impersonal:" + "7" * 64
FRAME = pl.DataFrame(
    {
        "example_id": [f"e/{i}" for i in range(2_500)],
        "vote": pl.Series([i % 3 - 1 for i in range(2_500)], dtype=pl.Int8),
    }
)


@pytest.fixture
def table(tmp_path):
    write_table(FRAME, tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def commit(trail, path, **changes):
    return commit_blocks(trail, path, **{"of": OF, "id_column": "example_id", "statement": STATEMENT, **changes})


def test_blocks_are_committed_to_again_without_anything_made(trail, table, store_url, tmp_path):
    """Verification gets the same commitment; the store holds no key of anybody, and one leaf for 1,024 rows."""
    first = commit(trail, table)
    assert commit(trail, table, first_time=False) == first
    assert (first.scheme, first.rows, first.statement) == ("blocks/v1", 2_500, STATEMENT)
    behind = Behind(store_url, tmp_path)
    assert behind.ask("SELECT * FROM trail_subject_key") == []
    ((leaves,),) = behind.ask("SELECT leaves FROM trail_block_leaves")
    assert len(leaves) == 3 * 32


def test_a_leaf_is_what_the_documentation_says(trail, table, store_url, tmp_path):
    """Salt and block, computed here once more from the secret, give the committed root."""
    committed = commit(trail, table)
    ((secret,),) = Behind(store_url, tmp_path).ask("SELECT secret FROM trail_secret")
    leaves = []
    for number, rows in enumerate([1024, 1024, 452]):
        part = FRAME[number * 1024 : number * 1024 + rows]
        texts = part["example_id"].to_list()
        block = struct.pack("<QQ", rows, 2)
        block += struct.pack("<Q", 10) + b"example_id" + struct.pack("<Q", 6) + b"String" + b"\x00"
        block += b"".join(struct.pack("<I", len(text)) for text in texts) + "".join(texts).encode()
        block += struct.pack("<Q", 4) + b"vote" + struct.pack("<Q", 4) + b"Int8" + b"\x00"
        block += b"".join(struct.pack("<b", vote) for vote in part["vote"].to_list())
        salt = keyed(secret, b"blocks/v1", OF.encode(), struct.pack(">Q", number))
        leaves.append(merkle.leaf_hash(salt + block))
    assert merkle.root(leaves).hex() == committed.root


def test_another_store_and_another_record_give_other_roots(trail, table, tmp_path_factory):
    """A root tells nothing to whoever does not hold the secret."""
    other = Trail.open("sqlite:///t.db", root=tmp_path_factory.mktemp("other"), project="tests", create=True)
    roots = {commit(trail, table).root, commit(other, table).root, commit(trail, table, of="votes:" + "6" * 64).root}
    assert len(roots) == 3


def test_equal_blocks_have_unequal_leaves(trail, tmp_path, store_url):
    """Nobody can tell from the leaves that two blocks say the same."""
    write_table(pl.DataFrame({"example_id": ["a"] * 2048}), tmp_path / "twice.parquet")
    commit(trail, tmp_path / "twice.parquet")
    ((leaves,),) = Behind(store_url, tmp_path).ask("SELECT leaves FROM trail_block_leaves")
    assert leaves[:32] != leaves[32:]


@pytest.mark.parametrize(
    ("row", "says"), [(0, "block 0 (rows 0 to 1023)"), (1024, "block 1 (rows 1024"), (2_499, "block 2 (rows 2048")]
)
def test_the_first_block_that_does_not_fit_is_named(trail, table, row, says):
    """One vote of one row, and the block in which it stands."""
    committed = commit(trail, table)
    votes = FRAME["vote"].to_list()
    votes[row] = 5
    write_table(FRAME.with_columns(vote=pl.Series(votes, dtype=pl.Int8)), table)
    assert commit(trail, table, first_time=False) != committed
    assert says in wrong_block(trail, table, committed)


def test_kept_leaves_that_do_not_give_the_root_name_no_block(trail, table, store_url, tmp_path):
    """What the store keeps to name a block proves nothing by itself, and is not believed."""
    committed = commit(trail, table)
    assert Behind(store_url, tmp_path).change("UPDATE trail_block_leaves SET leaves = ?", (bytes(96),)) == 1
    write_table(FRAME.head(2_499), table)
    assert "cannot be told" in wrong_block(trail, table, committed)


def test_without_the_secret_nothing_is_verified_and_no_new_one_is_made(trail, table, store_url, tmp_path):
    """A new secret would make a table that is whole look changed."""
    commit(trail, table)
    behind = Behind(store_url, tmp_path)
    assert behind.change("DELETE FROM trail_secret", ()) == 1
    with pytest.raises(MissingEvidence, match="secret"):
        commit(trail, table, first_time=False)
    assert behind.ask("SELECT * FROM trail_secret") == []


@pytest.mark.parametrize(
    "bad",
    [
        {"example_id": [None, "a"]},
        {"example_id": ["", "a"]},
        {"example_id": [1, 2]},
        {"example_id": ["a"], "cell": [{"a": 1}]},
        {"example_id": ["a"], "cell": [[[{"a": 1}]]]},
    ],
    ids=["id_null", "id_empty", "id_a_number", "an_object", "objects_in_lists"],
)
def test_a_table_without_one_canonical_form_is_refused(trail, tmp_path, bad):
    """The column is named, and nothing is kept."""
    write_table(pl.DataFrame(bad), tmp_path / "bad.parquet")
    with pytest.raises(InvalidRecord, match=list(bad)[-1]):
        commit(trail, tmp_path / "bad.parquet")


def test_a_commitment_to_blocks_names_its_statement_and_one_to_rows_none():
    """No block without a statement, and rows as they were before there were blocks."""
    fields = {"of": OF, "rows": 1, "root": "1" * 64, "columns": ["a"], "id_column": "a", "subject_column": ""}
    made = Commitment.make(scheme="blocks/v1", statement=STATEMENT, **fields)
    assert {to for _, _, to in made.edges()} == {OF, STATEMENT}
    assert "statement" not in Commitment.make(scheme="rows/v1", **fields).body()
    for bad in ({"scheme": "blocks/v1"}, {"scheme": "rows/v1", "statement": STATEMENT}):
        with pytest.raises(InvalidRecord, match="statement"):
            Commitment.make(**bad, **fields)


def blocks(frame):
    return list(canonical_blocks(frame))


kinds = {
    pl.String: st.text(max_size=4),
    pl.Int8: st.integers(-128, 127),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Float64: st.floats(),
    pl.Float32: st.floats(width=32),
    pl.Boolean: st.booleans(),
    pl.List(pl.Int64): st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    pl.List(pl.String): st.lists(st.text(max_size=2), max_size=3),
}


@st.composite
def frames(draw):
    """Tables of a few columns of any kind; some reach over the end of a block, by repeating their rows."""
    rows = draw(st.integers(1, 5))
    chosen = draw(st.lists(st.sampled_from(list(kinds)), min_size=1, max_size=4))
    names = draw(st.lists(st.text(min_size=1, max_size=3), min_size=len(chosen), max_size=len(chosen), unique=True))
    columns = [
        pl.Series(name, draw(st.lists(st.none() | kinds[kind], min_size=rows, max_size=rows)), dtype=kind)
        for name, kind in zip(names, chosen, strict=True)
    ]
    frame = pl.DataFrame(columns)
    return pl.concat([frame] * (1024 // rows + 1)) if draw(st.booleans()) else frame


def same(one, other):
    """Equality as it is meant: a NaN is a NaN, and 0.0 is not -0.0."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return one == other


@given(frames(), st.data())
def test_any_change_of_a_table_changes_its_blocks(frame, data):
    """A cell, the order, the number of rows, a column's name, type or place."""
    before = blocks(frame)
    column = data.draw(st.sampled_from(frame.columns))
    kind = frame.schema[column]
    row = data.draw(st.integers(0, len(frame) - 1))
    cells = frame[column].to_list()
    new = data.draw(st.none() | kinds[kind])
    if not same(cells[row], new):
        changed = pl.Series(column, [*cells[:row], new, *cells[row + 1 :]], dtype=kind)
        assert blocks(frame.with_columns(changed)) != before
    assert blocks(frame.head(len(frame) - 1)) != before
    assert blocks(pl.concat([frame, frame[:1]])) != before
    assert blocks(frame.rename({column: column + "'"})) != before
    assert blocks(frame.with_columns(pl.lit(None).cast(pl.Int16).alias(column))) != before
    if frame.width > 1:
        assert blocks(frame.select(reversed(frame.columns))) != before


@given(st.permutations(range(5)))
def test_another_order_of_rows_gives_other_blocks(order):
    """Unless it is the same order."""
    frame = pl.DataFrame({"example_id": list("abcde"), "v": [1, 1, 2, 3, 3]})
    assert (blocks(frame[order]) == blocks(frame)) == (order == sorted(order))


@settings(max_examples=60)
@given(frames(), st.integers(1, 2_000), st.data())
def test_chunks_and_another_parquet_writer_change_nothing(tmp_path, frame, rows, data):
    """What a table says is committed to, and not how it lies in memory or in its file."""
    before = blocks(frame)
    at = data.draw(st.integers(0, len(frame)))
    assert blocks(pl.concat([frame[:at], frame[at:]], rechunk=False)) == before
    path = tmp_path / "again.parquet"
    frame.write_parquet(path, compression="snappy", row_group_size=rows)
    assert blocks(pl.read_parquet(path, glob=False)) == before
    whole = pyarrow.parquet.read_table(path)
    assume(all(name.isprintable() for name in frame.columns))
    options = {
        "use_dictionary": data.draw(st.booleans()),
        "data_page_version": data.draw(st.sampled_from(["1.0", "2.0"])),
    }
    pyarrow.parquet.write_table(whole, path, row_group_size=rows, compression="gzip", **options)
    assert blocks(pl.read_parquet(path, glob=False)) == before


def test_long_tables_are_the_same_in_whatever_parts_they_are_taken():
    """The 262,144 rows that are taken at once end where a block does."""
    rows = 262_144 + 1_500
    frame = pl.DataFrame({"example_id": np.arange(rows).astype(str), "v": np.arange(rows)})
    found = blocks(frame)
    assert len(found) == 258
    assert found[256:] == blocks(frame[262_144:])
    assert found[3] == blocks(frame[3072:4096])[0]


def test_a_table_without_rows_is_one_block_that_names_its_columns():
    """Two empty tables with other columns are two tables."""
    assert len(blocks(pl.DataFrame(schema={"a": pl.Int8}))) == 1
    assert blocks(pl.DataFrame(schema={"a": pl.Int8})) != blocks(pl.DataFrame(schema={"a": pl.Int16}))


def test_floats_are_their_bits_and_every_nan_is_one():
    """-0.0 is not 0.0; which NaN it is, no writer keeps."""
    other = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000123))[0]
    assert blocks(pl.DataFrame({"f": [-0.0]})) != blocks(pl.DataFrame({"f": [0.0]}))
    assert blocks(pl.DataFrame({"f": np.array([other])})) == blocks(pl.DataFrame({"f": np.array([math.nan])}))
