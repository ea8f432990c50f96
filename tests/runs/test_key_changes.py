"""Which keys of a document changed."""

from __future__ import annotations

import time

import pytest
from small_facts import finding

from governance.errors import InvalidRecord
from governance.facts import facts_bytes
from governance.runs.keys import compare_keys


def keys(tmp_path, suffix: str, was: str | bytes, now: str | bytes) -> tuple[tuple[str, ...], ...]:
    # DVC's cache keeps files without their names.
    places = [tmp_path / "one", tmp_path / "two"]
    for place, text in zip(places, (was, now), strict=True):
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = compare_keys(*places, suffix=suffix)
    return found.added, found.removed, found.changed


@pytest.mark.parametrize(
    ("suffix", "was", "now", "expected"),
    [
        (".json", '{"a": {"b": 1, "c": 2}}', '{"a": {"b": 1.0, "d": 2}}', (("a.d",), ("a.c",), ("a.b",))),
        (".json", '{"a": [1, 2]}', '{"a": [1, 3, 4]}', (("a[2]",), (), ("a[1]",))),
        (".json", '{"a": 1}', '{\n "a": 1\n}', ((), (), ())),
        (".json", "1", "2", ((), (), ("the whole",))),
        (".jsonl", '{"a": 1}\n{"a": 2}\n', '{"a": 1}\n{"a": 3}\n', ((), (), ("[1].a",))),
        (".jsonl", '{"a": "x\u2028\x85y", "b": 1}\n', '{"a": "x\u2028\x85y", "b": 2}\r\n\n', ((), (), ("[0].b",))),
        (".yaml", "a: {b: yes}\n", "a: {b: 'yes'}\n", ((), (), ("a.b",))),
        (".yml", "", "a: 1\n", (("a",), ("the whole",), ())),
    ],
)
def test_keys_are_named_and_values_never(tmp_path, suffix, was, now, expected):
    """Added, removed, changed; a value of another type is another value."""
    assert keys(tmp_path, suffix, was, now) == expected


def test_one_more_record_in_a_facts_file_does_not_move_the_others(tmp_path):
    """Records are known again by kind and title."""
    was = facts_bytes([finding(1)])
    added, removed, changed = keys(
        tmp_path, ".jsonl", was, was + facts_bytes([finding(1).model_copy(update={"check": "other"})])
    )
    assert added
    assert all(key.startswith("finding “other”") for key in added)
    assert (removed, changed) == ((), ())


@pytest.mark.parametrize(("suffix", "text"), [(".json", "{"), (".jsonl", "{}\n{"), (".yaml", "a: [")])
def test_what_cannot_be_read_is_one_error(tmp_path, suffix, text):
    """It names what the file should have been."""
    with pytest.raises(InvalidRecord, match=suffix[1:]):
        keys(tmp_path, suffix, "{}", text)


def test_records_of_one_title_are_numbered_and_many_of_them_cost_little(tmp_path):
    """The second of a title is its number two; ten thousand are compared in a few seconds, not in minutes."""
    line = b'{"body":{"stage":"s","n":%d},"kind":"k","v":1}\n'
    was = b"".join(line % number for number in range(20_000))
    started = time.process_time()
    added, removed, changed = keys(tmp_path, ".jsonl", was, was.replace(b'"n":1}', b'"n":9}') + line % 7)
    assert time.process_time() - started < 10
    assert changed == ("k “s” #2.n",)
    assert (added, removed) == (("k “s” #20001.n", "k “s” #20001.stage"), ())
