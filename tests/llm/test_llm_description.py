"""Is a description of a language model read whole, or refused with the way out?"""

from __future__ import annotations

from pathlib import Path

import pytest
from llm_described import LLM

from governance.errors import ConfigurationError, GovernanceError, InvalidRecord, UnknownName
from governance.sources.llm.description import Limits, read_llm
from governance.sources.llm.parsers import parser_named

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_a_bad_description_is_refused_whole(path):
    """Exit 2, the file and the field, and nothing of what may be a secret."""
    with pytest.raises(GovernanceError) as caught:
        read_llm(path)
    assert int(caught.value.exit_code) == 2
    assert str(path) in caught.value.message
    assert "hunter2" not in str(caught.value.facts())


def test_there_are_bad_descriptions():
    """The test above has something to run over."""
    assert len(BAD) >= 25


@pytest.mark.parametrize(
    ("name", "meant"),
    [("unknown_field", None), ("unknown_parameter", "temperature"), ("unknown_limit", "timeout_seconds")],
)
def test_an_unknown_field_is_answered_with_the_right_one(name, meant):
    """Did you mean; where nothing is near, all fields."""
    with pytest.raises(UnknownName) as caught:
        read_llm(Path(__file__).parent / f"bad/{name}.yaml")
    assert caught.value.hint
    assert meant is None or f"did you mean {meant}" in caught.value.hint


def test_what_is_left_out_has_a_value(described):
    """Model, endpoint, prompt and parser are enough."""
    said = described(system=None, parameters=None, price=None, limits=None)
    assert (said.system, dict(said.parameters), said.price, said.terms, said.few_shot) == ("", {}, None, None, None)
    assert said.limits == Limits()
    assert said.model == LLM["model"]


def test_a_source_without_its_file_is_told_so(tmp_path):
    """The path, and what stands in such a file."""
    with pytest.raises(ConfigurationError, match="no such file"):
        read_llm(tmp_path / "llm/judge.yaml")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lable", UnknownName),
        ("json:lods", UnknownName),
        ("no_such_module:read", ConfigurationError),
        ("json:__doc__", ConfigurationError),
    ],
)
def test_a_parser_that_is_not_there_is_refused(name, kind):
    """Exit 2, and the nearest names."""
    with pytest.raises(kind) as caught:
        parser_named(name)
    assert caught.value.hint


def test_few_shot_examples_that_are_not_there_are_refused_by_place(described, tmp_path):
    """The id itself may tell whose example it is."""
    import polars as pl
    from llm_described import voter_of
    from llm_server import by_words

    frame = pl.DataFrame({"example_id": ["s1", "s2"], "text": ["fine", "poor"], "label": ["good", "odd"]})
    frame.write_parquet(tmp_path / "shown.parquet")
    for ids, field in ((["s1", "anna"], "few_shot.ids[1]"), (["s2"], "few_shot.ids[0]")):
        said = described(few_shot={"table": "shown.parquet", "ids": ids})
        with pytest.raises(InvalidRecord) as caught:
            voter_of(said, by_words, root=tmp_path)(["x"])
        assert caught.value.field == field
        assert "anna" not in caught.value.message
    with pytest.raises(ConfigurationError, match="no such file"):
        voter_of(described(few_shot={"table": "none.parquet", "ids": ["s1"]}), by_words, root=tmp_path)(["x"])
