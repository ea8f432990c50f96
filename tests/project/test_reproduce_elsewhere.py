"""`reproduce` with what is not here: contents in a remote, a package of another version, a commit that is gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from remotes import cloned, md5_of, other_bytes, pushed
from small_project import MAKE, dvc, git, lay_down

from governance.dvc.files import cached_file
from governance.errors import MissingEvidence
from governance.project import Project
from governance.records import Reproduction, Result

TABLE = "artifacts/data/made.parquet"


def outcomes(report) -> dict[str, str]:
    return {told["stage"]: told["outcome"] for told in report.data["reproductions"]}


def says(report, stage: str) -> str:
    return next(told["says"] for told in report.data["reproductions"] if told["stage"] == stage)


def edit(root: Path, path: str, was: str, now: str) -> None:
    text = (root / path).read_text()
    assert was in text
    (root / path).write_text(text.replace(was, now))


def forget(project: Path) -> None:
    """No content is here any more, neither in the project nor in DVC's cache."""
    shutil.rmtree(project / ".dvc/cache")
    for path in (project / "artifacts").rglob("*"):
        if path.is_file() and "runs" not in path.parts:
            path.unlink()


# -- from the remote ---------------------------------------------------------------------------------------------------


def test_every_stage_of_the_reference_project_is_identical_with_its_inputs_in_the_remote_alone(
    reference, with_its_key, tmp_path
):
    """Without DVC's run cache, without its cache, in a scratch folder: eight stages, byte for byte."""
    pushed(reference, str(tmp_path / "remote"))
    forget(reference)
    said: list[str] = []
    report = Project.find(reference).reproduce(say=said.append)
    stages = ["collect", "screen", "vote", "combine", "train", "evaluate", "describe", "audit"]
    assert outcomes(report) == dict.fromkeys(stages, "identical")
    assert int(report.exit_code) == 0
    assert "fetches artifacts/votes/votes.parquet" in said
    assert "vote: identical" in said


def test_an_older_input_comes_out_of_a_bucket(project, bucket):
    """Its MD5 stands in the dvc.lock of an older commit alone; what is newer is not fetched beside it."""
    governed = Project.find(project)
    old = governed.facts().of(Result)[-1]
    pushed(project, bucket.url, f"endpointurl={bucket.endpoint}")
    edit(project, "params.yaml", "rows: 12", "rows: 13")
    assert int(governed.repro().exit_code) == 0
    git(project, "commit", "-q", "-a", "-m", "second")
    dvc(project, "push", "-q")
    forget(project)
    assert outcomes(governed.reproduce(old.name)) == {"count": "identical"}


def test_what_the_remote_replaced_is_neither_used_nor_kept(project, bucket):
    """Other bytes under the right MD5: unable, exit 4, and DVC's cache does not hold them afterwards."""
    pushed(project, bucket.url, f"endpointurl={bucket.endpoint}")
    forget(project)
    md5 = md5_of(project, TABLE)
    bucket.put(md5, other_bytes(bucket.get(md5)))
    report = Project.find(project).reproduce("count")
    assert int(report.exit_code) == 4
    assert f"other bytes under MD5 {md5}" in says(report, "count")
    assert not cached_file(project, md5).exists()


def test_without_a_remote_the_missing_input_and_the_remote_are_named(project):
    """One sentence: which input, and that no remote is set up."""
    forget(project)
    report = Project.find(project).reproduce("count")
    assert int(report.exit_code) == 4
    assert TABLE in says(report, "count")
    assert "none is set up" in says(report, "count")
    assert "dvc remote add" in says(report, "count")


def test_a_difference_is_placed_although_the_recorded_output_is_in_the_remote_alone(project, tmp_path):
    """What was recorded is fetched, so that the first difference has a place."""
    edit(project, "pipelines/count.py", '{"rows": len(frame)}', '{"rows": __import__("time").time_ns() // 1000}')
    governed = Project.find(project)
    governed.repro()
    git(project, "commit", "-q", "-a", "-m", "second")
    pushed(project, str(tmp_path / "remote"))
    forget(project)
    assert says(governed.reproduce("count"), "count") == "artifacts/count.json: at .rows"


# -- another environment -----------------------------------------------------------------------------------------------


SCORED = MAKE.replace(
    '"text": [f"{TEXT} {i}" for i in range(rows)]', '"text": TEXTS, "score": [score(t) for t in TEXTS]'
)
SCORED = SCORED.replace("    frame = ", '    TEXTS = [f"{TEXT} {i}" for i in range(rows)]\n    frame = ')
SCORED = SCORED.replace("import polars as pl\n", "import polars as pl\nfrom wordscore import score\n")


def install(site: Path, version: str, source: str) -> Path:
    """A distribution as an installer would lay it down."""
    info = site / f"wordscore-{version}.dist-info"
    info.mkdir(parents=True)
    (site / "wordscore.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wordscore\nVersion: {version}\n")
    (info / "RECORD").write_text(f"wordscore.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    (info / "top_level.txt").write_text("wordscore\n")
    return site


def labeltrail(root: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "governance", "-C", str(root), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Path, Path]:
    """A project whose first stage used wordscore 1.0, and the folder that holds it."""
    first = install(tmp_path / "site1", "1.0", "def score(text):\n    return len(text)\n")
    root = tmp_path / "scored"
    lay_down(root)
    (root / "pipelines/make.py").write_text(SCORED)
    Project.init(root)
    done = labeltrail(root, first, "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root, first


def test_a_package_of_another_version_is_named_with_the_rows_that_it_changed(scored, tmp_path):
    """Recorded with wordscore 1.0, run again with 2.0: which version was, which is, which file, which rows."""
    root, first = scored
    second = install(tmp_path / "site2", "2.0", "def score(text):\n    return len(text) + (text[-1] in '35')\n")
    same = labeltrail(root, first, "reproduce", "--json")
    assert same.returncode == 0, same.stdout
    other = labeltrail(root, second, "reproduce", "make", "--json")
    assert other.returncode == 3
    told = json.loads(other.stdout)["reproductions"][0]
    assert told["outcome"] == "different"
    assert told["environment"] == ["wordscore was 1.0, is 2.0"]
    assert told["says"] == f"{TABLE}: column score, rows 3, 5 (2 of 12); also artifacts/facts/make.jsonl"
    assert told["outputs"][TABLE] == "different: column score, rows 3, 5 (2 of 12)"
    shown = labeltrail(root, second, "reproduce", "make").stdout
    assert "wordscore was 1.0, is 2.0" in shown


def test_another_version_that_gives_the_same_is_identical_and_named_all_the_same(scored, tmp_path):
    """What did not matter this time is still said."""
    root, _ = scored
    second = install(tmp_path / "site2", "1.1", "def score(text):\n    return 0 + len(text)\n")
    other = labeltrail(root, second, "reproduce", "make", "--json")
    assert other.returncode == 0
    told = json.loads(other.stdout)["reproductions"][0]
    assert (told["outcome"], told["environment"]) == ("identical", ["wordscore was 1.0, is 1.1"])


def test_a_package_that_is_not_installed_makes_it_unable(scored, tmp_path):
    """The stage's own words say which."""
    root, _ = scored
    other = labeltrail(root, tmp_path, "reproduce", "make", "--json")
    assert other.returncode == 4
    assert "No module named 'wordscore'" in json.loads(other.stdout)["reproductions"][0]["says"]


# -- commits that do not give the code ---------------------------------------------------------------------------------


def test_changes_that_no_commit_holds_are_named_with_the_commit_they_were_made_to(project):
    """A dirty tree: which commit, which files, and what to do."""
    edit(project, "pipelines/count.py", "import json", "import json  # not committed")
    edit(project, "params.yaml", "seed: 3", "seed: 4")
    governed = Project.find(project)
    governed.repro()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True).stdout
    report = governed.reproduce("count")
    assert int(report.exit_code) == 4
    assert says(report, "count") == (
        f"it ran with changes to commit {head[:12]} that no commit holds (pipelines/count.py, params.yaml): commit them"
    )
    git(project, "commit", "-q", "-a", "-m", "now it does")
    assert outcomes(governed.reproduce("count")) == {"count": "identical"}


def gone_commit(project: Path) -> str:
    """A run at a commit that was taken back and collected."""
    edit(project, "pipelines/count.py", "import json", "import json  # on a branch")
    git(project, "checkout", "-q", "-b", "aside")
    git(project, "commit", "-q", "-a", "-m", "aside")
    assert int(Project.find(project).repro().exit_code) == 0
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True).stdout
    git(project, "checkout", "-q", "-f", "-")
    git(project, "branch", "-q", "-D", "aside")
    git(project, "reflog", "expire", "--expire=now", "--all")
    git(project, "gc", "-q", "--prune=now")
    return head.strip()


def test_a_commit_that_was_collected_is_named_as_missing(project):
    """Nothing is run from other code instead."""
    result = gone_commit(project)
    report = Project.find(project).reproduce("count")
    assert int(report.exit_code) == 4
    assert f"it ran at commit {result[:12]}, which is not in this repository" in says(report, "count")


def test_a_shallow_clone_is_told_to_fetch_the_rest(project, tmp_path):
    """With the original's own store beside a history that does not reach back to the run."""
    assert int(Project.find(project).repro(force=True).exit_code) == 0
    edit(project, "pipelines/count.py", "import json", "import json  # second")
    git(project, "commit", "-q", "-a", "-m", "second")
    shallow = tmp_path / "shallow"
    git(project, "clone", "-q", "--depth", "1", project.as_uri(), str(shallow))
    shutil.copytree(project / ".labeltrail", shallow / ".labeltrail")
    shutil.copytree(project / "artifacts", shallow / "artifacts")
    report = Project.find(shallow).reproduce("count")
    assert int(report.exit_code) == 4
    assert "which is not in this repository" in says(report, "count")
    assert "`git fetch --unshallow`" in says(report, "count")
    git(shallow, "fetch", "-q", "--unshallow")
    assert outcomes(Project.find(shallow).reproduce("count")) == {"count": "identical"}


def test_a_stage_that_leaves_no_record_is_told_so(project):
    """`cmd: ./train.sh` leaves nothing that could run again."""
    (project / "train.sh").write_text("#!/bin/sh\nmkdir -p artifacts && echo 1 > artifacts/weights.txt\n")
    (project / "train.sh").chmod(0o755)
    with open(project / "dvc.yaml", "a") as stream:
        stream.write("  train:\n    cmd: ./train.sh\n    deps: [train.sh]\n    outs: [artifacts/weights.txt]\n")
    governed = Project.find(project)
    report = governed.repro()
    assert int(report.exit_code) == 4
    assert report.data["stages"]["train"] == "executed"
    assert "does not use governance.runs.stage" in report.data["problems"]["train"]
    assert "train" not in {result.stage for result in governed.facts().of(Result)}
    with pytest.raises(MissingEvidence, match="no result of stage train") as caught:
        governed.reproduce("train")
    assert "governance.runs.stage" in (caught.value.hint or "")
    assert set(outcomes(governed.reproduce())) == {"make", "count"}


def test_a_module_that_is_not_named_after_its_stage_runs_by_the_stages_command(project):
    """dvc.yaml of that commit says which module it is."""
    (project / "pipelines/count.py").rename(project / "pipelines/tally.py")
    edit(project, "dvc.yaml", "pipelines.count", "pipelines.tally")
    edit(project, "dvc.yaml", "pipelines/count.py", "pipelines/tally.py")
    governed = Project.find(project)
    assert int(governed.repro().exit_code) == 0
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "renamed")
    assert outcomes(governed.reproduce("count")) == {"count": "identical"}


# -- nobody is disturbed -----------------------------------------------------------------------------------------------


def repository(project: Path) -> tuple[str, ...]:
    asked = (["status", "--porcelain"], ["worktree", "list"], ["for-each-ref"], ["rev-parse", "HEAD"])
    return tuple(
        subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True).stdout
        for words in asked
    )


def test_the_repository_does_not_notice(project):
    """Staged and unstaged changes, branches and worktrees stay, and no hook runs."""
    hook = project / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook_ran\nexit 1\n")
    hook.chmod(0o755)
    (project / "notes.txt").write_text("staged")
    git(project, "add", "notes.txt")
    (project / "notes.txt").write_text("and changed")
    before, index = repository(project), (project / ".git/index").read_bytes()
    assert outcomes(Project.find(project).reproduce()) == {"make": "identical", "count": "identical"}
    assert repository(project) == before
    assert (project / ".git/index").read_bytes() == index
    assert not list(project.rglob("hook_ran"))
    assert not list((project / ".labeltrail/scratch").iterdir())


def test_a_repro_at_work_and_a_reproduction_do_not_disturb_each_other(project):
    """While a stage runs, the recorded result of it is reproduced from its commit; both come to their end."""
    governed = Project.find(project)
    recorded = next(result for result in governed.facts().of(Result) if result.stage == "make")
    began, go_on = project.parent / "began", project.parent / "go_on"
    wait = "    import time, pathlib\n"
    wait += f"    pathlib.Path({str(began)!r}).touch()\n"
    wait += f"    while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.02)\n"
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', wait + '    rows = run.params["rows"]')
    command = [sys.executable, "-m", "governance", "-C", str(project), "repro"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while not began.exists():
            assert time.monotonic() < deadline, "the stage did not begin"
            time.sleep(0.02)
        report = governed.reproduce(recorded.name)
        assert running.poll() is None
        go_on.touch()
        assert running.wait(60) == 0
    assert outcomes(report) == {"make": "identical"}
    assert int(governed.verify().exit_code) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_an_ended_reproduction_leaves_nothing_that_stays(project, how):
    """Nothing is recorded of it, its stage ends with it, and the next one clears its scratch folder away."""
    began = project.parent / "began"
    slow = f"    import time, pathlib, os\n    pathlib.Path({str(began)!r}).write_text(str(os.getpid()))\n"
    slow += f"    time.sleep(60 if pathlib.Path({str(began) + '.slow'!r}).exists() else 0)\n"
    edit(project, "pipelines/make.py", '    rows = run.params["rows"]', slow + '    rows = run.params["rows"]')
    governed = Project.find(project)
    assert int(governed.repro().exit_code) == 0
    git(project, "commit", "-q", "-a", "-m", "slow")
    began.unlink()
    slowly = began.with_name("began.slow")
    slowly.touch()
    command = [sys.executable, "-m", "governance", "-C", str(project), "reproduce", "make"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (began.exists() and began.read_text()):
            assert time.monotonic() < deadline, "the stage did not begin"
            time.sleep(0.02)
        process.send_signal(how)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in stderr
    stage = Path("/proc") / began.read_text()
    while stage.exists() and "\nState:\tZ" not in (stage / "status").read_text():
        assert time.monotonic() < deadline, "the stage goes on"
        time.sleep(0.02)
    assert not governed.facts().of(Reproduction)
    slowly.unlink()
    assert outcomes(governed.reproduce()) == {"make": "identical", "count": "identical"}
    assert not list((project / ".labeltrail/scratch").iterdir())
    assert int(governed.verify().exit_code) == 0


def test_a_clone_reproduces_what_it_took_in(project, tmp_path, monkeypatch):
    """Somebody who only pulled can run the recorded recipes again."""
    theirs = cloned(pushed(project, str(tmp_path / "remote")), tmp_path / "theirs")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "colleague"))
    governed = Project.find(theirs)
    governed.sync(pull=True)
    assert outcomes(governed.reproduce()) == {"make": "identical", "count": "identical"}
