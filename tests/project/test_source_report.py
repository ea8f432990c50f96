"""`source report`: what every source says, from the file that the records name and from the records."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from counted_by_hand import by_hand
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import BrokenEvidence, ConfigurationError, InvalidRecord, MissingEvidence
from governance.facts import Facts
from governance.project import Project
from governance.project.source_report import _blocks, cost_of, vote_set
from governance.records import Evaluation, LabelModel, Source, Votes
from governance.votes.analysis import analyse_rows
from governance.votes.table import read_votes

ONE, OTHER, GOLD = (f"source:{digit * 64}" for digit in "123")


def labeltrail(*arguments, folder):
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_report_counts_the_votes_that_the_records_name(reference):
    """Coverage, overlap, conflict, errors, agreement: what a loop over the recorded file counts."""
    (told,) = Project.find(reference).source_report().data["votes"]
    table = read_votes(reference / "artifacts/votes/votes.parquet")
    counted = by_hand(table.matrix, len(table.classes))
    assert {name: told[name] for name in ("rows", "covered", "overlaps", "conflicts", "both", "agreed")} == {
        name: counted[name] for name in ("rows", "covered", "overlaps", "conflicts", "both", "agreed")
    }
    for j, one in enumerate(told["sources"]):
        assert list(one["votes"].values()) == counted["votes"][j]
        assert one["polarity"] == [name for name, count in one["votes"].items() if count]
        assert one["coverage"] == repr(sum(counted["votes"][j]) / counted["rows"])
        for name, of in (("overlaps", "source_overlaps"), ("conflicts", "source_conflicts")):
            assert one[name] == counted[of][j]
        assert [one[name] for name in ("abstained", "errors", "skipped")] == [
            counted[name][j] for name in ("abstained", "errors", "skipped")
        ]


def test_what_was_learned_and_checked_is_what_the_records_say(reference):
    """Each accuracy is that of its record, with interval and count; what a source had seen before is marked."""
    project = Project.find(reference)
    facts = project.current_facts()
    (told,) = project.source_report().data["votes"]
    learned = {part.source: part.accuracy for part in facts.of(LabelModel)[0].learned}
    (evaluation,) = facts.of(Evaluation)
    seen = {source.name: {known.domain for known in source.contamination} for source in facts.of(Source)}
    assert any(seen.values())
    for one in told["sources"]:
        assert one["learned_accuracy"] == learned.get(one["name"])
        assert one["cost"] is None
        assert one["spot_checks"]
        for check in one["spot_checks"]:
            metric = evaluation.metric("accuracy", of=f"source {one['column']}", slice=check["on"])
            assert metric is not None
            assert [check[name] for name in ("accuracy", "low", "high", "examples")] == [
                metric.value,
                metric.low,
                metric.high,
                metric.examples,
            ]
            assert check["independent"] == (check["on"] not in seen[one["name"]])


def test_the_answer_comes_as_table_data_markdown_picture_and_in_a_notebook(reference, tmp_path):
    """One answer in five shapes; the picture is the same file again and stands in the notebook too."""
    asked = labeltrail("source", "report", "--picture", str(tmp_path / "one.svg"), folder=reference)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "agree, of the rows on which both vote" in asked.stdout
    data = json.loads(labeltrail("source", "report", "--json", folder=reference).stdout)
    assert (data["schema_version"], len(data["votes"][0]["sources"])) == (1, 9)
    assert "| vader |" in labeltrail("source", "report", "--md", folder=reference).stdout
    report = Project.find(reference).source_report(picture=tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    shown = report._repr_html_()
    assert (tmp_path / "one.svg").read_text() in shown
    assert "<script" not in shown
    ET.fromstring(shown)  # noqa: S314 - made here


def test_without_votes_the_report_says_which_command_makes_them(project):
    """Exit 4: nothing is there to report on."""
    with pytest.raises(MissingEvidence, match="no votes") as raised:
        Project.find(project).source_report()
    assert "labeltrail repro" in (raised.value.hint or "")
    assert labeltrail("source", "report", folder=project).returncode == 4


def test_votes_that_were_changed_are_not_reported_on(reference):
    """Exit 3: figures of another file would be no figures of the recorded votes."""
    path = reference / "artifacts/votes/votes.parquet"
    frame = pl.read_parquet(path)
    path.unlink()
    frame.reverse().write_parquet(path)
    with pytest.raises(BrokenEvidence, match=r"votes\.parquet"):
        Project.find(reference).source_report()
    assert labeltrail("source", "report", folder=reference).returncode == 3
    path.unlink()
    asked = labeltrail("source", "report", folder=reference)
    assert (asked.returncode, "Traceback" in asked.stderr) == (4, False)


def test_a_picture_that_cannot_be_written_is_one_error(reference, tmp_path):
    """No folder, or another ending: exit 2, and nothing is written."""
    with pytest.raises(InvalidRecord, match=r"ends in \.svg"):
        Project.find(reference).source_report(picture=tmp_path / "picture.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Project.find(reference).source_report(picture=tmp_path / "file" / "picture.svg")
    assert not list(tmp_path.glob("picture*"))


def source(title: str, kind: str) -> Source:
    words = dict.fromkeys(("summary", "owner", "origin", "licence_declared", "licence_found", "collection"), "x")
    digest = f"{len(title):064x}"
    return Source.make(title=title, source_kind=kind, version="1", fingerprint=digest, personal_data=False, **words)


def votes_of(sources: list[Source], rows: int) -> Votes:
    parts = [
        {"source": one.name, "column": one.title, "votes": (0, 0), "abstained": 0, "errors": 0, "skipped": 0}
        for one in sources
    ]
    counts = dict.fromkeys(("covered", "conflicts", "patterns", "revoted", "revoted_differently"), 0)
    named = {"dataset": "dataset:" + "1" * 64, "sha256": "1" * 64, "content": "1" * 64}
    return Votes.make(title="votes", rows=rows, classes=("no", "yes"), sources=parts, **counts, **named)


@given(st.integers(2, 30), st.randoms(), st.lists(st.integers(0, 30), max_size=3))
def test_rows_in_any_order_and_any_parts_give_the_same_report(rows, random, cuts):
    """Every figure of the report, to the last digit."""
    sources = [source("a", "lexicon"), source("bb", "pattern"), source("ccc", "gold")]
    matrix = np.array([[random.randint(-3, 1) for _ in sources] for _ in range(rows)], dtype=np.int8)
    votes, facts = votes_of(sources, rows), Facts(sources)
    columns, names = tuple(one.title for one in sources), tuple(one.name for one in sources)

    def told(analysis):
        return vote_set(votes, analysis, columns=columns, sources=names, facts=facts)

    order = list(range(rows))
    random.shuffle(order)
    first, *rest = np.split(matrix[order], sorted(min(cut, rows) for cut in cuts))
    added = analyse_rows(first, n_classes=2)
    for part in rest:
        added += analyse_rows(part, n_classes=2)
    assert told(added) == told(analyse_rows(matrix, n_classes=2))


def test_a_source_that_is_gold_is_a_spot_check_of_the_others():
    """How often another source says the same where gold is, with its Wilson interval and count; never of itself."""
    sources = [source("a", "lexicon"), source("bb", "gold")]
    matrix = np.array([[1, 1], [0, 1], [1, -1], [-1, 0], [0, 0]], dtype=np.int8)
    columns, names = ("a", "bb"), tuple(one.name for one in sources)
    analysis = analyse_rows(matrix, n_classes=2)
    told = vote_set(votes_of(sources, 5), analysis, columns=columns, sources=names, facts=Facts(sources))
    (check,) = told["sources"][0]["spot_checks"]
    assert (check["accuracy"], check["examples"], check["gold"]) == (repr(2 / 3), 3, "bb")
    assert (round(float(check["low"]), 3), round(float(check["high"]), 3)) == (0.208, 0.939)
    assert told["sources"][1]["spot_checks"] == []


def test_a_class_that_no_source_votes_for_is_named():
    """Errors and silence name no class."""
    sources = [source("a", "lexicon"), source("bb", "pattern")]
    columns, names = ("a", "bb"), tuple(one.name for one in sources)

    def unnamed(matrix):
        analysis = analyse_rows(np.array(matrix, dtype=np.int8), n_classes=2)
        told = vote_set(votes_of(sources, 2), analysis, columns=columns, sources=names, facts=Facts(sources))
        assert any("no source ever votes for" in str(block) for block in _blocks(told)) == bool(told["unnamed_classes"])
        return told["unnamed_classes"]

    named = list(votes_of(sources, 2).classes)
    assert unnamed([[0, -1], [-2, 0]]) == named[1:]
    assert unnamed([[0, -1], [-2, 1]]) == []


def test_the_error_rate_is_of_the_rows_that_a_source_was_asked_about():
    """A row that was skipped is no row without an error."""
    sources = [source("a", "llm")]
    analysis = analyse_rows(np.array([[-2], [-3], [-3], [1]], dtype=np.int8), n_classes=2)
    told = vote_set(votes_of(sources, 4), analysis, columns=("a",), sources=(sources[0].name,), facts=Facts(sources))
    assert (told["sources"][0]["error_rate"], told["sources"][0]["skipped"]) == ("0.5", 2)


def test_costs_of_a_source_add_up_by_currency():
    """What records hold of its cost, and of no other source's; without such a record nothing is said."""
    spent = [
        SimpleNamespace(source=ONE, cost_micros=300, currency="EUR", decisive=2),
        SimpleNamespace(source=ONE, cost_micros=100, currency="EUR", decisive=2),
        SimpleNamespace(source=ONE, cost_micros=7, currency="USD", decisive=0),
        SimpleNamespace(source=OTHER, cost_micros=9, currency="EUR", decisive=1),
        SimpleNamespace(source=GOLD, cost_micros=None, currency="EUR", decisive=1),
    ]
    assert cost_of(ONE, spent) == {
        "EUR": {"micros": 400, "decisive": 4, "micros_a_decisive_label": "100.0"},
        "USD": {"micros": 7, "decisive": 0, "micros_a_decisive_label": None},
    }
    assert cost_of(GOLD, spent) is None
