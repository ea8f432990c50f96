"""`repro --summary --junit`: what a pull request and a test counter get, also when a stage fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from small_project import git

from governance.errors import Busy, ConfigurationError, GovernanceError
from governance.project import Project
from governance.project.repro import project_lock
from governance.project.summary import LIMIT, unfinished_summary
from governance.records import Repro


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def told(root: Path, **options) -> tuple[int, str, ET.Element]:
    """Exit code, summary and JUnit of a repro; both files go to a folder that is not there yet."""
    report = Project.find(root).repro(
        summary=root / "reports/a/summary.md", junit=root / "reports/junit.xml", **options
    )
    xml = ET.fromstring((root / "reports/junit.xml").read_bytes())  # noqa: S314 - made above
    hold_against_the_schema(xml)
    return int(report.exit_code), (root / "reports/a/summary.md").read_text(), xml


def hold_against_the_schema(xml: ET.Element) -> None:
    """JUnit as CI servers read it: names, counts and times; a case has at most one outcome, and counts add up."""
    assert xml.tag == "testsuites"
    for suite in xml:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "skipped", "time"} <= set(suite.attrib)
        for case in suite:
            assert case.tag == "testcase"
            assert set(case.attrib) == {"classname", "name", "time"}
            assert float(case.attrib["time"]) >= 0
            assert len(case) <= 1
            assert all(outcome.tag in ("failure", "error", "skipped") and outcome.get("message") for outcome in case)
        assert len({case.attrib["name"] for case in suite}) == len(suite)
    for element in (xml, *xml):
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[count]) == len(list(element.iter(tag)))
        total = sum(float(case.attrib["time"]) for case in element.iter("testcase"))
        assert float(element.attrib["time"]) == pytest.approx(total, abs=0.01)


def cases(xml: ET.Element, suite: int = 0) -> dict[str, str]:
    return {case.attrib["name"]: (case[0].tag if len(case) else "passed") for case in xml[suite]}


def found(xml: ET.Element) -> list[str]:
    """How the project's own finding ended, among those that the library states of every stage."""
    return [outcome for name, outcome in cases(xml, 1).items() if name.startswith("rows of made")]


def test_what_ran_and_what_changed_stands_in_the_summary(project):
    """Stages with their times, the parameter from and to, the way on; JUnit counts the same stages."""
    edit(project, "params.yaml", "rows: 12", "rows: 14")
    code, text, xml = told(project)
    assert code == 0
    assert "**Exit code 0** (fine)" in text
    assert re.search(r"\| make \| executed \| \d+\.\d s \|", text)
    assert "- **make**: parameter make.rows changed from 12 to 14" in text
    assert "- **count**: 2 inputs from make" in text
    assert "`labeltrail diff count` tells rows, functions, labels and figures; `--json` has every figure" in text
    assert cases(xml) == {"make": "passed", "count": "passed"}
    assert found(xml) == ["passed"]


def test_an_unchanged_project_has_nothing_to_do(project):
    """Unchanged stages passed."""
    code, text, xml = told(project)
    assert code == 0
    assert "- nothing" in text
    assert "Every stage stands by the run that stood before." in text
    assert cases(xml) == {"make": "passed", "count": "passed"}


def test_a_failed_stage_is_told_in_both_files(project):
    """That is when they are needed: what was edited, why it failed, what was not reached."""
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', '    rows = run.params["wors"]')
    code, text, xml = told(project)
    assert code == 1
    assert "**Exit code 1**" in text
    assert "Stage make failed: KeyError" in text
    assert "- **make** (failed): code pipelines/make.py was edited" in text
    assert "- nothing" not in text
    assert cases(xml) == {"make": "failure", "count": "skipped"}
    (failure,) = xml.iter("failure")
    assert "KeyError" in failure.attrib["message"]
    assert ".labeltrail/repro.log" in (failure.text or "")


def test_a_stage_that_failed_without_an_edit_leaves_nothing_that_stands(project):
    """What a repro did not come to is not said to stand by the run before."""
    edit(project, "dvc.yaml", "python -m pipelines.make", "python -m pipelines.nowhere")
    code, text, _ = told(project)
    assert code == 1
    assert "stands by the run" not in text


def test_nothing_to_do_stands_alone(project, monkeypatch, tmp_path):
    """Beside something to do it is not said."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    _, text, _ = told(project)
    assert "the checkpoint is unsigned" in text
    assert "- nothing" not in text


def test_stages_that_were_not_asked_for_are_told_as_such_in_both_files(project):
    """They were left out on purpose, and are no part of what stands."""
    code, text, xml = told(project, targets=["make"])
    assert code == 0
    assert "| count | not asked for |" in text
    assert "Every stage that was asked for stands by the run that stood before." in text
    assert [skipped.attrib["message"] for skipped in xml[0].iter("skipped")] == ["stage count not asked for"]


def test_a_finding_that_fails_is_a_failure_and_one_that_is_unknown_never_passes(project):
    """In a suite of its own; the summary shows them as new, and not again as new the next time."""
    edit(project, "pipelines/count.py", 'outcome="pass"', 'outcome="fail"')
    code, text, xml = told(project)
    assert code == 0
    assert found(xml) == ["failure"]
    assert "| rows | dataset “made” | pass | fail | 12 rows |" in text
    assert "1 of them new" in text
    _, text, xml = told(project)
    assert "0 of them new" in text
    assert found(xml) == ["skipped"]
    assert "failed before this run too: 12 rows" in [skipped.attrib["message"] for skipped in xml.iter("skipped")]
    edit(project, "pipelines/count.py", 'outcome="fail"', 'outcome="unknown"')
    assert found(told(project)[2]) == ["skipped"]


def test_what_the_same_run_is_newly_found_to_do_is_a_failure_once(project):
    """The run before is the same result, and was not yet found to use what dvc.yaml has ceased to list."""
    edit(project, "dvc.yaml", "deps: [pipelines/make.py, pipelines/helper.py]", "deps: [pipelines/make.py]")
    for expected in (["failure"], ["skipped"]):
        code, text, xml = told(project, targets=["make"], force=True)
        assert code == 0
        undeclared = [how for name, how in cases(xml, 1).items() if name.startswith("undeclared") and "make" in name]
        assert undeclared == expected
        assert ("1 of them new" in text) == (expected == ["failure"])


EVIL = "x | y\\n# h <script>alert(1)</script> [a](javascript:alert(1)) @everyone `c` \\x1b[2J\\u202e ]]> & <failure/>"


def test_hostile_text_stays_text_in_both_files(project):
    """Whoever names a finding cannot forge a heading, a link, a mention, a row, a tag or a case."""
    edit(project, "pipelines/count.py", 'outcome="pass"', 'outcome="fail"')
    edit(project, "pipelines/count.py", 'says=f"{len(frame)} rows"', f'says="{EVIL}"')
    edit(
        project, "params.yaml", "make: {rows: 12}", 'make: {rows: 12, note: "<img src=x> | @all [z](http://z.example)"}'
    )
    _, text, xml = told(project)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# h" not in text
    assert "](" not in text.replace("\\](", "")
    # Names behind an @ and addresses stand in code, where no reader makes mentions and links of them.
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert "@everyone" not in outside
    assert not re.search(r"(?<!\\)[<\[]", outside)
    assert "http" not in outside
    rows = [line for line in text.split("\n") if line.startswith("| rows |")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6]
    (failure,) = xml.iter("failure")
    assert "<failure/>" in (failure.text or "")


def test_the_summary_fits_into_a_comment_whatever_the_project_says(project):
    """Cut at a line below the limit, verdict and way on first, and it says that it was cut."""
    many = "for i in range(2000):\n        run.state(Finding.make(check=f'c{i}', subject=made.name, outcome='fail', "
    many += "says='|' * 5000))\n    run.state(\n        Finding.make(\n            check=\"rows\""
    edit(project, "pipelines/count.py", 'run.state(\n        Finding.make(\n            check="rows"', many)
    params = "make: {rows: 12, " + ", ".join(f"p{i}: '{'<' * 2000}'" for i in range(300)) + "}"
    edit(project, "params.yaml", "make: {rows: 12}", params)
    code, text, _ = told(project)
    assert code == 0
    assert len(text.encode()) <= LIMIT
    assert text.startswith("## LabelTrail: repro of small\n\n**Exit code 0**")
    assert len(unfinished_summary("n" * 10**6, "s" * 10**6).encode()) <= LIMIT


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("params.yaml", "params.yaml"),
        ("dvc.lock", "dvc.lock"),
        ("artifacts/count.json", "artifacts/count.json"),
        ("pipelines/make.py", "pipelines/make.py"),
        (".labeltrail/trail.db", ".labeltrail"),
        (".git/config", ".git"),
        (".gitignore", "git keeps"),
        ("pipelines/__init__.py", "git keeps"),
        ("artifacts", "is no file"),
        ("labeltrail.toml/x", "labeltrail.toml"),
        ("README/x", "cannot be written"),
    ],
)
@pytest.mark.parametrize("option", ["summary", "junit"])
def test_a_place_that_cannot_take_it_is_refused_before_anything_runs(project, place, says, option):
    """One error, exit 2; no stage ran, no entry was made, no file was touched."""
    (project / "README").write_text("a file")
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    governed = Project.find(project)
    size = governed.trail.size()
    before = (project / place).read_bytes() if (project / place).is_file() else None
    with pytest.raises(ConfigurationError) as caught:
        governed.repro(**{option: project / place})
    assert says in caught.value.message
    assert caught.value.hint
    assert governed.trail.size() == size
    if before is not None:
        assert (project / place).read_bytes() == before


def test_a_summary_that_git_keeps_is_written_again(project):
    """Whoever commits reports may go on; so may whoever keeps notes that git does not know."""
    (project / "notes.md").write_text("not in git\n")
    told(project)
    git(project, "add", "-A", "-f", "reports")
    git(project, "commit", "-q", "-m", "reports")
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    code, text, _ = told(project)
    assert code == 0
    assert "make.rows changed from 12 to 13" in text
    Project.find(project).repro(summary=project / "notes.md")
    assert (project / "notes.md").read_text().startswith("## LabelTrail")


def test_a_broken_pipeline_leaves_no_earlier_answer(project):
    """What is wrong with dvc.yaml replaces the summary of last time; a file that is no summary is left alone."""
    told(project)
    (project / "notes.md").write_text("mine\n")
    (project / "dvc.yaml").write_text("stages: [")
    for summary in ("reports/a/summary.md", "new.md", "notes.md"):
        with pytest.raises(GovernanceError, match=r"dvc\.yaml"):
            Project.find(project).repro(summary=project / summary, junit=project / "reports/junit.xml")
    for name in ("reports/a/summary.md", "new.md"):
        text = (project / name).read_text()
        assert "**Not done.** exit code 2" in text
        assert "dvc" in text
        assert "Exit code 0" not in text
    assert (project / "notes.md").read_text() == "mine\n"
    xml = ET.fromstring((project / "reports/junit.xml").read_bytes())  # noqa: S314 - made above
    assert cases(xml) == {"repro": "error"}


def test_sources_are_named_in_the_summary_without_being_read(project, monkeypatch):
    """One clause needs no content: a source may be larger than the memory."""
    (project / "words.csv").write_text("a\n")
    edit(project, "dvc.yaml", "pipelines/helper.py]", "pipelines/helper.py, words.csv]")
    edit(project, "pipelines/make.py", "    frame =", '    run.input("words.csv")\n    frame =')
    assert told(project)[0] == 0
    (project / "words.csv").write_text("b\n")

    def opened(*_, **__):
        raise AssertionError("a summary opened contents")

    monkeypatch.setattr("governance.project.contents.compare_files", opened)
    monkeypatch.setattr("governance.project.contents.Contents.files", opened)
    assert "input words.csv changed" in told(project)[1]


def test_two_options_with_one_file_are_refused(project):
    """One would overwrite the other."""
    with pytest.raises(ConfigurationError, match="one file"):
        Project.find(project).repro(summary=project / "a.md", junit=project / "x" / ".." / "a.md")


def test_a_repro_that_never_began_leaves_no_earlier_answer(project):
    """What a busy project says replaces the summary of last time."""
    told(project)
    governed = Project.find(project)
    with project_lock(governed.config, wait_seconds=0.0), pytest.raises(Busy):
        told(project)
    text = (project / "reports/a/summary.md").read_text()
    assert "**Not done.** exit code 5" in text
    xml = ET.fromstring((project / "reports/junit.xml").read_bytes())  # noqa: S314 - made above
    hold_against_the_schema(xml)
    assert cases(xml) == {"repro": "error"}


def test_a_killed_repro_leaves_files_that_say_so(project):
    """Both are written before anything runs, with what holds if nothing follows."""
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', "    import time; time.sleep(600)")
    command = [sys.executable, "-m", "governance", "-C", str(project), "repro", "--summary", "s.md", "--junit", "j.xml"]
    with subprocess.Popen(
        command, cwd=project, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert any("make runs" in line for line in process.stderr)
        process.kill()
    assert "it did not finish" in (project / "s.md").read_text()
    assert cases(ET.fromstring((project / "j.xml").read_bytes())) == {"repro": "error"}  # noqa: S314 - made above


def test_runs_that_came_with_the_data_are_what_a_new_trail_compares_with(project):
    """A machine that builds has the runs of the clone and no trail of its own yet."""
    for name in ("trail.db", "log"):
        (project / ".labeltrail" / name).unlink()
    edit(project, "params.yaml", "rows: 12", "rows: 14")
    _, text, _ = told(project)
    assert "parameter make.rows changed from 12 to 14" in text


def test_a_run_whose_files_are_gone_is_known_from_the_trail(project):
    """Outputs that nobody pulled do not make a run the first one."""
    for path in ("artifacts/runs/make.json", "artifacts/facts/make.jsonl", "artifacts/data/made.parquet"):
        (project / path).unlink()
    edit(project, "params.yaml", "rows: 12", "rows: 14")
    _, text, _ = told(project)
    assert "parameter make.rows changed from 12 to 14" in text
    assert "first run" not in text


def test_the_files_make_no_tree_dirty(project):
    """Reports are no code: the repro after them runs as of the commit."""
    told(project)
    git(project, "status")
    governed = Project.find(project)
    assert int(governed.repro(force=True).exit_code) == 0
    from governance.records import Execution

    assert governed.facts().of(Execution)[-1].dirty is None


def labeltrail(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "governance", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=os.environ.copy())


def test_the_options_go_with_json(project):
    """stdout stays the answer; an error of a place is data too."""
    done = labeltrail(project, "repro", "--json", "--summary", "out/s.md", "--junit", "out/j.xml")
    assert done.returncode == 0
    assert json.loads(done.stdout)["stages"] == {"make": "unchanged", "count": "unchanged"}
    assert (project / "out/s.md").read_text().startswith("## LabelTrail")
    refused = labeltrail(project, "repro", "--json", "--summary", "params.yaml")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"] == "ConfigurationError"
    assert len(Project.find(project).facts().of(Repro)) == 2
