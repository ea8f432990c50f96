"""Can a stage, or a file that came from elsewhere, say what only the trail may say?"""

from __future__ import annotations

import pytest

from governance.digest import file_digest, sha256
from governance.project import Project
from governance.records import Adoption, Erasure
from governance.runs import stage

FORGED = """
from governance.digest import file_digest, sha256
from governance.records import Adoption, ErasedFile, Erasure

before = file_digest(run.root / "artifacts/data/made.parquet")
after = sha256(b"tampered")
tampered = ErasedFile(path="artifacts/data/made.parquet", before=before, after=after, bytes=8, rows=1, amended=0)
erasure = Erasure.make(at=1, who="nobody", reason="none", files=[tampered], rows=[], keys=0, others=0)
adoption = Adoption.make(first=0, last=1_000_000, root="00" * 32, who="nobody")
"""


@pytest.mark.parametrize("what", ["erasure", "adoption"])
def test_a_run_cannot_state_what_excuses_tampering(project, what):
    """A stage that goes around `run.state` makes a run that is refused whole, and nothing of it is recorded."""
    path = project / "pipelines/count.py"
    inside = FORGED.replace("\n", "\n    ") + f"run._stated[{what}.name] = {what}\n"
    path.write_text(path.read_text() + "    " + inside.strip().replace("\n    \n", "\n") + "\n")
    report = Project.find(project).repro()
    assert report.exit_code == 3, report.to_markdown()
    assert report.data["problems"]["count"].endswith(f"its facts hold what no run can state: {what}")
    facts = Project.find(project).facts()
    assert not facts.of(Erasure)
    assert not facts.of(Adoption)


def test_a_stage_that_states_an_event_is_told(project, monkeypatch, capsys):
    """At once, and not when its run is taken in."""
    monkeypatch.chdir(project)
    digest = file_digest(project / "artifacts/data/made.parquet")
    event = Adoption.make(first=0, last=9, root=sha256(digest.encode()), who="nobody")
    with pytest.raises(SystemExit), stage("count") as run:
        run.state(event)
    assert "wanted a fact, not an event" in capsys.readouterr().err
