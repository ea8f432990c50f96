"""Do the sources of this project vote as they say, and does `vote` state all of it?"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import tiny_corpus as tiny

from governance.facts import read_facts
from governance.records import Contract, Dataset, Finding, Source, Votes
from governance.sources import ABSTAIN, registered
from governance.votes.table import read_votes
from pipelines import collect, screen, vote
from pipelines.sources.contrast import contrast
from pipelines.sources.emoticons import emoticons
from pipelines.sources.exclamation import exclamation
from pipelines.sources.negation import negation
from pipelines.sources.words import negative_words, positive_words

NINE = (
    "afinn",
    "contrast",
    "emoticons",
    "exclamation",
    "negation",
    "negative_words",
    "positive_words",
    "textblob",
    "vader",
)
SOURCES = Path(vote.__file__).parent / "sources"


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the tiny corpus in which collect, screen and vote have run; for reading only."""
    root = tiny.project(tmp_path_factory.mktemp("voted"))
    shutil.copytree(SOURCES, root / "pipelines/sources", ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for stage in (collect, screen, vote):
            stage.main()
    return root


def test_nine_sources_stand_beside_every_example(voted):
    """The vote table holds every screened example and every source, each column bound to its source version."""
    table = read_votes(voted / "artifacts/votes/votes.parquet")
    facts = read_facts(voted / "artifacts/facts/vote.jsonl")
    assert table.columns == NINE
    assert table.classes == ("negative", "positive")
    screened = pl.read_parquet(voted / "artifacts/data/screened.parquet")
    assert table.ids.to_list() == screened["example_id"].to_list()
    assert [facts.get(name).label for name in table.sources] == list(NINE)  # type: ignore[union-attr]
    votes = facts.one(Votes)
    assert (votes.revoted, votes.revoted_differently, votes.rows) == (5, 0, 10)
    assert votes.dataset == read_facts(voted / "artifacts/facts/screen.jsonl").one(Dataset).name


def test_votes_are_what_the_sources_say(voted):
    """Each cell is what the function answers when it is asked alone."""
    table = read_votes(voted / "artifacts/votes/votes.parquet")
    texts = pl.read_parquet(voted / "artifacts/data/screened.parquet")["text"].to_list()
    for column, one in enumerate(registered("pipelines.sources")):
        assert table.matrix[:, column].tolist() == [one.vote(text) for text in texts]


def test_conflicts_and_contamination_are_found(voted):
    """AFINN's two licences, TextBlob's three and what VADER and TextBlob had seen before are findings."""
    facts = read_facts(voted / "artifacts/facts/vote.jsonl")
    titles = {source.name: source.title for source in facts.of(Source)}
    failed = {(titles[f.subject], f.check) for f in facts.of(Finding) if f.outcome == "fail"}
    wanted = {
        ("afinn", "licences"),
        ("textblob", "licences"),
        ("textblob", "contamination"),
        ("vader", "contamination"),
        # When these lexicons were collected is not recorded by anybody.
        ("textblob", "kind_facts"),
        ("vader", "kind_facts"),
    }
    assert wanted == {(title, check) for title, check in failed if check != "currency"}
    for check in ("error_rate", "opacity", "kind_facts"):
        assert len([f for f in facts.of(Finding) if f.check == check]) == 9


def test_votes_keep_their_contract(voted):
    """The votes were held against the project's contract, and the finding names it."""
    facts = read_facts(voted / "artifacts/facts/vote.jsonl")
    (found,) = [f for f in facts.of(Finding) if f.check == "rejected"]
    assert (found.outcome, found.measured, found.subject) == ("pass", "0.0", facts.one(Votes).name)
    assert found.contract == facts.one(Contract).name


def test_every_source_can_be_seen_through():
    """Nothing in the reference project's sources is opaque, and no version moves with a release of this library."""
    for one in registered("pipelines.sources"):
        assert one.record.opaque == ()
        own = one.title if one.title in ("vader", "afinn", "textblob") else ""
        assert [package.distribution.lower() for package in one.record.packages] == (
            [{"vader": "vadersentiment"}.get(own, own)] if own else []
        )


def test_a_second_run_gives_the_same_bytes(voted, tmp_path, monkeypatch):
    """Votes, facts and the run file are the same, byte for byte."""
    root = tmp_path / "again"
    shutil.copytree(voted, root)
    before = {path: path.read_bytes() for path in root.glob("artifacts/**/*") if path.is_file()}
    monkeypatch.chdir(root)
    vote.main()
    assert before == {path: path.read_bytes() for path in root.glob("artifacts/**/*") if path.is_file()}


@pytest.mark.parametrize(
    ("source", "text", "says"),
    [
        (positive_words, "What a lovely day", 1),
        (positive_words, "LOVELY!", 1),
        (positive_words, "not a lovely day", ABSTAIN),
        (positive_words, "a lovely, terrible day", ABSTAIN),
        (positive_words, "a day", ABSTAIN),
        (positive_words, "", ABSTAIN),
        (negative_words, "a terrible day", 0),
        (negative_words, "it isn\u2019t terrible", ABSTAIN),
        (negative_words, "a lovely, terrible day", ABSTAIN),
        (negation, "not good", 0),
        (negation, "no problems so far", 1),
        (negation, "it doesn't work", 0),
        (negation, "can't wait, so good", ABSTAIN),
        (negation, "not bad but not good", ABSTAIN),
        (negation, "not pretty, and yet I love it", ABSTAIN),
        (negation, "the good, not the day", ABSTAIN),
        (contrast, "awful start but a lovely end", 1),
        (contrast, "a lovely start, however an awful end", 0),
        (contrast, "a lovely start", ABSTAIN),
        (contrast, "awful but long", ABSTAIN),
        (contrast, "lovely but not good", 0),
        (exclamation, "we did it!", 1),
        (exclamation, "we did it", ABSTAIN),
        (exclamation, "did we?!", ABSTAIN),
        (exclamation, "what an awful day!", ABSTAIN),
        (exclamation, "not today!", ABSTAIN),
        (emoticons, "well :)", 1),
        (emoticons, "well :-(", 0),
        (emoticons, "i &lt;3 you", 1),
        (emoticons, "i </3 you", 0),
        (emoticons, "see http://here.com/", ABSTAIN),
        (emoticons, ":) and :(", ABSTAIN),
        (emoticons, "no face", ABSTAIN),
        (emoticons, "ratio 3:1 (approx)", ABSTAIN),
    ],
)
def test_our_own_sources_say(source, text, says):
    """Each rule votes where its description says so, and is silent elsewhere."""
    assert source(text) == says


@pytest.mark.parametrize("one", registered("pipelines.sources"), ids=lambda one: one.title)
@pytest.mark.parametrize("text", ["", " ", "\x00", "\u202e", "?" * 5000, "(" * 500, "a" * 20000, "\U0001f600"])
def test_no_text_makes_a_source_crash(one, text):
    """Whatever the text, the answer is a class or an abstention."""
    assert one.vote(text) in (ABSTAIN, 0, 1)
