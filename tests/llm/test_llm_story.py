"""A model votes in a project, is gone, and its votes can still be read from what it said."""

from __future__ import annotations

import json
import os
import re

import pytest
from llm_project import commands, lay_down, run, snippet
from llm_server import asked_text, by_words, serving
from small_project import copy_of, once

from governance.errors import BrokenEvidence, ConfigurationError, MissingEvidence, UnknownName
from governance.parquet import read_table, write_table
from governance.project import Project
from governance.records import Answers, Commitment, Finding, Labeller, Votes

KEY = "not-recorded-anywhere"
#: put on the path, it ends whatever opens a connection
GUARD = """
import socket

def refuse(*_, **__):
    raise AssertionError("something reached for the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
"""


def make(root):
    """The commands of the page's second part, while the endpoint is there."""
    root.mkdir()
    with serving(by_words) as endpoint:
        lay_down(root, port=endpoint.port)
        done = run(commands()[0], root)
        assert done.returncode == 0, done.stdout + done.stderr
        # Six comments in one request each, four of them once more; the examples are shown every time.
        assert len(endpoint.received) == 10
        assert {headers["Authorization"] for _, headers in endpoint.received} == {f"Bearer {KEY}"}
        assert all(len(body["messages"]) == 6 for body, _ in endpoint.received)
        # Several at once, so that nobody knows in which order.
        assert len({asked_text(body) for body, _ in endpoint.received}) == 6


@pytest.fixture(scope="module")
def voted_once(tmp_path_factory):
    return once(tmp_path_factory, "llm", make)


@pytest.fixture
def voted(voted_once, tmp_path, monkeypatch):
    """A copy of the project whose endpoint is gone, with the home that holds its key."""
    copy_of(voted_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    return copy_of(voted_once, tmp_path / "project")


def test_the_answers_are_recorded_committed_to_and_verified(voted):
    """Source, labeller, votes, answers and findings are in the trail, rows by row, and the whole verifies."""
    project = Project.find(voted)
    facts = project.facts()
    (labeller,), (answers,), (votes,) = facts.of(Labeller), facts.of(Answers), facts.of(Votes)
    assert (labeller.model, labeller.few_shot, labeller.parser) == ("small-1", 2, "pipelines.sources._reading:side")
    assert labeller.terms is not None
    assert labeller.terms.reviewer == "A. Ode, data protection"
    assert (answers.examples, answers.rows, answers.decisive, answers.abstained) == (6, 10, 5, 1)
    assert answers.name in {one.of for one in facts.of(Commitment)}
    (column,) = votes.sources
    assert (column.votes, column.abstained) == ((2, 3), 1)
    found = {one.check: one.outcome for one in facts.of(Finding) if one.check != "undeclared_files"}
    assert found == dict.fromkeys(
        ("answering_model", "parse_errors", "provider_terms", "few_shot_overlap", "repeat_agreement"), "pass"
    )
    assert int(project.verify().exit_code) == 0
    assert {name for _, _, name in answers.edges()} == {labeller.name, votes.dataset, column.source}


def test_the_key_is_nowhere_in_the_project(voted):
    """No output, no record, no store, no cache holds it."""
    for path in voted.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes().replace(f"FORUM_API_KEY={KEY}".encode(), b""), path


def test_the_log_holds_no_text_and_no_id(voted):
    """Neither of comments nor of examples that were shown."""
    told = b"".join(record.canonical() for record in Project.find(voted).facts())
    assert not any(word in told for word in (b"a good opinion", b"money back", b'"c1"', b'"s1"', b"anna"))


def test_replay_reads_the_answers_without_any_network(voted, tmp_path):
    """Every command of the page works where a connection ends the process, without the key."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard/sitecustomize.py").write_text(GUARD)
    path = [str(tmp_path / "guard"), *filter(None, [os.environ.get("PYTHONPATH")])]
    guarded = {"PYTHONPATH": os.pathsep.join(path)}
    probe = run("python -c 'import socket; socket.create_connection((\"127.0.0.1\", 9))'", voted, **guarded)
    assert "reached for the network" in probe.stderr
    told = run(commands()[1], voted, **guarded)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("every vote comes out as it was recorded") == 3
    assert "0.000042 EUR" in told.stdout
    done = run("python - <<'END'\n" + snippet() + "END", voted, **guarded)
    assert (done.returncode, done.stdout) == (0, "[1, 0]\n"), done.stderr


def test_the_report_says_what_a_decisive_label_cost(voted):
    """Ten requests of 3 + 1.2 millionths, for five labels; and how often it said the same again."""
    report = Project.find(voted).replay("judge")
    (told,) = report.to_json()["tables"]
    figures = told["figures"]
    assert figures["cost"] == "0.000042 EUR"
    assert figures["cost per decisive label"] == "0.0000084 EUR"
    assert figures["models that answered"] == "small-1 10"
    assert figures["repeat agreement"].startswith("100.0% of 4 pairs on 4 examples, 95 % interval 51.0% to 100.0%")
    assert (told["stored"], told["compared"], told["changed"], told["parser_edited"]) == (6, 6, [], False)
    assert len(report.data["findings"]) == 5
    assert "cost per decisive label" in report.to_markdown()


def test_an_edited_parser_is_a_finding_with_the_votes_that_move(voted):
    """Exit 1, each example with what it was and what it is now."""
    parser = voted / "pipelines/sources/_reading.py"
    parser.write_text(parser.read_text().replace("return ABSTAIN", "return 0"))
    report = Project.find(voted).replay("judge")
    (told,) = report.data["tables"]
    assert int(report.exit_code) == 1
    assert told["parser_edited"]
    assert told["changed"] == [{"example": "c4", "was": "abstains", "now": "bad"}]
    assert "c4" in report.to_markdown()
    parser.write_text(parser.read_text().replace("    if answer", "    print(answer)\n    if answer"))
    parser.write_text(parser.read_text().replace("return 0", "raise KeyError"))
    report = Project.find(voted).replay("judge")
    assert report.data["tables"][0]["changed"] == [{"example": "c4", "was": "abstains", "now": "error (KeyError)"}]


def test_a_parser_that_only_looks_otherwise_is_no_finding(voted):
    """A comment and a docstring are not behaviour; an edit that moves no vote is."""
    parser = voted / "pipelines/sources/_reading.py"
    text = parser.read_text()
    parser.write_text(
        text.replace('"""Its first word', '"""The first word').replace("    if", "    # first of all\n    if")
    )
    assert int(Project.find(voted).replay("judge").exit_code) == 0
    parser.write_text(text.replace('.strip(".")', '.strip(".!")'))
    report = Project.find(voted).replay("judge")
    assert int(report.exit_code) == 1
    assert report.data["tables"][0]["changed"] == []
    assert "a new version of this source" in report.to_markdown()


def test_a_sample_is_drawn_by_the_seed(voted):
    """As many as were asked for, and all where there are fewer."""
    project = Project.find(voted)
    assert project.replay("judge", sample=2, seed=3).data["tables"][0]["compared"] == 2
    assert project.replay("judge", sample=200).data["tables"][0]["compared"] == 6


@pytest.mark.parametrize("name", ["answers", "votes"])
def test_altered_answers_and_altered_votes_end_in_exit_3(voted, name):
    """The file is named with both digests, and nothing is read from it."""
    path = voted / f"artifacts/{name}.parquet"
    frame = read_table(path)
    path.chmod(0o644)
    write_table(frame.reverse(), path)
    with pytest.raises(BrokenEvidence, match=f"{name}.parquet") as caught:
        Project.find(voted).replay("judge")
    assert int(caught.value.exit_code) == 3
    done = run("labeltrail replay judge --json", voted)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"] == "BrokenEvidence"


def test_answers_that_are_not_there_are_missing(voted):
    """Exit 4 and the way to get them."""
    (voted / "artifacts/answers.parquet").unlink()
    with pytest.raises(MissingEvidence) as caught:
        Project.find(voted).replay("judge")
    assert int(caught.value.exit_code) == 4


def test_an_unknown_source_is_answered_with_the_right_one(voted):
    """Did you mean."""
    with pytest.raises(UnknownName) as caught:
        Project.find(voted).replay("jugde")
    assert "judge" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def side(", "SyntaxError"),
        ("import os\nos._exit(7)\n", "exit 7"),
        ("", "side"),
        ("import nowhere\n", "nowhere"),
    ],
)
def test_a_parser_that_cannot_be_imported_is_told(voted, text, said):
    """Exit 2 and no traceback, also where it ends its process."""
    (voted / "pipelines/sources/_reading.py").write_text(text)
    with pytest.raises((ConfigurationError, UnknownName)) as caught:
        Project.find(voted).replay("judge")
    assert int(caught.value.exit_code) == 2
    done = run("labeltrail replay judge", voted)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_person_is_taken_out_of_the_answers_too(voted):
    """Her rows go from texts, votes and answers; the others are replayed and verified as before."""
    project = Project.find(voted)
    before = read_table(voted / "artifacts/answers.parquet")
    report = project.subject_erase("anna")
    assert int(report.exit_code) in (0, 4), report.to_markdown()
    after = read_table(voted / "artifacts/answers.parquet")
    assert after["author"].to_list() == [one for one in before["author"].to_list() if one != "anna"]
    told = str(after.to_dicts())
    assert "a good opinion" not in told
    assert "good again" not in told
    replayed = Project.find(voted).replay("judge")
    assert (int(replayed.exit_code), replayed.data["tables"][0]["compared"]) == (0, 4)
    assert int(Project.find(voted).verify().exit_code) == 0


def test_a_source_that_is_no_model_is_told_what_to_do_instead(project):
    """The small project has none at all."""
    with pytest.raises(UnknownName):
        Project.find(project).replay("words")


def test_the_page_quotes_what_the_code_knows():
    """Every kind of failure, and the parsers that are there."""
    from llm_project import PAGE

    from governance.sources.llm.http import ERRORS
    from governance.sources.llm.parsers import BUILT_IN

    page = PAGE.read_text()
    assert all(f"`{name}`" in page for name in (*ERRORS, *BUILT_IN))
    assert set(re.findall(r"\(`(\w+)`\)", page)) >= {"answering_model", "parse_errors", "few_shot_overlap"}


def test_a_run_without_the_key_ends_and_records_nothing(voted):
    """Exit 2, which variable is missing, and the former outputs are there."""
    done = run("labeltrail repro --force vote", voted)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "FORUM_API_KEY" in done.stdout + done.stderr
    assert int(Project.find(voted).verify().exit_code) == 0
