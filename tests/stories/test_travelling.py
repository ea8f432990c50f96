"""History travels with the data: a clone that pulls knows what the original knows, and only what is whole."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import polars as pl
import pytest
from remotes import cloned, md5_of, other_bytes, pushed
from s3_server import Bucket
from small_project import copy_of, dvc

from governance.dvc.files import cached_file
from governance.errors import ConfigurationError, RemoteSilent, RemoteUnusable, UnknownName
from governance.project import Project, Report
from governance.records import Execution, Result
from governance.store import keys


@pytest.fixture
def colleague(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From here on somebody else works, with a key of their own."""
    home = tmp_path / "colleague"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    keys.create_key()
    return home


@pytest.fixture
def theirs(project: Path, tmp_path: Path, colleague: Path) -> Path:
    """A clone of the small project whose remote is a local folder."""
    return cloned(pushed(project, str(tmp_path / "remote")), tmp_path / "theirs")


@pytest.fixture
def theirs_from_s3(project: Path, bucket: Bucket, tmp_path: Path, colleague: Path) -> Path:
    """A clone of the small project whose remote is a bucket."""
    pushed(project, bucket.url, f"endpointurl={bucket.endpoint}")
    return cloned(project, tmp_path / "theirs")


def told(report: Report) -> str:
    """An answer as `--json` prints it, but for what belongs to one store."""
    data = report.to_json()
    assert "store" in data
    data.pop("store")
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False)


def states(report: Report) -> dict[str, str]:
    return report.data["stages"]


TABLE, RUN, FACTS = "artifacts/data/made.parquet", "artifacts/runs/make.json", "artifacts/facts/make.jsonl"


@pytest.fixture(scope="session")
def at_home(reference_once: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the original of the reference project answers, in its own home."""
    with pytest.MonkeyPatch.context() as patch:
        home = copy_of(reference_once.parent / "home", tmp_path_factory.mktemp("original") / "home")
        patch.setenv("XDG_CONFIG_HOME", str(home))
        return answers(reference_once)


def answers(root: Path) -> dict[str, str]:
    """`why` for every example, `trace` and `show` for one record of each kind."""
    project = Project.find(root)
    labels = pl.read_parquet(root / "artifacts/labels/labels.parquet").sort("example_id")
    votes = pl.read_parquet(root / "artifacts/votes/votes.parquet").sort("example_id")
    columns = [column for column in votes.columns if column != "example_id"]
    silent = votes.filter(pl.all_horizontal(pl.col(columns) < 0))["example_id"].to_list()
    partly = votes.filter(pl.any_horizontal(pl.col(columns) < 0) & pl.any_horizontal(pl.col(columns) >= 0))[
        "example_id"
    ].to_list()
    assert silent, "an example that no source voted on is part of the promise"
    assert partly
    found = {
        f"why {example}": told(project.why(example)) for example in (silent[0], partly[0], labels["example_id"][0])
    }
    explainer = project.explainer()
    for example in explainer.examples:
        answer = explainer.answer(example)
        answer.pop("store")
        found[example] = json.dumps(answer, sort_keys=True)
    names: dict[str, str] = {}
    for record in project.current_facts():
        names.setdefault(record.kind, record.name)
    wanted = {"model", "source", "dataset", "document", "votes", "labels", "result", "recipe", "evaluation", "finding"}
    assert wanted <= set(names)
    for name in ("model", "vader", *names.values()):
        found[f"trace {name}"] = told(project.trace(name))
        if name != "model":
            found[f"show {name}"] = told(project.show(name))
    return found


@pytest.mark.parametrize("key", ["their own key", "no key"])
def test_a_clone_that_pulls_and_syncs_answers_like_the_original(reference, at_home, tmp_path, monkeypatch, key):
    """`why`, `trace` and `show` are equal byte for byte, but for what belongs to one store; `verify` finds no fault."""
    pushed(reference, str(tmp_path / "remote"))
    theirs = cloned(reference, tmp_path / "theirs")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "colleague"))
    if key == "their own key":
        keys.create_key()
    dvc(theirs, "pull", "-q")
    clone = Project.find(theirs)
    report = clone.sync()
    assert int(report.exit_code) == 0
    assert set(states(report).values()) == {"taken in"}
    assert answers(theirs) == at_home
    assert int(clone.verify().exit_code) == 0
    assert not clone.facts().of(Execution)
    assert clone.trail.log != Project.find(reference).trail.log
    assert bool(clone.trail.start().public_key) == (key == "their own key")


def test_the_reference_project_travels_through_s3(reference, at_home, bucket, tmp_path, colleague):
    """The same through an S3 remote, pulled by `sync --pull`."""
    pushed(reference, bucket.url, f"endpointurl={bucket.endpoint}")
    theirs = cloned(reference, tmp_path / "theirs")
    said: list[str] = []
    report = Project.find(theirs).sync(pull=True, say=said.append)
    assert int(report.exit_code) == 0
    assert set(states(report).values()) == {"taken in"}
    assert said[0] == "DVC pulls from remote shared"
    assert answers(theirs) == at_home
    assert int(Project.find(theirs).verify().exit_code) == 0


def test_the_small_project_travels_too(project, tmp_path, colleague):
    """Every record but those of one store is known under the same name; a second sync finds nothing new."""
    theirs = cloned(pushed(project, str(tmp_path / "remote")), tmp_path / "theirs")
    report = Project.find(theirs).sync(pull=True)
    assert states(report) == {"make": "taken in", "count": "taken in"}
    here, there = Project.find(project), Project.find(theirs)
    for record in here.facts():
        # What was found about a run as it ran is of the store that saw it run.
        if record.event or record.kind in ("commitment", "environment") or "recipe:" in getattr(record, "subject", ""):
            continue
        assert told(there.trace(record.name)) == told(here.trace(record.name))
        assert told(there.show(record.name)) == told(here.show(record.name))
    size = there.trail.size()
    assert states(there.sync()) == {"make": "known already", "count": "known already"}
    assert there.trail.size() == size
    assert int(there.verify().exit_code) == 0


@pytest.mark.parametrize("path", [TABLE, FACTS, RUN])
def test_an_object_replaced_in_the_bucket_is_refused_by_name(theirs_from_s3, bucket, path):
    """DVC takes the remote at its word; we do not: exit 3, nothing of that stage recorded, and verify names the file."""
    md5 = md5_of(theirs_from_s3, path)
    original = bucket.get(md5)
    bucket.put(md5, other_bytes(original))
    project = Project.find(theirs_from_s3)
    report = project.sync(pull=True)
    assert (theirs_from_s3 / path).read_bytes() == other_bytes(original), "DVC brought the other bytes"
    assert int(report.exit_code) == 3
    assert report.data["refused"] == ["make"]
    assert states(report)["count"] == "taken in"
    assert {result.stage for result in project.facts().of(Result)} == {"count"}
    wrong = [check for check in project.verify().data["checks"] if check["state"] == "broken"]
    assert any(path in check["culprit"] for check in wrong)
    # The way out that is told: the right bytes into the remote, the wrong ones out of the cache, and again.
    hints = " ".join(check["hint"] for check in wrong if check["what"] == "cache")
    assert f"{md5[:2]}/{md5[2:]}" in hints
    bucket.put(md5, original)
    cached_file(theirs_from_s3, md5).unlink()
    (theirs_from_s3 / path).unlink()
    assert states(project.sync(pull=True)) == {"make": "taken in", "count": "known already"}
    assert int(project.verify().exit_code) == 0


def test_a_cache_that_dvc_believes_in_is_refused_too(theirs):
    """Other bytes in DVC's cache, with DVC convinced that all is well."""
    dvc(theirs, "fetch", "-q")
    cached = cached_file(theirs, md5_of(theirs, TABLE))
    data = other_bytes(cached.read_bytes())
    cached.chmod(0o644)
    cached.write_bytes(data)
    cached.chmod(0o444)
    dvc(theirs, "checkout", "-q")
    dvc(theirs, "status", "-q")
    assert (theirs / TABLE).read_bytes() == data
    project = Project.find(theirs)
    report = project.sync()
    assert int(report.exit_code) == 3
    assert TABLE in states(report)["make"]
    assert {result.stage for result in project.facts().of(Result)} == {"count"}
    assert any(TABLE in check["culprit"] for check in project.verify().data["checks"] if check["state"] == "broken")


def test_a_whole_other_history_in_the_remote_is_refused(project, tmp_path, bucket, colleague):
    """A forgery whose recipe, facts, result and outputs fit together still is not what the committed dvc.lock names."""
    pushed(project, bucket.url, f"endpointurl={bucket.endpoint}")
    forger, theirs = cloned(project, tmp_path / "forger"), cloned(project, tmp_path / "theirs")
    (forger / "params.yaml").write_text((forger / "params.yaml").read_text().replace("rows: 12", "rows: 11"))
    assert int(Project.find(forger).repro().exit_code) == 0
    for path in (TABLE, FACTS, RUN):
        bucket.put(md5_of(theirs, path), (forger / path).read_bytes())
    report = Project.find(theirs).sync(pull=True)
    assert int(report.exit_code) == 3
    assert states(report)["make"] == f"{RUN} is not what dvc.lock names"
    assert "count" in states(report)
    assert {result.stage for result in Project.find(theirs).facts().of(Result)} == {"count"}
    assert any(RUN in check["culprit"] for check in Project.find(theirs).verify().data["checks"])


@pytest.mark.parametrize("path", [TABLE, FACTS, RUN])
def test_what_the_remote_does_not_hold_is_named_and_the_rest_taken_in(theirs_from_s3, bucket, path):
    """A missing object is no contradiction: exit 4, its name and what to do; later, when it is there, all is taken in."""
    md5 = md5_of(theirs_from_s3, path)
    original = bucket.get(md5)
    bucket.delete(md5)
    project = Project.find(theirs_from_s3)
    report = project.sync(pull=True)
    assert int(report.exit_code) == 4
    assert report.data["absent"] == [path]
    assert states(report) == {"make": f"{path} is not there", "count": "taken in"}
    assert any(path in str(block) and "labeltrail sync --pull" in str(block) for block in report.blocks)
    assert int(project.verify().exit_code) == 4
    bucket.put(md5, original)
    assert states(project.sync(pull=True)) == {"make": "taken in", "count": "known already"}


def test_a_clone_that_pulled_nothing_is_told_what_is_absent(theirs):
    """`sync` without `dvc pull`: every run file is named, exit 4, and no run is recorded."""
    report = Project.find(theirs).sync()
    assert int(report.exit_code) == 4
    assert report.data["absent"] == ["artifacts/runs/count.json", RUN]
    assert not Project.find(theirs).facts().of(Result)


def remote_gone(theirs: Path, patch: pytest.MonkeyPatch) -> None:
    dvc(theirs, "remote", "add", "-q", "-f", "-d", "shared", str(theirs.parent / "unplugged"))


def remote_unset(theirs: Path, patch: pytest.MonkeyPatch) -> None:
    dvc(theirs, "remote", "remove", "-q", "shared")


def remote_unreachable(theirs: Path, patch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dvc(theirs, "remote", "modify", "-q", "shared", "endpointurl", f"http://127.0.0.1:{port}")


def credentials_gone(theirs: Path, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("AWS_ACCESS_KEY_ID")
    patch.delenv("AWS_SECRET_ACCESS_KEY")


def bucket_gone(theirs: Path, patch: pytest.MonkeyPatch) -> None:
    dvc(theirs, "remote", "modify", "-q", "shared", "url", "s3://nobody-made-this/kept")


@pytest.mark.parametrize(
    ("fault", "error", "code", "says", "hint"),
    [
        (remote_gone, RemoteSilent, 4, "its folder is not there", "dvc remote modify"),
        (remote_unset, RemoteUnusable, 2, "none is set up", "dvc remote add"),
        (remote_unreachable, RemoteSilent, 4, "does not answer", "network"),
        (credentials_gone, RemoteUnusable, 2, "credentials are missing or refused", "AWS_ACCESS_KEY_ID"),
        (bucket_gone, RemoteUnusable, 2, "its bucket is not there", "dvc remote list"),
    ],
    ids=["folder_gone", "no_remote", "unreachable", "no_credentials", "no_bucket"],
)
def test_a_remote_that_gives_nothing_is_one_error_that_names_it(
    theirs_from_s3, monkeypatch, fault, error, code, says, hint
):
    """Which remote, why, and what to do; nothing is recorded, and no log begins."""
    fault(theirs_from_s3, monkeypatch)
    with pytest.raises(error, match=says) as caught:
        Project.find(theirs_from_s3).sync(pull=True)
    assert int(caught.value.exit_code) == code
    assert "shared" in caught.value.message or fault is remote_unset
    assert hint in (caught.value.hint or "")
    assert not (theirs_from_s3 / ".labeltrail/trail.db").exists()


def test_an_installation_without_the_extra_is_told_to_install_it(theirs_from_s3, tmp_path, monkeypatch):
    """DVC without dvc-s3: what is missing, and the command that brings it."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys\nsys.modules['dvc_s3'] = None\n")
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    with pytest.raises(RemoteUnusable, match="dvc-s3 is not installed here") as caught:
        Project.find(theirs_from_s3).sync(pull=True)
    assert caught.value.hint == 'pip install "labeltrail[s3]"'


def test_a_remote_that_nobody_knows_is_answered_with_the_nearest(theirs):
    """A slip of the pen in --remote."""
    with pytest.raises(UnknownName) as caught:
        Project.find(theirs).sync(remote="shraed")
    assert caught.value.suggestions == ["shared"]


def test_a_file_of_ones_own_is_not_pulled_over(theirs):
    """What no cache holds is named and left as it is."""
    (theirs / "artifacts").mkdir()
    (theirs / "artifacts/count.json").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"count\.json would be overwritten"):
        Project.find(theirs).sync(pull=True)
    assert (theirs / "artifacts/count.json").read_text() == "mine"
