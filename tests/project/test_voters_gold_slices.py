"""Who is meant by a name, where gold is, and into which parts rows are cut."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from governance.errors import AmbiguousName, InvalidRecord, UnknownName
from governance.facts import Facts
from governance.project.counterfactual.gold import find_gold, measured
from governance.project.counterfactual.label_set import LabelSet
from governance.project.counterfactual.slices import slices
from governance.project.counterfactual.voters import Voter, find_voter, voters
from governance.records import Dataset, Recipe, Source
from governance.votes.table import VoteTable


def source(title, version="1", kind="lexicon"):
    words = dict.fromkeys(("summary", "owner", "origin", "licence_declared", "licence_found", "collection"), "x")
    fingerprint = f"{len(title) + len(version):064x}"
    return Source.make(
        title=title, source_kind=kind, version=version, fingerprint=fingerprint, personal_data=False, **words
    )


def label_set(*sources, matrix, facts=None, **columns):
    """A label set of some sources, with a column of texts and others."""
    matrix = np.array(matrix, dtype=np.int8)
    ids = [f"e/{i}" for i in range(len(matrix))]
    named = tuple(one.name for one in sources)
    table = VoteTable(ids, tuple(f"c{j}" for j in range(len(sources))), named, ("no", "yes"), matrix)  # type: ignore[arg-type]
    examples = pl.DataFrame({"example_id": ids, "text": ["x" * (i + 1) for i in range(len(ids))], **columns})
    words = {"title": "d", "role": "screened", "sha256": "1" * 64, "content": "1" * 64, "columns": []}
    dataset = Dataset.make(rows=len(ids), **words)
    nothing = dict.fromkeys(("labels", "votes", "fitted", "recipe", "model", "labelled"))
    return LabelSet(
        facts=Facts(facts if facts is not None else sources),
        dataset=dataset,
        table=table,
        examples=examples,
        erased=0,
        **nothing,  # type: ignore[arg-type]
    )


def test_a_title_of_two_versions_is_ambiguous_and_a_name_is_not():
    """Both are named in the error; a column or a shortened name says which one is meant."""
    old, new = source("vader", "1"), source("vader", "22")
    known = voters(label_set(old, new, matrix=[[0, 1], [1, -1]]))
    with pytest.raises(AmbiguousName) as raised:
        find_voter(known, "vader", facts=Facts([old, new]))
    assert [match.partition(" (")[0] for match in raised.value.matches] == ["vader 1", "vader 22"]
    assert find_voter(known, old.name[:20], facts=Facts()).version == "1"
    assert find_voter(known, "c1", facts=Facts()).version == "22"
    assert [voter.votes for voter in known] == [2, 1]


def test_a_recorded_source_that_did_not_vote_is_told_from_one_that_nobody_knows():
    """The first is no source of these votes, the second is a typing error."""
    here, elsewhere = source("afinn"), source("textblob")
    known = voters(label_set(here, matrix=[[0]]))
    with pytest.raises(InvalidRecord, match="that voted in the current votes: afinn"):
        find_voter(known, "textblob", facts=Facts([here, elsewhere]))
    with pytest.raises(UnknownName) as raised:
        find_voter(known, "afin", facts=Facts([here, elsewhere]))
    assert raised.value.suggestions == ["afinn"]
    title = Voter("c9", "source:" + "ab" * 32, "abab", "1", 0)
    assert find_voter([*known, title], "abab", facts=Facts()) is title


def test_gold_is_a_column_or_a_source_that_voted_or_unknown():
    """A column of class indices; else a source of the kind gold, which is said to have voted; else none."""
    plain, golden = source("a"), source("people", kind="gold")
    votes = [[0, 1], [1, 1], [1, -1]]
    by_column = find_gold(label_set(plain, golden, matrix=votes, gold=[0, 1, None]))
    assert by_column is not None
    assert (by_column.value.tolist(), by_column.voted, by_column.says) == ([0, 1, -1], None, "the column gold")
    by_source = find_gold(label_set(plain, golden, matrix=votes))
    assert by_source is not None
    assert (by_source.value.tolist(), by_source.voted) == ([1, 1, -1], "c1")
    for no_gold in ({"gold": ["no", "yes", "no"]}, {"gold": [0, 1, 7]}, {}):
        assert find_gold(label_set(plain, matrix=[[0], [1], [1]], **no_gold)) is None


def test_no_length_limits_are_one_part_of_all_lengths():
    """As the evaluation of the reference project cuts them."""
    words = {"seed": 1, "inputs": [], "code": [], "distributions": [], "python": "3", "threads": 1, "hash_seed": "0"}
    recipe = Recipe.make(stage="evaluate", parameters={"length_limits": "[]"}, **words)
    labels = label_set(source("a"), matrix=[[0], [1]], facts=[recipe])
    cuts = dict(slices(labels, id_column="example_id", text_column="text"))
    assert [name for name in cuts if name.startswith("text length")] == ["text length=over 0 characters"]
    assert cuts["text length=over 0 characters"].all()


def test_what_has_no_gold_is_not_measured():
    """No row with gold and a label: None, which is told as unknown."""
    gold = find_gold(label_set(source("a"), matrix=[[0], [1]], gold=[0, None]))
    proba = np.array([[0.9, 0.1], [0.2, 0.8]])
    label, every = np.array([0, 1], dtype=np.int8), np.ones(2, dtype=bool)
    told = measured(gold, label, proba, every)
    assert told is not None
    assert (told["right"], told["examples"], told["accuracy"]) == (1, 1, "1.0")
    assert float(told["ece"]) == pytest.approx(0.1)
    assert measured(gold, np.array([-1, 1], dtype=np.int8), proba, every) is None
    assert measured(None, label, proba, every) is None


def test_parts_are_columns_of_few_words_lengths_and_votes():
    """Ids, texts, persons, numbers and columns with holes are no parts; each sort holds every row once."""
    rows = 80
    columns = {
        "domain": ["a", "b"] * 40,
        "person": ["p", "q"] * 40,
        "half": ["x", None] * 40,
        "one": ["same"] * rows,
        "many": [str(i) for i in range(rows)],
        "number": list(range(rows)),
    }
    labels = label_set(source("a"), source("bb"), matrix=[[0, -1]] * 40 + [[-1, -1]] * 40, **columns)
    cuts = slices(labels, id_column="example_id", text_column="text", subject_column="person")
    names = [name for name, _ in cuts]
    assert names[:2] == ["domain=a", "domain=b"]
    assert {name.partition("=")[0] for name in names} == {"domain", "text length", "voting sources"}
    for sort in ("domain", "text length", "voting sources"):
        counted = np.sum([rows for name, rows in cuts if name.startswith(f"{sort}=")], axis=0)
        assert (counted == 1).all()
