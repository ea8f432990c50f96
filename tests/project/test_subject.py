"""A person is found in every store, taken out of all of them at once or not at all, and never named by what is kept."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from behind import both_stores
from people_project import POSTS, csv_of
from small_project import copy_of, dvc, git

from governance.config import read_config
from governance.dvc.files import cached_file, read_lock
from governance.errors import Busy, ConfigurationError, MissingEvidence
from governance.parquet import read_table
from governance.project import Project
from governance.project.repro import project_lock
from governance.project.subject import staging
from governance.project.subject.erase import erase
from governance.project.subject.places import store_cells
from governance.records import Challenge, Commitment, Erasure
from governance.store.forgetting import erasures
from governance.store.trail import Trail

ANNA, DORA = "author-anna", "author-dora"
POSTS_TABLE, MARKS, LENGTHS = "artifacts/posts.parquet", "artifacts/marks.parquet", "artifacts/lengths.jsonl"


class CutOffError(Exception):
    """Stands for a kill: nothing after it happens."""


def cut_off_at(number: int):
    """A step hook that cuts an erasure off at its step of this number, from 0."""
    left = [number]

    def step(_: str) -> None:
        if left[0] == 0:
            raise CutOffError
        left[0] -= 1

    return step


def contents(root: Path) -> dict[str, bytes]:
    """What lies in the project and in DVC's cache."""
    folders = [root / name for name in ("data", "artifacts", ".dvc/cache")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in [*files, root / "dvc.lock"]}


def where(report) -> dict[str, int]:
    return {hit["where"]: hit["rows"] for hit in report.data["hits"]}


def test_every_row_of_a_person_is_found_in_tables_of_every_kind(people):
    """By her name in CSV and Parquet, by the ids of her rows where no column names her."""
    report = Project.find(people).subject_find(ANNA)
    assert report.exit_code == 1
    found = where(report)
    assert {path: found[path] for path in ("data/posts.csv", POSTS_TABLE, MARKS, LENGTHS)} == dict.fromkeys(
        ("data/posts.csv", POSTS_TABLE, MARKS, LENGTHS), 2
    )
    assert sum(rows == 2 for place, rows in found.items() if place.startswith("DVC's cache")) >= 5
    assert report.data["examples"] == 2
    assert Project.find(people).subject_find("author-nobody").exit_code == 0


def test_rows_that_were_shown_to_an_auditor_are_named_as_out_of_reach(people):
    """A challenge holds rows and their salts, and nobody can take them back."""
    trail = Project.find(people).trail
    made = Challenge.make(
        seed="1", rows=1, commitments=[trail.facts().of(Commitment)[0].name], who="A. Steward", reason="an audit"
    )
    trail.append([made])
    stays = {one["what"] for one in Project.find(people).subject_plan(ANNA).data["stays"]}
    assert "1 rows shown by A. Steward" in stays


def test_a_plan_changes_nothing(people):
    """Not one byte of project, cache and log."""
    was, size = contents(people), Project.find(people).trail.size()
    report = Project.find(people).subject_plan(ANNA)
    assert report.exit_code == 1
    assert {hit["where"] for hit in report.data["rewritten"]} >= {"data/posts.csv", POSTS_TABLE, MARKS, LENGTHS}
    assert report.data["keys"] == 3  # her name in the posts, and two ids in the marks, which have no column for her
    assert "does not name her" in report.to_markdown()
    assert contents(people) == was
    assert Project.find(people).trail.size() == size
    assert not (people / ".labeltrail/erasing").exists()


def test_all_rows_of_a_person_go_and_every_other_byte_of_the_input_stays(people):
    """Quoted cells and line breaks of others stay as they were; what answered her is amended and its row still proved."""
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 0, report.to_markdown()
    others = [post for post in POSTS if post[1] != ANNA]
    amended = [(i, a, "" if answers in ("post-0001", "post-0003") else answers, t) for i, a, answers, t in others]
    assert (people / "data/posts.csv").read_text() == csv_of(amended)
    table = read_table(people / POSTS_TABLE)
    assert table["example_id"].to_list() == [post[0] for post in others]
    assert table["answers"].to_list()[:2] == [None, None]
    lengths = [json.loads(line)["example_id"] for line in (people / LENGTHS).read_text().splitlines()]
    assert lengths == [post[0] for post in others]
    project = Project.find(people)
    checked = project.verify()
    assert checked.exit_code == 0, checked.to_markdown()
    record = project.facts().one(Erasure)
    assert {tuple(rows.rows) for rows in record.rows} == {(0, 2)}
    assert {tuple(rows.amended) for rows in record.rows} == {(1, 3), ()}
    dvc(people, "status", "--quiet")
    assert set(project.repro().data["stages"].values()) == {"unchanged"}
    assert project.subject_verify(ANNA).exit_code == 0


def test_what_is_kept_never_names_the_person(people):
    """Neither log nor notes nor file names, and a reason that does is refused before anything changes."""
    was = contents(people)
    with pytest.raises(ConfigurationError, match="the reason names the person"):
        Project.find(people).subject_erase(ANNA, reason=f"{ANNA} wrote to us")
    assert contents(people) == was
    Project.find(people).subject_erase(ANNA, reason="request 17")
    for path in people.rglob("*"):
        assert ANNA not in path.name
        if path.is_file():
            assert ANNA.encode() not in path.read_bytes(), path
    assert Project.find(people).facts().one(Erasure).reason == "request 17"


def test_somebody_in_older_revisions_alone_is_erased_from_the_cache(people):
    """The older table stays for everybody else, under the digest that the record names, and the project as it is."""
    was = {name: data for name, data in contents(people).items() if not name.startswith(".dvc")}
    report = Project.find(people).subject_erase(DORA)
    assert report.exit_code == 0, report.to_markdown()
    assert {name: data for name, data in contents(people).items() if not name.startswith(".dvc")} == was
    project = Project.find(people)
    assert project.verify().data["checks"] == []
    left = erasures(project.trail)
    (older,) = [file for file in project.facts().one(Erasure).files if file.path == POSTS_TABLE]
    standing = left.of(older.before)
    assert standing is not None
    tables = [
        read_table(p) for p in (people / ".dvc/cache").rglob("*") if p.is_file() and p.read_bytes()[:4] == b"PAR1"
    ]
    assert [t["example_id"].to_list() for t in tables if "author" in t.columns] == [[post[0] for post in POSTS]] * len(
        [t for t in tables if "author" in t.columns]
    )
    with pytest.raises(MissingEvidence, match="nowhere here"):
        project.subject_erase("author-nobody")


def test_a_comparison_with_a_run_of_before_says_what_it_lost(people):
    """`diff` tells the rows that are left of the older version, and by which entry the others went."""
    entry = Project.find(people).subject_erase(DORA).data["entry"]
    report = Project.find(people).diff("read")
    (table,) = [one for one in report.data["effect"]["outputs"] if one["path"] == POSTS_TABLE]
    assert table["erased"] == {"earlier": f"1 row erased by entry {entry}"}
    assert f"erased by entry {entry}" in report.to_markdown()


@both_stores
def test_two_people_and_one_of_them_twice(people):
    """Each has an entry of her own, roots and proofs hold after each, and a second time changes nothing."""
    first = Project.find(people).subject_erase(ANNA).data["entry"]
    second = Project.find(people).subject_erase("author-bert").data["entry"]
    assert read_table(people / POSTS_TABLE)["author"].unique().to_list() == ["author-carl"]
    checked = Project.find(people).verify()
    assert checked.exit_code == 0, checked.to_markdown()
    assert any(f"erased by entries {first} and {second}" in check["says"] for check in checked.data["checks"])
    size, was = Project.find(people).trail.size(), contents(people)
    again = Project.find(people).subject_erase(ANNA)
    assert (again.exit_code, again.data["entry"]) == (0, first)
    assert (Project.find(people).trail.size(), contents(people)) == (size, was)


@both_stores
def test_ids_of_hers_that_come_back_without_her_name_are_hers(people):
    """Tables that hold ids alone do not say whose they are; the store still knows, each time that they come back."""
    one, other = people / "one.csv", people / "other.csv"
    Project.find(people).subject_erase(ANNA)
    for rows in ("post-0001,1\n", "post-0003,1\n"):
        one.write_text(f"example_id,length\n{rows}post-0002,2\n")
        found = Project.find(people).subject_verify(ANNA)
        assert (found.exit_code, where(found)) == (1, {"one.csv": 1})
        assert Project.find(people).subject_erase(ANNA).exit_code == 0
        assert one.read_text() == "example_id,length\npost-0002,2\n"
    other.write_text("example_id,length\npost-0002,2\n")
    assert Project.find(people).subject_verify(ANNA).exit_code == 0


def test_an_erasure_that_is_cut_off_at_any_step_is_completed(people, tmp_path, monkeypatch):
    """1. nothing is broken in between, and the log says what is going on  2. no stage runs on half of it  3. erasing again,
    or resuming, ends where an erasure that nobody disturbed ends"""
    whole = copy_of(people, tmp_path / "whole")
    copy_of(tmp_path / "its_home", tmp_path / "home")
    Project.find(whole).subject_erase(ANNA)
    wanted = contents(whole)
    size = Project.find(people).trail.size()
    resumed = 0
    for number in range(100):
        root = copy_of(people, tmp_path / f"cut{number}")
        # What this person saw last of the log is remembered outside of the project.
        monkeypatch.setenv("XDG_CONFIG_HOME", str(copy_of(tmp_path / "home", tmp_path / f"home{number}")))
        project = Project.find(root)
        try:
            erase(project.config, project.trail, ANNA, step=cut_off_at(number))
            break
        except CutOffError:
            pass
        # 1.
        entered = project.trail.size() > size
        assert project.verify().exit_code in ((1, 4) if entered and contents(root) != wanted else (0, 4))
        if (root / ".labeltrail/erasing/intent.json").exists():
            # 2.
            with pytest.raises(Busy, match="cut off"):
                Project.find(root).repro()
        # 3.
        if entered and number % 2:
            assert Project.find(root).subject_resume().data["left"] == []
            resumed += 1
        else:
            assert Project.find(root).subject_erase(ANNA).exit_code == 0
        assert contents(root) == wanted
        assert Project.find(root).verify().exit_code == 0
        assert len(Project.find(root).facts().of(Erasure)) == 1
    assert resumed > 3
    assert not (root / ".labeltrail/erasing").exists()


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_what_other_projects_keep_on_the_same_server_is_theirs(people, tmp_path):
    """Somebody who stands in the log of another project does not stand in this one's."""
    other = Trail.open(read_config(people).store, root=tmp_path / "other", project="other", create=True)
    commitment = Project.find(people).trail.facts().of(Commitment)[0].name
    other.append([Challenge.make(seed="1", rows=1, commitments=[commitment], who="author-nobody", reason="")])
    assert Project.find(people).subject_verify("author-nobody").data["store"] == []


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_tables_of_a_server_are_fetched_in_parts(people, postgres_server, postgres_database):
    """A log of any length is searched in little memory: each table by a cursor that stays on the server."""
    cells, asked = store_cells(Project.find(people).trail), set()
    for _ in cells:
        asked |= {
            query
            for (query,) in postgres_server.execute(
                "SELECT query FROM pg_stat_activity WHERE application_name = 'labeltrail' AND datname = %s",
                (postgres_database,),
            )
        }
    # Beside the first row, with which a cursor is opened.
    assert {query.partition(" FROM ")[0] for query in asked} == {"FETCH FORWARD 1", "FETCH FORWARD 1000"}


def test_a_full_disk_changes_nothing(people, monkeypatch):
    """Every new content is made before the first one is touched."""
    was, size = contents(people), Project.find(people).trail.size()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging.shutil, "copymode", full)
    with pytest.raises(OSError, match="No space left"):
        Project.find(people).subject_erase(ANNA)
    monkeypatch.undo()
    assert contents(people) == was
    assert Project.find(people).trail.size() == size
    assert not (people / ".labeltrail/erasing").exists()


def test_two_at_once_and_a_run_at_work_are_refused(people):
    """The second is told that somebody is at work, and nothing of it happens."""
    was = contents(people)
    with project_lock(read_config(people), wait_seconds=0), pytest.raises(Busy):
        Project.find(people).subject_erase(ANNA)
    assert contents(people) == was


def test_a_person_in_code_or_in_git_is_told_and_left(people):
    """A prompt that names her and a commit that holds it are found by name; a row is taken out, a sentence is not."""
    (people / "pipelines/prompt.txt").write_text(f"Like {ANNA} said: vote for the first.\n")
    git(people, "add", "-A")
    git(people, "commit", "-qm", "a prompt")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    assert any(stays["what"] == "pipelines/prompt.txt" for stays in report.data["stays"])
    assert [hit["where"] for hit in report.data["after"]["hits"]] == ["pipelines/prompt.txt"]
    assert len(report.data["after"]["git"]) == 1


def test_what_cannot_be_looked_into_is_named(people):
    """A packed file that nothing here unpacks makes the answer unknown, and not fine."""
    (people / "old.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(40))
    report = Project.find(people).subject_verify("author-nobody")
    assert report.exit_code == 4
    assert report.data["not_searched"] == [{"what": "old.7z", "why": "a 7z archive"}]


def test_an_older_lock_after_an_erasure_is_told_and_not_broken(people):
    """`git checkout dvc.lock` brings back names of contents that are gone: stale, with the way out."""
    Project.find(people).subject_erase(ANNA)
    git(people, "checkout", "dvc.lock")
    checked = Project.find(people).verify()
    assert checked.exit_code == 1, checked.to_markdown()
    assert {check["state"] for check in checked.data["checks"] if check["what"] == "dvc.lock"} == {"stale"}


def test_contents_of_one_name_in_lock_and_cache(people):
    """After an erasure each content that dvc.lock names lies in the cache under that name."""
    Project.find(people).subject_erase(ANNA)
    outs = [file for stage in read_lock(people).values() for file in stage.outs]
    assert all(cached_file(people, file.md5 or "").is_file() for file in outs)
