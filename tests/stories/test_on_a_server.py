"""A team keeps its trail on a server, from the first verb to the evidence that leaves the house."""

from __future__ import annotations

import subprocess
import sys

from small_project import copy_of, git, lay_down

from governance.project import Project
from governance.proof import published
from governance.records import Finding


def test_a_project_on_a_server_answers_every_verb(tmp_path, postgres_server, postgres_database, monkeypatch):
    """init, repro, status, trace, verify, checkpoint, bundle, adopt and doctor; a second machine goes on with the log."""
    for name, value in postgres_server.environment(postgres_database).items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "project"
    lay_down(root)
    config = root / "labeltrail.toml"
    config.write_text(config.read_text() + 'store = "postgresql+psycopg://"\n')
    assert Project.init(root).exit_code == 0
    done = Project.find(root).repro()
    assert done.exit_code == 0, done.to_markdown()
    assert not (root / ".labeltrail" / "trail.db").exists()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    project = Project.find(root)
    assert int(project.status().exit_code) == 0
    finding = project.facts().one(Finding, check="rows")
    assert finding.says in project.trace(finding.name).to_markdown() + project.show(finding.name).to_markdown()
    assert int(project.verify().exit_code) == 0
    assert int(project.doctor(root, rebuild=True).exit_code) == 0
    assert int(project.adopt().exit_code) == 0
    assert int(project.checkpoint().exit_code) == 0
    assert int(project.bundle(tmp_path / "evidence.zip").exit_code) == 0
    (noted,) = (root / "checkpoints").iterdir()
    verifier = str(published.__path__[0]) + "/verify.py"
    command = [sys.executable, "-I", "-S", verifier, str(tmp_path / "evidence.zip"), "--checkpoint", str(noted)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    # Another machine, with the same log named in its own folder.
    second = Project.find(copy_of(root, tmp_path / "second"))
    assert second.trail.log == project.trail.log
    assert int(second.repro(force=True).exit_code) == 0
    assert Project.find(root).trail.size() == second.trail.size()
    assert int(Project.find(root).verify().exit_code) == 0
