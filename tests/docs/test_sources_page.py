"""The page on sources tells the truth of this commit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from governance.checks.kind_facts import NEEDS
from governance.sources.description import FIELDS, KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/sources.md").read_text()


def test_the_commands_of_the_page_run(reference):
    """In a project that has run, each block ends well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=reference,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        assert done.stderr == ""


def test_every_field_and_kind_stands_on_the_page():
    """Whoever writes a description finds each field there is, and what each kind needs."""
    told = set(re.findall(r"`([\w.]+)`", PAGE))
    assert {field for field in FIELDS if not any(name.split(".")[0] == field for name in told)} == set()
    rows = dict(re.findall(r"^\| ([a-z, ]+) \| (`.*) \|$", PAGE, re.MULTILINE))
    needs = {kind: set(re.findall(r"`([\w.]+)`", text)) for kinds, text in rows.items() for kind in kinds.split(", ")}
    assert set(needs) == set(KINDS)
    for kind, fields in NEEDS.items():
        assert needs[kind] == {
            field.replace("collected_", "collected.").replace("terms_", "terms.") for field in fields
        }


def test_all_fields_of_the_standards_have_their_place():
    """The Data Provenance Standards have 22 fields, and the table a row for each."""
    table = PAGE.partition("| field of the standards |")[2].partition("\n\n")[0]
    assert len(table.strip().split("\n")) - 2 == 22
