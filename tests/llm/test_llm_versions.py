"""Is every change of what a model is asked, or of how it is read, a new source version, and nothing else?"""

from __future__ import annotations

import importlib
import sys

import pytest
from llm_described import LLM, source_of, voter_of
from llm_server import asked_text, by_words

from governance.fingerprint import behaviour
from governance.sources.llm.parsers import BUILT_IN, Answer, judged
from governance.sources.llm.prompt import fill
from governance.sources.llm.voter import LlmVoter, llm_source
from governance.sources.registry import registered

EDITS = {
    "model": {"model": "small-2"},
    "endpoint": {"endpoint": "http://127.0.0.1:10/v1/chat/completions"},
    "system prompt": {"system": "Answer in one word."},
    "prompt": {"prompt": "Text: {text}"},
    "temperature": {"parameters": {"temperature": 1, "max_tokens": 5}},
    "top_p": {"parameters": {"temperature": 0, "max_tokens": 5, "top_p": 0.5}},
    "max_tokens": {"parameters": {"temperature": 0, "max_tokens": 6}},
    "seed": {"parameters": {"temperature": 0, "max_tokens": 5, "seed": 1}},
    "parser": {"parser": "first_word"},
    "few-shot examples": {"few_shot": {"table": "shown.parquet", "ids": ["a"]}},
}
KEPT = {
    "nothing": {},
    "temperature written otherwise": {"parameters": {"max_tokens": 5, "temperature": 0.0}},
    "API key": {"api_key_variable": "ANOTHER_KEY"},
    "time-out and attempts": {"limits": {"timeout_seconds": 3, "attempts": 9}},
    "price": {"price": None},
    "terms": {"terms": {"url": "https://example.org"}},
    "accepted ids": {"accepts": ["small-1-b"]},
}


def version(described, **fields) -> str:
    return voter_of(described(**fields), by_words).__fingerprint__()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_a_new_version(described, edit):
    """What decides an answer names the version."""
    assert version(described, **EDITS[edit]) != version(described)


@pytest.mark.parametrize("edit", KEPT)
def test_what_decides_no_answer_is_the_same_version(described, edit):
    """Whoever pays, waits or reads terms changes no vote."""
    assert version(described, **KEPT[edit]) == version(described)


def test_other_few_shot_ids_and_another_order_are_new_versions(described):
    """The examples and the order in which they are shown."""
    told = [
        version(described, few_shot={"table": "s.parquet", "ids": ids})
        for ids in (["a"], ["b"], ["a", "b"], ["b", "a"])
    ]
    assert len(set(told)) == 4


def test_other_classes_are_a_new_version(described):
    """The parser and the prompt speak of them."""
    told = [LlmVoter(described(), classes=classes).__fingerprint__() for classes in (["a", "b"], ["b", "a"])]
    assert told[0] != told[1]


PARSER = '''
WORDS = {words}


def read(answer, classes):
    """{doc}"""
    # {comment}
    return WORDS.index(answer.text)
'''


def test_an_edited_parser_is_a_new_version_and_a_comment_is_none(described, tmp_path, monkeypatch):
    """Body and what it reaches count, words about it do not."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    told = {}
    for name, parts in {
        "first": {"words": ["bad", "good"], "doc": "Reads.", "comment": "a"},
        "commented": {"words": ["bad", "good"], "doc": "Reads it.", "comment": "b"},
        "edited": {"words": ["poor", "good"], "doc": "Reads.", "comment": "a"},
    }.items():
        (tmp_path / f"reading_{name}.py").write_text(PARSER.format(**parts))
        importlib.invalidate_caches()
        told[name] = behaviour(importlib.import_module(f"reading_{name}").read).digest
    assert told["first"] == told["commented"] != told["edited"]
    one, two = (version(described, parser=f"reading_{name}:read") for name in ("first", "edited"))
    assert one != two


def test_it_is_registered_as_other_sources_are(tmp_path, monkeypatch, described):
    """A line in the package of sources, two descriptions beside it, and `registered` finds it with its version."""
    import yaml
    from llm_described import DESCRIBED

    package = tmp_path / "llm_voting"
    (package / "llm").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "judge.py").write_text(
        "from governance.sources.llm import llm_source\n\n"
        'judge = llm_source("judge", classes=["bad", "good"], beside=__file__)\n'
    )
    (package / "judge.yaml").write_text(yaml.safe_dump(DESCRIBED))
    (package / "llm/judge.yaml").write_text(yaml.safe_dump(LLM))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    (found,) = registered("llm_voting")
    same = llm_source("judge", classes=["bad", "good"], beside=package / "judge.py")
    assert (found.title, found.many, found.record.source_kind) == ("judge", True, "llm")
    assert found.record.fingerprint == source_of(same, package).record.fingerprint


def test_braces_in_a_text_stay_what_they_are():
    """Nobody's text is taken for a template."""
    assert fill("{classes}: {text}", "{classes} {text} {x}", ["a", "b"]) == "a, b: {classes} {text} {x}"


def test_few_shot_examples_are_sent_with_their_labels(described, tmp_path):
    """As questions and answers, in the order of their ids; labels may be names or numbers of classes."""
    import polars as pl

    seen = []
    for labels in (["good", "bad"], [1, 0]):
        frame = pl.DataFrame({"example_id": ["s1", "s2"], "text": ["fine", "poor"], "label": labels})
        frame.write_parquet(tmp_path / "shown.parquet")
        said = described(few_shot={"table": "shown.parquet", "ids": ["s2", "s1"]})
        voter = voter_of(said, lambda body, count: seen.append(body) or by_words(body, count), root=tmp_path)
        assert voter(["a good one"]) == [1]
    assert seen[0] == seen[1]
    told = [(one["role"], one["content"]) for one in seen[0]["messages"][1:]]
    shown = [("user", "Comment: poor"), ("assistant", "bad"), ("user", "Comment: fine"), ("assistant", "good")]
    assert told == [*shown, ("user", "Comment: a good one")]
    assert asked_text(seen[0]) == "a good one"


READ = [
    ("label", "good", 1),
    ("label", ' "Good." ', 1),
    ("label", "**BAD**", 0),
    ("label", "abstain", -1),
    ("label", "", "NotAClass"),
    ("label", "good or bad", "NotAClass"),
    ("first_word", "Good, because it is", 1),
    ("first_word", "I think good", "NotAClass"),
    ("first_word", "", "NotAClass"),
    ("json_label", '{"label": "good"}', 1),
    ("json_label", '```json\n{"label": "bad"}\n```', 0),
    ("json_label", '{"label": null}', -1),
    ("json_label", '{"label": 1}', "NotAClass"),
    ("json_label", '{"class": "good"}', "NotAClass"),
    ("json_label", "good", "JSONDecodeError"),
    ("json_label", "", "JSONDecodeError"),
]


@pytest.mark.parametrize(("parser", "text", "expected"), READ)
def test_the_parsers_that_are_there_read_what_they_say(parser, text, expected):
    """A class, an abstention where the model says so, and an error for everything else."""
    wanted = (expected, "") if isinstance(expected, int) else (-2, expected)
    assert judged(BUILT_IN[parser], Answer(text), ("bad", "good")) == wanted


@pytest.mark.parametrize("parser", BUILT_IN)
def test_a_refusal_abstains_where_the_parser_says_so(parser):
    """Those that are there say so."""
    assert judged(BUILT_IN[parser], Answer("", refusal="I cannot"), ("bad", "good")) == (-1, "")


@pytest.mark.parametrize(
    ("given", "error"),
    [(2, "OutOfRange"), (-2, "OutOfRange"), (-3, "OutOfRange"), (1.0, "NotAVote"), (None, "NotAVote")],
)
def test_a_parser_cannot_claim_an_error_or_a_class_that_there_is_not(given, error):
    """Only a class or an abstention is a vote."""
    assert judged(lambda answer, classes: given, Answer("x"), ("bad", "good")) == (-2, error)


def test_a_parser_that_leaves_the_process_is_an_error():
    """It does not take the run with it."""

    def leaves(answer, classes):
        raise SystemExit(3)

    assert judged(leaves, Answer("x"), ("bad", "good")) == (-2, "SystemExit")
