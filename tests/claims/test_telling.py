"""Are counts, shares, figures and shared sentences spelled as people read them?"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from documents.told_facts import complete, datasets, learned, runs, source

from governance.audit import assess, report
from governance.claims import Claim, Document, Gap, Thread, before, figures, lines, sources
from governance.claims.words import (
    agree,
    counted,
    difference,
    ended,
    figure,
    joined,
    measured,
    named,
    number,
    share,
    when,
)
from governance.controls import load_framework
from governance.documents import dataset_card, model_card
from governance.facts import Facts
from governance.records import Contract, Dataset, Evaluation, Finding, Metric, Record, Result, Source, Votes


def test_counts_agree_with_their_nouns():
    """One is singular, everything else plural, and thousands are parted."""
    assert [number(n, "source") for n in (0, 1, 2, 23703)] == ["0 sources", "1 source", "2 sources", "23,703 sources"]
    assert number(2, "batch", "batches") == "2 batches"
    assert number(1000) == "1,000"


def test_a_legal_basis_and_an_end_are_told_as_they_are_declared():
    """Grouped by what is said; who holds personal data without a basis, or never ends, is a silence of its description."""
    facts = Facts(
        [
            source("one", personal_data=True, legal_basis="consent", expiry="2027-01-31"),
            source("two", personal_data=True, legal_basis="consent", expiry="2026-01-31"),
            source("three", personal_data=True, expiry=""),
            source("four", expiry=""),
        ]
    )
    thread = Thread.of_dataset(facts)
    bases = sources.bases(thread)
    assert [one.text for one in bases.claims] == ["Legal basis of one and two, as declared: consent."]
    assert [one.text for one in bases.gaps] == ["legal_basis of source three"]
    ends = sources.ends(thread, as_of="2026-11-29")
    assert [one.text for one in ends.claims] == [
        "The description of source two ran out on 2026-01-31, judged as of 2026-11-29.",
        "The description of source one holds until 2027-01-31, judged as of 2026-11-29.",
    ]
    assert [one.text for one in ends.gaps] == ["expiry of sources four and three"]
    undated = [one.text for one in sources.ends(thread).claims]
    assert undated == [
        "The description of source two holds until 2026-01-31.",
        "The description of source one holds until 2027-01-31.",
    ]
    assert not sources.bases(Thread.of_dataset(Facts([source("four")]))).claims


def test_verbs_agree_with_their_counts():
    """One source declares; none and several declare."""
    assert [agree(n, "declares", "declare") for n in (0, 1, 2)] == ["declare", "declares", "declare"]


def test_a_title_that_names_its_kind_stands_alone():
    """A label model called label model is not called so twice."""
    assert named("label model", "Label model of all votes") == "“Label model of all votes”"
    assert named("label model", "dawid-skene") == "label model “dawid-skene”"


def test_a_role_is_a_side_of_screening():
    """Readers learn which version of the data a figure is about."""
    assert [when(role) for role in ("collected", "screened", "other")] == [
        "before screening",
        "after screening",
        "other",
    ]


def test_shares_are_rounded_to_a_tenth():
    """A share is per cent with one digit, and of nothing it is said that there is nothing."""
    assert [share(1, 3), share(2, 2), share(0, 5)] == ["33.3 %", "100.0 %", "0.0 %"]
    assert share(0, 0) == "none to count"


def test_figures_are_rounded_for_reading():
    """A recorded decimal reads with three digits, never as a negative zero, and unknown where there is none."""
    assert [figure("0.85"), figure("1e-05"), figure("-0.0001"), figure(None)] == ["0.850", "0.000", "0.000", "unknown"]
    assert figure("0.12345", 4) == "0.1234"
    assert [difference("0.5", "0.7"), difference("0.7", "0.5"), difference("0.5", "0.5")] == [
        "-0.200",
        "+0.200",
        "+0.000",
    ]


def test_intervals_stand_in_brackets():
    """A figure without interval stands alone, and an absent one is unknown."""
    metric = Metric(metric="accuracy", of="model", slice="tweets", value="0.5", low="0.4", high="0.6", examples=9)
    assert measured(metric) == "0.500 (0.400 to 0.600)"
    assert measured(metric.model_copy(update={"low": None})) == "0.500"
    assert measured(None) == "unknown"


def test_lists_read_as_sentences():
    """Lists have commas and one last word; sentences end once."""
    assert [joined([]), joined(["a"]), joined("ab"), joined("abc", "or")] == ["", "a", "a and b", "a, b or c"]
    assert counted({"train": 1200, "test": 3}) == "train 1,200 and test 3"
    assert [ended(" a\n b "), ended("a."), ended("a?"), ended("")] == ["a b.", "a.", "a?", ""]


@pytest.fixture(scope="module")
def facts() -> Facts:
    return complete()


def told(blocks: object) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Claim))  # type: ignore[attr-defined]


def test_the_summary_names_conflicts_and_contamination(facts: Facts):
    """A manager reads which licences clash and which figures are no independent evidence, in the first ten lines."""
    lines_told = told(report(facts, as_of="2026-11-22").sections[0].blocks)
    assert "Licence conflicts in 1 source: afinn (declared GPL-3.0-only, found ODbL-1.0)." in lines_told
    assert "vader on tweets" in lines_told
    honest = Facts(r for r in facts if not (isinstance(r, Source) and r.title == "afinn"))
    assert "differ for no source" in told(report(honest, as_of="2026-11-22").sections[0].blocks)


def test_third_party_terms_count_the_conflicts(facts: Facts):
    """The question after third parties names the sources in conflict."""
    item = next(
        i for i in assess(facts, load_framework("nist_ai_rmf"), as_of="2026-11-22") if i.control.id == "GOVERN 6.1"
    )
    assert "Declared and found licence differ in 1 source: afinn." in told(item.answer.claims)


def test_one_missing_thing_makes_a_complete_answer_partial(facts: Facts):
    """An answer by records alone is present only while nothing is missing."""
    framework = load_framework("nist_ai_rmf")

    def state(given: Facts) -> str:
        return next(i.state for i in assess(given, framework, as_of="2026-11-22") if i.control.id == "GOVERN 1.6")

    assert state(facts) == "present"
    assert state(facts | Facts([source("nobody's", owner="")])) == "present"
    assert state(Facts(r for r in facts if r.kind != "model")) == "partial"


def test_shares_in_sentences_are_of_the_whole(facts: Facts):
    """Coverage and conflict are shares of all examples."""
    from governance.claims import labels

    text = told(labels.coverage(Thread.of_model(facts)).claims)
    assert "Sources vote on 930 of 1,000 examples (93.0 %)." in text
    assert "On 70 examples (7.0 %) every source abstains" in text
    assert "Votes conflict on 120 examples (12.0 %)." in text


def test_an_unused_source_is_an_orphan(facts: Facts):
    """A source version on which nothing stands is named as an orphan."""
    thread = Thread.of_model(facts | Facts([source("lonely")]))
    assert told(lines.orphans(thread).claims) == "Orphans, on which nothing stands: lonely 1.0."


def test_a_missing_origin_is_named(facts: Facts):
    """Where a record that others are derived from is gone, the gap names it."""
    votes = facts.of(Votes)[0]
    thread = Thread.of_model(Facts(record for record in facts if record.name != votes.name))
    assert any(f"votes:{votes.name[6:18]}" in gap.text for gap in lines.dangling(thread).gaps)


def test_two_results_of_one_recipe_are_told(facts: Facts):
    """One recipe with two different results is named with both."""
    first = next(result for result in facts.of(Result) if result.stage == "train")
    other = Result.make(**{**first.body(), "outputs": []})
    answer = lines.reproduced(Thread.of_model(facts | Facts([other])))
    assert "Stage train gave 2 different results for one recipe." in told(answer.claims)
    assert {first.name, other.name} <= {name for claim in answer.claims for name in claim.evidence}


def test_an_evaluation_without_the_figures_is_silent_about_them(facts: Facts):
    """An evaluation that lacks the model's figures gives silences and no sentence."""
    full = facts.of(Evaluation)[0]
    bare = Evaluation.make(**{**full.body(), "metrics": [], "bins": []})
    thread = Thread.of_model(Facts([*(r for r in facts if r.kind != "evaluation"), bare]))
    for ask in (figures.headline, figures.fall, figures.weakest, figures.disparity, figures.calibration,
                figures.versus_majority, before.change):  # fmt: skip
        assert ask(thread).gaps, ask
        assert not ask(thread).claims, ask
    assert figures.table(thread) is None
    assert figures.bins(thread) is None


def test_terms_are_told_once_for_both_roles():
    """What collected and screened dataset state alike is one sentence on both records."""
    both = datasets()
    (claim,) = sources.terms(Thread.of_dataset(Facts(both))).claims
    assert set(claim.evidence) == {record.name for record in both}


def alone() -> Facts:
    """Facts in which nearly everything that sentences count is there once."""
    collected, screened = (
        Dataset.make(**{**record.body(), "rows": 1}) for record in datasets(counts={"exact duplicates": 1})
    )
    one = source("vader", packages=[{"distribution": "vadersentiment", "version": "3.3.2"}])
    made: list[Record] = [collected, screened, one]
    learned(made, [one], screened)
    votes = next(record for record in made if isinstance(record, Votes))
    ones = {"rows": 1, "covered": 1, "conflicts": 1, "patterns": 1, "revoted": 1}
    made = [Votes.make(**{**votes.body(), **ones}) if record is votes else record for record in made]
    contract = Contract.make(title="rows", digest="0" * 64, checks=["ids are unique"])
    finding = Finding.make(check="silence", subject=one.name, outcome="pass", measured=None, limit=None, says="It votes",
                           contract=contract.name)  # fmt: skip
    return Facts(
        [*made, contract, finding, *(record for record in runs([one]) if getattr(record, "stage", "") == "vote")]
    )


NOUNS = (
    "sources|source versions|examples|findings|figures|votes|rows|stages|runs|recipes|slices|checks|distributions|labels|"
    "patterns|records|output files|inputs|code files|threads|weights|claims"
)
PLURAL = re.compile(rf"(?<![\d.,])1 (?:(?:{NOUNS})\b|[a-z]+ (?:are|were|have|name|declare|ask)\b)")


@pytest.mark.parametrize("build", [dataset_card, model_card, lambda facts: report(facts, as_of="2026-11-22")])
def test_one_of_a_kind_is_singular(build: Callable[[Facts], Document]):
    """Where there is one source, example, run or finding, no sentence speaks of it in the plural."""
    document = build(alone())
    texts = [block.text for block in document.blocks() if isinstance(block, Claim | Gap)]
    assert any("1 source" in text for text in texts)
    assert [text for text in texts if PLURAL.search(text)] == []
