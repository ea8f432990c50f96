"""Records: frozen, validated, named by content."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from governance.errors import AmbiguousName, InvalidRecord, UnknownName
from governance.facts import Facts, facts_bytes, match_name, read_facts, short
from governance.records import Commitment, Finding, Recipe, Result, read_record, record_kinds

NOBODY = "dataset:" + "0" * 64


def finding(**changes):
    fields = {"check": "balance", "subject": NOBODY, "outcome": "fail", "measured": "0.02", "says": "few"}
    return Finding.make(**{**fields, **changes})


def test_equal_facts_have_one_name_and_any_change_another():
    """The name covers every field."""
    assert finding().name == finding().name
    others = {
        finding(**{field: value}).name
        for field, value in (("check", "b"), ("outcome", "pass"), ("measured", "0.03"), ("says", "x"))
    }
    assert len(others | {finding().name}) == 5


def test_the_kind_is_part_of_the_name():
    """A name says what it names."""
    assert finding().name.startswith("finding:")
    assert len(finding().name) == len("finding:") + 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "passed"),
        ("measured", 0.02),
        ("measured", "0.020"),
        ("measured", "nan"),
        ("subject", "dataset:123"),
        ("says", None),
        ("surprise", "x"),
    ],
)
def test_a_bad_field_is_named_with_what_was_given_and_wanted(field, value):
    """One error says which field, what was given and what was wanted."""
    with pytest.raises(InvalidRecord) as caught:
        finding(**{field: value})
    assert caught.value.field.startswith(field)
    assert caught.value.wanted


def test_a_record_cannot_be_changed():
    """Facts are frozen."""
    with pytest.raises(ValidationError):
        finding().outcome = "pass"


def test_a_record_reads_back_from_its_own_form():
    """What is written is what is read."""
    record = finding()
    again = read_record({"kind": "finding", "v": 1, "body": record.body()}, where="test")
    assert again == record
    assert again.name == record.name


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "finding", "v": 2, "body": {}},
        {"kind": "rumour", "v": 1, "body": {}},
        {"kind": "finding", "v": 1, "body": []},
        {"kind": "finding", "v": 1},
        {"kind": ["finding"], "v": 1, "body": {}},
        {"kind": "finding", "v": True, "body": {}},
        "finding",
    ],
)
def test_an_unknown_kind_version_or_shape_is_refused(value):
    """What this version cannot read it does not guess."""
    with pytest.raises(InvalidRecord):
        read_record(value, where="entry 3")


def test_edges_use_prov_relations_and_point_from_the_newer_to_the_older():
    """A result hangs on its recipe, on what it used, and what it generated hangs on it."""
    recipe = Recipe.make(
        stage="vote",
        inputs=[],
        parameters={},
        seed=1,
        code=[],
        distributions=[],
        python="3.11.7",
        threads=1,
        hash_seed="0",
    )
    made = finding()
    result = Result.make(stage="vote", recipe=recipe.name, outputs=[], generated=[made.name], used=[NOBODY])
    assert set(result.edges()) == {
        (result.name, "hadPlan", recipe.name),
        (made.name, "wasGeneratedBy", result.name),
        (result.name, "used", NOBODY),
    }
    commitment = Commitment.make(
        of=NOBODY, scheme="rows/v1", rows=1, root="1" * 64, columns=["a"], id_column="a", subject_column=""
    )
    assert commitment.edges() == ((commitment.name, "wasDerivedFrom", NOBODY),)


def test_facts_files_read_back_and_refuse_any_other_bytes(tmp_path):
    """A facts file is canonical line by line; an edit of its form alone is refused with its line."""
    records = [finding(), finding(check="other")]
    path = tmp_path / "facts.jsonl"
    path.write_bytes(facts_bytes(records))
    assert [record.name for record in read_facts(path)] == [record.name for record in records]
    path.write_bytes(facts_bytes(records).replace(b'"check":"other"', b'"check": "other"'))
    with pytest.raises(InvalidRecord, match=":2"):
        read_facts(path)
    path.write_bytes(facts_bytes(records)[:-1])
    with pytest.raises(InvalidRecord, match="line feed"):
        read_facts(path)


def test_a_shortened_name_opens_its_record_and_a_doubtful_one_does_not():
    """Prefixes and titles open a record; nothing is guessed."""
    facts = Facts([finding(), finding(check="other")])
    first = next(iter(facts))
    assert facts.resolve(short(first.name)) is first
    assert facts.resolve(first.name.partition(":")[2][:10]) is first
    with pytest.raises(UnknownName):
        facts.resolve("finding:zzzz")
    labels = {"finding:" + "a" * 64: "x", "finding:" + "a" * 63 + "b": "x"}
    with pytest.raises(AmbiguousName):
        match_name("finding:aaaa", labels)
    with pytest.raises(AmbiguousName) as few:
        match_name("x", labels)
    assert "more" not in (few.value.hint or "").removeprefix("give more of it")
    with pytest.raises(AmbiguousName) as many:
        match_name("x", {"finding:" + f"{number:064}": "x" for number in range(11)})
    assert (many.value.hint or "").endswith(" and 3 more")


def test_several_names_in_one_are_told_to_be_given_one_by_one():
    """Only where several may be given, and each of them is known."""
    assert UnknownName("table", "votes, labels", ["labels", "votes"], each="--rows").hint == (
        "name each by itself: `--rows votes --rows labels`"
    )
    assert UnknownName("source", "a,the other", ["a", "the other"], each="").hint == (
        "name each by itself: `a 'the other'`"
    )
    assert "by itself" not in str(UnknownName("source", "a,b", ["a", "b"]).hint)
    assert "by itself" not in str(UnknownName("source", "a,c", ["a", "b"], each="").hint)


def test_what_is_suggested_can_be_written_as_it_is_told():
    """A title that two records have is told as the short name of the newer one, and one with spaces in quotation marks."""
    labels = {"source:" + "1" * 64: "vader", "labels:" + "2" * 64: "all posts", "labels:" + "3" * 64: "all posts"}
    with pytest.raises(UnknownName) as caught:
        match_name("all pots", labels)
    assert caught.value.suggestions == ["labels:333333333333"]
    assert match_name(caught.value.suggestions[0], labels) == "labels:" + "3" * 64
    assert caught.value.hint == "did you mean labels:333333333333 (all posts)?"
    with pytest.raises(UnknownName) as caught:
        match_name("all pots", dict(list(labels.items())[:2]))
    assert caught.value.hint == "did you mean 'all posts'?"


def test_an_unknown_name_comes_with_the_nearest_known_one():
    """A slip of the pen is answered with what was probably meant."""
    with pytest.raises(UnknownName) as caught:
        match_name("vadre", {"source:" + "1" * 64: "vader", "source:" + "2" * 64: "afinn"})
    assert caught.value.suggestions[0] == "vader"
    assert "vader" in (caught.value.hint or "")


def test_every_kind_in_the_vocabulary_can_be_read():
    """The kinds are those of the vocabulary."""
    assert {"source", "votes", "labelmodel", "labels", "model", "recipe", "result", "execution"} <= set(record_kinds())


def test_of_records_that_share_a_title_the_result_is_suggested_before_what_hangs_on_it():
    """A run's execution is stated last and tells least."""
    kinds = ("recipe", "result", "execution")
    labels = {f"{kind}:" + f"{number}" * 64: "make" for number, kind in enumerate(kinds)}
    with pytest.raises(UnknownName) as caught:
        match_name("mak", labels)
    assert caught.value.suggestions == ["result:111111111111"]


def test_of_very_many_names_only_those_that_begin_alike_are_compared():
    """A slip of the pen is answered all the same, and within a moment."""
    many = [f"{first}{second}/{number}" for first in "abcd" for second in "xyz" for number in range(2000)]
    assert "by/1234" in UnknownName("example", "by/12340", many).suggestions
