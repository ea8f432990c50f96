"""`diff`: what two runs have otherwise, where it began, and what it did."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from small_project import git

from governance.errors import AmbiguousName, ConfigurationError, InvalidRecord, MissingEvidence, UnknownName
from governance.project import Project
from governance.project.diff import metric_rows
from governance.records import Execution, Result


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def commit(root: Path, message: str = "more") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


def rerun(root: Path) -> Project:
    governed = Project.find(root)
    report = governed.repro()
    assert int(report.exit_code) == 0, report.to_markdown()
    return governed


def results(governed: Project, stage: str) -> list[str]:
    return [result.name for result in governed.facts().of(Result) if result.stage == stage]


def test_a_parameter_is_told_with_the_rows_that_it_made(project):
    """From and to, rows added with their ids, and the earlier stage in which it began."""
    edit(project, "params.yaml", "rows: 12", "rows: 14")
    governed = rerun(project)
    told = governed.diff("make").data
    assert told["parameters"] == [{"what": "parameter", "name": "make.rows", "was": "12", "now": "14"}]
    rows = next(one for one in told["effect"]["outputs"] if one["path"].endswith("made.parquet"))["rows"]
    assert (rows["was"], rows["now"], rows["added"], rows["removed"], rows["changed"]) == (12, 14, 2, 0, 0)
    assert rows["first"]["added"] == ["e/12", "e/13"]
    report = governed.diff("count")
    assert int(report.exit_code) == 0
    assert [(one["stage"], one["says"]) for one in report.data["began"]] == [
        ("make", ["parameter make.rows changed from 12 to 14"])
    ]
    read = next(one for one in report.data["inputs"] if one["path"].endswith("made.parquet"))
    assert [read["made_by"]["was"], read["made_by"]["now"]] == results(governed, "make")
    assert read["rows"]["added"] == 2
    assert not report.data["parameters"]
    assert "make: parameter make.rows changed from 12 to 14" in report.to_markdown()


def test_code_is_told_by_function_and_formatting_as_such(project):
    """Both texts are found by digest: the earlier one in a commit, the later one in the folder."""
    edit(project, "pipelines/helper.py", 'TEXT = "a text"', 'TEXT = "another text"')
    edit(project, "pipelines/make.py", "from pipelines.helper import TEXT", "from pipelines.helper import TEXT  # said")
    report = rerun(project).diff("make")
    assert int(report.exit_code) == 0
    assert {module["path"]: (module["how"], module["pieces"]) for module in report.data["code"]} == {
        "pipelines/helper.py": ("changed", [{"name": "TEXT", "kind": "value", "how": "changed"}]),
        "pipelines/make.py": ("formatting only", []),
    }
    rows = next(one for one in report.data["effect"]["outputs"] if "rows" in one)["rows"]
    assert (rows["changed"], rows["columns"]) == (12, {"text": 12})
    assert "pipelines/helper.py: TEXT changed" in report.to_markdown()


def test_code_that_no_commit_holds_is_named_and_unknown(project):
    """The module is named, its functions are not, exit 4 with the way out."""
    edit(project, "pipelines/helper.py", "a text", "an uncommitted text")
    governed = rerun(project)
    edit(project, "pipelines/helper.py", "an uncommitted text", "a third text")
    rerun(project)
    names = results(governed, "make")
    report = governed.diff(names[1], names[2])
    assert int(report.exit_code) == 4
    assert [(module["path"], module["pieces"]) for module in report.data["code"]] == [("pipelines/helper.py", None)]
    (unknown,) = report.data["unknown"]
    assert "earlier text" in unknown["says"]
    assert "commit" in unknown["hint"]
    # The rows of a run that no committed dvc.lock ever named are in DVC's cache all the same.
    assert next(one for one in report.data["effect"]["outputs"] if "rows" in one)["rows"]["changed"] == 12
    assert int(governed.diff(names[0], names[2]).exit_code) == 0


def test_two_runs_neither_of_which_lies_in_the_project_are_compared(project):
    """Contents come from DVC's cache, code from commits, whatever the folder holds now."""
    for text in ("a second text", "a third text", "a fourth text"):
        edit(project, "pipelines/helper.py", (project / "pipelines/helper.py").read_text(), f'TEXT = "{text}"\n')
        governed = rerun(project)
        commit(project, text)
    names = results(governed, "make")
    report = governed.diff(names[1], names[2])
    assert int(report.exit_code) == 0
    assert report.data["code"][0]["pieces"] == [{"name": "TEXT", "kind": "value", "how": "changed"}]
    assert next(one for one in report.data["effect"]["outputs"] if "rows" in one)["rows"]["changed"] == 12
    backwards = governed.diff(names[2], names[1]).data
    assert (backwards["was"]["result"], backwards["now"]["result"]) == (names[2], names[1])


def test_a_content_that_is_nowhere_is_unknown_and_says_how_to_get_it(project):
    """Never a count of rows that nobody could look at."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    governed = rerun(project)
    shutil.rmtree(project / ".dvc/cache")
    report = governed.diff("make")
    assert int(report.exit_code) == 4
    made = next(one for one in report.data["effect"]["outputs"] if one["path"].endswith("made.parquet"))
    assert made["outcome"] == "unknown"
    assert "rows" not in made
    assert any("dvc fetch" in unknown["hint"] and "dvc push" in unknown["hint"] for unknown in report.data["unknown"])
    assert report.data["parameters"][0]["now"] == "13"


def test_a_name_a_prefix_a_stage_and_a_commit_stand_for_runs(project):
    """One run in four ways; a commit stands beside a stage or a result."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    governed = rerun(project)
    first, second = results(governed, "make")
    for was, now in ((first, second), (first[:16], "make"), (first.partition(":")[2][:12], second), ("HEAD", "make")):
        told = governed.diff(was, now).data
        assert (told["was"]["result"], told["now"]["result"]) == (first, second)
    assert governed.diff("make", "HEAD").data["now"]["result"] == first
    assert governed.diff("make").data["was"]["result"] == first


def test_the_run_before_is_the_one_that_stood_before_also_after_going_back(project):
    """After going back to older parameters, the newer run is the one before."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    rerun(project)
    edit(project, "params.yaml", "rows: 13", "rows: 12")
    governed = rerun(project)
    first, second = results(governed, "make")
    told = governed.diff("make").data
    assert (told["was"]["result"], told["now"]["result"]) == (second, first)


def test_the_same_result_twice_differs_in_nothing(project):
    """It says so and answers 0."""
    report = Project.find(project).diff("make", "make")
    assert int(report.exit_code) == 0
    assert report.data["same_result"]
    assert "same result twice" in report.to_markdown()


@pytest.mark.parametrize(
    ("runs", "error", "says"),
    [
        (("make", "count"), InvalidRecord, "two runs of one stage"),
        (("make",), MissingEvidence, "no run of stage make before"),
        (("maek",), UnknownName, "did you mean make"),
        (("make", "nowhere"), UnknownName, "nowhere"),
        (("HEAD", "HEAD~0"), ConfigurationError, "stage beside it"),
        (("make", "make", "make"), InvalidRecord, "one run or two"),
        (("make", "--help"), UnknownName, "--help"),
        ((), InvalidRecord, "one run or two"),
    ],
    ids=["two_stages", "first_run", "misspelt", "no_commit", "two_commits", "three", "option", "none"],
)
def test_what_names_no_two_runs_is_one_error_with_the_way_out(project, runs, error, says):
    """Each refusal says what was wrong and what to write."""
    with pytest.raises(error) as caught:
        Project.find(project).diff(*runs)
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_a_prefix_that_fits_two_runs_is_ambiguous(project):
    """More of the name is asked for."""
    from governance.facts import match_name

    names = results(Project.find(project), "make")
    with pytest.raises(AmbiguousName):
        match_name("result:aaaa", {"result:aaaa1": "", "result:aaaa2": ""})
    assert match_name(names[0][:14], {name: name for name in names}) == names[0]


def test_the_surroundings_of_both_executions_are_compared(project):
    """A variable that changes results, and the revision that ran."""
    commit_before = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    )
    edit(project, "params.yaml", "threads: 1", "threads: 2")
    governed = rerun(project)
    told = governed.diff("make").data
    assert {"what": "", "name": "threads", "was": "1", "now": "2"} in told["parameters"]
    changed = {change["name"]: change for change in told["surroundings"]}
    assert changed["OMP_NUM_THREADS"]["now"] == "2"
    assert changed["revision"]["now"] == commit_before.stdout.strip()
    assert all(one["outcome"] == "identical" for one in told["effect"]["outputs"])


def test_without_the_executions_the_surroundings_are_unknown(project):
    """A clone that took the runs in knows what they were, and not where they ran: exit 4."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    rerun(project)
    for name in ("trail.db", "log"):
        (project / ".labeltrail" / name).unlink()
    governed = Project.find(project)
    governed.sync()
    edit(project, "params.yaml", "rows: 13", "rows: 14")
    rerun(project)
    governed = Project.find(project)
    assert len(governed.facts().of(Execution)) == 2
    report = governed.diff("make")
    assert int(report.exit_code) == 4
    assert [unknown["what"] for unknown in report.data["unknown"]] == ["surroundings"]


def test_one_recipe_with_two_results_is_named_as_what_it_is(project):
    """Where the recipe is the same, something outside of it decided."""
    edit(project, "pipelines/count.py", '{"rows": len(frame)}', '{"rows": __import__("time").time_ns() // 1000}')
    governed = rerun(project)
    commit(project)
    assert int(governed.repro(force=True).exit_code) == 0
    told = Project.find(project).diff("count").data
    assert told["same_recipe"]
    assert "something outside it decides" in told["began"][0]["says"][0]
    assert [one["check"] for one in told["effect"]["findings"]] == []
    counted = next(one for one in told["effect"]["outputs"] if one["path"] == "artifacts/count.json")
    assert (counted["outcome"], counted["keys"]["changed"]) == ("different", ["rows"])


def test_a_table_of_the_cache_is_compared_by_value_though_its_name_is_lost(project):
    """What DVC keeps has no suffix: a reproduction that differs in its last digits is still equal within tolerance."""
    from governance.runs.compare import compare_files

    frame = pl.DataFrame({"example_id": ["a"], "p": [0.5]})
    frame.write_parquet(project / "0123456789")
    frame.with_columns(p=pl.col("p") + 1e-12).write_parquet(project / "again.parquet")
    assert compare_files(project / "0123456789", project / "again.parquet").outcome == "equal within tolerance"


def labeltrail(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "governance", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_verb_answers_people_and_programs(project):
    """Tables, Markdown, JSON with a schema version; a section without differences is a word in one line."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    rerun(project)
    text = labeltrail(project, "diff", "make")
    assert (text.returncode, text.stderr) == (0, "")
    assert "make.rows" in text.stdout
    assert "no difference told in: inputs, code, environment" in text.stdout
    told = json.loads(labeltrail(project, "diff", "make", "--json").stdout)
    assert (told["schema_version"], told["verb"], told["stage"]) == (1, "diff", "make")
    assert labeltrail(project, "diff", "make", "--md").stdout.startswith("make: result:")
    refused = labeltrail(project, "diff", "make", "count")
    assert (refused.returncode, refused.stdout) == (2, "")


def figure(metric: str, was: str | None, now: str | None, inside: bool | None = None) -> dict[str, object]:
    delta = str(Decimal(now) - Decimal(was)) if was is not None and now is not None else None
    limits = {"low": None, "high": None} if inside is None else {"low": "0.1", "high": "0.2"}
    changed = {"metric": metric, "of": "model", "slice": "all", "was": was, "now": now, "delta": delta}
    return changed | limits | {"inside_interval": inside}


def test_figures_are_told_by_how_far_they_moved():
    """Largest moves first, up or down; what no digit shows is left out and counted; the interval is told in words."""
    changes = [
        figure("still", "0.50001", "0.50002"),
        figure("new", None, "0.3"),
        figure("little", "0.10", "0.11", inside=True),
        figure("down", "0.9", "0.4", inside=False),
        figure("up", "0.1", "0.4"),
        figure("alike", "0.1", "0.4"),
    ]
    rows, more = metric_rows(changes, shown=12)
    assert [row[0] for row in rows] == ["down", "up", "alike", "little", "new"]
    assert rows[0][3:] == ("0.9000", "0.4000", "-0.5000", "0.100 to 0.200, the new figure is outside")
    assert rows[3][6] == "0.100 to 0.200, the new figure is inside"
    assert rows[4][3:] == ("none", "0.3000", "", "")
    assert more == "1 figure moved by less than 4 digits show"
    rows, more = metric_rows(changes, shown=2)
    assert [row[0] for row in rows] == ["down", "up"]
    assert more == "3 more figures moved less; 1 figure moved by less than 4 digits show"
    assert metric_rows([], shown=2) == ([], "")


def test_a_finding_with_other_figures_and_the_same_outcome_is_not_said_to_be_the_same(project):
    """The keys of the facts file tell it; the last line speaks of outcomes alone."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    text = rerun(project).diff("count").to_markdown()
    assert "finding “rows”" in text
    assert "outcomes of findings" in text.split("no difference told in: ")[1]


def test_hostile_ids_and_parameters_steer_no_terminal_and_become_no_link(project):
    """Whatever rows and parameters hold is shown as text, on the screen and in Markdown."""
    edit(
        project,
        "params.yaml",
        "make: {rows: 12}",
        'make: {rows: 12, note: "[a](http://x.example) \\e[2J ' + "n" * 5000 + '"}',
    )
    edit(project, "pipelines/make.py", 'f"e/{i}"', 'f"e/{i}\\x1b[2J[b](http://y.example)"')
    rerun(project)
    text, markdown = labeltrail(project, "diff", "make").stdout, labeltrail(project, "diff", "make", "--md").stdout
    assert "\x1b" not in text + markdown
    assert "](" not in markdown.replace("\\](", "")
    assert "make.note" in text
    assert "n" * 300 not in text
    (change,) = json.loads(labeltrail(project, "diff", "make", "--json").stdout)["parameters"]
    assert "n" * 5000 in change["now"]


def test_ids_stand_on_the_screen_and_never_in_the_log(project):
    """To look at a difference enters nothing."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    governed = rerun(project)
    size = governed.trail.size()
    assert "e/12" in labeltrail(project, "diff", "make").stdout
    assert Project.find(project).trail.size() == size
    assert b"e/12" not in (project / ".labeltrail/trail.db").read_bytes()
