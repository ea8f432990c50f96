"""A stage that uses what dvc.yaml does not list: named with its files, until dvc.yaml is mended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
import yaml

from governance.project import Project
from governance.project.report import Report
from governance.records import Execution, Finding

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has inotify")
BY = ["audit hook", "inotify"]


def findings(root: Path, *, stage: str = "count") -> list[Finding]:
    """What stands now about undeclared files of a stage."""
    found = Project.find(root).current_facts().of(Finding)
    return [
        finding for finding in found if finding.check == "undeclared_files" and f"stage {stage}" in finding.says.lower()
    ]


def insert(root: Path, *, above: str = "", body: str = "") -> None:
    """Puts lines before the second stage begins, and into it."""
    path = root / "pipelines/count.py"
    text = path.read_text().replace("with stage(", f"{above}\nwith stage(")
    path.write_text(text + "".join(f"    {line}\n" for line in body.strip().splitlines()))


def declare(root: Path, field: str, *paths: str) -> None:
    document = yaml.safe_load((root / "dvc.yaml").read_text())
    document["stages"]["count"][field] += paths
    (root / "dvc.yaml").write_text(yaml.safe_dump(document))


def run(root: Path, *, force: bool = False) -> Report:
    report = Project.find(root).repro(force=force)
    assert int(report.exit_code) == 0, report.to_markdown()
    assert report.data["stages"]["count"] == "executed"
    return report


@pytest.fixture
def with_files(project: Path) -> Path:
    """The small project with files that no stage declares yet."""
    (project / "data").mkdir()
    (project / "words.txt").write_text("good\n")
    (project / "at_import.txt").write_text("bad\n")
    (project / "in_subprocess.txt").write_text("late\n")
    for name in ("a", "b"):
        pl.DataFrame({"a": [1]}).write_csv(project / f"data/{name}.csv")
        pl.DataFrame({"a": [1]}).write_parquet(project / f"data/{name}.parquet")
    (project / "pipelines/more.py").write_text("from pathlib import Path\n\nLATE = Path('at_import.txt').read_text()\n")
    (project / "pipelines/empty.py").write_text("")
    return project


def test_every_way_of_reading_names_file_and_stage(with_files):
    """Python, polars, pyarrow, a subprocess, a module that is imported and what it reads: one finding names them all."""
    insert(
        with_files,
        above="import pipelines.empty\nimport pipelines.more",
        body="""
import subprocess, polars, pyarrow.parquet
assert open("words.txt").read()
assert len(polars.read_csv("data/a.csv")) == len(polars.scan_csv("data/b.csv").collect()) == 1
assert len(polars.scan_parquet("data/a.parquet").collect()) == pyarrow.parquet.read_table("data/b.parquet").num_rows
subprocess.run(["cat", "in_subprocess.txt"], check=True)
""",
    )
    report = run(with_files)
    reads = ["at_import.txt", "data/a.csv", "data/a.parquet", "data/b.csv", "data/b.parquet", "in_subprocess.txt"]
    told = report.data["undeclared"]
    assert list(told) == ["count"]
    assert told["count"]["reads"] == [*reads, "words.txt"]
    assert told["count"]["imports"] == ["pipelines/more.py"]
    assert (told["count"]["writes"], told["count"]["parameters"], told["count"]["by"]) == ([], [], BY)
    (found,) = findings(with_files)
    assert (found.outcome, found.measured, found.limit) == ("fail", "8.0", "0.0")
    assert found.says.startswith("Stage count uses what dvc.yaml does not list: at_import.txt (read), ")
    assert "in_subprocess.txt (opened while it ran), pipelines/more.py (imported), words.txt (read). What" in found.says
    assert found.says in report.to_markdown().replace("\\_", "_")
    (execution,) = [e for e in Project.find(with_files).facts().of(Execution) if found.name in e.findings]
    assert (execution.stage, list(execution.observed)) == ("count", BY)
    status = Project.find(with_files).status()
    assert [one["says"] for one in status.data["open"]] == [found.says]


def test_what_is_written_and_not_an_output_is_named(with_files):
    """By Python and by native code; a temporary file that is gone is nobody's business, nor is a declared output."""
    insert(
        with_files,
        body="""
import pathlib, polars
pathlib.Path("log.txt").write_text("x")
polars.DataFrame({"a": [1]}).write_csv("data/made.csv")
pathlib.Path("gone.txt").write_text("x"); pathlib.Path("gone.txt").unlink()
run.output("artifacts/more.json").write_bytes(b"{}")
""",
    )
    told = run(with_files).data["undeclared"]["count"]
    assert (told["reads"], told["writes"]) == ([], ["artifacts/more.json", "data/made.csv", "log.txt"])
    (found,) = findings(with_files)
    assert found.says == (
        "Stage count uses what dvc.yaml does not list: artifacts/more.json (written), "
        "data/made.csv (written while it ran), log.txt (written). "
        "What was opened or written while it ran may be another process's doing."
    )


def test_an_earlier_stages_output_and_a_declared_input_are_undeclared_without_a_dependency(with_files):
    """`run.input` names a file in the recipe; only dvc.yaml makes an edit of it run the stage again."""
    insert(with_files, body='run.run_of("make")\nrun.input("words.txt")')
    assert run(with_files).data["undeclared"]["count"]["reads"] == ["artifacts/runs/make.json", "words.txt"]


def test_a_parameter_that_dvc_does_not_look_at_is_named(with_files):
    """It stands in the recipe, so that a change of it makes the result stale and runs nothing."""
    with open(with_files / "params.yaml", "a") as params:
        params.write("count: {least: 1, most: 9}\n")
    insert(with_files)
    assert run(with_files).data["undeclared"]["count"]["parameters"] == ["params.yaml:count"]
    declare(with_files, "params", "count.least")
    assert run(with_files).data["undeclared"]["count"]["parameters"] == ["params.yaml:count.most"]
    declare(with_files, "params", "count")
    assert run(with_files).data["undeclared"] == {}


def test_mending_dvc_yaml_ends_the_finding_and_unmending_brings_it_back(with_files):
    """The newest execution says what holds; equal findings are one record, and a declared folder covers its files."""
    insert(with_files, body='import polars\npolars.read_csv("data/a.csv")\nopen("words.txt").close()')
    declared = (with_files / "dvc.yaml").read_text()
    run(with_files)
    first = findings(with_files)
    run(with_files, force=True)
    assert findings(with_files) == first
    assert [finding.outcome for finding in first] == ["fail"]
    declare(with_files, "deps", "data", "words.txt")
    assert run(with_files).data["undeclared"] == {}
    assert [finding.outcome for finding in findings(with_files)] == ["pass"]
    assert Project.find(with_files).status().data["open"] == []
    (with_files / "dvc.yaml").write_text(declared)
    run(with_files, force=True)
    assert findings(with_files) == first
    everything = [f for f in Project.find(with_files).facts().of(Finding) if "stage count" in f.says.lower()]
    assert len(everything) == 3, "before the edit of the stage, with the two files undeclared, and mended"
    assert int(Project.find(with_files).verify().exit_code) == 0


def test_a_stage_that_is_skipped_or_restored_keeps_its_finding(with_files):
    """Nothing ran, so nothing new is known."""
    insert(with_files, body='open("words.txt").close()')
    run(with_files)
    first = findings(with_files)
    project = Project.find(with_files)
    assert project.repro().data["stages"]["count"] == "unchanged"
    (with_files / "artifacts/count.json").unlink()
    report = project.repro()
    assert (report.data["stages"]["count"], report.data["undeclared"]) == ("restored", {})
    assert findings(with_files) == first


def test_without_inotify_a_silent_stage_is_unknown_and_never_fails(with_files, tmp_path, monkeypatch):
    """The audit hook alone cannot say that nothing else was opened; what it heard counts."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path/sitecustomize.py").write_text(
        "import ctypes\n\n\nclass Without(ctypes.CDLL):\n    def __getattr__(self, name):\n"
        "        if name.startswith('inotify'):\n            raise AttributeError(name)\n"
        "        return super().__getattr__(name)\n\n\nctypes.CDLL = Without\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    insert(with_files, body='open("words.txt").close()')
    told = run(with_files, force=True).data["undeclared"]
    assert {stage: one["outcome"] for stage, one in told.items()} == {"make": "unknown", "count": "fail"}
    assert told["count"]["by"] == told["make"]["by"] == BY[:1]
    (silent,) = findings(with_files, stage="make")
    assert (silent.outcome, silent.measured) == ("unknown", None)
    assert "this system's C library has no inotify" in silent.says
    (heard,) = findings(with_files)
    assert heard.says.endswith("There may be more: this system's C library has no inotify.")


def test_a_cache_of_links_changes_nothing(project):
    """Outputs that are links into DVC's cache, as hard links and as symbolic ones, are the declared files."""
    for kind in ("hardlink", "symlink"):
        config = project / ".dvc/config"
        config.write_text(f"[core]\n    analytics = false\n[cache]\n    type = {kind}\n")
        for path in (project / "artifacts/data/made.parquet", project / "artifacts/count.json"):
            path.unlink(missing_ok=True)
        assert Project.find(project).repro().data["stages"]["make"] == "restored"
        assert (project / "artifacts/data/made.parquet").is_symlink() == (kind == "symlink")
        insert(project, body=f"assert {kind!r}")
        assert run(project).data["undeclared"] == {}


def test_the_reference_project_declares_all_that_its_stages_use(reference_once, with_its_key):
    """Eight stages, eight findings that pass, each seen by both."""
    facts = Project.find(reference_once).facts()
    found = [finding for finding in facts.of(Finding) if finding.check == "undeclared_files"]
    assert [finding.says for finding in found if finding.outcome != "pass"] == []
    assert len(found) == len(facts.of(Execution)) == 8
    assert {execution.observed for execution in facts.of(Execution)} == {tuple(BY)}


def test_the_answer_is_data_too(with_files):
    """`--json` holds what the table says."""
    insert(with_files, body='open("words.txt").close()')
    told = json.loads(json.dumps(run(with_files).to_json()))["undeclared"]["count"]
    assert set(told) == {"outcome", "says", "reads", "writes", "imports", "parameters", "by"}


def beside(root: Path, body: str) -> Report:
    """A repro whose second stage runs `body` and then waits until LabelTrail was used beside it."""
    wait = "import pathlib, time\npathlib.Path('.labeltrail/begun').touch()\n"
    wait += "while not pathlib.Path('.labeltrail/enough').exists():\n    time.sleep(0.02)"
    insert(root, body=f"{body}\n{wait}")
    verbs = [["status"], ["why", "e/1"], ["diff", "count"]]
    command = [sys.executable, "-m", "governance", "-C", str(root)]
    with ThreadPoolExecutor() as pool:
        repro = pool.submit(run, root)
        while not (root / ".labeltrail/begun").exists():
            assert not repro.done()
            time.sleep(0.02)
        done = [subprocess.run([*command, *verb], capture_output=True, check=False, cwd=root) for verb in verbs]
        (root / ".labeltrail/enough").touch()
        report = repro.result()
    assert {one.returncode for one in done} <= {0, 1, 2, 4}
    return report


def test_looking_on_with_labeltrail_is_no_finding_of_a_stage(with_files):
    """What only the kernel saw is unknown while status, why and diff run beside the stage."""
    report = beside(with_files, "import polars as pl\npl.read_parquet('data/a.parquet')")
    (finding,) = findings(with_files)
    assert finding.outcome == "unknown"
    assert "LabelTrail itself was used in the project meanwhile" in finding.says
    assert "fail" not in {told["outcome"] for told in report.data["undeclared"].values()}
    run(with_files, force=True)
    (finding,) = findings(with_files)
    assert (finding.outcome, finding.measured) == ("fail", "1.0")
    assert "data/a.parquet" in finding.says


def test_a_stage_that_opens_an_undeclared_file_is_named_while_others_look_on(with_files):
    """Its own process was heard."""
    beside(with_files, "open('words.txt').close()")
    (finding,) = findings(with_files)
    assert finding.outcome == "fail"
    assert "words.txt (read)" in finding.says
