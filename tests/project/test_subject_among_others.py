"""What else lies in a project where somebody is erased: other people's rows, files of elsewhere, spellings of her text?"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import unicodedata
from pathlib import Path

import markupsafe
import polars as pl
import pytest
import yaml
from small_project import dvc, git

from governance.documents import escape
from governance.dvc.files import cache_folder, cached_file
from governance.errors import InvalidRecord
from governance.parquet import read_table, write_table
from governance.project import Project
from governance.project.subject.verbs import person_given
from governance.records import Commitment
from governance.store.commitments import RowTable
from governance.store.forgetting import KeptLeaf, keep_leaves

ANNA = "author-anna"
TEXT = 'grüße an "alle" & jeden a/b'
QUOTED = TEXT.replace('"', '""')


@pytest.fixture
def people(project: Path) -> Path:
    """The small project with a column that says who somebody is, and a table that has it."""
    (project / "labeltrail.toml").write_text('[project]\nname = "small"\nsubject_column = "author"\n')
    rows = f'p-0001,{ANNA},"{QUOTED}"\np-0002,author-bert,good day to all of you\n'
    (project / "posts.csv").write_text(f"example_id,author,text\n{rows}", encoding="utf-8")
    return project


def where(report) -> list[str]:
    return [hit["where"] for hit in report.data["after"]["hits"]]


@pytest.mark.parametrize("number", ["1", "4711"])
def test_a_label_of_others_that_looks_like_her_id_stays(project, number):
    """An example named 1 is not what a 1 in somebody else's row means; that it was not searched for is told, exit 4."""
    table = f"example_id,label\n{number},0\n2,{number}\n3,0\n"
    (project / "labels.csv").write_text(table)
    (project / "notes.txt").write_text(f"there were {number} of them\n")
    report = Project.find(project).subject_erase(number)
    assert report.exit_code == 4
    assert (project / "labels.csv").read_text() == table.replace(f"{number},0\n", "", 1)
    assert "compared with ids and subjects alone" in report.data["after"]["not_searched"][0]["why"]


def test_an_id_that_tables_hold_as_a_number_is_hers(project):
    """As whole numbers and as the decimal ones that pandas makes of them: her row goes, a cell that names her is emptied,
    and in a list, where nothing can be emptied, she is told."""
    number = 1234567890123
    write_table(pl.DataFrame({"example_id": [number, 5], "label": [0, 1]}), project / "rows.parquet")
    write_table(pl.DataFrame({"example_id": [float(number), None], "label": [0, 1]}), project / "decimal.parquet")
    write_table(pl.DataFrame({"example_id": ["a", "b"], "answers": [number, 5]}), project / "answers.parquet")
    write_table(pl.DataFrame({"example_id": ["a", "b"], "answers": [[number], [5]]}), project / "lists.parquet")
    report = Project.find(project).subject_erase(str(number))
    assert report.exit_code == 1
    assert where(report) == ["lists.parquet"]
    assert [len(read_table(project / f"{name}.parquet")) for name in ("rows", "decimal")] == [1, 1]
    assert read_table(project / "answers.parquet")["answers"].to_list() == [None, 5]


def test_a_text_of_hers_in_a_table_without_ids_is_found(people):
    """A raw table says of nobody whose rows it holds, so that a text in it does not count as somebody else's."""
    (people / "raw.csv").write_text(f'text,label\n"{QUOTED}",1\nsomething,0\n', encoding="utf-8")
    (people / "notes.md").write_text(f"We saw: {TEXT}\n", encoding="utf-8")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    assert where(report) == ["notes.md", "raw.csv"]


def test_a_text_that_somebody_else_wrote_too_is_told_and_stays(people):
    """The same words in another person's row are that person's; the answer is unknown and not fine."""
    with open(people / "posts.csv", "a", encoding="utf-8") as stream:
        stream.write(f"p-0003,{ANNA},good day to all of you\n")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 4
    assert (people / "posts.csv").read_text().splitlines()[1:] == ["p-0002,author-bert,good day to all of you"]
    assert [one["what"] for one in report.data["after"]["not_searched"]] == ["texts that are not hers alone"]


def test_rows_of_somebody_else_under_the_same_id_stay(people):
    """Two people in one conversation: hers goes, the other's stays, and what is told by the id alone is not touched."""
    head, hers, other = (
        "example_id,author,text\n",
        f"talk-0001,{ANNA},how are you\n",
        "talk-0001,author-bert,very well\n",
    )
    labels = "example_id,label\ntalk-0001,1\np-0001,0\n"
    (people / "talks.csv").write_text(head + hers + other)
    (people / "labels.csv").write_text(labels)
    report = Project.find(people).subject_erase(ANNA)
    assert (people / "talks.csv").read_text() == head + other
    assert (people / "labels.csv").read_text() == labels.removesuffix("p-0001,0\n")
    assert report.exit_code == 4
    assert [one["what"] for one in report.data["after"]["not_searched"]] == ["rows under an id that is not hers alone"]


def test_somebody_whose_name_begins_like_hers_is_somebody_else(people):
    """Neither found nor touched: not in a table, nor in notes, nor in an older content that the cache alone holds."""
    head = "example_id,author,text\n"
    (people / "older.csv").write_text(f"{head}author-anna-2/7,author-anna-2,words of another\n")
    dvc(people, "add", "older.csv")
    older = cached_file(people, yaml.safe_load((people / "older.csv.dvc").read_text())["outs"][0]["md5"])
    for name in ("older.csv", "older.csv.dvc"):
        (people / name).unlink()
    with open(people / "posts.csv", "a", encoding="utf-8") as stream:
        stream.write("author-anna-2/8,author-anna-2,other words of another\n")
    (people / "notes.md").write_text("See author-anna-2 and (author-anna-2/8).\n")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 0, report.to_markdown()
    assert older.is_file()
    (people / "notes.md").write_text("See author-anna-2 and author-anna-23.\n")
    assert [hit["where"] for hit in Project.find(people).subject_verify(ANNA).data["hits"]] == ["notes.md"]


def test_an_id_of_somebody_else_that_has_hers_in_it_makes_the_answer_unknown(people):
    """It may speak of her, and it is another row's own name."""
    with open(people / "posts.csv", "a", encoding="utf-8") as stream:
        stream.write("re:p-0001,author-bert,an answer\n")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 4
    assert [one["what"] for one in report.data["after"]["not_searched"]] == ["ids that are not hers alone"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain_json.json", json.dumps({"a": TEXT}, ensure_ascii=False)),
        ("ascii_json.json", json.dumps({"a": TEXT})),
        ("page.html", "<p>grüße an &quot;alle&quot; &amp; jeden a/b</p>"),
        ("cells.csv", 'one,two\n1,"grüße an ""alle"" & jeden a/b"\n'),
        ("jinja.html", f"<p>{markupsafe.escape(TEXT)}</p>"),
        ("notes.yaml", yaml.safe_dump({"a": TEXT})),
        ("notes.md", escape.markdown(TEXT)),
        ("pandas_json.json", json.dumps({"a": TEXT}).replace("/", "\\/")),
    ],
)
def test_her_text_is_found_as_other_files_spell_it(people, name, content):
    """Quotes, slashes and ampersands are written in another way in JSON, HTML, CSV, YAML and Markdown; find, erase and
    verify all know these."""
    (people / name).write_text(content, encoding="utf-8")
    assert name in [hit["where"] for hit in Project.find(people).subject_find(ANNA).data["hits"]]
    report = Project.find(people).subject_erase(ANNA)
    assert where(report) == [name]
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("name", "code"), [("node_modules/", 0), ("environment/pyvenv.cfg", 0), ("packages/inner/.git/", 4)]
)
def test_folders_that_are_not_looked_into_are_named(people, name, code):
    """Installed packages are no place for data; the history of another repository may hold her, which is unknown."""
    place = people / name
    (place if name.endswith("/") else place.parent).mkdir(parents=True)
    if not name.endswith("/"):
        place.touch()
    report = Project.find(people).subject_verify("author-nobody")
    assert report.exit_code == code
    left = name.removesuffix("/").removesuffix("/pyvenv.cfg")
    assert [one["what"] for one in report.data["not_searched"]] == [left]
    assert "not looked into: " in report.to_markdown()


def test_files_outside_of_the_project_are_told_and_left(people, tmp_path):
    """A link is no reason to forget the file behind it, and a folder behind one is named as not looked into."""
    outside = tmp_path / "outside"
    outside.mkdir()
    rows = f"example_id,author\np-0001,{ANNA}\n"
    (outside / "more.csv").write_text(rows)
    (people / "more.csv").symlink_to(outside / "more.csv")
    (people / "folder").symlink_to(outside)
    (people / "again").symlink_to(people / "artifacts")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    assert (outside / "more.csv").read_text() == rows
    assert (people / "more.csv").is_symlink()
    assert where(report) == ["more.csv"]
    assert [one["what"] for one in report.data["after"]["not_searched"]] == ["folder"]


def test_rows_that_are_shorter_or_longer_than_their_head_keep_their_cells(people):
    """A cell that names her is emptied; what others have beside it stays, however many cells they have."""
    head = "example_id,author,answers,more\n"
    (people / "ragged.csv").write_text(f"{head}q-1,author-bert,p-0001\nq-2,author-carl,p-0001,a,b,c\n")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 0, report.to_markdown()
    assert (people / "ragged.csv").read_text() == f"{head}q-1,author-bert,\nq-2,author-carl,,a,b,c\n"


def test_a_file_that_is_only_called_like_one_of_dvcs_stops_no_erasure(people):
    """Whatever lies about is looked at before the log names anything, and not stumbled over after."""
    (people / "odd.dvc").write_bytes(b"\xff\xfe\x00")
    assert Project.find(people).subject_erase(ANNA).exit_code == 0
    assert not (people / ".labeltrail/erasing").exists()


def test_half_a_character_in_a_text_stops_nobody(people):
    """A text that was cut within an emoji, as JSON can hold it: her row goes, and what answers it is amended."""
    rows = [
        {"example_id": "q-0000", "author": ANNA, "answers": None, "text": "cut off \ud83d"},
        {"example_id": "q-0001", "author": "bert", "answers": "q-0000", "text": "so was I \ud83d"},
    ]
    (people / "cut.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 0, report.to_markdown()
    assert (people / "cut.jsonl").read_text() == f"{json.dumps(rows[1] | {'answers': None})}\n"
    assert Project.find(people).subject_verify(ANNA).exit_code == 0


@pytest.mark.parametrize("given", ["\udcff\udcfe", "-"])
def test_a_name_that_is_no_utf8_is_refused(given, monkeypatch):
    """On the command line and from standard input alike, as an error of ours."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), errors="surrogateescape"))
    with pytest.raises(InvalidRecord, match="UTF-8"):
        person_given(given, None)


def test_copies_of_the_store_are_searched_whatever_it_is_called(people):
    """A file beside it as one of its own, a folder beside it like any other, and a name with brackets is no pattern."""
    state, config = people / ".labeltrail", people / "labeltrail.toml"
    config.write_text(f"{config.read_text()}store = 'sqlite:///.labeltrail/trail[1].db'\n")
    (state / "trail.db").rename(state / "trail[1].db")
    (state / "trail[1].db-copy").write_text(ANNA)
    (state / "trail[1].db.old").mkdir()
    (state / "trail[1].db.old" / "notes").write_text(ANNA)
    data = Project.find(people).subject_verify(ANNA).data
    assert data["store"] == ["file trail[1].db-copy"]
    assert ".labeltrail/trail[1].db.old/notes" in [hit["where"] for hit in data["hits"]]


def test_a_path_that_names_her_is_told(people):
    """Of an empty file and of a folder too; a table of this name still loses her row, and nothing is renamed."""
    (people / f"{ANNA}.txt").touch()
    (people / f"of {ANNA}").mkdir()
    (people / "posts.csv").rename(people / f"of {ANNA}" / "posts.csv")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    left = [f"{ANNA}.txt", f"of {ANNA}/posts.csv"]
    assert where(report) == left
    assert [one["what"] for one in report.data["stays"] if "rename" in one["why"]] == left
    assert "p-0001" not in (people / left[1]).read_text()


def test_what_python_compiled_goes_with_her_and_what_git_keeps_beside_its_objects_is_told(people):
    """The compiled module of a prompt that was mended, and the message of a commit that was taken back."""
    compiled = people / "pipelines/__pycache__/prompt.cpython-313.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"\x00" + ANNA.encode() + b"\x00")
    (people / ".git/COMMIT_EDITMSG").write_text(f"forget {ANNA}\n")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    assert not compiled.exists()
    assert (where(report), report.data["after"]["git"]) == ([], ["file .git/COMMIT_EDITMSG"])


@pytest.mark.parametrize("broken", ["object", "repository"])
def test_what_git_cannot_read_makes_the_answer_unknown(people, broken):
    """An object that is torn, or a repository that git does not open, may hold her."""
    if broken == "object":
        torn = next(path for path in (people / ".git/objects").glob("??/*") if path.is_file())
        torn.chmod(0o644)
        torn.write_bytes(b"torn")
    else:
        (people / ".git/HEAD").unlink()
    report = Project.find(people).subject_verify("author-nobody")
    assert report.exit_code == 4
    assert "git" in report.data["not_searched"][0]["what"]


def kept_by_somebody_else(cache: Path, data: bytes, *, end: str = "") -> Path:
    """A content as DVC in another project leaves it in a cache that both use."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    place = cache / "files/md5" / md5[:2] / f"{md5[2:]}{end}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


def test_what_others_keep_in_a_shared_cache_is_told_and_left(people, tmp_path):
    """Contents, a folder's list and an entry of the run cache that only another project names stay byte by byte, exit 1;
    of ours, what any commit named goes."""
    shared = tmp_path / "shared"
    shutil.move(cache_folder(people), shared)
    (people / ".dvc/config").write_text(f"[cache]\n    dir = {shared}\n")
    # Ours: a content of now, and one that only an earlier commit names.
    older = people / "older.csv"
    older.write_text(f"example_id,author,text\np-0001,{ANNA},an older text\n")
    dvc(people, "add", "older.csv")
    git(people, "add", "older.csv.dvc")
    git(people, "commit", "-qm", "older")
    of_before = cached_file(people, yaml.safe_load((people / "older.csv.dvc").read_text())["outs"][0]["md5"])
    older.write_text("example_id,author,text\np-0002,author-bert,a newer text\n")
    dvc(people, "add", "older.csv", "posts.csv")
    of_now = cached_file(people, yaml.safe_load((people / "posts.csv.dvc").read_text())["outs"][0]["md5"])
    # Somebody else's.
    table = kept_by_somebody_else(shared, f"example_id,author,text\nx-1,{ANNA},words\nx-2,carl,others\n".encode())
    notes = kept_by_somebody_else(shared, f"{ANNA} was here\n".encode())
    listed = [{"md5": of_now.parent.name + of_now.name, "relpath": "a"}, {"md5": "0" * 32, "relpath": "b"}]
    folder = kept_by_somebody_else(shared, json.dumps(listed).encode(), end=".dir")
    run = shared / "runs" / "ab" / "abcd" / "entry"
    run.parent.mkdir(parents=True)
    run.write_text(f"cmd: score {ANNA}\n")
    theirs = {place: place.read_bytes() for place in (table, notes, folder, run)}
    told = {f"DVC's cache: {place.relative_to(shared).as_posix()}" for place in theirs}
    planned = {one["what"]: one["why"] for one in Project.find(people).subject_plan(ANNA).data["stays"]}
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1, report.to_markdown()
    assert {place: place.read_bytes() for place in theirs if place.is_file()} == theirs
    assert not of_before.exists()
    assert not of_now.exists()
    stays = {one["what"]: one["why"] for one in report.data["stays"]}
    assert planned == stays
    assert told == {what for what in stays if what.startswith("DVC's cache")}
    assert all("another project's" in stays[what] for what in told)
    assert set(where(report)) == told - {f"DVC's cache: {folder.relative_to(shared).as_posix()}"}


def test_a_folder_in_dvcs_care_can_still_be_checked_out(people):
    """Its list in the cache names the new tables, the cache holds them, and what is no table is there as it was."""
    folder = people / "folder"
    folder.mkdir()
    (people / "posts.csv").rename(folder / "posts.csv")
    (folder / "notes.txt").write_text(f"{ANNA} wrote first, and others after her\n")
    dvc(people, "add", "folder")
    report = Project.find(people).subject_erase(ANNA)
    assert report.exit_code == 1
    left = [(folder / name).read_bytes() for name in ("notes.txt", "posts.csv")]
    assert b"p-0001" not in left[1]
    assert b"p-0002" in left[1]
    shutil.rmtree(folder)
    dvc(people, "checkout", "folder.dvc")
    assert [(folder / name).read_bytes() for name in ("notes.txt", "posts.csv")] == left
    assert not any(b"p-0001" in path.read_bytes() for path in cache_folder(people).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "data", [TEXT.encode("cp1252"), unicodedata.normalize("NFD", TEXT).encode(), TEXT.encode("utf-16")]
)
def test_her_text_is_found_in_other_encodings(people, data):
    """A search after an erasure, and `verify`, know what spreadsheets and other systems write."""
    (people / "notes.txt").write_bytes(b"a note: " + data + b"\n")
    report = Project.find(people).subject_verify(ANNA)
    assert "notes.txt" in [hit["where"] for hit in report.data["hits"]]


def test_erasing_again_searches_as_thoroughly_as_the_first_time(people):
    """What a spreadsheet wrote is told by both, though there is no row left to take out."""
    (people / "notes.txt").write_bytes(ANNA.encode("utf-16"))
    for _ in range(2):
        report = Project.find(people).subject_erase(ANNA)
        assert (report.exit_code, where(report)) == (1, ["notes.txt"])


def test_a_leaf_that_no_erasure_speaks_of_excuses_no_row(project):
    """Whoever writes into the store's table of kept leaves does not choose which rows are no longer hashed."""
    trail = Project.find(project).trail
    commitment = trail.facts().of(Commitment)[0]
    rows = RowTable(trail, project / "artifacts/data/made.parquet", of=commitment.of, id_column="example_id")
    leaf = rows.leaf(3)
    with trail.database.writing() as connection:
        keep_leaves(trail, connection, {commitment.of: {3: KeptLeaf(leaf, amended=True)}})
    checked = Project.find(project).verify()
    assert checked.exit_code == 3
    assert [check["says"] for check in checked.data["checks"]] == [
        "the store keeps the leaf of row 3 as if it were erased, and no entry says so"
    ]
