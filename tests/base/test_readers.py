"""Is every reader of ours noticed that reads while a stage is watched, and nobody else?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from governance.readers import EXECUTIONS, others_read, reading
from governance.runs import observed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".labeltrail").mkdir()
    (tmp_path / "labeltrail.toml").write_text('[project]\nname = "small"\n')
    return tmp_path


def test_a_reader_that_was_done_before_does_not_count(root):
    """A repro right after a status knows that nobody reads any more."""
    with reading(root):
        pass
    observed.begin(root)
    assert not observed.end().others


def test_a_reader_that_begins_meanwhile_counts_though_it_is_done(root):
    """Its mark is younger than the stage."""
    observed.begin(root)
    with reading(root):
        pass
    assert observed.end().others


def test_a_reader_that_began_before_counts_though_it_is_done_or_still_reads(root):
    """Its lock was held when the stage began."""
    with reading(root):
        observed.begin(root)
    assert observed.end().others
    with reading(root):
        observed.begin(root)
        assert observed.end().others


def test_two_readers_count_until_both_are_done(root):
    """They share the lock."""
    with reading(root):
        with reading(root):
            pass
        since = time.time_ns()
        assert others_read(root, since=since)
    assert not others_read(root, since=since)


def test_a_reader_that_is_killed_does_not_count_for_ever(root):
    """A lock ends with its process."""
    body = "import sys, time; from pathlib import Path; from governance.readers import reading\n"
    body += "with reading(Path(sys.argv[1])):\n    print('reads', flush=True)\n    time.sleep(600)\n"
    with subprocess.Popen([sys.executable, "-c", body, str(root)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reads\n"
        since = time.time_ns()
        assert others_read(root, since=since)
        process.kill()
    assert not others_read(root, since=since)


def test_what_a_stage_reads_through_the_library_is_its_own(root, monkeypatch):
    """Documents are made by stages that open the project."""
    monkeypatch.setenv(EXECUTIONS, str(root))
    since = time.time_ns()
    with reading(root):
        assert not others_read(root, since=since)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_read_all_the_same(root):
    """Nobody is told, and nothing fails."""
    (root / ".labeltrail").chmod(0o555)
    with reading(root):
        assert not (root / ".labeltrail/readers").exists()
    (root / ".labeltrail").chmod(0o755)


def test_a_project_without_a_state_folder_gets_none(tmp_path):
    """To read makes no folder."""
    with reading(tmp_path):
        assert not list(tmp_path.iterdir())
    assert not others_read(tmp_path, since=0)
