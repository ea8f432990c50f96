"""Canonical bytes and names."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from governance.digest import (
    LARGEST_INTEGER,
    canonical,
    content_salt,
    decimal,
    file_digest,
    keyed,
    parse_canonical,
    tree_digest,
    write_atomically,
)
from governance.errors import InvalidRecord

texts = st.text(st.characters(exclude_categories=["Cs"]))
ascii_keys = st.text(st.characters(max_codepoint=127))
integers = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
)


@given(values)
def test_our_canonical_bytes_are_those_of_an_independent_implementation(value):
    """For every value that an entry may hold, the bytes equal those of the rfc8785 package."""
    assert canonical(value) == rfc8785.dumps(value)


@given(values)
def test_canonical_bytes_read_back_as_the_same_value(value):
    """Reading canonical bytes gives the value that they were made of."""
    assert parse_canonical(canonical(value), where="test") == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_reads_back_as_the_same_float(number):
    """The decimal string of a float64 is exact."""
    assert float(decimal(number)) == number
    assert math.copysign(1, float(decimal(number))) == math.copysign(1, number)


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(given):
    """NaN and infinities have no decimal."""
    with pytest.raises(InvalidRecord, match="finite"):
        decimal(given)


@pytest.mark.parametrize(
    "given",
    [1.5, {"é": 1}, {1: 2}, [b"x"], {"a": {"b": 1.0}}, 2**53, -(2**53), "\ud800", {"a": {3}}],
    ids=[
        "float",
        "key_not_ascii",
        "key_a_number",
        "bytes",
        "float_inside",
        "too_large",
        "too_small",
        "surrogate",
        "set",
    ],
)
def test_what_two_writers_may_print_differently_is_refused(given):
    """A value without one canonical form is refused with its place, never written."""
    with pytest.raises(InvalidRecord, match="value"):
        canonical(given)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'"\\u0041"',
        b"[1.0]",
        b"1e3",
        b"\xff",
        b"",
        b'{"a":1}\n',
        b"[" * 5000,
    ],
    ids=["space", "order", "twice", "escape", "float", "exponent", "not_utf8", "empty", "line_feed", "deep"],
)
def test_bytes_in_another_form_are_refused(data):
    """The same value in other bytes is not canonical."""
    with pytest.raises(InvalidRecord):
        parse_canonical(data, where="entry 7")


def test_keyed_parts_cannot_run_into_each_other():
    """Moving a byte from one part to the next gives another digest."""
    assert keyed(b"k", b"ab", b"c") != keyed(b"k", b"a", b"bc")
    assert keyed(b"k", b"a") != keyed(b"l", b"a")


def test_a_folder_is_named_by_names_and_contents_and_not_by_byte_code(tmp_path: Path):
    """Renaming or editing a file changes a folder's digest; running its code does not."""
    (tmp_path / "a.py").write_text("x = 1")
    first = tree_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"\x00")
    assert tree_digest(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    renamed = tree_digest(tmp_path)
    (tmp_path / "b.py").write_text("x = 2")
    assert len({first, renamed, tree_digest(tmp_path)}) == 3


def test_a_content_salt_is_neither_the_digest_nor_another_purposes_salt(tmp_path: Path):
    """Whoever knows only the public digest of a file cannot know its salt."""
    path = tmp_path / "rows"
    path.write_bytes(b"a few rows")
    salts = {content_salt(path, purpose="a"), content_salt(path, purpose="b"), file_digest(path)}
    assert len(salts) == 3


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """When the disk gives out, the file holds its former content and nothing lies beside it."""
    path = tmp_path / "card.md"
    path.write_text("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"after")
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["card.md"]


def test_json_and_canonical_agree_on_plain_objects():
    """Canonical bytes are JSON that any reader takes."""
    assert json.loads(canonical({"b": [1, None, True], "a": "é"})) == {"a": "é", "b": [1, None, True]}
