"""Every kind of tampering is tried on copies; what is noticed, and what only an outsider's checkpoint shows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_project import flip

from governance.errors import BrokenEvidence
from governance.project import Project
from governance.proof.drill import Drill, by_the_owner, in_the_files, in_the_store
from governance.store.memory import memory_path

#: what nobody can see who has nothing but what the owner hands him
OWNERS = {"everything_signed_again", "the_log_rolled_back", "an_entry_left_out"}


def everything_in(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def drilled(root: Path):
    project = Project.find(root)
    try:
        return project.drill()
    finally:
        project.trail.database.close()


def test_all_but_an_owner_who_signs_again_are_noticed_and_he_by_a_kept_checkpoint(project):
    """Of a project without a checkpoint outside, verification notices everything that is done without the log's key."""
    report = drilled(project)
    verdicts = {outcome["name"]: outcome["verdict"] for outcome in report.data["outcomes"]}
    assert int(report.exit_code) == 0
    assert {name for name, verdict in verdicts.items() if verdict == "noticed by a kept checkpoint"} == OWNERS
    assert {name for name, verdict in verdicts.items() if verdict == "not noticed"} == set()
    not_tried = {outcome["name"]: outcome["not_tried"] for outcome in report.data["outcomes"] if outcome["not_tried"]}
    assert not_tried == {
        "a_licence_in_the_tables": "no source is recorded",
        "everything_signed_again_with_the_tracked_checkpoint": "git carries no checkpoint of this log",
    }
    assert report.data["tried"] == len(verdicts) - 2
    assert json.dumps(report.to_json())
    assert "noticed by a kept checkpoint" in report.to_markdown()


def test_a_tracked_checkpoint_holds_the_owner_until_he_replaces_it_too(project):
    """What git carries is noticed by verify itself; git's own history has to hold the file."""
    Project.find(project).checkpoint()
    verdicts = {outcome["name"]: outcome["verdict"] for outcome in drilled(project).data["outcomes"]}
    assert {name: verdicts[name] for name in OWNERS} == dict.fromkeys(OWNERS, "noticed")
    assert verdicts["everything_signed_again_with_the_tracked_checkpoint"] == "noticed by a kept checkpoint"


def test_a_drill_leaves_the_project_its_key_and_its_memory_as_they_were(project):
    """Nothing is written but into a scratch folder that goes away."""
    before, home = everything_in(project), memory_path("x").parent.parent
    remembered = everything_in(home)
    drilled(project)
    after = everything_in(project)
    after.pop(str(project / ".labeltrail/readers"))  # the lock that every reading verb takes
    assert after == before
    assert everything_in(home) == remembered


def test_the_copy_is_of_another_log_and_another_key(project, tmp_path):
    """A forged history that leaves the scratch folder is nobody's."""
    from governance.proof.drill.scene import set_up

    real = Project.find(project)
    scene = set_up(real.config, real.trail, tmp_path / "copy")
    assert scene.log != real.trail.log
    first = scene.entries()[0].record
    assert first.body()["public_key"] != real.trail.start().public_key
    real.trail.database.close()


def test_a_project_that_is_not_whole_is_not_drilled(project):
    """What an attack does could not be told from what is wrong already."""
    flip(project / "artifacts/count.json", 2)
    with pytest.raises(BrokenEvidence, match=r"count\.json"):
        drilled(project)


def test_what_was_wrong_before_is_not_taken_for_something_noticed(project):
    """Code edited since the run is told by every verification, whatever the attack."""
    (project / "pipelines/helper.py").write_text('TEXT = "another text"\n')
    verdicts = {outcome["name"]: outcome["verdict"] for outcome in drilled(project).data["outcomes"]}
    assert {name: verdicts[name] for name in OWNERS} == dict.fromkeys(OWNERS, "noticed by a kept checkpoint")


def test_a_verification_that_sees_nothing_is_told(project, monkeypatch):
    """Where verification is blind, the drill ends with exit 1 and says what passed."""
    from governance.proof.drill.scene import Scene

    honest = Scene.verified
    whole = []

    def blind(scene, *, since=None):
        whole[:] = whole or [honest(scene, since=since)]
        return whole[0]

    monkeypatch.setattr(Scene, "verified", blind)
    report = drilled(project)
    assert int(report.exit_code) == 1
    assert report.data["not_noticed"] == report.data["tried"] > 20


def test_each_kind_of_tampering_says_in_one_sentence_what_it_does():
    """The table reads as sentences, and no two are alike."""
    kinds = [*in_the_store.TAMPERINGS, *in_the_files.TAMPERINGS, *by_the_owner.TAMPERINGS]
    sentences = [kind.__doc__ for kind in kinds]
    assert all(text and text.endswith(".") and "\n" not in text for text in sentences)
    assert len(set(sentences)) == len(kinds) == 31


def test_a_log_with_its_start_alone_is_drilled_as_far_as_it_goes(tmp_path, own_home):
    """What cannot be tried says so."""
    root = tmp_path / "bare"
    root.mkdir()
    Project.init(root, name="bare", reference=False)
    (root / "dvc.yaml").write_text("stages:\n  none: {cmd: 'true'}\n")
    project = Project.find(root)
    (root / ".labeltrail/scratch").mkdir()
    outcomes = {
        one.name: one for one in Drill(project.config, project.trail, scratch=root / ".labeltrail/scratch").run()
    }
    project.trail.database.close()
    assert outcomes["an_output"].not_tried == "no output with a run file lies in the project"
    assert outcomes["two_entries_swapped"].not_tried == "the log has fewer than three entries"
    with closing(sqlite3.connect(root / ".labeltrail/trail.db")) as connection:
        assert connection.execute("SELECT count(*) FROM trail_entry").fetchone() == (1,)
