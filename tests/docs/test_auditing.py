"""The page for the auditor who has no LabelTrail tells the truth of this commit."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from governance.project import Project
from governance.proof import published

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/auditing.md"
BLOCK = re.compile(r"^```([^\n]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the page, with this Python under its usual name and nothing of this project to be found."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_the_digest_that_is_published_is_that_of_the_verifier():
    """In the page and beside the file, in the form that `sha256sum --check` reads."""
    told = f"{hashlib.sha256(published.verifier()).hexdigest()}  verify.py\n"
    way_out = "verify.py was changed: `python -m governance.proof.published` writes its digest where it is told"
    assert re.findall(r"[0-9a-f]{64}  verify\.py\n", PAGE.read_text()) == [told], way_out
    assert (Path(published.__file__).parent / "verify.py.sha256").read_text() == told, way_out


def auditor(project: Path, folder: Path) -> None:
    """What an auditor has on a laptop: evidence, what was kept apart from it, and a verifier from where it is published."""
    governed = Project.find(project)
    (folder / "older-checkpoint").write_text(governed.checkpoint().data["note"])
    told = governed.bundle(folder / "evidence.zip", verifier=folder / "verify.py").data
    (folder / "checkpoint").write_text(Project.find(project).checkpoint(tiles=folder / "published").data["note"])
    (folder / "key").write_text(told["public_key"])
    ((text,),) = ([body for kind, body in BLOCK.findall(PAGE.read_text()) if kind == "text verify.py.sha256"],)
    (folder / "verify.py.sha256").write_text(text)


def test_every_command_of_the_page_runs_without_labeltrail(reference, tmp_path):
    """Each block, in a folder of its own, ends with 0; of changed evidence each of the verifier's commands ends with 3."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    auditor(reference, folder)
    (seed,) = re.findall(r'--seed "([^"]+)"', PAGE.read_text())
    Project.find(reference).challenge(folder / "rows.zip", seed=seed)
    commands = [body for kind, body in BLOCK.findall(PAGE.read_text()) if kind == "sh"]
    assert len(commands) >= 6
    for command in commands:
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    for path in ("evidence.zip", "rows.zip", "published/checkpoint"):
        data = bytearray((folder / path).read_bytes())
        data[40] ^= 1
        (folder / path).write_bytes(data)
    for command in commands[1:]:
        assert run(command, folder).returncode == 3, command


def test_the_exit_codes_of_the_page_are_those_of_the_verifier(project, tmp_path):
    """Each code of the table comes out where the table says so, and the verifier knows no other."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    auditor(project, folder)
    told = [int(code) for code in re.findall(r"^\| (\d) \|", PAGE.read_text(), re.MULTILINE)]
    assert sorted(told) == [0, 2, 3, 4]
    call = "python -I -S verify.py"
    assert run(f"{call} evidence.zip --checkpoint checkpoint", folder).returncode == 0
    assert "origin unknown" in (unknown := run(f"{call} evidence.zip", folder)).stdout
    assert unknown.returncode == 4
    assert (
        run(f"{call} no-such.zip", folder).returncode == run(f"{call} evidence.zip --key abc", folder).returncode == 2
    )
    (folder / "evidence.zip").write_bytes((folder / "evidence.zip").read_bytes()[:-1])
    assert run(f"{call} evidence.zip", folder).returncode == 3


def test_the_readme_leads_to_the_page():
    """An auditor finds it from the front."""
    assert "(docs/auditing.md)" in (ROOT / "README.md").read_text()
