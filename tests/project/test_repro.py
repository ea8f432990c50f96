"""`repro`: how every stage ended, recorded; nothing lost when one fails."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from small_project import dvc, git, lay_down

from governance.digest import file_digest
from governance.dvc import command
from governance.dvc.locks import alive
from governance.errors import Busy, ConfigurationError, GovernanceError, InvalidRecord, UnknownName
from governance.project import Project
from governance.records import Environment, Execution, Finding, Repro, Result

OUTPUTS = [
    "artifacts/data/made.parquet",
    "artifacts/count.json",
    "artifacts/facts/make.jsonl",
    "artifacts/runs/make.json",
]


def outcomes(report) -> dict[str, str]:
    return report.data["stages"]


def digests(root: Path) -> dict[str, str]:
    return {path: file_digest(root / path) for path in OUTPUTS if (root / path).is_file()}


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def test_an_unchanged_project_runs_nothing_and_appends_one_entry(project):
    """A second repro is told as unchanged and leaves one entry that says so."""
    governed = Project.find(project)
    before = governed.trail.size()
    report = governed.repro()
    assert outcomes(report) == {"make": "unchanged", "count": "unchanged"}
    assert governed.trail.size() == before + 1
    last = governed.trail.entries()[-1][1].record
    assert isinstance(last, Repro)
    assert set(last.stages.values()) == {"unchanged"}


def test_a_restored_stage_is_told_apart_from_an_executed_one(project):
    """What DVC takes from its cache was restored, not executed: no execution is recorded for it."""
    governed = Project.find(project)
    executions = len(governed.facts().of(Execution))
    (project / "artifacts/count.json").unlink()
    report = governed.repro()
    assert outcomes(report) == {"make": "unchanged", "count": "restored"}
    assert len(governed.facts().of(Execution)) == executions


def test_a_forced_run_gives_the_same_bytes_and_counts_as_a_reproduction(project):
    """The same recipe gives the same result: new executions, no new result, no finding against it."""
    governed = Project.find(project)
    before, results = digests(project), len(governed.facts().of(Result))
    report = governed.repro(force=True)
    assert outcomes(report) == {"make": "executed", "count": "executed"}
    assert digests(project) == before
    assert len(governed.facts().of(Result)) == results
    assert len(governed.facts().of(Execution)) == 4
    assert int(governed.verify().exit_code) == 0


def test_an_execution_says_when_where_and_how_costly(project):
    """Times, processor time, memory, machine, revision and person stand in the execution and nowhere else."""
    facts = Project.find(project).facts()
    execution = facts.of(Execution)[0]
    assert execution.ended >= execution.started > 1_600_000_000_000_000
    assert execution.cpu > 0
    assert execution.peak_memory > 1_000_000
    assert execution.machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert execution.measured == {"rows_per_second": "1000.0"}
    assert execution.who


def test_an_execution_names_its_environment_which_is_entered_once(project):
    """Everything installed, pinned versions, deciding variables; a second run there states it no second time."""
    (project / "constraints.txt").write_text("polars==1.0\n")
    governed = Project.find(project)
    governed.repro(force=True)
    governed.repro(force=True)
    facts = Project.find(project).facts()
    executions = facts.of(Execution)
    environments = facts.of(Environment)
    # The project was made without constraints, and run twice with them.
    assert len(environments) == 2
    assert {e.environment for e in executions[:2]} == {environments[0].name}
    assert {e.environment for e in executions[2:]} == {environments[1].name}
    assert environments[0].constraints == ()
    (pinned,) = environments[1].constraints
    assert (pinned.path, pinned.sha256) == ("constraints.txt", file_digest(project / "constraints.txt"))
    installed = {d.distribution: d.version for d in environments[1].distributions}
    assert installed["polars"] == version("polars")
    assert installed["pytest"] == version("pytest")  # installed and not imported
    assert environments[1].variables["PYTHONHASHSEED"] == "0"


@pytest.mark.parametrize(
    ("path", "text", "dirty"),
    [
        ("pipelines/helper.py", 'TEXT = "a text"  # of one kind\n', True),
        ("params.yaml", "seed: 4\nthreads: 1\nmake: {rows: 12}\n", True),
        ("dvc.yaml", None, True),
        ("notes/remark.md", "seen\n", False),
        ("README.md", "a project\n", False),
        ("artifacts/count.json", "{}", False),
        (".gitignore", "artifacts\n", False),
    ],
)
def test_a_tree_is_dirty_by_what_decides_a_run_alone(project, path, text, dirty):
    """Code, parameters and the pipeline make a revision dirty; notes, documents and our own files do not."""
    assert {e.dirty for e in executions_after_force(project)} == {None}
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text(text if text is not None else (project / path).read_text() + "# more\n")
    assert {e.dirty is not None for e in executions_after_force(project)} == {dirty}


def test_a_file_that_git_does_not_know_makes_the_tree_dirty_where_a_stage_depends_on_it(project):
    """Else a run from code that is in no commit would name a commit and say no more; another content, another digest."""
    (project / "pipelines/words.txt").write_text("good\n")
    assert {e.dirty for e in executions_after_force(project)} == {None}
    edit(project, "dvc.yaml", "pipelines/helper.py]", "pipelines/helper.py, pipelines/words.txt]")
    git(project, "add", "dvc.yaml")
    git(project, "commit", "-q", "-m", "words")
    (first,) = {e.dirty for e in executions_after_force(project)}
    (project / "pipelines/words.txt").write_text("bad\n")
    (second,) = {e.dirty for e in executions_after_force(project)}
    assert first
    assert second
    assert first != second


def executions_after_force(project: Path) -> list[Execution]:
    """The executions of a forced run."""
    before = len(Project.find(project).facts().of(Execution))
    assert int(Project.find(project).repro(force=True).exit_code) == 0
    return Project.find(project).facts().of(Execution)[before:]


def test_where_the_trail_cannot_be_opened_no_stage_is_let_run(project):
    """DVC is started while the trail opens; it ends with the refusal, and every output is what it was."""
    before = digests(project)
    edit(
        project,
        "pipelines/make.py",
        '    rows = run.params["rows"]',
        "    import time\n    time.sleep(600)\n    rows = 1",
    )
    (project / ".labeltrail/trail.db").write_bytes(b"no database")
    started = time.monotonic()
    with pytest.raises(GovernanceError):
        Project.find(project).repro()
    assert time.monotonic() - started < 500
    assert digests(project) == before
    assert not any(alive(pid) for pid in standing_in(project))


def test_an_interrupt_keeps_what_had_ended_and_says_so(project):
    """Ctrl-C in the second stage: the first is recorded with its execution, and so is the repro that was cut off."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    edit(project, "pipelines/count.py", "import json", "import json, os, signal, time")
    began = 'with stage("count") as run:'
    edit(project, "pipelines/count.py", began, f"open('began', 'w').close()\ntime.sleep(30)\n{began}")
    repro = [sys.executable, "-m", "governance", "repro"]
    with subprocess.Popen(repro, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (project / "began").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: make had ended and is recorded" in said
    facts = Project.find(project).facts()
    last = facts.of(Repro)[-1]
    assert last.stages == {"make": "executed", "count": "aborted"}
    assert facts.of(Execution)[-1].stage == "make"
    assert facts.of(Execution)[-1].result == last.results["make"]
    assert standing_in(project) == []


def test_a_stage_without_the_library_is_unknown_each_time(project):
    """It leaves no run file: exit 4 when it ran, and 4 again when there was nothing to do, never broken."""
    (project / "dvc.yaml").write_text(
        (project / "dvc.yaml").read_text() + "  plain:\n    cmd: echo x > plain.txt\n    outs: [plain.txt]\n"
    )
    for ended in ("executed", "unchanged"):
        report = Project.find(project).repro()
        assert outcomes(report)["plain"] == ended
        assert int(report.exit_code) == 4
        assert "does not use governance.runs.stage" in report.data["problems"]["plain"]


def test_words_of_dvc_in_the_mouth_of_a_stage_are_not_believed(project):
    """A failing stage that speaks of locks and of other stages is a failed stage: not busy, and not another one's end."""
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    code = "import sys\nprint(\"Running stage 'count':\")\nprint('ERROR: Unable to acquire lock')\nsys.exit(7)\n"
    (project / "pipelines/make.py").write_text(code)
    report = Project.find(project).repro(wait_seconds=30)
    assert outcomes(report) == {"make": "failed", "count": "not reached"}
    assert int(report.exit_code) == 1


@pytest.mark.parametrize("outs", ["", "    outs: [{notes.txt: {persist: true}}]\n"], ids=["none", "persistent"])
def test_a_failed_stage_is_told_as_failed_whatever_its_outputs_look_like(project, outs):
    """Without outputs, or with one that lies there untouched, the folder does not tell that it failed; DVC's words do."""
    plain = f"  plain:\n    cmd: echo x >> notes.txt\n{outs}"
    (project / "dvc.yaml").write_text((project / "dvc.yaml").read_text() + plain)
    assert outcomes(Project.find(project).repro())["plain"] == "executed"
    edit(project, "dvc.yaml", "cmd: echo x >> notes.txt", "cmd: exit 3")
    report = Project.find(project).repro()
    assert outcomes(report)["plain"] == "failed"
    assert int(report.exit_code) == 1
    assert report.data["error"]["stage"] == "plain"
    assert Project.find(project).facts().of(Repro)[-1].stages["plain"] == "failed"


def test_where_another_dvc_makes_outputs_a_refused_repro_touches_none_of_them(project):
    """What changed while we waited is of the other's making, and stays."""
    holder = {"pid": os.getpid(), "cmd": "dvc repro"}
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    busy = {"read": {}, "write": {str(project / "artifacts/data/made.parquet"): holder}}
    (project / ".dvc/tmp/rwlock").write_text(json.dumps(busy))

    def other(line: str) -> None:
        raise AssertionError(line)

    made = project / "artifacts/data/made.parquet"
    patched = Path(str(made) + ".new")
    patched.write_bytes(b"of the other DVC")
    original = command.run_dvc

    def while_it_waits(*arguments, **more):
        if patched.exists():
            patched.replace(made)
        return original(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("governance.project.repro.run_dvc", while_it_waits)
        with pytest.raises(Busy):
            Project.find(project).repro(say=other)
    assert made.read_bytes() == b"of the other DVC"


def test_a_folder_that_a_failed_stage_lost_is_told_as_lost(project):
    """Folders are not kept: the report names them and does not say that they are back."""
    (project / "pipelines/fold.py").write_text(
        "import os, sys\nfrom pathlib import Path\nfrom governance.runs import stage\n"
        "with stage('fold') as run:\n    Path('fold').mkdir(exist_ok=True)\n    Path('fold/x').write_text('x')\n"
        "    if run.params['fail']:\n        raise ValueError('no')\n"
    )
    text = (project / "dvc.yaml").read_text()
    text += "  fold:\n    cmd: python -m pipelines.fold\n    params: [fold]\n"
    text += "    outs: [fold, artifacts/facts/fold.jsonl, artifacts/runs/fold.json]\n"
    (project / "dvc.yaml").write_text(text)
    with open(project / "params.yaml", "a") as stream:
        stream.write("fold: {fail: false}\n")
    assert int(Project.find(project).repro().exit_code) == 0
    edit(project, "params.yaml", "fail: false", "fail: true")
    report = Project.find(project).repro()
    assert report.data["lost"] == ["fold"]
    assert "former outputs are lost: fold" in report.to_markdown()


def standing_in(project: Path) -> list[int]:
    """The processes whose folder this is; none where the system does not tell."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cwd").readlink() == project.resolve():
                found.append(int(folder.name))
    return found


def test_only_what_depends_on_a_change_runs_again(project):
    """A parameter of the first stage runs both; a comment in the second stage's module runs that one alone."""
    edit(project, "pipelines/count.py", "import json", "import json  # used below")
    assert outcomes(Project.find(project).repro()) == {"make": "unchanged", "count": "executed"}
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    assert outcomes(Project.find(project).repro()) == {"make": "executed", "count": "executed"}
    # The comment changes the first stage's recipe and not its outputs, so that nothing behind it runs.
    edit(project, "pipelines/make.py", "import polars as pl", "import polars as pl  # tables")
    assert outcomes(Project.find(project).repro()) == {"make": "executed", "count": "unchanged"}


@pytest.mark.parametrize(
    ("now", "code", "says"),
    [
        ('raise ConfigurationError("no network", hint="go online")', 2, "no network"),
        ('raise BrokenEvidence("file", expected=1, actual=2)', 3, "file: expected 1, found 2"),
        ('raise RuntimeError("a bug of the author")', 1, "RuntimeError: a bug of the author"),
        ("import os; os.kill(os.getpid(), 9)", 1, ""),
        ("import sys; sys.exit(7)", 1, ""),
    ],
    ids=["refused", "broken", "crashed", "killed", "exited"],
)
def test_a_stage_that_fails_leaves_the_former_outputs_and_no_result(project, now, code, says):
    """Whatever ends a stage: its former outputs are back, no result is recorded, one error says why."""
    before, governed = digests(project), Project.find(project)
    results = {result.name for result in governed.facts().of(Result)}
    edit(
        project,
        "pipelines/make.py",
        '    rows = run.params["rows"]',
        "    from governance.errors import BrokenEvidence, ConfigurationError\n"
        '    run.output("artifacts/data/made.parquet").write_bytes(b"half")\n'
        f"    {now}\n"
        '    rows = run.params["rows"]',
    )
    report = governed.repro()
    assert int(report.exit_code) == code
    assert outcomes(report)["make"] in ("failed", "aborted")
    assert outcomes(report)["count"] == "not reached"
    assert says in report.data["error"]["message"]
    assert "Its former outputs are back" in report.to_markdown()
    assert digests(project) == before
    assert {result.name for result in governed.facts().of(Result)} == results
    assert [path.name for path in (project / "artifacts/data").iterdir() if path.name.startswith(".")] in (
        [],
        [*_partial(project)],
    )


def _partial(root: Path) -> list[str]:
    """Only a killed process cannot take its temporary file along; it never has an output's name."""
    return [
        path.name
        for path in (root / "artifacts/data").iterdir()
        if path.suffix == ".parquet" and path.name.startswith(".")
    ]


def test_a_stage_that_fails_on_its_first_run_has_no_former_outputs(tmp_path):
    """Nothing is said to be back where nothing was."""
    lay_down(tmp_path / "new")
    Project.init(tmp_path / "new")
    edit(tmp_path / "new", "pipelines/make.py", '    rows = run.params["rows"]', "    rows = 1 / 0")
    said = Project.find(tmp_path / "new").repro().to_markdown()
    assert "former outputs" not in said
    assert "Of the failed run nothing is recorded but that it failed." in said


def test_a_stage_that_nobody_asked_for_is_told_as_such(project):
    """On the screen; data and record keep the word that is always used."""
    report = Project.find(project).repro(targets=["make"])
    assert outcomes(report) == {"make": "unchanged", "count": "not reached"}
    assert "| count | not asked for |" in report.to_markdown()
    assert "1 not asked for, 1 unchanged" in report.to_markdown()
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', "    rows = 1 / 0")
    assert "| count | not reached |" in Project.find(project).repro(targets=["make"]).to_markdown()


def test_a_new_log_beside_a_lock_that_knows_runs_says_what_brings_them(project):
    """Whoever forgot to take in the runs of others hears of it at the first repro, and of the remote where there is one."""
    pull = "`labeltrail sync --pull` before the first repro"
    for remote in ("", "['remote \"shared\"']\n    url = /nowhere\n"):
        for name in ("trail.db", "log"):
            (project / ".labeltrail" / name).unlink()
        with open(project / ".dvc/config", "a", encoding="utf-8") as config:
            config.write(remote)
        report = Project.find(project).repro()
        assert report.data["new_log"]
        assert "dvc.lock knows runs of elsewhere" in report.to_markdown()
        assert (pull in report.to_markdown()) == bool(remote)
    assert "before the first repro" not in Project.find(project).repro().to_markdown()


def test_outside_git_repro_says_what_to_do(project):
    """DVC refuses a folder that is in no repository; one that is set up to do without names no commit."""
    shutil.rmtree(project / ".git")
    refused = Project.find(project).repro()
    assert int(refused.exit_code) == 2
    assert "`git init`" in refused.data["error"]["hint"]
    with open(project / ".dvc/config", "a", encoding="utf-8") as config:
        config.write("    no_scm = true\n")
    ran = Project.find(project).repro()
    assert int(ran.exit_code) == 0
    assert "names a commit: `git init`" in ran.to_markdown()


def slow_down(root: Path) -> tuple[Path, Path]:
    """Makes the first stage wait: the file that it makes when it starts, and the one that it waits for."""
    began, enough = root / "began", root / "enough"
    lines = f"    import time, pathlib\n    pathlib.Path({str(began)!r}).touch()\n"
    lines += f"    while not pathlib.Path({str(enough)!r}).exists():\n        time.sleep(0.02)\n"
    edit(root, "pipelines/make.py", '    rows = run.params["rows"]', lines + '    rows = run.params["rows"]')
    return began, enough


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_two_repros_at_once_are_one_and_a_clear_refusal(project):
    """The second is told that somebody is at work, exit 5, and changes nothing; with patience it waits."""
    (began, enough), before = slow_down(project), digests(project)
    command = [sys.executable, "-m", "governance", "-C", str(project), "repro"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)) as first:
        try:
            wait_for(began)
            with pytest.raises(Busy, match="another"):
                Project.find(project).repro()
        finally:
            enough.touch()
        waited = Project.find(project).repro(wait_seconds=60)
        assert first.wait(60) == 0
    assert set(outcomes(waited).values()) == {"unchanged"}
    assert {path: digest for path, digest in digests(project).items() if "runs" not in path} == {
        path: digest for path, digest in before.items() if "runs" not in path
    }


def test_a_dvc_at_work_is_busy_too(project):
    """DVC's own lock held by somebody else ends in exit 5."""
    began, enough = slow_down(project)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "dvc", "repro"]
    with subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as other:
        try:
            wait_for(began)
            with pytest.raises(Busy, match="another DVC"):
                Project.find(project).repro()
        finally:
            enough.touch()
        assert other.wait(60) == 0


def test_one_recipe_with_two_results_is_a_finding_that_shows_both(project):
    """A stage that something outside its recipe decides is found out."""
    edit(project, "pipelines/count.py", '{"rows": len(frame)}', '{"rows": __import__("time").time_ns() // 1000}')
    governed = Project.find(project)
    assert outcomes(governed.repro())["count"] == "executed"
    governed.repro(force=True)
    found = [finding for finding in governed.facts().of(Finding) if finding.check == "reproduction"]
    assert len(found) == 1
    results = [r.name for r in governed.facts().of(Result) if r.recipe == found[0].subject]
    assert len(results) == 2
    assert all(name in found[0].says for name in results)


def test_a_target_that_is_no_stage_is_answered_with_the_nearest(project):
    """A slip of the pen starts nothing."""
    with pytest.raises(UnknownName) as caught:
        Project.find(project).repro(targets=["cuont"])
    assert caught.value.suggestions == ["count"]


@pytest.mark.parametrize(
    ("path", "text", "error"),
    [
        ("dvc.yaml", "stages: {", ConfigurationError),
        ("dvc.yaml", "stages: {}\n", InvalidRecord),
        ("dvc.yaml", "stages:\n  a: {deps: [x]}\n", InvalidRecord),
        (
            "dvc.yaml",
            "stages:\n  a: {cmd: x, deps: [b], outs: [a]}\n  b: {cmd: x, deps: [a], outs: [b]}\n",
            InvalidRecord,
        ),
        ("params.yaml", "threads: many\n", InvalidRecord),
        ("params.yaml", "- 1\n", InvalidRecord),
        ("params.yaml", "{", ConfigurationError),
    ],
    ids=["not_yaml", "no_stage", "no_command", "cycle", "threads_a_word", "params_a_list", "params_not_yaml"],
)
def test_a_pipeline_that_cannot_be_read_starts_nothing(project, path, text, error):
    """Each fault is one error, before anything runs."""
    before = digests(project)
    (project / path).write_text(text)
    with pytest.raises(error):
        Project.find(project).repro()
    assert digests(project) == before


def test_a_misspelt_field_of_dvc_yaml_is_told_with_its_name_and_place(project):
    """DVC names the field first and shows the code last: the error holds all of it, in one line."""
    edit(project, "dvc.yaml", "deps: [pipelines/make.py", "dpes: [pipelines/make.py")
    report = Project.find(project).repro()
    assert int(report.exit_code) == 2
    message = report.data["error"]["message"]
    assert "validation failed. extra keys not allowed, in stages -> make -> dpes, line 10, column 11" in message
    assert "\n" not in message
    assert "Having any troubles" not in message
    assert len(message) <= 500
    assert f"DVC ended before any stage failed: {message}" in report.blocks


def test_broken_yaml_in_dvc_yaml_is_told_with_line_and_column(project):
    """An editor jumps there."""
    (project / "dvc.yaml").write_text("stages:\n  make: {cmd: x\n  count: y\n")
    with pytest.raises(ConfigurationError, match=r"dvc.yaml is not YAML: line 3, column 8: expected ',' or '}'"):
        Project.find(project).repro()


def test_a_stage_that_declares_no_such_parameter_type_fails_with_its_field(project):
    """A seed that is no whole number is named by its field."""
    edit(project, "params.yaml", "seed: 3", "seed: three")
    report = Project.find(project).repro()
    assert int(report.exit_code) == 2
    assert "seed" in report.data["error"]["message"]


def test_runs_of_plain_dvc_are_taken_in_by_the_next_repro(project):
    """What plain DVC ran is recorded as a result without an execution."""
    edit(project, "params.yaml", "rows: 12", "rows: 14")
    dvc(project, "repro", "-q")
    governed = Project.find(project)
    executions = len(governed.facts().of(Execution))
    report = governed.repro()
    assert set(outcomes(report).values()) == {"unchanged"}
    assert len(governed.facts().of(Execution)) == executions
    assert int(governed.verify().exit_code) == 0


def test_a_run_whose_outputs_do_not_fit_is_not_taken_in(project):
    """`repro` on a project with an overwritten output says so with exit 3 and records no result for it."""
    (project / "artifacts/count.json").write_text("{}")
    dvc(project, "commit", "-f", "-q")
    report = Project.find(project).repro()
    assert int(report.exit_code) == 3
    assert "count.json is not what the run recorded" in report.data["problems"]["count"]


def test_a_new_clone_starts_its_own_log_and_agrees_on_every_name(project, tmp_path):
    """Two stores that ran the same recipes name them and their results alike."""
    other = tmp_path / "other"
    lay_down(other)
    Project.init(other)
    Project.find(other).repro()

    def names(root: Path) -> set[str]:
        return {
            record.name for record in Project.find(root).facts() if not record.event and record.kind != "commitment"
        }

    assert names(other) == names(project)
    assert Project.find(other).trail.log != Project.find(project).trail.log
