"""Runs that did not go through DVC stand beside those of dvc.yaml, under names that no stage of DVC can have."""

from __future__ import annotations

import json

import pytest

from governance.config import read_config
from governance.errors import ConfigurationError
from governance.project import Project
from governance.project.take_in import take_in
from governance.records import Result
from governance.runs import stage
from governance.runs.outside import is_outside, outside_stage, project_stages
from governance.store.trail import Trail


@pytest.fixture
def bare(tmp_path):
    """A project without a pipeline."""
    Project.init(tmp_path, name="bare", reference=False)
    return tmp_path


def captured(root, name="captured/train", *, says="votes"):
    """A run outside of DVC, taken in."""
    with stage(name, root=root) as run:
        run.output("artifacts/captured/train/count.json").write_text(json.dumps(says))
    trail = Project.find(root).trail
    take_in(trail, read_config(root), [outside_stage(name)])
    return trail


def test_a_run_outside_of_dvc_is_recorded_and_verified_in_a_project_without_a_pipeline(bare):
    """It stands in status as a stage does, its files are held against its record, and nothing is missing."""
    trail = captured(bare)
    assert [result.stage for result in trail.facts().of(Result)] == ["captured/train"]
    project = Project.find(bare)
    (told,) = project.status().data["stages"]
    assert (told["stage"], told["state"]) == ("captured/train", "recorded")
    assert int(project.verify().exit_code) == 0
    (bare / "artifacts/captured/train/count.json").write_text('"other"')
    assert int(Project.find(bare).verify().exit_code) == 3


def test_a_run_outside_of_dvc_whose_files_are_taken_away_is_missed(bare):
    """The trail knows that there was one."""
    captured(bare)
    (bare / "artifacts/runs/captured/train.json").unlink()
    (bare / "artifacts/captured/train/count.json").unlink()
    report = Project.find(bare).verify()
    assert int(report.exit_code) == 4
    assert "captured/train: artifacts/runs/captured/train.json" in [check["culprit"] for check in report.data["checks"]]


def test_parameters_of_params_yaml_are_none_of_its_own(bare):
    """A seed there makes a stage of dvc.yaml stale, and not a run that was given its own."""
    captured(bare)
    (bare / "params.yaml").write_text("seed: 7\ncaptured/train: {x: 1}\n")
    assert Project.find(bare).status().data["stages"][0]["state"] == "recorded"


def test_no_stage_of_dvc_is_taken_for_one_outside():
    """The slash decides, and which kinds there are."""
    assert is_outside("captured/a")
    assert is_outside("ingested/a/b")
    assert not any(map(is_outside, ("captured", "captured/", "vote", "other/a", "/captured")))


def test_a_project_with_neither_is_told_to_make_a_pipeline(bare):
    """Without a run outside of DVC the missing dvc.yaml is the fault."""
    with pytest.raises(ConfigurationError, match=r"dvc\.yaml"):
        project_stages(read_config(bare))
    assert isinstance(Project.find(bare).trail, Trail)
