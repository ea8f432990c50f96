"""Votes from elsewhere are a run of the project: recorded, explained, verified, and nobody's name in the log."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from governance.errors import ConfigurationError, InvalidRecord, MissingEvidence, UnknownName
from governance.project import Project
from governance.records import Dataset, Environment, Execution, LongVotes, Recipe, Result, Source, Votes
from governance.sources.ingest import Options
from governance.store.forgetting import ReturnedSubject
from governance.votes.table import read_votes

EXPORTS = Path(__file__).parents[1] / "sources/exports"
CROWD = "worker,task,label,text\n" + "".join(
    f"{line}\n"
    for line in (
        "maria@example.org,t1,neg,Dull",
        "jun,t1,pos,Dull",
        "jun,t1,neg,Dull",
        "maria@example.org,t2,pos,Good",
    )
)


@pytest.fixture
def project(tmp_path):
    """A project without a pipeline, and a crowd table outside of it."""
    Project.init(tmp_path / "project", name="bare", reference=False)
    (tmp_path / "crowd.csv").write_text(CROWD)
    return Project.find(tmp_path / "project")


def again(project) -> Project:
    return Project.find(project.config.root)


def test_an_import_is_a_run_with_examples_votes_and_sources(project, tmp_path):
    """The export lies below the project and is the recipe's input; the tables are whole, and committed to row by row."""
    report = project.ingest(tmp_path / "crowd.csv")
    assert int(report.exit_code) == 0
    assert (report.data["format"], report.data["guessed"], report.data["form"]) == ("crowd", True, "long")
    facts = project.trail.facts()
    (votes,), (dataset,), (recipe,) = facts.of(Votes), facts.of(Dataset), facts.of(Recipe)
    assert isinstance(votes, LongVotes)
    assert (votes.rows, votes.answers, votes.repeated, votes.dataset) == (2, 4, 1, dataset.name)
    assert [ref.path for ref in recipe.inputs] == ["artifacts/ingested/crowd/export.csv"]
    assert recipe.stage == "ingested/crowd"
    table = read_votes(project.config.root / "artifacts/ingested/crowd/votes.parquet")
    assert sorted(table.sources) == sorted(source.name for source in facts.of(Source))
    assert [column.name for column in dataset.columns] == ["example_id", "text"]


def test_an_import_has_an_execution_of_its_own(project, tmp_path):
    """When, where and by whom it was brought in, of that very result; the same import again adds none, another one does."""
    project.ingest(tmp_path / "crowd.csv")
    facts = project.trail.facts()
    (execution,), (result,) = facts.of(Execution), facts.of(Result)
    assert (execution.stage, execution.result) == ("ingested/crowd", result.name)
    assert 0 < execution.started <= execution.ended
    assert execution.machine
    assert isinstance(facts.get(execution.environment), Environment)
    again(project).ingest(tmp_path / "crowd.csv")
    assert len(project.trail.facts().of(Execution)) == 1
    (tmp_path / "crowd.csv").write_text(CROWD.replace("jun,t1,pos", "jun,t1,neg"))
    again(project).ingest(tmp_path / "crowd.csv")
    assert len(project.trail.facts().of(Execution)) == 2


def test_runs_from_outside_are_left_out_of_reproduction_and_named(project, tmp_path):
    """Nothing of dvc.yaml is there to be run again, which is no success: exit 4. Asked for by name it cannot be run."""
    project.ingest(tmp_path / "crowd.csv")
    report = again(project).reproduce()
    assert int(report.exit_code) == 4
    assert (report.data["reproductions"], report.data["left_out"]) == ([], ["ingested/crowd"])
    assert "left out, since no stage of dvc.yaml makes it again: ingested/crowd" in report.to_markdown()
    named = again(project).reproduce("ingested/crowd")
    assert int(named.exit_code) == 4
    assert [one["outcome"] for one in named.data["reproductions"]] == ["unable"]


def test_status_verify_trace_and_source_know_an_import(project, tmp_path):
    """It is current, whole, and what it came from and led to is told; a changed vote is noticed."""
    project.ingest(tmp_path / "crowd.csv")
    project = again(project)
    (told,) = project.status().data["stages"]
    assert (told["stage"], told["state"]) == ("ingested/crowd", "recorded")
    assert int(project.verify().exit_code) == 0
    sources = project.source().data["sources"]
    assert [one["source_kind"] for one in sources] == ["crowd", "crowd"]
    assert sorted(one["coverage"] for one in sources) == ["100.0 %", "50.0 %"]
    assert project.trace("votes", directions=("up",)).data
    path = project.config.root / "artifacts/ingested/crowd/votes.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert int(again(project).verify().exit_code) == 3


def test_why_tells_every_answer_on_an_example(project, tmp_path):
    """Before any label model was fitted: who said what, how often, and a leaf for each of the rows."""
    project.ingest(tmp_path / "crowd.csv")
    told = again(project).why("t1")
    assert sorted((vote["repeat"], vote["said"]) for vote in told.data["votes"]) == [(0, "neg"), (0, "pos"), (1, "neg")]
    assert [leaf["of"] for leaf in told.data["store"]["commitments"]] == ["votes", "votes", "votes", "dataset"]
    assert all("leaf" in leaf for leaf in told.data["store"]["commitments"])
    with pytest.raises(UnknownName):
        again(project).why("t9")


def test_no_name_of_an_annotator_is_in_the_store_or_in_what_travels(project, tmp_path):
    """Only the copy of the export holds names; another store calls the same people otherwise."""
    project.ingest(tmp_path / "crowd.csv")
    root = project.config.root
    holds = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and (b"maria" in path.read_bytes() or b"jun" in path.read_bytes())
    }
    assert holds == {"artifacts/ingested/crowd/export.csv"}
    Project.init(tmp_path / "other", name="other", reference=False)
    other = Project.find(tmp_path / "other")
    other.ingest(tmp_path / "crowd.csv")
    names = [{source.title for source in one.trail.facts().of(Source)} for one in (project, other)]
    assert not names[0] & names[1]


def test_an_annotator_has_one_pseudonym_over_imports(project, tmp_path):
    """The same person is the same source in every import of a store."""
    project.ingest(tmp_path / "crowd.csv")
    (tmp_path / "more.csv").write_text("worker,task,label\njun,t7,neg\njun,t8,pos\n")
    report = again(project).ingest(tmp_path / "more.csv")
    assert {one["title"] for one in report.data["sources"]} < {
        source.title for source in project.trail.facts().of(Source) if source.source_kind == "crowd"
    }
    assert again(project).why("t7").data["votes"][0]["said"] == "neg"


def test_names_are_recorded_where_somebody_states_that_they_are_nobodys(project, tmp_path):
    """The statement is a parameter of the recipe and stands with each source."""
    project.ingest(tmp_path / "crowd.csv", names="the workers are numbered machines")
    facts = project.trail.facts()
    assert {source.title for source in facts.of(Source)} == {"jun", "maria@example.org"}
    assert {source.personal_data_note for source in facts.of(Source)} == {"the workers are numbered machines"}
    assert facts.of(Recipe)[0].parameters["names"] == '"the workers are numbered machines"'


def test_an_import_at_fault_leaves_everything_as_it_was(project, tmp_path):
    """Neither a file nor an entry comes of it."""
    (tmp_path / "bad.csv").write_text("worker,task,label\nw,t1,yes\nw,,no\n")
    size, files = project.trail.size(), sorted(project.config.root.rglob("*"))
    with pytest.raises(InvalidRecord, match=r"rows\[1\]\.task"):
        project.ingest(tmp_path / "bad.csv")
    with pytest.raises(ConfigurationError, match="no such file"):
        project.ingest(tmp_path / "missing.csv")
    with pytest.raises(UnknownName, match="crwd"):
        project.ingest(tmp_path / "crowd.csv", format="crwd")
    with pytest.raises(InvalidRecord, match="letters, digits"):
        project.ingest(tmp_path / "crowd.csv", name="../../etc")
    assert [path for path in sorted(project.config.root.rglob("*")) if path.name != "lock"] == [
        path for path in files if path.name != "lock"
    ]
    assert project.trail.size() == size


def test_rows_at_fault_go_to_a_quarantine_that_can_be_opened(project, tmp_path):
    """The others come in, the finding says how many did not, and every row of the export is in one or the other."""
    (tmp_path / "bad.csv").write_text("worker,task,label\nw,t1,yes\nw,,no\nv,t1,maybe\nv,t2,no\n")
    options = Options(classes=("no", "yes"))
    report = project.ingest(tmp_path / "bad.csv", options=options, quarantine=tmp_path / "aside.jsonl")
    assert int(report.exit_code) == 1
    lines = [json.loads(line) for line in (tmp_path / "aside.jsonl").read_text().splitlines()]
    assert [(line["row"], line["field"]) for line in lines] == [(1, "task"), (2, "label")]
    assert lines[1]["record"] == {"worker": "v", "task": "t1", "label": "maybe"}
    assert report.data["answers"] == 2
    (found,) = again(project).status().data["open"]
    assert found["says"] == "2 rows of the export were put aside and did not come in."


def test_the_same_import_again_is_nothing_new(project, tmp_path):
    """A second time states no new fact; a changed export is another run, and the newest is current."""
    project.ingest(tmp_path / "crowd.csv")
    size = project.trail.size()
    assert again(project).ingest(tmp_path / "crowd.csv").data["new_entries"] == 0
    assert project.trail.size() == size
    (tmp_path / "crowd.csv").write_text(CROWD.replace("jun,t1,pos", "jun,t1,neg"))
    again(project).ingest(tmp_path / "crowd.csv")
    assert sorted(vote["said"] for vote in again(project).why("t1").data["votes"]) == ["neg", "neg", "neg"]
    assert int(again(project).verify().exit_code) == 0


def test_who_is_gold_decides_the_recipe(project, tmp_path):
    """Another choice of gold annotators is another run, not a second result of the same one."""
    project.ingest(tmp_path / "crowd.csv")
    report = again(project).ingest(tmp_path / "crowd.csv", options=Options(gold=("jun",)))
    assert report.data["problem"] == ""
    assert sorted(one["kind"] for one in report.data["sources"]) == ["crowd", "gold"]


def test_every_row_of_an_erased_example_leaves_the_long_table(project, tmp_path):
    """All answers on it go, the leaves of the others still verify, and whoever comes back is not recorded."""
    (tmp_path / "crowd.csv").write_text(CROWD.replace("t1", "task-4711"))
    project.ingest(tmp_path / "crowd.csv")
    again(project).subject_erase("task-4711", reason="she asked")
    table = read_votes(project.config.root / "artifacts/ingested/crowd/votes.parquet")
    assert table.ids.to_list() == ["t2"]
    assert b"task-4711" not in (project.config.root / "artifacts/ingested/crowd/export.csv").read_bytes()
    report = again(project).verify()
    assert int(report.exit_code) == 0
    assert [check["state"] for check in report.data["checks"] if "votes.parquet" in check["culprit"]] == ["erased"]
    size = project.trail.size()
    with pytest.raises(ReturnedSubject):
        again(project).ingest(tmp_path / "crowd.csv")
    assert project.trail.size() == size
    with pytest.raises(MissingEvidence, match="erased by entry"):
        again(project).why("task-4711")


def test_what_was_exported_elsewhere_is_ingested_as_it_is(project, tmp_path):
    """Each export of the tests, as its content says what it is."""
    for path in sorted(EXPORTS.iterdir()):
        report = again(project).ingest(path, name=path.stem)
        assert (int(report.exit_code), report.data["problem"]) == (0, "")
    assert int(again(project).verify().exit_code) == 0


def test_the_command_line_says_what_it_guessed_and_answers_a_fault_without_a_traceback(project, tmp_path):
    """Data goes to stdout, a fault to stderr with its exit code and the way out."""

    def labeltrail(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "governance", "-C", str(project.config.root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    shutil.copy(EXPORTS / "label_studio.json", tmp_path / "ls.json")
    done = labeltrail("ingest", str(tmp_path / "ls.json"), "--classes", "bad,good")
    assert done.returncode == 0, done.stderr
    assert "label-studio, as it looks" in done.stdout
    done = labeltrail("ingest", str(tmp_path / "ls.json"), "--classes", "bad,fine")
    assert done.returncode == 2
    assert "rows[0].annotations[0]: given 'good', wanted one of bad, fine" in done.stderr
    assert "--quarantine" in done.stderr
    assert "Traceback" not in done.stderr
