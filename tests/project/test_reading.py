"""`status`, `log`, `show`, `trace`, `sync`, `source` on a small project."""

from __future__ import annotations

import shutil

import pytest

from governance.errors import AmbiguousName, BrokenEvidence, Busy, InvalidRecord, MissingEvidence, UnknownName
from governance.facts import short
from governance.lineage.graph import Graph
from governance.project import Project, Table
from governance.project.repro import project_lock
from governance.records import Dataset, Finding, Recipe, Result


def test_status_tells_fresh_stale_changed_and_missing_apart(project):
    """Each state has its own word, and the next command follows from it."""
    governed = Project.find(project)
    assert int(governed.status().exit_code) == 0
    assert {stage["state"] for stage in governed.status().data["stages"]} == {"recorded"}
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("rows: 12", "rows: 99"))
    stale = governed.status()
    assert int(stale.exit_code) == 1
    assert [stage["state"] for stage in stale.data["stages"]] == ["stale", "recorded"]
    assert "make.rows was 12, is 99" in stale.data["stages"][0]["says"]
    assert "repro" in stale.data["next"]
    (project / "params.yaml").write_text(text)
    (project / "artifacts/count.json").write_text("{}")
    changed = governed.status()
    assert [stage["state"] for stage in changed.data["stages"]] == ["recorded", "changed"]
    assert "verify" in changed.data["next"]


def test_status_knows_what_never_ran_and_what_nobody_recorded(project):
    """A stage without a run and a run without a record are told apart; `sync` records."""
    governed = Project.find(project)
    for name in ("trail.db", "log"):
        (project / ".labeltrail" / name).unlink()
    Project.init(project)
    states = [stage["state"] for stage in Project.find(project).status().data["stages"]]
    assert states == ["unrecorded", "unrecorded"]
    assert "sync" in Project.find(project).status().data["next"]
    assert Project.find(project).sync().data["new_entries"] == 7
    assert int(Project.find(project).verify().exit_code) == 0
    del governed


def test_the_log_lists_entries_and_their_checkpoint(project):
    """Newest entries in order, with names that `show` opens."""
    governed = Project.find(project)
    told = governed.log(last=3).data
    assert [entry["seq"] for entry in told["entries"]] == list(range(told["size"] - 3, told["size"]))
    assert len(governed.log(last=None).data["entries"]) == told["size"]
    assert told["checkpoint"].split("\n")[1] == str(told["size"])
    for entry in told["entries"]:
        assert governed.show(entry["name"]).data["store"]["entry"] == entry["seq"]


def test_show_opens_a_record_by_name_short_name_or_title(project):
    """All fields, and the edges both ways."""
    governed = Project.find(project)
    finding = governed.facts().one(Finding, check="rows")
    for given in (finding.name, short(finding.name), "rows: pass"):
        told = governed.show(given).data
        assert told["name"] == finding.name
        assert told["body"]["says"] == "12 rows"
    relations = {(edge["direction"], edge["relation"]) for edge in told["edges"]}
    assert relations == {("up", "wasDerivedFrom"), ("up", "wasGeneratedBy")}
    with pytest.raises(UnknownName):
        governed.show("finding:ffffffff")
    with pytest.raises(AmbiguousName):
        governed.show("make")


def test_fields_without_a_value_are_left_to_programs(project):
    """People read what a record says, and how many fields say nothing; a zero and a false say something."""
    told = Project.find(project).show("dataset")
    body = told.data["body"]
    empty = [field for field, value in body.items() if value in (None, "", [], {})]
    assert empty
    (fields,) = [block for block in told.blocks if isinstance(block, Table) and block.columns == ("field", "value")]
    assert [row[0] for row in fields.rows] == [field for field in body if field not in empty]
    assert all(row[1] for row in fields.rows)
    assert f"{len(empty)} fields without a value: `--json` lists every field" in told.blocks


def test_what_show_and_trace_suggest_opens_a_record(project):
    """A kind of which there is one, or a title that one record has; never a title that several share."""
    governed = Project.find(project)
    with pytest.raises(UnknownName) as caught:
        governed.trace("dataste")
    assert caught.value.suggestions == ["dataset"]
    with pytest.raises(UnknownName) as caught:
        governed.show("mak")
    assert "(make)" in str(caught.value.hint)
    for suggested in caught.value.suggestions:
        governed.show(suggested)


def test_trace_goes_both_ways(project):
    """From the data down to the finding, from the finding up to the recipe of the first stage."""
    governed = Project.find(project)
    facts = governed.facts()
    dataset, finding = facts.one(Dataset), facts.one(Finding, check="rows")
    down = governed.trace("dataset").data
    assert finding.name in [step["name"] for step in down["down"]]
    up = governed.trace(finding.name, directions=("up",)).data
    assert {dataset.name, facts.one(Recipe, stage="make").name} <= {step["name"] for step in up["up"]}
    assert "down" not in up
    assert any(step["kind"] == "commitment" for step in down["store"]["down"])


def test_a_graph_with_a_cycle_ends_and_visits_each_once():
    """Every record is reached once, nearest first, in an order that does not follow that of the edges."""
    edges = [("a", "r", "b"), ("b", "r", "c"), ("c", "r", "a"), ("a", "r", "d"), ("d", "r", "c")]
    steps = Graph(edges).reach("a", "up")
    assert [(step.name, step.distance) for step in steps] == [("b", 1), ("d", 1), ("c", 2)]
    assert steps == Graph(reversed(edges)).reach("a", "up")
    assert [step.name for step in Graph(edges).reach("c", "down")] == ["b", "d", "a"]
    assert Graph([]).reach("a", "up") == []


def test_why_without_labels_is_missing_evidence(project):
    """A project that has no labels yet cannot explain one, exit 4."""
    with pytest.raises(MissingEvidence, match="kind labels"):
        Project.find(project).why("e/1")


def test_sources_of_a_project_without_any(project):
    """No sources: an empty table, and an unknown name is refused."""
    assert Project.find(project).source().data["sources"] == []
    with pytest.raises(UnknownName):
        Project.find(project).source("vader")


def test_an_audit_as_of_no_day_names_the_day_once(project):
    """The option, what was given, what was wanted."""
    with pytest.raises(InvalidRecord) as caught:
        Project.find(project).audit(as_of="soon")
    assert caught.value.message == "--as-of: given 'soon', wanted a date YYYY-MM-DD"


def test_every_report_is_markdown_too(project):
    """Tables become Markdown tables, and bars in cells do not break them."""
    text = Project.find(project).log().to_markdown()
    assert text.count("| --- | --- | --- | --- | --- |") == 1
    from governance.project.report import Report, table

    odd = Report("x", {}, (table(("a|b",), [("c|d\n`e`<f>",)], title="t"),)).to_markdown()
    assert odd == "**t**\n\n| a\\|b |\n| --- |\n| c\\|d \\`e\\`&lt;f> |\n"


def test_what_travels_is_told_alike_where_earlier_runs_are_known_and_where_not(project):
    """Where the original has two runs behind it and another store the newest alone, answers differ in `store` only."""
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    assert int(Project.find(project).repro().exit_code) == 0
    other = project.parent / "other"
    shutil.copytree(project, other, symlinks=True, ignore=shutil.ignore_patterns(".labeltrail"))
    assert int(Project.find(other).sync().exit_code) == 0

    def told(report) -> dict:
        return {key: value for key, value in report.data.items() if key != "store"}

    original, clone = Project.find(project), Project.find(other)
    names = [record.name for record in clone.current_facts()]
    assert len(names) > 5
    for name in names:
        assert told(original.trace(name)) == told(clone.trace(name))
        assert told(original.show(name)) == told(clone.show(name))
    earlier = next(r for r in original.facts().of(Result) if r.name not in names)
    assert earlier.name not in str(told(original.trace(names[0])))
    assert int(original.trace(earlier.name).exit_code) == 0


def test_files_of_a_run_that_nobody_recorded_are_not_called_broken(reference):
    """After a repro that was killed, `why` says what is not recorded yet; while one is at work, it says busy."""
    governed = Project.find(reference)
    example = governed.explainer().examples[0]
    shutil.copyfile(reference / "artifacts/labels/labels.parquet", reference / "kept.parquet")
    (reference / "artifacts/labels/labels.parquet").write_bytes(b"of another run")
    with pytest.raises(BrokenEvidence):
        Project.find(reference).why(example)
    with project_lock(governed.config, wait_seconds=0.0), pytest.raises(Busy):
        Project.find(reference).why(example)
    shutil.move(reference / "kept.parquet", reference / "artifacts/labels/labels.parquet")
    params = reference / "params.yaml"
    params.write_text(params.read_text().replace("strength: 100", "strength: 90"))
    state, away = reference / ".labeltrail/trail.db", reference / "older.db"
    shutil.copyfile(state, away)
    assert int(Project.find(reference).repro(targets=["combine"]).exit_code) == 0
    shutil.move(away, state)
    with pytest.raises(MissingEvidence, match="combine ran and is not recorded yet"):
        Project.find(reference).why(example)
