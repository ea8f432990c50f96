"""Whoever states that there is no personal data commits to blocks of rows, and goes back to rows when one is asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys

import polars as pl
import pytest
from behind import Behind
from small_project import git

from governance.digest import file_digest
from governance.errors import ConfigurationError, InvalidRecord, MissingEvidence
from governance.parquet import write_table
from governance.project import Project
from governance.records import Commitment, NoPersonalData
from governance.store.blocks import commit_blocks

SAYS = "Generated sentences about no living person. A. Steward, 2026"
BLOCKS = f'commit = "blocks"\nno_personal_data = "{SAYS}"\n'


def configured(root, lines):
    """The project with lines at the end of the table [project]; what an earlier call put there is gone."""
    path = root / "labeltrail.toml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith(("commit", "no_personal", "subject"))]
    path.write_text("\n".join([*kept, lines]))
    return Project.find(root)


def anew(root, lines):
    """A log of its own for what lies in the project, begun under another configuration."""
    shutil.rmtree(root / ".labeltrail")
    (root / "checkpoints").is_dir() and shutil.rmtree(root / "checkpoints")
    project = configured(root, lines)
    return project, project.sync()


def commitments(project):
    return project.trail.facts().of(Commitment)


def test_blocks_are_verified_and_a_row_can_be_asked_for_once_rows_are_committed_to(reference, tmp_path):
    """1. the statement is entered before the blocks that name it  2. verify, why and challenge answer for blocks
    3. the same tables are committed to by row beside them  4. rows are shown, and verify holds the newest"""
    # 1.
    project, _ = anew(reference, BLOCKS)
    made, (statement,) = commitments(project), project.trail.facts().of(NoPersonalData)
    assert {one.scheme for one in made} == {"blocks/v1"}
    assert {one.statement for one in made} == {statement.name}
    assert statement.says == SAYS
    places = project.trail.positions()
    assert places[statement.name] < min(places[one.name] for one in made)
    # 2.
    project = Project.find(reference)
    told = project.verify()
    assert int(told.exit_code) == 0, told.to_markdown()
    assert told.data["counts"]["rows"] == sum(one.rows for one in made)
    labels = pl.read_parquet(reference / "artifacts/labels/labels.parquet")
    shown = project.why(labels["example_id"][3])
    stands = {one["of"]: one for one in shown.data["store"]["commitments"]}
    assert (stands["labels"]["row"], stands["labels"]["block"]) == (3, 0)
    assert "leaf" not in stands["labels"]
    assert "in block 0" in shown.to_markdown()
    size = project.trail.size()
    with pytest.raises(MissingEvidence, match="no single row") as caught:
        project.challenge(tmp_path / "c.zip", seed="s")
    assert int(caught.value.exit_code) == 4
    assert "labeltrail sync" in (caught.value.hint or "")
    assert project.trail.size() == size
    assert int(project.bundle(tmp_path / "b.zip", verifier=tmp_path / "verify.py").exit_code) == 0
    key = project.trail.start().public_key
    assert int(Project.verify_bundle(tmp_path / "b.zip", key=key).exit_code) == 0
    command = [sys.executable, "-I", "-S", "verify.py", "b.zip", "--key", key]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    # 3.
    project = configured(reference, 'commit = "rows"\n')
    assert project.sync().data["new_entries"] == len(made)
    assert project.sync().data["new_entries"] == 0
    assert [one.scheme for one in commitments(project)].count("rows/v1") == len(made)
    # 4.
    project = Project.find(reference)
    assert int(project.challenge(tmp_path / "c.zip", seed="s", rows=3).exit_code) == 0
    assert int(Project.verify_bundle(tmp_path / "c.zip", key=project.trail.start().public_key).exit_code) == 0
    assert int(project.verify().exit_code) == 0
    assert configured(reference, BLOCKS).sync().data["new_entries"] == 0


def test_a_table_that_was_not_committed_to_is_named_with_its_block(project):
    """The file is the recorded one, and the newest commitment is to another: a false one is not believed."""
    found, _ = anew(project, BLOCKS)
    (made,) = commitments(found)
    assert int(found.verify().exit_code) == 0
    other = project / "other.parquet"
    frame = pl.read_parquet(project / "artifacts/data/made.parquet")
    write_table(frame.with_columns(text=frame["text"].str.replace("5", "6")), other)
    assert Behind.of(project).change("DELETE FROM trail_block_leaves", ()) == 1
    false = commit_blocks(found.trail, other, of=made.of, id_column="example_id", statement=made.statement)
    found.trail.append([false])
    told = Project.find(project).verify()
    assert int(told.exit_code) == 3
    assert "artifacts/data/made.parquet" in told.to_markdown()
    assert "block 0 (rows 0 to 1023) is the first that does not fit" in told.to_markdown()


@pytest.mark.parametrize(
    ("lines", "error", "match"),
    [
        ('commit = "blocks"\n', ConfigurationError, "no_personal_data"),
        ('commit = "blocks"\nno_personal_data = "  "\n', ConfigurationError, "no_personal_data"),
        (BLOCKS + 'subject_column = "who"\n', ConfigurationError, "subject_column"),
        ('commit = "block"\n', InvalidRecord, "project.commit"),
    ],
    ids=["no_statement", "an_empty_one", "a_subject_column", "neither"],
)
def test_without_a_statement_nothing_is_recorded(project, lines, error, match):
    """The field is named with the way out, exit 2, before anything runs."""
    size = Project.find(project).trail.size()
    with pytest.raises(error, match=match) as caught:
        configured(project, lines)
    assert int(caught.value.exit_code) == 2
    assert configured(project, "").trail.size() == size


def test_nobody_is_taken_out_of_a_block_until_rows_are_committed_to(project):
    """Erasing is refused before anything changes, and works after the way out was taken."""
    found, _ = anew(project, BLOCKS)
    size, table = found.trail.size(), project / "artifacts/data/made.parquet"
    before = file_digest(table)
    for ask in (found.subject_plan, found.subject_erase):
        with pytest.raises(ConfigurationError, match="committed to in blocks") as caught:
            ask("e/5")
        assert int(caught.value.exit_code) == 2
        assert "labeltrail sync" in (caught.value.hint or "")
    assert (found.trail.size(), file_digest(table)) == (size, before)
    found = configured(project, "")
    found.sync()
    done = found.subject_erase("e/5")
    assert pl.read_parquet(table).height == 11, done.to_markdown()
    told = Project.find(project).verify()
    assert int(told.exit_code) in (0, 1), told.to_markdown()
    with pytest.raises(ConfigurationError, match="erased by entry"):
        configured(project, BLOCKS).sync()


def test_one_statement_stands_for_all_that_is_committed_to_while_it_stays_the_same(project):
    """Another commit of the code is no other statement; other words are."""
    found, _ = anew(project, BLOCKS)
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 13}\n")
    git(project, "commit", "-q", "--allow-empty", "-m", "second")
    assert int(found.repro().exit_code) == 0
    assert len(found.trail.facts().of(NoPersonalData)) == 1
    (project / "params.yaml").write_text("seed: 3\nthreads: 1\nmake: {rows: 14}\n")
    found = configured(project, BLOCKS.replace("2026", "2027"))
    assert int(found.repro().exit_code) == 0
    stated = found.trail.facts().of(NoPersonalData)
    assert [one.says[-4:] for one in stated] == ["2026", "2027"]
    assert [one.statement for one in commitments(found)] == [stated[0].name, stated[0].name, stated[1].name]
