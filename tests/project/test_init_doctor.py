"""`init` and `doctor`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from governance.errors import ConfigurationError, MissingEvidence, NotAProject
from governance.project import Project
from governance.records import Execution
from governance.store import keys


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and ".git/" not in p.as_posix()}


def test_an_empty_folder_becomes_the_reference_project(tmp_path):
    """Everything that the pipeline needs is laid down, DVC's telemetry is off, a key is made."""
    root = tmp_path / "new"
    report = Project.init(root)
    laid = files(root)
    assert {"dvc.yaml", "params.yaml", "labeltrail.toml", "pipelines/vote.py", "schemas/examples.py"} <= laid
    assert {"cards/model_card.md.j2", "decisions/README.md", "pipelines/sources/vader.yaml"} <= laid
    assert "analytics = false" in (root / ".dvc/config").read_text()
    assert keys.load_key() is not None
    assert report.data["public_key"] == Project.find(root).trail.start().public_key
    ignored = subprocess.run(
        ["git", "check-ignore", "artifacts/x", ".labeltrail/x"], cwd=root, check=True, capture_output=True
    )
    assert ignored.stdout.split() == [b"artifacts/x", b".labeltrail/x"]


def test_a_folder_with_files_of_its_own_gets_the_configuration_alone(tmp_path):
    """Nothing of the reference project is put between a user's files, and none of them is touched."""
    (tmp_path / "train.py").write_text("print('mine')\n")
    (tmp_path / ".gitignore").write_text("secret")
    Project.init(tmp_path, name='odd "name"')
    laid = files(tmp_path)
    assert "labeltrail.toml" in laid
    assert "dvc.yaml" not in laid
    assert (tmp_path / "train.py").read_text() == "print('mine')\n"
    assert (tmp_path / ".gitignore").read_text().startswith("secret\n/artifacts/")
    assert Project.find(tmp_path).config.name == 'odd "name"'


def test_initialising_twice_changes_nothing(tmp_path):
    """The second time there is nothing to do but say where the log stands."""
    Project.init(tmp_path / "p")
    before, log = files(tmp_path / "p"), Project.find(tmp_path / "p").trail.log
    Project.init(tmp_path / "p")
    assert files(tmp_path / "p") == before
    assert Project.find(tmp_path / "p").trail.log == log
    assert Project.find(tmp_path / "p").trail.size() == 1


def test_files_in_the_way_are_named_and_nothing_is_laid(tmp_path):
    """--reference over a user's own dvc.yaml is refused whole."""
    (tmp_path / "dvc.yaml").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"dvc\.yaml"):
        Project.init(tmp_path, reference=True)
    assert files(tmp_path) == {"dvc.yaml"}


def test_without_a_key_the_log_is_unsigned_and_doctor_says_so(tmp_path):
    """A machine that is to have no key gets none."""
    Project.init(tmp_path / "p", key=False)
    assert keys.load_key() is None
    told = {s["what"]: s for s in Project.doctor(tmp_path / "p").data["symptoms"]}
    assert told["signing key"]["state"] == "note"
    assert told["store"]["state"] == "note"
    assert "`labeltrail key rotate` gives it one" in told["store"]["hint"]


def test_from_a_log_that_began_without_a_key_the_told_way_leads_to_a_signed_one(project, tmp_path):
    """`adopt` and `doctor` tell one way: a key for the log as it is, then a look at what it held before."""
    shutil.rmtree(project / ".labeltrail")
    home = keys.key_path()
    home.rename(tmp_path / "away")
    assert int(Project.find(project).sync().exit_code) == 0
    (tmp_path / "away").rename(home)
    governed = Project.find(project)
    governed.repro(force=True)
    with pytest.raises(ConfigurationError, match="names no key") as caught:
        governed.adopt()
    told = {s["what"]: s for s in Project.doctor(project).data["symptoms"]}["store"]
    assert told["hint"] == caught.value.hint
    assert "`labeltrail key rotate`" in told["hint"]
    assert "`labeltrail adopt`" in told["hint"]
    before = governed.trail.size()
    assert governed.key_rotate().data["since"] == before
    assert int(Project.find(project).verify().exit_code) == 4
    assert governed.adopt().data["signed"]
    report = Project.find(project).verify()
    assert int(report.exit_code) == 0
    assert not [said for said in report.data["not_checked"] if "who signed" in said]
    assert len(governed.facts().of(Execution)) == 2


def test_without_the_distributions_of_its_sources_the_reference_project_says_what_to_install(tmp_path, monkeypatch):
    """One line of `init`, and no word of it for a project of one's own."""

    def version(name: str) -> str:
        if name == "afinn":
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("governance.project.init.metadata.version", version)
    steps = Project.init(tmp_path / "reference").data["steps"]
    assert [step for step in steps if "need afinn" in step and "labeltrail[reference]" in step]
    own = Project.init(tmp_path / "own", reference=False)
    assert "afinn" not in own.to_markdown()
    assert "documentation page your-own-data" in own.to_markdown()


def test_a_folder_in_no_repository_is_told_to_make_one(tmp_path, monkeypatch):
    """Doctor names the command."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    told = {s["what"]: s for s in Project.doctor(tmp_path).data["symptoms"]}["git"]
    assert told["state"] == "note"
    assert "`git init`" in told["hint"]


def test_a_healthy_project_has_no_wrong_symptom(project):
    """Exit 0, and every line says what was seen."""
    report = Project.doctor(project)
    assert int(report.exit_code) == 0
    told = {symptom["what"]: symptom["state"] for symptom in report.data["symptoms"]}
    assert told["dvc telemetry"] == told["store"] == told["signing key"] == "fine"


def test_telemetry_that_was_turned_on_is_wrong(project):
    """A project whose committed configuration reports usage is told how to turn it off."""
    (project / ".dvc/config").write_text("[core]\n    remote = x\n")
    report = Project.doctor(project)
    assert int(report.exit_code) == 1
    (project / ".dvc/config").write_text("core]")
    assert int(Project.doctor(project).exit_code) == 1


def test_a_broken_store_or_key_is_a_symptom_and_not_a_crash(project):
    """Doctor answers whatever it finds."""
    (project / ".labeltrail/trail.db").write_bytes(b"not a database")
    keys.key_path().parent.mkdir(parents=True, exist_ok=True)
    key = keys.key_path().read_bytes()
    keys.key_path().write_text("nonsense")
    told = {s["what"]: s["state"] for s in Project.doctor(project).data["symptoms"]}
    keys.key_path().write_bytes(key)
    assert told["store"] == told["signing key"] == "wrong"


def test_outside_a_project_doctor_looks_at_the_machine(tmp_path):
    """It helps before there is a project; it cannot rebuild one that is not there."""
    report = Project.doctor(tmp_path)
    assert int(report.exit_code) == 0
    assert any(s["what"] == "project" and s["state"] == "note" for s in report.data["symptoms"])
    with pytest.raises(NotAProject):
        Project.doctor(tmp_path, rebuild=True)


def test_reading_before_the_first_run_says_what_to_do(tmp_path):
    """A project without a store is missing evidence, exit 4, with the command that makes one."""
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(MissingEvidence) as caught:
        Project.find(tmp_path).log()
    assert "labeltrail init" in (caught.value.hint or "")


def test_doctor_says_whether_it_can_be_seen_which_files_stages_open(project, tmp_path, monkeypatch):
    """In a project and outside; a system without inotify is noted and never wrong."""
    before = files(project)
    there = {s["what"]: s for s in Project.doctor(project).data["symptoms"]}["inotify"]
    outside = {s["what"]: s for s in Project.doctor(tmp_path).data["symptoms"]}["inotify"]
    assert files(project) - {".labeltrail/readers"} == before  # by which stages know that somebody reads
    if sys.platform.startswith("linux"):
        assert (there["state"], outside["state"]) == ("fine", "fine")
        assert "folders of this project" in there["says"]
    monkeypatch.setattr("governance.runs.inotify.sys.platform", "darwin")
    report = Project.doctor(project)
    lacking = {s["what"]: s for s in report.data["symptoms"]}["inotify"]
    assert (lacking["state"], int(report.exit_code)) == ("note", 0)
    assert "stays unknown: only Linux" in lacking["says"]
