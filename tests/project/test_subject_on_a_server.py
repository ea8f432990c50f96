"""What a server keeps of somebody who was erased: the answer says it, and its data folder is searched byte by byte."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from behind import Behind, move
from people_project import POSTS
from small_project import copy_of

from governance.project import Project

BERT = "author-bert"


@pytest.fixture
def served(people_once, own_postgres, tmp_path, monkeypatch):
    """The project with people in it, its store in a server of its own."""
    copy_of(people_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    root, database = copy_of(people_once, tmp_path / "project"), own_postgres.new_database()
    move(root, own_postgres.url(database))
    return root, database


def keys_of(root: Path) -> set[bytes]:
    return {bytes(key) for (key,) in Behind.of(root).ask("SELECT key FROM trail_subject_key")}


def holding(data: Path, wanted: set[bytes]) -> set[str]:
    """The folders of a data folder, `base` and `pg_wal` among them, in which a file holds one of these bytes."""
    found = set()
    for path in data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(one in content for one in wanted):
                found.add(path.relative_to(data).parts[0])
    return found


def traces_of(author: str) -> set[bytes]:
    """Name, ids and texts, and their digests by which somebody could check a guess."""
    texts = {author} | {cell for row in POSTS if row[1] == author for cell in (row[0], row[3])}
    found = {text.encode() for text in texts}
    for text in texts:
        for algorithm in ("sha256", "sha1", "md5"):
            digest = hashlib.new(algorithm, text.encode()).digest()
            found |= {digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"=")}
    return found


def documented(server, kind: str, database: str = "postgres") -> None:
    """Runs the statements of docs/stores.md, each by itself."""
    page = (Path(__file__).parents[2] / "docs" / "stores.md").read_text()
    (block,) = re.findall(rf"^```sql {kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for statement in filter(str.strip, block.split(";\n")):
        server.execute(statement, database=database)


def test_what_a_server_keeps_of_an_erased_person_is_what_the_answer_says(served, own_postgres, tmp_path):
    """1. nothing of her was ever on the server but a random key  2. after the erasure the key stands in its data files and
    in its write-ahead log, and plan, answer and receipt say both  3. after the statements that they name it stands in
    the log alone  4. after those of docs/stores.md it stands nowhere"""
    root, database = served
    before = keys_of(root)
    # 1.
    own_postgres.execute("CHECKPOINT")
    assert holding(own_postgres.data, before) == {"base", "pg_wal"}
    assert holding(own_postgres.data, traces_of(BERT)) == set()
    told = [Project.find(root).subject_plan(BERT).data["stays"]]
    # 2.
    report = Project.find(root).subject_erase(BERT, receipt=tmp_path / "receipt.json")
    assert report.exit_code == 0, report.to_markdown()
    gone = before - keys_of(root)
    assert len(gone) == report.data["erasure"]["keys"]
    own_postgres.execute("CHECKPOINT")
    assert holding(own_postgres.data, gone) == {"base", "pg_wal"}
    told += [report.data["stays"], json.loads((tmp_path / "receipt.json").read_text())["stays"]]
    for stays in told:
        says = {one["what"]: one["why"] for one in stays}
        assert "`VACUUM FULL trail_subject_key; CHECKPOINT`" in says["the server's data files"]
        assert "segments of pg_wal" in says["the server's write-ahead log"]
    # 3.
    documented(own_postgres, "vacuum", database)
    assert holding(own_postgres.data, gone) == {"pg_wal"}
    # 4.
    documented(own_postgres, "forget")
    assert holding(own_postgres.data, gone) == set()
    assert holding(own_postgres.data, keys_of(root)) >= {"base"}
    assert own_postgres.execute("SHOW wal_recycle") == [("on",)]
    assert holding(own_postgres.data, traces_of(BERT)) == set()
    assert Project.find(root).verify().exit_code == 0
    assert Project.find(root).subject_verify(BERT).exit_code == 0


def test_a_store_in_a_file_says_nothing_of_a_server(people_once, tmp_path, monkeypatch):
    """Neither plan nor answer speaks of what is not there."""
    copy_of(people_once.parent / "home", tmp_path / "its_home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "its_home"))
    root = copy_of(people_once, tmp_path / "project")
    reports = [Project.find(root).subject_plan(BERT), Project.find(root).subject_erase(BERT)]
    assert not any("the server's" in one["what"] for report in reports for one in report.data["stays"])
