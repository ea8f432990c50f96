"""Code that is edited while a stage runs is never recorded as what ran."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_project import git

from governance.project import Project
from governance.records import Execution, Result


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def waits(project: Path, *, before: str) -> tuple[Path, Path]:
    """Makes the first stage wait before a line: it touches the first file and goes on when the second is there."""
    began, go_on = project.parent / "began", project.parent / "go_on"
    space = " " * (len(before) - len(before.lstrip()))
    wait = f"{space}import pathlib, time\n{space}pathlib.Path({str(began)!r}).touch()\n"
    wait += f"{space}while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.02)\n"
    edit(project, "pipelines/make.py", before, wait + before)
    git(project, "commit", "-q", "-a", "-m", "it waits")
    return began, go_on


def meanwhile(project: Path, began: Path, go_on: Path, act, *, command: tuple[str, ...] = ("governance", "repro")):
    """Acts while the first stage waits, and answers how the run ended and what it said."""
    module, *arguments = command
    running = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with running:
        deadline = time.monotonic() + 60
        while not began.exists():
            assert time.monotonic() < deadline, "the stage did not begin"
            assert running.poll() is None, running.stdout.read() if running.stdout else ""
            time.sleep(0.02)
        act()
        go_on.touch()
        said = running.stdout.read() if running.stdout else ""
    return running.returncode, said


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not committed"])
def test_a_module_edited_while_its_stage_runs_fails_the_stage_and_nothing_is_recorded(project, committed):
    """The output would be the former code's, and the recipe would name the later one."""
    began, go_on = waits(project, before='    rows = run.params["rows"]')
    governed = Project.find(project)
    results, executions = len(governed.facts().of(Result)), len(governed.facts().of(Execution))

    def act() -> None:
        edit(project, "pipelines/helper.py", "a text", "another text")
        if committed:
            git(project, "commit", "-q", "-a", "-m", "edited")

    status, said = meanwhile(project, began, go_on, act)
    assert status != 0
    assert "code pipelines/helper.py was edited while the stage ran" in said
    assert "run it again" in said
    facts = Project.find(project).facts()
    assert len(facts.of(Result)) == results
    assert len(facts.of(Execution)) == executions
    assert int(governed.repro().exit_code) == 0
    assert int(governed.verify().exit_code) == 0


def test_a_module_edited_between_its_import_and_the_stage_fails_it_too(project):
    """Nobody listened yet when it was imported; it is newer than the process."""
    began, go_on = waits(project, before='with stage("make") as run:')
    edit(project, "pipelines/make.py", "from governance.runs import stage\n", "")
    edit(project, "pipelines/make.py", "import polars", "import pipelines.helper\nimport polars")
    edit(project, "pipelines/make.py", 'with stage("make")', 'from governance.runs import stage\nwith stage("make")')
    status, said = meanwhile(
        project,
        began,
        go_on,
        lambda: edit(project, "pipelines/helper.py", "a text", "another text"),
        command=("pipelines.make",),
    )
    assert status == 2
    assert "code pipelines/helper.py was edited while the stage ran" in said


def test_a_module_imported_late_and_edited_after_that_fails_the_stage(project):
    """Digested when it is executed, not when the stage ends."""
    edit(project, "pipelines/make.py", "from pipelines.helper import TEXT\n", "")
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', '    rows = run.params["rows"]\n    LATE')
    edit(project, "pipelines/make.py", "    LATE", "    from pipelines.helper import TEXT")
    began, go_on = waits(project, before="    frame = pl")
    status, said = meanwhile(
        project,
        began,
        go_on,
        lambda: edit(project, "pipelines/helper.py", "a text", "another text"),
        command=("pipelines.make",),
    )
    assert status == 2
    assert "code pipelines/helper.py was edited while the stage ran" in said


def test_a_module_that_a_stage_writes_and_then_imports_is_its_code(project):
    """It is newer than the process and was never edited."""
    write = '    pathlib.Path("pipelines/written.py").write_text("WRITTEN = 1\\n")\n    import pipelines.written\n'
    edit(project, "pipelines/make.py", "import polars as pl\n", "import pathlib\nimport polars as pl\n")
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', write + '    rows = run.params["rows"]')
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.make"],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "pipelines/written.py" in (project / "artifacts/runs/make.json").read_text()


def test_code_of_another_stage_edited_meanwhile_is_recorded_as_it_ran_and_not_as_the_commit(project):
    """The second stage had not begun: it runs the edited code, and its execution says that the commit does not hold it."""
    began, go_on = waits(project, before='    rows = run.params["rows"]')

    def act() -> None:
        edit(project, "pipelines/count.py", "import json", "import json  # edited")
        git(project, "commit", "-q", "-a", "-m", "edited meanwhile")

    governed = Project.find(project)
    before = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    status, said = meanwhile(project, began, go_on, act, command=("governance", "repro", "--force"))
    assert status == 0, said
    ran = governed.facts().of(Execution)[-2:]
    assert {execution.revision for execution in ran} == {before.strip()}
    assert None not in {execution.dirty for execution in ran}
    assert {e.dirty for e in governed_again(project)} == {None}


def governed_again(project: Path) -> list[Execution]:
    """The executions of a run with nobody at the keyboard."""
    (project.parent / "go_on").touch()
    assert int(Project.find(project).repro(force=True).exit_code) == 0
    return Project.find(project).facts().of(Execution)[-2:]
