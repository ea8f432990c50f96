"""One person is erased: what is hers is gone from every place, what is everybody else's is as it was, and still proved."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import tiny_corpus
import yaml
from reference_project import made_up_rows
from small_project import dvc, git

from governance.config import read_config
from governance.digest import canonical
from governance.dvc.files import cached_file, read_lock
from governance.errors import MissingEvidence
from governance.parquet import read_table
from governance.project import Project
from governance.project.subject.look import Looker
from governance.project.subject.person import Person
from governance.records import Commitment, Erasure, Votes
from governance.store.commitments import RowTable, SubjectKeys, canonical_rows, commit_rows
from governance.store.tables import SubjectKeyRow

ID = "tweets/7"
TABLES = {
    "artifacts/data/examples.parquet": 1,
    "artifacts/data/ratings.parquet": 20,
    "artifacts/data/screened.parquet": 1,
    "artifacts/votes/votes.parquet": 1,
    "artifacts/labels/labels.parquet": 1,
    "artifacts/evaluation/predictions.parquet": 1,
}
DOWNLOAD = ".labeltrail/downloads/tinycorpus-1.0.tar.gz"


def text_of(root: Path, example: str = ID) -> str:
    frame = read_table(root / "artifacts/data/examples.parquet")
    return frame.filter(pl.col("example_id") == example)["text"][0]


def all_bytes(root: Path) -> dict[str, bytes]:
    """Every file below a folder, with .git and the cache; Parquet also as its cells say it."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            cells = str(pl.read_parquet(path).rows()).encode() if data.startswith(b"PAR1") else b""
            found[path.relative_to(root).as_posix()] = data + cells
    return found


def unsalted(root: Path) -> set[bytes]:
    """The digests by which somebody could check a guess at the person's text, id or row."""
    found: set[bytes] = set()
    rows = [text_of(root).encode(), ID.encode()]
    for path in TABLES:
        frame = read_table(root / path).filter(pl.col("example_id") == ID)
        rows += [row for line in canonical_rows(frame) for row in (line, b"\x00" + line)]
    for data in rows:
        for algorithm in ("sha256", "sha1", "md5"):
            digest = hashlib.new(algorithm, data).digest()
            found |= {digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"=")}
    return found


def keys_of(root: Path) -> set[bytes]:
    trail = Project.find(root).trail
    with trail.database.reading() as connection:
        return {
            bytes(row[0])
            for row in connection.execute(
                SubjectKeyRow.__table__.select().with_only_columns(SubjectKeyRow.__table__.c.key)
            )
        }


@pytest.fixture
def before(reference: Path, tmp_path: Path) -> Path:
    """The project as it was, beside the one that a person is erased from, with a bundle, rows that somebody drew, the
    verifier and a checkpoint handed out."""
    project = Project.find(reference)
    assert project.checkpoint().exit_code == 0
    assert project.bundle(tmp_path / "evidence.zip").exit_code == 0
    drawn = project.challenge(tmp_path / "rows.zip", seed="lottery", rows=25, verifier=tmp_path / "verify.py")
    assert drawn.exit_code == 0
    shutil.copytree(reference, tmp_path / "before", symlinks=True)
    return tmp_path / "before"


def test_nothing_of_an_erased_person_is_left_and_nothing_of_anybody_else_is_touched(before, reference, tmp_path):
    """1. text, id, key and every unsalted digest are in no byte of project, cache, store and git  2. all other rows are
    what they were, the labels among them  3. every earlier proof and checkpoint verifies  4. the log does not name her"""
    text, digests, keys = text_of(reference), unsalted(reference), keys_of(reference)
    report = Project.find(reference).subject_erase(ID, receipt=tmp_path / "receipt.json")
    assert report.exit_code == 0, report.to_markdown()
    entry = report.data["entry"]
    # 1.
    destroyed = keys - keys_of(reference)
    assert len(destroyed) == 1
    for name, data in all_bytes(reference).items():
        assert text.encode() not in data, name
        assert b"'tweets/7'" not in data, name
        assert not [digest for digest in (*digests, *destroyed) if digest in data], name
    assert not (reference / DOWNLOAD).exists()
    assert Project.find(reference).subject_verify(ID, texts=told(tmp_path, text)).exit_code == 0
    # 2.
    for path, rows in TABLES.items():
        was, now = read_table(before / path), read_table(reference / path)
        assert len(was) - len(now) == rows
        assert now.equals(was.filter(pl.col("example_id") != ID)), path
    # 3.
    project = Project.find(reference)
    checked = project.verify(since=next((before / "checkpoints").iterdir()))
    assert checked.exit_code == 0, checked.to_markdown()
    assert {check["state"] for check in checked.data["checks"]} <= {"erased"}
    assert {check["culprit"].partition(": ")[2] for check in checked.data["checks"]} == set(TABLES)
    assert all(f"erased by entry {entry}" in check["says"] for check in checked.data["checks"])
    assert checked.data["counts"]["rows"] == 5 * 640
    what_was_handed_out_still_verifies(tmp_path, next((before / "checkpoints").iterdir()))
    every_earlier_checkpoint_still_verifies(before, reference, tmp_path / "earlier")
    every_other_leaf_is_the_same(before, reference)
    # 4.
    record = project.facts().one(Erasure)
    for told_anywhere in (record.canonical(), (tmp_path / "receipt.json").read_bytes()):
        assert not Person(ID, texts=frozenset({text}), thorough=True).is_in(told_anywhere)
    assert sum(file.rows for file in record.files) == 24
    assert json.loads((tmp_path / "receipt.json").read_text())["entry"] == entry


def told(folder: Path, text: str) -> Path:
    (folder / "texts.txt").write_text(f"{text}\n")
    return folder / "texts.txt"


def what_was_handed_out_still_verifies(folder: Path, checkpoint: Path) -> None:
    for name in ("evidence.zip", "rows.zip"):
        assert Project.verify_bundle(folder / name, since=checkpoint).exit_code == 0, name
        command = [sys.executable, "-I", "-S", "verify.py", name, "--checkpoint", str(checkpoint)]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout


def every_earlier_checkpoint_still_verifies(before: Path, after: Path, place: Path) -> None:
    notes = [note for _, note, _ in Project.find(before).trail.checkpoints()]
    assert len(notes) > 3
    for note in notes:
        place.write_text(note)
        checked = Project.find(after).verify(since=place, log=True)
        assert checked.exit_code == 0, checked.to_markdown()


def every_other_leaf_is_the_same(before: Path, after: Path) -> None:
    commitments = Project.find(before).facts().of(Commitment)
    votes = Project.find(before).facts().one(Votes)
    committed = next(commitment for commitment in commitments if commitment.of == votes.name)
    rows = [
        commit_rows(
            Project.find(root).trail, root / "artifacts/votes/votes.parquet", of=votes.name, id_column="example_id"
        )
        for root in (before, after)
    ]
    assert rows[0].leaves == rows[1].leaves
    assert rows[0].commitment == rows[1].commitment == committed
    assert [one for one, two in zip(rows[0].ids, rows[1].ids, strict=True) if one != two] == [ID]
    table = RowTable(
        Project.find(after).trail, after / "artifacts/votes/votes.parquet", of=votes.name, id_column="example_id"
    )
    gone = rows[0].ids.index(ID)
    assert table.at(gone) == rows[0].leaves[gone]
    assert table.at(gone + 1).number == gone + 1
    assert table.leaf(gone) == rows[0].leaves[gone + 1]


def test_the_project_works_on_after_an_erasure(reference):
    """DVC is up to date, no stage runs again, and every verb says what was erased by which entry."""
    entry = Project.find(reference).subject_erase(ID).data["entry"]
    dvc(reference, "status", "--quiet")
    git(reference, "commit", "-qam", "erased")
    project = Project.find(reference)
    assert set(project.repro().data["stages"].values()) == {"unchanged"}
    status = project.status()
    assert status.exit_code == 0
    assert [s["says"] for s in status.data["stages"] if s["stage"] == "vote"] == [f"erased by entry {entry}"]
    with pytest.raises(MissingEvidence, match=f"erased by entry {entry}"):
        project.why(ID)
    (leaf, *_) = project.why("tweets/8").data["store"]["commitments"]
    assert leaf["row"] == 7
    (attempt,) = project.reproduce("combine").data["reproductions"]
    assert attempt["outcome"] == "unable"
    assert f"erased by entry {entry}" in attempt["says"]
    for which in ("dataset", "model"):
        assert project.card(which).exit_code == 0


def test_what_training_without_her_changed_is_told_with_the_erasure_as_its_reason(reference):
    """A download without her is labelled and trained on anew: `diff` of labels, model and figures names entry and rows,
    the first stage that had her, and which labels and predictions moved; the summary of the repro names it too."""
    entry = Project.find(reference).subject_erase(ID).data["entry"]
    git(reference, "commit", "-qam", "erased")
    rows = made_up_rows()
    rows["tweets"] = [row for row in rows["tweets"] if row[0] != "7"]
    data = tiny_corpus.sdist(tiny_corpus.files(rows))
    (reference / DOWNLOAD).write_bytes(data)
    params = yaml.safe_load((reference / "params.yaml").read_text())
    params["collect"]["sha256"] = hashlib.sha256(data).hexdigest()
    (reference / "params.yaml").write_text(yaml.safe_dump(params))
    before = read_table(reference / "artifacts/evaluation/predictions.parquet")
    summary = reference / "reports/summary.md"
    report = Project.find(reference).repro(summary=summary)
    assert report.exit_code == 0, report.to_markdown()
    for stage in ("combine", "train", "evaluate"):
        report = Project.find(reference).diff(stage)
        assert report.exit_code == 0, report.data["unknown"]
        assert [one["stage"] for one in report.data["began"]] == ["collect"]
        assert report.data["began"][0]["says"][1:] == [
            f"output artifacts/data/examples.parquet lost 1 row, erased by entry {entry}",
            f"output artifacts/data/ratings.parquet lost 20 rows, erased by entry {entry}",
        ]
        (one,) = report.data["erased"]
        assert one["entry"] == entry
        assert one["files"]["artifacts/labels/labels.parquet"] == 1
        assert ID not in report.to_markdown()
    told = next(o for o in report.data["effect"]["outputs"] if o["path"].endswith("predictions.parquet"))
    after = read_table(reference / "artifacts/evaluation/predictions.parquet")
    then = dict(zip(before["example_id"].to_list(), before["prediction"].to_list(), strict=True))
    moved = [then[example] != now for example, now in after.select("example_id", "prediction").rows()]
    assert told["labels"]["flipped"] == sum(moved)
    assert report.data["effect"]["metrics"]["changes"]
    assert f"erased by entry {entry}" in summary.read_text()


def test_somebody_who_was_erased_and_comes_back_is_not_recorded(reference, before):
    """A download that brings her back is refused with the entry, exit 1; erasing again makes it whole again."""
    first = Project.find(reference).subject_erase(ID).data["entry"]
    (reference / DOWNLOAD).write_bytes((before / DOWNLOAD).read_bytes())
    project = Project.find(reference)
    report = project.repro(targets=["collect"], force=True)
    assert report.exit_code == 1
    assert report.data["problems"]["collect"].endswith(f"holds rows of a person who was erased by entry {first}")
    checked = Project.find(reference).verify()
    assert checked.exit_code == 1
    assert {check["state"] for check in checked.data["checks"]} == {"erased", "returned"}
    again = Project.find(reference).subject_erase(ID)
    assert again.exit_code == 0
    assert again.data["entry"] > first
    assert Project.find(reference).verify().exit_code == 0


def test_the_contents_of_before_are_gone_from_the_cache(reference):
    """dvc.lock names the new contents, the cache holds these and none of the old ones, and its run cache neither."""
    was = {file.md5 for stage in read_lock(reference).values() for file in stage.outs if file.path in TABLES}
    Project.find(reference).subject_erase(ID)
    now = {file.md5 for stage in read_lock(reference).values() for file in stage.outs if file.path in TABLES}
    assert not was & now
    assert all(cached_file(reference, md5).is_file() for md5 in now)
    assert not any(cached_file(reference, md5).exists() for md5 in was)
    entries = (reference / ".dvc/cache/runs").rglob("*")
    assert not any(md5 in path.read_text() for path in entries if path.is_file() for md5 in was)


def test_the_search_looks_inside_of_archives(reference):
    """A text in a tar in a gzip in another of both is found, and another archive of the same kind holds nothing."""
    config = read_config(reference)
    looker = Looker(Person(ID, texts=frozenset({text_of(reference)})), config)
    assert looker.file(reference / DOWNLOAD, shown="it")
    nobody = Looker(Person("nobody/0", texts=frozenset({"words that nobody wrote"})), config)
    assert not nobody.file(reference / DOWNLOAD, shown="it")
    assert not nobody.problems


def test_the_key_is_gone_from_the_bytes_of_the_store(reference):
    """SQLite keeps no free page with the key, and the pseudonym stays to recognise her."""
    keys = keys_of(reference)
    Project.find(reference).subject_erase(ID)
    data = (reference / ".labeltrail/trail.db").read_bytes()
    (gone,) = keys - keys_of(reference)
    assert gone not in data
    assert sum(key in data for key in keys) == len(keys) - 1
    with sqlite3.connect(reference / ".labeltrail/trail.db") as store:
        assert store.execute("SELECT count(*) FROM trail_erased_subject").fetchone() == (1,)
    assert SubjectKeys(Project.find(reference).trail).erased(ID) is not None
    assert canonical(Project.find(reference).facts().one(Erasure).body())
